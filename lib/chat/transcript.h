/* transcript.h: what a person is shown of a streamed answer, and what is saved of it. Pure text work: no clock, no files, no sockets.
 *
 * An answer is a list of blocks (see blocks.h) that grows with each chunk of the provider. Tabs follow by events: a delta for plain text, the
 * whole text ("content") when something before the end changes: a reasoning block opens, runs or closes. Whatever a tab has folded
 * from the events so far equals the text that the Python backend would have sent as a whole at that moment. */
#ifndef LIB_CHAT_TRANSCRIPT_H
#define LIB_CHAT_TRANSCRIPT_H

#include "lib/json/json.h"

#define TRANSCRIPT_MAX_BYTES (16u * 1024 * 1024)

struct transcript;

enum transcript_state {
    TRANSCRIPT_ON,
    TRANSCRIPT_ENDED, /* a code block is complete: the rest of the stream is of no interest */
    TRANSCRIPT_TOO_BIG
};

/* options: as docs/plans.md has them; NULL: none. journal: keep what transcript_take_journal() gives. */
struct transcript *transcript_new(json_object *options, bool journal, int64_t now_ms);
void transcript_free(struct transcript *t);

/* One chunk, JSON text as the OpenAI API streams it ("[DONE]" too). Broken JSON is counted and otherwise ignored.
 * Events are added to events, each a line {"type": …, "data": …}; text waits for transcript_flush(). */
enum transcript_state transcript_feed(struct transcript *t, struct str chunk, int64_t now_ms, struct buf *events);

/* The text that has come and was not shown: one event at most. To be called after each read, and now and then while nothing comes (hurry). */
void transcript_flush(struct transcript *t, bool hurry, int64_t now_ms, struct buf *events);

/* The stream has ended, in whatever way: closes the blocks and shows what was held back. */
void transcript_end(struct transcript *t, int64_t now_ms, struct buf *events);

/* An event with the whole text so far, for a tab that came late; nothing while there is no text. The other tabs are unaffected. */
void transcript_snapshot(struct transcript *t, struct buf *events);

/* What was fed since the last call, as lines that can be fed again and give the same answer. */
void transcript_take_journal(struct transcript *t, struct buf *out);

bool transcript_is_ended(const struct transcript *t);   /* TRANSCRIPT_ENDED was answered */
size_t transcript_bytes(const struct transcript *t);    /* of text */
unsigned transcript_chunks(const struct transcript *t); /* understood */
unsigned transcript_broken(const struct transcript *t); /* not understood */
bool transcript_complete(const struct transcript *t);   /* [DONE] or a finish_reason was seen */
bool transcript_has_error(const struct transcript *t);  /* an error chunk was seen */

/* Sets content, blocks, and if any usage, tool_calls, selected_model_id, finish_reason, error. After transcript_end(). */
void transcript_outcome(struct transcript *t, struct arena *mem, json_object *outcome);

#endif
