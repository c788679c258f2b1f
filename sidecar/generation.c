/* generation.c: an answer whose text goes to the user's tabs as it comes. */
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/chat/ollama_convert.h"
#include "sidecar/plans.h"
#include "sidecar/sidecar.h"
#include "sidecar/spool.h"
#include "sidecar/tasks.h"

enum { JOURNAL_BYTES = 4096 };

static struct buf events; /* of one run at a time */

static struct buf *fresh_events(void)
{
    if (events.capacity > 256 * 1024) {
        buf_free(&events);
        events = BUF(NULL, 0);
    }
    events.max = TRANSCRIPT_MAX_BYTES * 8;
    buf_reset(&events);
    return &events;
}

static void emit_all(struct run *r)
{
    if (events.n)
        run_emit_lines(r, buf_str(&events));
}

bool generation_head(struct run *r)
{
    struct str type = str_of(r->content_type);

    if (r->status >= 300 || !(str_has(type, "text/event-stream") || (r->format == FORMAT_OLLAMA && r->wants_stream)))
        return false;
    line_reader_init(&r->lines, TRANSCRIPT_MAX_BYTES);
    return true;
}

static void feed(struct run *r, struct str chunk)
{
    enum transcript_state state = transcript_feed(r->transcript, chunk, now_ms(), &events);

    stats.chunks++;
    if (state == TRANSCRIPT_TOO_BIG)
        r->too_big = true;
}

static void on_line(void *arg, struct str line)
{
    struct run *r = arg;
    struct str data;
    struct buf chunk = BUF(NULL, TRANSCRIPT_MAX_BYTES * 2);
    bool done = false;

    if (r->format != FORMAT_OLLAMA) {
        if (sse_data(line, &data))
            feed(r, data);
    } else if (str_trim(line).n) {
        if (ollama_convert_line(line, now_s(), &chunk, &done) == OK)
            feed(r, buf_str(&chunk));
        else
            feed(r, line); /* counted as broken */
        if (done)
            feed(r, S("[DONE]"));
        buf_free(&chunk);
    }
}

void generation_data(struct run *r, struct str piece)
{
    if (r->too_big)
        return;
    fresh_events();
    if (!line_reader_feed(&r->lines, piece, on_line, r))
        r->too_big = true;
    emit_all(r);
}

static void journal(struct run *r)
{
    struct buf *lines = fresh_events();

    transcript_take_journal(r->transcript, lines);
    if (r->spool)
        spool_add(r->spool, buf_str(lines));
    buf_reset(lines);
}

/* The last words are shown, and the outcome goes to the finish step. */
static void conclude(struct run *r, const char *status, const char *reason, const char *error)
{
    struct arena *mem = arena_new(4096);
    json_object *outcome = run_outcome(r, mem, status);

    fresh_events();
    transcript_end(r->transcript, now_ms(), &events);
    emit_all(r);
    journal(r);
    json_set_bool(outcome, "streamed", true);
    transcript_outcome(r->transcript, mem, outcome);
    if (reason)
        json_set_c(outcome, "reason", reason);
    if (error)
        json_set_c(outcome, "error", error);
    line_reader_free(&r->lines);
    r->streaming = false;
    run_upstream_ended(r, outcome, mem);
    arena_free(mem);
}

/* The connection's end alone does not say whether the answer is whole. */
static void judge(struct run *r, enum status st)
{
    struct transcript *t = r->transcript;

    if (r->too_big)
        conclude(r, "failed", "too_big", "The model provider's answer is too large.");
    else if (transcript_has_error(t))
        conclude(r, "failed", "upstream", NULL);
    else if (transcript_complete(t))
        conclude(r, "done", NULL, NULL);
    else if (st == TIMED_OUT)
        conclude(r, "failed", "timeout", "The model provider stopped answering.");
    else if (st != OK)
        conclude(r, "failed", "cut", "The connection to the model provider broke off before the answer was complete.");
    else if (transcript_chunks(t) == 0)
        conclude(r, "failed", "garbage",
                 transcript_broken(t) ? "The model provider sent an answer that cannot be understood."
                                      : "The model provider sent an empty answer.");
    else
        conclude(r, "done", NULL, NULL);
}

void generation_settled(struct run *r)
{
    struct transcript *t = r->transcript;

    fresh_events();
    if (r->too_big || transcript_is_ended(t)) {
        judge(r, OK);
        return;
    }
    transcript_flush(t, false, now_ms(), &events);
    emit_all(r);
}

void generation_end(struct run *r, enum status st, const char *why)
{
    if (st != OK)
        log_warning("stream of %s ended: %s", r->task_id ? r->task_id : "a request", why);
    fresh_events();
    line_reader_end(&r->lines, on_line, r);
    emit_all(r);
    judge(r, st);
}

void generation_stop(struct run *r)
{
    conclude(r, "stopped", r->stop, NULL);
}

void generation_tick(struct run *r, int64_t mono_now_ms)
{
    (void)mono_now_ms;
    if (!r->streaming || r->phase != RUN_UPSTREAM)
        return;
    fresh_events();
    transcript_flush(r->transcript, true, now_ms(), &events);
    emit_all(r);
    journal(r);
}

void generation_free(struct run *r)
{
    if (r->transcript)
        transcript_free(r->transcript);
    r->transcript = NULL;
}
