/* transcript.c: what a person is shown of a streamed answer, and what is saved of it. */
#include "lib/chat/transcript.h"

#include <stdlib.h>

#include "lib/chat/blocks.h"
#include "lib/chat/chunk.h"

enum { MAX_TAG_BYTES = 4096, HELD_BYTES = 64, MAX_CALLS = 128, MAX_PARTS = 4096, SNAPSHOT_BYTES_PER_MS = 64, SMALL_BYTES = 64 * 1024 };

enum kind { TEXT, REASONING, SOLUTION, CODE, GIVEN };        /* GIVEN: a block that came with the options and only passes through */
static const char *const kind_name[] = { "text", "reasoning", "solution", "code_interpreter" };

struct tag {
    enum kind kind;
    char *open, *close;
    size_t open_n, close_n;
    bool bracketed;              /* <name>: attributes are allowed */
};

static struct tag usual_tags[] = {
    { REASONING, "<think>", "</think>" },
    { REASONING, "<thinking>", "</thinking>" },
    { REASONING, "<reason>", "</reason>" },
    { REASONING, "<reasoning>", "</reasoning>" },
    { REASONING, "<thought>", "</thought>" },
    { REASONING, "<Thought>", "</Thought>" },
    { REASONING, "<|begin_of_thought|>", "<|end_of_thought|>" },
    { REASONING, "◁think▷", "◁/think▷" },
    { SOLUTION, "<|begin_of_solution|>", "<|end_of_solution|>" },
    { CODE, "<code_interpreter>", "</code_interpreter>" },
};
static struct tag think = { REASONING, "<think>", "</think>", 7, 8, true };       /* what reasoning in a field of its own is wrapped in */

struct part {                    /* a block in the making */
    enum kind kind;
    struct buf content;
    const struct tag *tag;
    bool by_field;               /* reasoning that came in a field of its own */
    json_object *attributes, *given;
    int64_t started_ms, ended_ms;        /* ended: < 0 while it runs */
};

struct call {                    /* a tool call in the making */
    int64_t index;
    struct buf base, name, arguments;    /* base: its first chunk */
};

struct transcript {
    struct tag *tags;
    size_t tags_n;
    bool own_tags, first_bytes[256];     /* with which a tag may begin */
    struct part *parts;
    size_t parts_n, parts_room;
    struct buf done;             /* the text of all parts but the last */
    size_t done_n;               /* so many */
    size_t bytes;

    size_t scan_from;            /* the last part is known to have no tag before this */
    size_t space_from;           /* … and only white space from here */
    size_t shown;                /* of a last part of text */
    bool maybe_tag;              /* at scan_from, as far as one can see */
    bool must_show_all, changed;
    unsigned waiting, chunk_size;
    int64_t shown_all_ms;

    struct call *calls;
    size_t calls_n;
    struct buf usage, error, selected_model_id, finish_reason;
    unsigned chunks, broken;
    bool is_done, is_ended, too_big;

    bool journals;
    struct buf journal, run;     /* run: text that goes into one line of the journal */
    bool run_is_reasoning;
    struct buf scratch;
};

static struct part *last(struct transcript *t)
{
    return &t->parts[t->parts_n - 1];
}

/* ---- parts */

static struct block view(const struct part *p, struct str content)
{
    if (p->kind == GIVEN)
        return (struct block){ .type = json_str(p->given, "type"), .content = json_str(p->given, "content"), .start_tag = json_str(p->given, "start_tag"),
                               .end_tag = json_str(p->given, "end_tag"), .lang = json_str(json_get(p->given, "attributes"), "lang"),
                               .duration_s = json_int(p->given, "duration", -1), .calls = json_get(p->given, "content"),
                               .results = json_get(p->given, "results"), .output = json_get(p->given, "output") };
    return (struct block){ .type = str_of(kind_name[p->kind]), .content = content, .lang = json_str(p->attributes, "lang"),
                           .duration_s = p->ended_ms < 0 ? -1 : (p->ended_ms - p->started_ms) / 1000 };
}

static void part_free(struct part *p)
{
    buf_free(&p->content);
    json_object_put(p->attributes);
    json_object_put(p->given);
}

/* A new last part; the one before it is complete. */
static struct part *push(struct transcript *t, enum kind kind, const struct tag *tag, int64_t now_ms)
{
    if (t->parts_n > t->done_n) {            /* not so if the last one has been taken away */
        struct block b = view(last(t), buf_str(&last(t)->content));

        block_add(&t->done, &b, false);
        t->done_n = t->parts_n;
    }
    if (t->parts_n == t->parts_room) {
        t->parts_room = t->parts_room ? t->parts_room * 2 : 2;
        t->parts = realloc(t->parts, t->parts_room * sizeof(*t->parts));
        if (!t->parts)
            abort();
    }
    if (t->parts_n >= MAX_PARTS)
        t->too_big = true;
    t->parts[t->parts_n++] = (struct part){ .kind = kind, .tag = tag, .content = BUF(NULL, TRANSCRIPT_MAX_BYTES + 1), .started_ms = now_ms, .ended_ms = -1 };
    t->scan_from = t->space_from = t->shown = 0;
    t->maybe_tag = false;
    if (t->parts_n > 1)
        t->must_show_all = true;
    return last(t);
}

static void pop(struct transcript *t)        /* the last part, which is not in done yet */
{
    part_free(last(t));
    t->parts_n--;
}

static void append(struct transcript *t, struct str text)
{
    struct part *p = last(t);
    struct str visible = unicode_strip_right(text);

    if (text.n > TRANSCRIPT_MAX_BYTES - t->bytes) {
        t->too_big = true;
        return;
    }
    if (visible.n)
        t->space_from = p->content.n + visible.n;
    buf_add_str(&p->content, text);
    t->bytes += text.n;
    t->changed = true;
}

static void close_part(struct part *p, int64_t now_ms)
{
    p->ended_ms = now_ms;
}

/* ---- tags */

static void prepare_tags(struct transcript *t)
{
    memset(t->first_bytes, 0, sizeof(t->first_bytes));
    for (size_t i = 0; i < t->tags_n; i++) {
        struct tag *tag = &t->tags[i];

        tag->open_n = strlen(tag->open);
        tag->close_n = strlen(tag->close);
        tag->bracketed = tag->open_n > 2 && tag->open[0] == '<' && tag->open[tag->open_n - 1] == '>';
        t->first_bytes[(unsigned char)tag->open[0]] = true;
    }
}

enum match { NO, MAYBE, YES };

/* Is there an opening tag at the start of s? *n: its length; *attributes: what stands behind its name. */
static enum match match_open(const struct tag *tag, struct str s, size_t *n, struct str *attributes)
{
    size_t name_n = tag->open_n - tag->bracketed, shorter = s.n < name_n ? s.n : name_n, i;

    *attributes = STR_NONE;
    if (memcmp(s.p, tag->open, shorter) != 0)
        return NO;
    if (s.n <= name_n && (s.n < name_n || tag->bracketed))
        return MAYBE;
    *n = tag->open_n;
    if (!tag->bracketed || s.p[name_n] == '>')
        return YES;
    if (!strchr(" \t\n\r\f\v", s.p[name_n]) || s.p[name_n] == '\0')
        return NO;
    for (i = name_n + 1; i < s.n && i < MAX_TAG_BYTES && s.p[i] != '>'; i++) {
        if (s.p[i] == '\n')
            return NO;
    }
    if (i >= MAX_TAG_BYTES)
        return NO;
    if (i >= s.n)
        return MAYBE;
    *n = i + 1;
    *attributes = str_sub(s, name_n, i - name_n);
    return YES;
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || (unsigned char)c >= 0x80;
}

/* name="value" pairs; others are passed over. */
static json_object *read_attributes(struct str s)
{
    json_object *o = json_object_new_object();
    size_t i = 0;

    while (i < s.n) {
        struct str key, value;
        size_t start = i, end;

        while (i < s.n && is_word(s.p[i]))
            i++;
        key = str_sub(s, start, i - start);
        if (key.n == 0) {
            i++;
            continue;
        }
        while (i < s.n && strchr(" \t\r\n", s.p[i]) && s.p[i])
            i++;
        if (i >= s.n || s.p[i] != '=')
            continue;
        i++;
        while (i < s.n && strchr(" \t\r\n", s.p[i]) && s.p[i])
            i++;
        if (i >= s.n || s.p[i] != '"')
            continue;
        end = str_find_c(str_from(s, i + 1), '"');
        if (end == STR_NPOS)
            break;
        value = str_sub(s, i + 1, end);
        i += end + 2;
        if (value.n) {
            char *name = strndup(key.p, key.n);

            if (name)
                json_object_object_add(o, name, json_object_new_string_len(value.p, (int)value.n));
            free(name);
        }
    }
    return o;
}

static void open_tag(struct transcript *t, const struct tag *tag, size_t at, size_t n, struct str attributes, int64_t now_ms)
{
    struct part *p = last(t), before = *p, *fresh;
    struct buf rest = BUF(NULL, TRANSCRIPT_MAX_BYTES);
    json_object *read = read_attributes(attributes);

    buf_add_str(&rest, str_from(buf_str(&before.content), at + n));
    p->content.n = at;
    p->content.p[at] = '\0';
    if (at == 0)
        pop(t);
    fresh = push(t, tag->kind, tag, now_ms);
    fresh->attributes = read;
    t->bytes -= rest.n;                     /* append counts it again */
    append(t, buf_str(&rest));
    buf_free(&rest);
    t->must_show_all = t->changed = true;
}

/* true: something was found and the parts have changed: look again. */
static bool scan_open(struct transcript *t, int64_t now_ms)
{
    struct str all = buf_str(&last(t)->content);

    t->maybe_tag = false;
    for (size_t at = t->scan_from; at < all.n; at++) {
        bool maybe = false;

        if (!t->first_bytes[(unsigned char)all.p[at]])
            continue;
        for (size_t i = 0; i < t->tags_n; i++) {
            struct str attributes;
            size_t n = 0;
            enum match m = match_open(&t->tags[i], str_from(all, at), &n, &attributes);

            if (m == YES) {
                open_tag(t, &t->tags[i], at, n, attributes, now_ms);
                return true;
            }
            maybe |= m == MAYBE;
        }
        if (maybe) {
            t->scan_from = at;
            t->maybe_tag = true;
            return false;
        }
    }
    t->scan_from = all.n;
    return false;
}

static bool scan_close(struct transcript *t, int64_t now_ms)
{
    struct part *p = last(t);
    const struct tag *tag = p->tag;
    struct str all = buf_str(&p->content), inner;
    size_t at = str_find(str_from(all, t->scan_from), str_n(tag->close, tag->close_n));
    struct buf rest = BUF(NULL, TRANSCRIPT_MAX_BYTES);
    bool is_code = p->kind == CODE;

    if (at == STR_NPOS) {
        t->scan_from = all.n >= tag->close_n ? all.n - (tag->close_n - 1) : 0;
        return false;
    }
    at += t->scan_from;
    buf_add_str(&rest, unicode_strip_left(str_from(all, at + tag->close_n)));
    inner = unicode_strip(str_sub(all, 0, at));
    t->bytes -= all.n - inner.n;
    memmove(p->content.p, inner.p, inner.n);
    p->content.n = inner.n;
    p->content.p[inner.n] = '\0';
    close_part(p, now_ms);
    t->must_show_all = t->changed = true;
    t->is_ended |= is_code;
    if (is_code && inner.n) {                /* what the model says after its code is of no use before it has seen the output */
        buf_free(&rest);
        return false;
    }
    if (inner.n == 0)
        pop(t);
    push(t, TEXT, NULL, now_ms);
    append(t, buf_str(&rest));
    buf_free(&rest);
    t->must_show_all = true;
    return true;
}

static void scan(struct transcript *t, int64_t now_ms)
{
    bool again = true;

    while (again && !t->too_big && !t->is_ended) {
        struct part *p = last(t);

        if (p->kind == TEXT)
            again = t->tags_n && scan_open(t, now_ms);
        else
            again = p->tag && !p->by_field && p->ended_ms < 0 && scan_close(t, now_ms);
    }
}

/* ---- options */

static void own_tags(struct transcript *t, json_object *pairs, bool code)
{
    size_t n = 0;

    t->tags = calloc(json_length(pairs) + 2, sizeof(*t->tags));
    if (!t->tags)
        abort();
    JSON_EACH(pairs, i, pair) {
        struct str open = json_str_value(json_at(pair, 0)), close = json_str_value(json_at(pair, 1));

        if (open.n && close.n && open.n < MAX_TAG_BYTES / 2 && close.n < MAX_TAG_BYTES / 2)
            t->tags[n++] = (struct tag){ REASONING, strndup(open.p, open.n), strndup(close.p, close.n) };
    }
    if (pairs)
        t->tags[n++] = (struct tag){ SOLUTION, strdup("<|begin_of_solution|>"), strdup("<|end_of_solution|>") };
    if (code)
        t->tags[n++] = (struct tag){ CODE, strdup("<code_interpreter>"), strdup("</code_interpreter>") };
    t->tags_n = n;
    t->own_tags = true;
}

static void set_tags(struct transcript *t, json_object *options)
{
    json_object *tags = json_get(options, "reasoning_tags");
    bool code = json_flag(options, "code_interpreter", false);

    if (json_is(tags, json_type_array)) {
        own_tags(t, tags, code);
    } else if (tags && json_is(tags, json_type_boolean) && !json_truthy(tags)) {
        own_tags(t, NULL, code);
    } else {
        t->tags = usual_tags;
        t->tags_n = sizeof(usual_tags) / sizeof(usual_tags[0]) - !code;
    }
    prepare_tags(t);
}

static void set_blocks(struct transcript *t, json_object *options, int64_t now_ms)
{
    json_object *blocks = json_get(options, "blocks");

    JSON_EACH(blocks, i, o) {
        bool is_text = str_is(json_str(o, "type"), "text");

        push(t, is_text ? TEXT : GIVEN, NULL, now_ms);
        if (is_text)
            append(t, json_str(o, "content"));
        else
            last(t)->given = json_object_get(o);
    }
    if (t->parts_n == 0 || last(t)->kind != TEXT)
        push(t, TEXT, NULL, now_ms);
    append(t, json_str(options, "content"));
    t->must_show_all = t->bytes || t->parts_n > 1;
}

struct transcript *transcript_new(json_object *options, bool journal, int64_t now_ms)
{
    struct transcript *t = calloc(1, sizeof(*t));
    int64_t chunk_size = json_int(options, "delta_chunk_size", 1);

    if (!t)
        abort();
    t->done = BUF(NULL, TRANSCRIPT_MAX_BYTES * 4);
    t->journals = journal;
    t->scratch = t->usage = t->error = t->selected_model_id = t->finish_reason = BUF(NULL, TRANSCRIPT_MAX_BYTES * 2);
    t->journal = t->run = t->scratch;
    t->chunk_size = chunk_size < 1 ? 1 : chunk_size > 1000000 ? 1000000 : (unsigned)chunk_size;
    t->shown_all_ms = now_ms - 60 * 1000;
    set_tags(t, options);
    set_blocks(t, options, now_ms);
    return t;
}

void transcript_free(struct transcript *t)
{
    struct buf *bufs[] = { &t->done, &t->usage, &t->error, &t->selected_model_id, &t->finish_reason, &t->journal, &t->run, &t->scratch };

    for (size_t i = 0; i < sizeof(bufs) / sizeof(bufs[0]); i++)
        buf_free(bufs[i]);
    for (size_t i = 0; i < t->parts_n; i++)
        part_free(&t->parts[i]);
    for (size_t i = 0; i < t->calls_n; i++) {
        buf_free(&t->calls[i].base);
        buf_free(&t->calls[i].name);
        buf_free(&t->calls[i].arguments);
    }
    for (size_t i = 0; t->own_tags && i < t->tags_n; i++) {
        free(t->tags[i].open);
        free(t->tags[i].close);
    }
    if (t->own_tags)
        free(t->tags);
    free(t->calls);
    free(t->parts);
    free(t);
}

/* ---- journal */

static void end_run(struct transcript *t)
{
    if (t->run.n == 0)
        return;
    buf_add_c(&t->journal, t->run_is_reasoning ? "{\"choices\":[{\"delta\":{\"reasoning_content\":" : "{\"choices\":[{\"delta\":{\"content\":");
    buf_add_json_string(&t->journal, buf_str(&t->run));
    buf_add_c(&t->journal, "}}]}\n");
    buf_reset(&t->run);
}

static void journal_text(struct transcript *t, struct str text, bool is_reasoning)
{
    if (!t->journals || text.n == 0)
        return;
    if (t->run_is_reasoning != is_reasoning)
        end_run(t);
    t->run_is_reasoning = is_reasoning;
    buf_add_str(&t->run, text);
}

static void journal_chunk(struct transcript *t, json_object *chunk)
{
    if (!t->journals)
        return;
    end_run(t);
    json_add_to_buf(&t->journal, chunk);
    buf_add_char(&t->journal, '\n');
}

void transcript_take_journal(struct transcript *t, struct buf *out)
{
    end_run(t);
    buf_add_str(out, buf_str(&t->journal));
    if (t->journal.capacity > SMALL_BYTES) {
        buf_free(&t->journal);
        t->journal = BUF(NULL, TRANSCRIPT_MAX_BYTES * 2);
    } else {
        buf_reset(&t->journal);
    }
}

/* ---- events */

static void add_text(struct transcript *t, struct buf *out)
{
    struct part *p = last(t);
    struct str text = buf_str(&p->content);
    struct block b;

    if (p->kind == TEXT && t->maybe_tag && text.n - t->scan_from <= HELD_BYTES)
        text.n = t->scan_from;
    b = view(p, text);
    buf_add_str(out, buf_str(&t->done));
    block_add(out, &b, false);
}

/* false: there is no text. An event without text would not make a tab forget what it shows. */
static bool add_snapshot(struct transcript *t, struct buf *events)
{
    struct buf all = BUF(NULL, TRANSCRIPT_MAX_BYTES * 4);
    struct str text;

    add_text(t, &all);
    text = unicode_strip(buf_str(&all));
    if (text.n) {
        buf_add_c(events, "{\"type\":\"chat:completion\",\"data\":{\"content\":");
        buf_add_json_string(events, text);
        buf_add_c(events, "}}\n");
    }
    buf_free(&all);
    return text.n != 0;
}

void transcript_snapshot(struct transcript *t, struct buf *events)
{
    if (t->bytes || t->done.n)
        add_snapshot(t, events);
}

/* How much of the last part, which is text, may be seen: no white space at its end, no beginning of a tag. */
static size_t visible_end(struct transcript *t)
{
    struct str all = buf_str(&last(t)->content);

    if (!t->maybe_tag || all.n - t->scan_from > HELD_BYTES)
        return t->space_from;
    if (t->scan_from <= t->shown)
        return t->shown;
    return t->shown + unicode_strip_right(str_sub(all, t->shown, t->scan_from - t->shown)).n;
}

static void show_delta(struct transcript *t, size_t end, struct buf *events)
{
    struct str text = str_sub(buf_str(&last(t)->content), t->shown, end - t->shown);

    buf_add_c(events, "{\"type\":\"chat:completion\",\"data\":{\"choices\":[{\"delta\":{\"content\":");
    if (t->shown == 0) {
        text = unicode_strip_left(text);
        if (t->done.n) {                     /* the new paragraph's break, which a snapshot leaves off */
            struct str gap = str_from(buf_str(&t->done), unicode_strip_right(buf_str(&t->done)).n);
            struct buf joined = BUF(NULL, TRANSCRIPT_MAX_BYTES * 2);

            buf_add_str(&joined, gap);
            buf_add_str(&joined, text);
            buf_add_json_string(events, buf_str(&joined));
            buf_free(&joined);
        } else {
            buf_add_json_string(events, text);
        }
    } else {
        buf_add_json_string(events, text);
    }
    buf_add_c(events, "}}]}}\n");
    t->shown = end;
}

static void show_all(struct transcript *t, int64_t now_ms, struct buf *events)
{
    t->must_show_all = !add_snapshot(t, events);         /* the next text has to replace what is shown, then */
    t->changed = false;
    t->waiting = 0;
    t->shown_all_ms = now_ms;
    t->shown = last(t)->kind == TEXT ? visible_end(t) : 0;
}

static void flush(struct transcript *t, bool hurry, bool force, int64_t now_ms, struct buf *events)
{
    size_t all = t->bytes;
    bool is_due = force || now_ms - t->shown_all_ms >= (int64_t)(all / SNAPSHOT_BYTES_PER_MS);

    if (t->must_show_all) {
        if (is_due || all <= SMALL_BYTES)
            show_all(t, now_ms, events);
    } else if (!t->changed || (t->waiting < t->chunk_size && !hurry)) {
        return;
    } else if (last(t)->kind == TEXT) {
        size_t end = visible_end(t);

        if (end > t->shown)
            show_delta(t, end, events);
        t->changed = false;
        t->waiting = 0;
    } else if (is_due) {
        show_all(t, now_ms, events);
    }
}

void transcript_flush(struct transcript *t, bool hurry, int64_t now_ms, struct buf *events)
{
    flush(t, hurry, false, now_ms, events);
}

static void add_event(struct buf *events, const char *member, json_object *value)
{
    buf_addf(events, "{\"type\":\"chat:completion\",\"data\":{\"%s\":", member);
    json_add_to_buf(events, value);
    buf_add_c(events, "}}\n");
}

/* ---- chunks */

static void feed_reasoning(struct transcript *t, struct str text, int64_t now_ms)
{
    if (last(t)->kind != REASONING) {
        struct part *p = push(t, REASONING, &think, now_ms);

        p->by_field = true;
        p->attributes = json_object_new_object();
        json_object_object_add(p->attributes, "type", json_object_new_string("reasoning_content"));
    }
    append(t, text);
}

static void feed_text(struct transcript *t, struct str text, int64_t now_ms)
{
    struct part *p = last(t);

    if (p->kind == GIVEN || (p->kind == REASONING && p->by_field)) {
        close_part(p, now_ms);
        push(t, TEXT, NULL, now_ms);
    }
    append(t, text);
    scan(t, now_ms);
}

static void feed_both(struct transcript *t, struct str content, struct str reasoning, int64_t now_ms)
{
    t->waiting++;
    if (reasoning.n) {
        journal_text(t, reasoning, true);
        feed_reasoning(t, reasoning, now_ms);
    }
    if (content.n) {
        journal_text(t, content, false);
        feed_text(t, content, now_ms);
    }
}

static struct call *call_by_index(struct transcript *t, int64_t index)
{
    for (size_t i = 0; i < t->calls_n; i++) {
        if (t->calls[i].index == index)
            return &t->calls[i];
    }
    return NULL;
}

static void count(struct transcript *t, size_t n)
{
    if (n > TRANSCRIPT_MAX_BYTES - t->bytes)
        t->too_big = true;
    else
        t->bytes += n;
}

static void feed_call(struct transcript *t, json_object *delta)
{
    json_object *index = json_get(delta, "index"), *function = json_get(delta, "function");
    struct call *c;

    if (!json_is(index, json_type_int))
        return;
    c = call_by_index(t, json_object_get_int64(index));
    if (!c) {
        struct call *more = t->calls_n < MAX_CALLS ? realloc(t->calls, (t->calls_n + 1) * sizeof(*more)) : NULL;

        if (!more) {
            t->too_big = true;
            return;
        }
        t->calls = more;
        c = &t->calls[t->calls_n++];
        *c = (struct call){ json_object_get_int64(index), BUF(NULL, TRANSCRIPT_MAX_BYTES), BUF(NULL, TRANSCRIPT_MAX_BYTES), BUF(NULL, TRANSCRIPT_MAX_BYTES) };
        json_add_to_buf(&c->base, delta);
        count(t, c->base.n);
    }
    count(t, json_str(function, "name").n + json_str(function, "arguments").n);
    if (t->too_big)
        return;
    buf_add_str(&c->name, json_str(function, "name"));
    buf_add_str(&c->arguments, json_str(function, "arguments"));
}

static struct str reasoning_of(json_object *delta)
{
    static const char *const names[] = { "reasoning_content", "reasoning", "thinking" };

    for (size_t i = 0; i < 3; i++) {
        struct str s = json_str(delta, names[i]);

        if (s.n)
            return s;
    }
    return STR_NONE;
}

static void keep_json(struct buf *b, json_object *v)
{
    buf_reset(b);
    json_add_to_buf(b, v);
}

static void feed_usage(struct transcript *t, struct arena *mem, json_object *chunk, struct buf *events)
{
    json_object *usage = json_get(chunk, "usage"), *timings = json_get(chunk, "timings"), *both;

    if (!json_truthy(usage) && !json_truthy(timings))
        return;
    both = json_new_object(mem);
    json_merge(both, usage);
    json_merge(both, timings);
    keep_json(&t->usage, both);
    add_event(events, "usage", both);
}

static void feed_choice(struct transcript *t, json_object *chunk, json_object *choice, int64_t now_ms)
{
    json_object *delta = json_get(choice, "delta"), *calls = json_get(delta, "tool_calls");
    struct str content = json_str(delta, "content"), finish = json_str(choice, "finish_reason");

    if (finish.n) {
        buf_reset(&t->finish_reason);
        buf_add_str(&t->finish_reason, finish);
    }
    if (json_length(calls)) {
        journal_chunk(t, chunk);             /* with its text, if it has any */
        JSON_EACH(calls, i, call)
            feed_call(t, call);
    }
    if (!content.n && !json_truthy(delta))
        content = json_str(json_get(choice, "message"), "content");
    if (json_length(calls)) {
        bool journals = t->journals;

        t->journals = false;
        feed_both(t, content, reasoning_of(delta), now_ms);
        t->journals = journals;
    } else {
        feed_both(t, content, reasoning_of(delta), now_ms);
    }
}

static void feed_object(struct transcript *t, struct arena *mem, json_object *chunk, int64_t now_ms, struct buf *events)
{
    json_object *event = json_get(chunk, "event"), *choices = json_get(chunk, "choices"), *error = json_get(chunk, "error");

    flush(t, true, false, now_ms, events);
    if (json_is(event, json_type_object)) {
        json_add_to_buf(events, event);
        buf_add_char(events, '\n');
    }
    if (json_str(chunk, "selected_model_id").n) {
        journal_chunk(t, chunk);
        buf_reset(&t->selected_model_id);
        buf_add_str(&t->selected_model_id, json_str(chunk, "selected_model_id"));
        buf_add_c(events, "{\"type\":\"chat:completion\",\"data\":");
        json_add_to_buf(events, chunk);
        buf_add_c(events, "}\n");
        return;
    }
    feed_usage(t, mem, chunk, events);
    if (json_length(choices) == 0) {
        if (json_truthy(json_get(chunk, "usage")) || json_truthy(error))
            journal_chunk(t, chunk);
        if (json_truthy(error)) {
            keep_json(&t->error, error);
            add_event(events, "error", error);
        }
        return;
    }
    feed_choice(t, chunk, json_at(choices, 0), now_ms);
}

static void feed_slowly(struct transcript *t, struct str text, int64_t now_ms, struct buf *events)
{
    struct arena *mem = arena_new(1024);
    json_object *chunk = NULL;

    if (json_parse(mem, text, &chunk, NULL) != OK || !json_is(chunk, json_type_object)) {
        t->broken++;
    } else {
        t->chunks++;
        feed_object(t, mem, chunk, now_ms, events);
    }
    arena_free(mem);
}

enum transcript_state transcript_feed(struct transcript *t, struct str text, int64_t now_ms, struct buf *events)
{
    struct chunk c;

    if (t->is_ended)
        return TRANSCRIPT_ENDED;
    if (t->too_big)
        return TRANSCRIPT_TOO_BIG;
    if (str_is(text, "[DONE]")) {
        t->is_done = true;
    } else if (chunk_scan(text, &t->scratch, &c)) {
        t->chunks++;
        if (c.finish_reason.n) {
            buf_reset(&t->finish_reason);
            buf_add_str(&t->finish_reason, c.finish_reason);
        }
        if (c.content.n || c.reasoning.n)
            feed_both(t, c.content, c.reasoning, now_ms);
    } else {
        feed_slowly(t, text, now_ms, events);
    }
    if (t->scratch.capacity > SMALL_BYTES) {
        buf_free(&t->scratch);
        t->scratch = BUF(NULL, TRANSCRIPT_MAX_BYTES * 2);
    }
    return t->is_ended ? TRANSCRIPT_ENDED : t->too_big ? TRANSCRIPT_TOO_BIG : TRANSCRIPT_ON;
}

void transcript_end(struct transcript *t, int64_t now_ms, struct buf *events)
{
    struct part *p = last(t);

    t->maybe_tag = false;
    t->scan_from = p->content.n;
    if (p->kind == REASONING && p->ended_ms < 0) {
        close_part(p, now_ms);
        t->must_show_all = true;
    }
    t->changed = true;
    flush(t, true, true, now_ms, events);
}

/* ---- the result */

static json_object *part_json(struct arena *mem, const struct part *p)
{
    json_object *o;
    struct str content = buf_str(&p->content);

    if (p->kind == GIVEN)
        return p->given;
    o = json_new_object(mem);
    json_set_c(o, "type", kind_name[p->kind]);
    if (p->kind == TEXT) {
        json_set_str(o, "content", content);
        return o;
    }
    json_set_c(o, "start_tag", p->tag->open);
    json_set_c(o, "end_tag", p->tag->close);
    json_set(o, "attributes", p->attributes);
    json_set_str(o, "content", content);
    json_set_double(o, "started_at", (double)p->started_ms / 1000);
    if (p->ended_ms >= 0) {
        json_set_double(o, "ended_at", (double)p->ended_ms / 1000);
        json_set_int(o, "duration", (p->ended_ms - p->started_ms) / 1000);
    }
    return o;
}

static void set_calls(struct transcript *t, struct arena *mem, json_object *outcome)
{
    json_object *calls;

    if (t->calls_n == 0)
        return;
    calls = json_set_array(outcome, "tool_calls");
    for (size_t i = 0; i < t->calls_n; i++) {
        struct call *c = &t->calls[i];
        json_object *o = json_parse_or_null(mem, buf_str(&c->base)), *function;

        if (!json_is(o, json_type_object))
            continue;
        function = json_is(json_get(o, "function"), json_type_object) ? json_get(o, "function") : json_set_object(o, "function");
        json_set_str(function, "name", buf_str(&c->name));
        json_set_str(function, "arguments", buf_str(&c->arguments));
        json_push(calls, o);
    }
}

static void set_json(json_object *outcome, struct arena *mem, const char *key, const struct buf *text)
{
    if (text->n)
        json_set(outcome, key, json_parse_or_null(mem, buf_str(text)));
}

void transcript_outcome(struct transcript *t, struct arena *mem, json_object *outcome)
{
    struct buf all = BUF(mem, TRANSCRIPT_MAX_BYTES * 4);
    json_object *blocks;

    add_text(t, &all);
    json_set_str(outcome, "content", unicode_strip(buf_str(&all)));
    blocks = json_set_array(outcome, "blocks");
    for (size_t i = 0; i < t->parts_n; i++) {
        const struct part *p = &t->parts[i];

        if (p->kind == TEXT && unicode_strip(buf_str(&p->content)).n == 0)
            continue;
        json_push(blocks, part_json(mem, p));
    }
    set_calls(t, mem, outcome);
    set_json(outcome, mem, "usage", &t->usage);
    set_json(outcome, mem, "error", &t->error);
    if (t->selected_model_id.n)
        json_set_str(outcome, "selected_model_id", buf_str(&t->selected_model_id));
    if (t->finish_reason.n)
        json_set_str(outcome, "finish_reason", buf_str(&t->finish_reason));
}

bool transcript_is_ended(const struct transcript *t)
{
    return t->is_ended;
}

size_t transcript_bytes(const struct transcript *t)
{
    return t->bytes;
}

unsigned transcript_chunks(const struct transcript *t)
{
    return t->chunks;
}

unsigned transcript_broken(const struct transcript *t)
{
    return t->broken;
}

bool transcript_complete(const struct transcript *t)
{
    return t->is_done || t->is_ended || t->finish_reason.n;
}

bool transcript_has_error(const struct transcript *t)
{
    return t->error.n != 0;
}
