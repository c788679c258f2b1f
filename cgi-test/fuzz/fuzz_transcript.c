/* fuzz_transcript.c: any stream of chunks. What a tab has folded from the events must be what is saved, and the journal must give the same answer.
 * A line that starts with "{" or "[" is a chunk, with "~" reasoning in a field of its own; any other line is text. The first byte chooses the options. */
#include <stdint.h>
#include <stdlib.h>

#include "lib/chat/transcript.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NOW_MS = 1700000000 };

/* As the frontend does it. */
static void fold(struct arena *mem, struct str lines, struct buf *shown)
{
    struct str line;

    while (lines.n && str_split(&lines, '\n', &line)) {
        json_object *event = NULL, *data;

        if (line.n == 0)
            continue;
        if (json_parse(mem, line, &event, NULL) != OK)
            abort(); /* what we send must be JSON */
        if (!str_is(json_str(event, "type"), "chat:completion"))
            continue;
        data = json_get(event, "data");
        buf_add_str(shown, json_str(json_get(json_at(json_get(data, "choices"), 0), "delta"), "content"));
        if (json_str(data, "content").n) {
            buf_reset(shown);
            buf_add_str(shown, json_str(data, "content"));
        }
    }
}

static json_object *options(struct arena *mem, uint8_t how)
{
    json_object *o = json_new_object(mem), *tags, *pair;

    json_set_bool(o, "code_interpreter", how & 1);
    if (how & 2)
        json_set_int(o, "delta_chunk_size", 3);
    if (how & 4)
        json_set_str(o, "content", S("Before.\n"));
    if ((how & 24) == 8)
        json_set_bool(o, "reasoning_tags", false);
    if ((how & 24) == 16) {
        tags = json_set_array(o, "reasoning_tags");
        pair = json_new_array(mem);
        json_push_str(pair, S("[["));
        json_push_str(pair, S("]]"));
        json_push(tags, pair);
    }
    return o;
}

static void feed(struct transcript *t, struct str line, struct buf *events)
{
    struct buf chunk = BUF(NULL, 1 << 24);
    bool thought = line.n && line.p[0] == '~';

    if (line.n && (line.p[0] == '{' || line.p[0] == '[')) {
        transcript_feed(t, line, NOW_MS, events);
        return;
    }
    buf_add_c(&chunk, thought ? "{\"choices\":[{\"delta\":{\"reasoning\":"
                              : "{\"choices\":[{\"index\":0,\"delta\":{\"content\":");
    buf_add_json_string(&chunk, thought ? str_from(line, 1) : line);
    buf_add_c(&chunk, "},\"finish_reason\":null}]}");
    transcript_feed(t, buf_str(&chunk), NOW_MS, events);
    buf_free(&chunk);
}

static struct str result(struct transcript *t, struct arena *mem)
{
    json_object *o = json_new_object(mem);

    transcript_outcome(t, mem, o);
    return json_str(o, "content");
}

/* A tag that closes over nothing leaves a tab with what it was shown before; the last event of a finish step puts that right. */
static bool may_differ(struct str saved)
{
    return saved.n == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *mem = arena_new(4096);
    json_object *o = options(mem, size ? data[0] : 0);
    struct transcript *t = transcript_new(o, true, NOW_MS), *again = transcript_new(o, false, NOW_MS);
    struct buf events = BUF(NULL, 1 << 26), journal = BUF(NULL, 1 << 26), shown = BUF(NULL, 1 << 26),
               unused = BUF(NULL, 1 << 26);
    struct str in = str_n((const char *)data + (size != 0), size ? size - 1 : 0), line, lines;

    if (size && data[0] & 4)
        buf_add_c(&shown, "Before.");
    while (in.n && str_split(&in, '\n', &line)) {
        feed(t, line, &events);
        if (line.n % 3 == 0)
            transcript_flush(t, line.n % 2, NOW_MS, &events);
        if (line.n % 5 == 0)
            transcript_take_journal(t, &journal);
    }
    transcript_end(t, NOW_MS, &events);
    transcript_take_journal(t, &journal);
    for (lines = buf_str(&journal); lines.n && str_split(&lines, '\n', &line);) {
        if (line.n)
            transcript_feed(again, line, NOW_MS, &unused);
    }
    transcript_end(again, NOW_MS, &unused);
    fold(mem, buf_str(&events), &shown);
    if (!str_eq(result(t, mem), result(again, mem)))
        abort();
    if (!str_eq(result(t, mem), buf_str(&shown)) && !may_differ(result(t, mem)))
        abort();
    buf_free(&events);
    buf_free(&journal);
    buf_free(&shown);
    buf_free(&unused);
    transcript_free(t);
    transcript_free(again);
    arena_free(mem);
    return 0;
}
