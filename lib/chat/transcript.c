/* transcript.c: what a person is shown of a streamed answer, and what is saved of it. */
#include "lib/chat/transcript.h"

#include <stdlib.h>

#include "lib/chat/chunk.h"
#include "lib/chat/transcript_internal.h"

enum { MAX_CALLS = 128, MAX_PARTS = 4096 };

/* ---- parts */

struct block transcript_view(const struct part *p, struct str content)
{
    if (p->kind == GIVEN)
        return (struct block){ .type = json_str(p->given, "type"),
                               .content = json_str(p->given, "content"),
                               .start_tag = json_str(p->given, "start_tag"),
                               .end_tag = json_str(p->given, "end_tag"),
                               .lang = json_str(json_get(p->given, "attributes"), "lang"),
                               .duration_s = json_int(p->given, "duration", -1),
                               .calls = json_get(p->given, "content"),
                               .results = json_get(p->given, "results"),
                               .output = json_get(p->given, "output") };
    return (struct block){ .type = str_of(transcript_kinds[p->kind]),
                           .content = content,
                           .lang = json_str(p->attributes, "lang"),
                           .duration_s = p->ended_ms < 0 ? -1 : (p->ended_ms - p->started_ms) / 1000 };
}

static void part_free(struct part *p)
{
    buf_free(&p->content);
    json_object_put(p->attributes);
    json_object_put(p->given);
}

/* A new last part; the one before it is complete. */
struct part *transcript_push(struct transcript *t, enum kind kind, const struct tag *tag, int64_t now_ms)
{
    if (t->parts_n > t->done_n) { /* not so if the last one has been taken away */
        struct block b = transcript_view(transcript_last(t), buf_str(&transcript_last(t)->content));

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
    t->parts[t->parts_n++] = (struct part){
        .kind = kind, .tag = tag, .content = BUF(NULL, TRANSCRIPT_MAX_BYTES + 1), .started_ms = now_ms, .ended_ms = -1
    };
    t->scan_from = t->space_from = t->shown = 0;
    t->maybe_tag = false;
    if (t->parts_n > 1)
        t->must_show_all = true;
    return transcript_last(t);
}

void transcript_pop(struct transcript *t) /* the last part, which is not in done yet */
{
    part_free(transcript_last(t));
    t->parts_n--;
}

void transcript_append(struct transcript *t, struct str text)
{
    struct part *p = transcript_last(t);
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

void transcript_close(struct part *p, int64_t now_ms)
{
    p->ended_ms = now_ms;
}

/* ---- life */

static void set_blocks(struct transcript *t, json_object *options, int64_t now_ms)
{
    json_object *blocks = json_get(options, "blocks");

    JSON_EACH (blocks, i, o) {
        bool is_text = str_is(json_str(o, "type"), "text");

        transcript_push(t, is_text ? TEXT : GIVEN, NULL, now_ms);
        if (is_text)
            transcript_append(t, json_str(o, "content"));
        else
            transcript_last(t)->given = json_object_get(o);
    }
    if (t->parts_n == 0 || transcript_last(t)->kind != TEXT)
        transcript_push(t, TEXT, NULL, now_ms);
    transcript_append(t, json_str(options, "content"));
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
    transcript_set_tags(t, options);
    set_blocks(t, options, now_ms);
    return t;
}

void transcript_free(struct transcript *t)
{
    struct buf *bufs[] = { &t->done,          &t->usage,   &t->error, &t->selected_model_id,
                           &t->finish_reason, &t->journal, &t->run,   &t->scratch };

    for (size_t i = 0; i < sizeof(bufs) / sizeof(bufs[0]); i++)
        buf_free(bufs[i]);
    for (size_t i = 0; i < t->parts_n; i++)
        part_free(&t->parts[i]);
    for (size_t i = 0; i < t->calls_n; i++) {
        buf_free(&t->calls[i].base);
        buf_free(&t->calls[i].name);
        buf_free(&t->calls[i].arguments);
    }
    transcript_free_tags(t);
    free(t->calls);
    free(t->parts);
    free(t);
}

/* ---- chunks */

static void add_event(struct buf *events, const char *member, json_object *value)
{
    buf_addf(events, "{\"type\":\"chat:completion\",\"data\":{\"%s\":", member);
    json_add_to_buf(events, value);
    buf_add_c(events, "}}\n");
}

static void feed_reasoning(struct transcript *t, struct str text, int64_t now_ms)
{
    if (transcript_last(t)->kind != REASONING) {
        struct part *p = transcript_push(t, REASONING, &transcript_think, now_ms);

        p->by_field = true;
        p->attributes = json_object_new_object();
        json_object_object_add(p->attributes, "type", json_object_new_string("reasoning_content"));
    }
    transcript_append(t, text);
}

static void feed_text(struct transcript *t, struct str text, int64_t now_ms)
{
    struct part *p = transcript_last(t);

    if (p->kind == GIVEN || (p->kind == REASONING && p->by_field)) {
        transcript_close(p, now_ms);
        transcript_push(t, TEXT, NULL, now_ms);
    }
    transcript_append(t, text);
    transcript_scan(t, now_ms);
}

static void feed_both(struct transcript *t, struct str content, struct str reasoning, int64_t now_ms)
{
    t->waiting++;
    if (reasoning.n) {
        transcript_journal_text(t, reasoning, true);
        feed_reasoning(t, reasoning, now_ms);
    }
    if (content.n) {
        transcript_journal_text(t, content, false);
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
        *c = (struct call){ json_object_get_int64(index), BUF(NULL, TRANSCRIPT_MAX_BYTES),
                            BUF(NULL, TRANSCRIPT_MAX_BYTES), BUF(NULL, TRANSCRIPT_MAX_BYTES) };
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
        transcript_journal_chunk(t, chunk); /* with its text, if it has any */
        JSON_EACH (calls, i, call)
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
    json_object *event = json_get(chunk, "event"), *choices = json_get(chunk, "choices"),
                *error = json_get(chunk, "error");

    transcript_show(t, true, false, now_ms, events);
    if (json_is(event, json_type_object)) {
        json_add_to_buf(events, event);
        buf_add_char(events, '\n');
    }
    if (json_str(chunk, "selected_model_id").n) {
        transcript_journal_chunk(t, chunk);
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
            transcript_journal_chunk(t, chunk);
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
    if (t->scratch.capacity > TRANSCRIPT_SMALL_BYTES) {
        buf_free(&t->scratch);
        t->scratch = BUF(NULL, TRANSCRIPT_MAX_BYTES * 2);
    }
    return t->is_ended ? TRANSCRIPT_ENDED : t->too_big ? TRANSCRIPT_TOO_BIG : TRANSCRIPT_ON;
}

/* ---- questions */

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
