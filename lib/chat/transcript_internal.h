/* transcript_internal.h: what the files of the transcript share: the answer as a list of parts in the making. */
#ifndef LIB_CHAT_TRANSCRIPT_INTERNAL_H
#define LIB_CHAT_TRANSCRIPT_INTERNAL_H

#include "lib/chat/blocks.h"
#include "lib/chat/transcript.h"

enum { TRANSCRIPT_SMALL_BYTES = 64 * 1024 }; /* what may be done at once, or kept */

enum kind {
    TEXT,
    REASONING,
    SOLUTION,
    CODE,
    GIVEN
}; /* GIVEN: a block that came with the options and only passes through */

struct tag {
    enum kind kind;
    char *open, *close;
    size_t open_n, close_n;
    bool bracketed; /* <name>: attributes are allowed */
};

struct part { /* a block in the making */
    enum kind kind;
    struct buf content;
    const struct tag *tag;
    bool by_field; /* reasoning that came in a field of its own */
    json_object *attributes, *given;
    int64_t started_ms, ended_ms; /* ended: < 0 while it runs */
};

struct call { /* a tool call in the making */
    int64_t index;
    struct buf base, name, arguments; /* base: its first chunk */
};

struct transcript {
    struct tag *tags;
    size_t tags_n;
    bool own_tags, first_bytes[256]; /* with which a tag may begin */
    struct part *parts;
    size_t parts_n, parts_room;
    struct buf done; /* the text of all parts but the last */
    size_t done_n;   /* so many */
    size_t bytes;

    size_t scan_from;  /* the last part is known to have no tag before this */
    size_t space_from; /* … and only white space from here */
    size_t shown;      /* of a last part of text */
    bool maybe_tag;    /* at scan_from, as far as one can see */
    bool must_show_all, changed;
    unsigned waiting, chunk_size;
    int64_t shown_all_ms;

    struct call *calls;
    size_t calls_n;
    struct buf usage, error, selected_model_id, finish_reason;
    unsigned chunks, broken;
    bool is_done, is_ended, too_big;

    bool journals;
    struct buf journal, run; /* run: text that goes into one line of the journal */
    bool run_is_reasoning;
    struct buf scratch;
};

static inline struct part *transcript_last(struct transcript *t)
{
    return &t->parts[t->parts_n - 1];
}

/* transcript.c: a new last part; the one before it is complete. pop: takes the last one away. append: text to the last part. */
struct part *transcript_push(struct transcript *t, enum kind kind, const struct tag *tag, int64_t now_ms);
void transcript_pop(struct transcript *t);
void transcript_append(struct transcript *t, struct str text);
void transcript_close(struct part *p, int64_t now_ms);
struct block transcript_view(const struct part *p, struct str content);

/* transcript_tags.c: which tags are looked for; looks for them in what was appended. */
extern const struct tag transcript_think; /* what reasoning in a field of its own is wrapped in */
void transcript_set_tags(struct transcript *t, json_object *options);
void transcript_free_tags(struct transcript *t);
void transcript_scan(struct transcript *t, int64_t now_ms);

/* transcript_show.c: the text so far; what is shown of it. */
void transcript_add_text(struct transcript *t, struct buf *out);
void transcript_show(struct transcript *t, bool hurry, bool force, int64_t now_ms, struct buf *events);

/* transcript_result.c: what goes into the journal. */
extern const char *const transcript_kinds[];
void transcript_journal_text(struct transcript *t, struct str text, bool is_reasoning);
void transcript_journal_chunk(struct transcript *t, json_object *chunk);

#endif
