/* run_upstream.c: the part of a run that calls a provider, and gives what it answers to whom the plan says. */
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/encode.h"
#include "lib/base/log.h"
#include "lib/net/sse_event.h"
#include "sidecar/http.h"
#include "sidecar/plans.h"
#include "sidecar/sidecar.h"
#include "sidecar/spool.h"

enum { PAUSE_BYTES = 256 * 1024, MAX_DELAY_MS = 60 * 1000 };

void run_forget_upstream(struct run *r)
{
    char **texts[] = { &r->content_type, &r->prefix, &r->suffix, &r->client_headers, &r->spec };

    upstream_cancel(r->upstream);
    r->upstream = NULL;
    delay_stop(&r->later);
    direct_forget(r);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        free(*texts[i]);
        *texts[i] = NULL;
    }
    buf_free(&r->headers);
    buf_free(&r->kept_headers);
    buf_free(&r->body);
    r->headers = r->kept_headers = BUF(NULL, 64 * 1024);
    r->body = BUF(NULL, RUN_BODY_BYTES);
    generation_free(r);
    line_reader_free(&r->lines);
    r->status = 0;
    r->bytes = r->answer_at = 0;
    r->answer_id = 0;
    r->streaming = r->convert = r->errors_then = r->too_big = r->converted_done = false;
}

static void add_header_lines(struct arena *mem, json_object *headers, struct str lines)
{
    struct str line;

    while (lines.n && str_split(&lines, '\n', &line)) {
        size_t colon = str_find_c(line, ':');

        if (colon != STR_NPOS)
            json_set_str(headers, str_c(mem, str_sub(line, 0, colon)), str_trim(str_from(line, colon + 1)));
    }
}

void run_add_body(struct run *r, struct arena *mem, json_object *outcome)
{
    struct str body = buf_str(&r->body);
    json_object *headers;

    json_set_bool(outcome, "streamed", false);
    json_set_c(outcome, "content_type", r->content_type);
    if (str_utf8_valid(body))
        json_set_str(outcome, "body", body);
    else
        json_set_str(outcome, "body_base64", base64_encode(mem, body));
    headers = json_set_object(outcome, "headers");
    add_header_lines(mem, headers, buf_str(&r->headers));
    add_header_lines(mem, headers, buf_str(&r->kept_headers));
}

void run_upstream_ended(struct run *r, json_object *outcome, struct arena *mem)
{
    upstream_cancel(r->upstream);
    r->upstream = NULL;
    run_then(r, mem, outcome);
}

static void on_head(void *arg, const struct upstream_head *head)
{
    struct run *r = arg;

    r->status = head->status;
    free(r->content_type);
    r->content_type = copy_str(head->content_type);
    buf_reset(&r->headers);
    buf_add_str(&r->headers, head->headers);
    buf_reset(&r->kept_headers);
    buf_add_str(&r->kept_headers, head->kept);
    if (r->deliver == DELIVER_SOCKET)
        r->streaming = generation_head(r);
    else if (r->deliver == DELIVER_CLIENT)
        r->streaming = deliver_head(r);
}

static void on_data(void *arg, struct str piece)
{
    struct run *r = arg;

    r->bytes += piece.n;
    stats.bytes_up += piece.n;
    if (!r->streaming)
        buf_add_str(&r->body, piece);
    else if (r->deliver == DELIVER_SOCKET)
        generation_data(r, piece);
    else
        deliver_data(r, piece);
    r->too_big |= buf_failed(&r->body);
}

static void whole_ended(struct run *r, enum status st, const char *why);

/* A server may leave its stream of events open after it has answered. */
static bool has_its_answer(struct run *r)
{
    return r->answer_id && !r->streaming && str_has(str_of(r->content_type), "text/event-stream") &&
           sse_has_answer(buf_str(&r->body), &r->answer_at, r->answer_id);
}

/* What ends the call is done here and not in on_data, which libcurl calls. */
static void on_settled(void *arg)
{
    struct run *r = arg;

    if (r->streaming && r->deliver == DELIVER_SOCKET)
        generation_settled(r);
    else if (r->too_big)
        whole_ended(r, TOO_BIG, "the answer is too large");
    else if (has_its_answer(r))
        whole_ended(r, OK, "");
    else if (r->upstream && r->client && r->client->waiting(r->client_owner) > PAUSE_BYTES)
        upstream_pause(r->upstream, true);
}

static const char *sentence(enum status st)
{
    switch (st) {
    case TIMED_OUT: return "The model provider did not answer in time.";
    case UNAVAILABLE: return "The model provider could not be reached.";
    case TOO_BIG: return "The model provider's answer is too large.";
    default: return "The connection to the model provider broke off before the answer was complete.";
    }
}

/* An answer that was read whole goes to then, or to the client. */
static void whole_ended(struct run *r, enum status st, const char *why)
{
    struct arena *mem = arena_new(r->body.n + 4096);
    bool good = st == OK && r->status < 400;
    json_object *outcome;

    if (st != OK)
        log_warning("call to a provider failed: %s", why);
    if (!r->then && r->client && st == OK) {
        run_reply(r, r->status, str_of(r->content_type), buf_str(&r->headers), buf_str(&r->body));
    } else if (!r->then && r->client) {
        run_reply_detail(r, st == TIMED_OUT ? 504 : 502, sentence(st));
    }
    outcome = run_outcome(r, mem, r->stop ? "stopped" : good ? "done" : "failed");
    if (st == OK || r->answer_id) /* of a stream of events, what had come is of use */
        run_add_body(r, mem, outcome);
    if (st != OK)
        json_set_c(outcome, "error", sentence(st));
    if (st == TIMED_OUT || st == TOO_BIG)
        json_set_c(outcome, "reason", st == TIMED_OUT ? "timeout" : "too_big");
    run_upstream_ended(r, outcome, mem);
    arena_free(mem);
}

static void on_end(void *arg, enum status st, const char *why)
{
    struct run *r = arg;
    struct arena *mem;
    json_object *outcome;

    r->upstream = NULL;
    if (r->streaming && r->deliver == DELIVER_SOCKET) {
        generation_end(r, st, why);
    } else if (r->streaming && deliver_end(r, st)) {
        mem = arena_new(1024);
        outcome = run_outcome(r, mem, st == OK ? "done" : "failed");
        json_set_int(outcome, "bytes", (int64_t)r->bytes);
        run_upstream_ended(r, outcome, mem);
        arena_free(mem);
    } else if (r->deliver == DELIVER_CLIENT && !r->errors_then) {
        if (st == OK)
            run_reply(r, r->status, str_of(r->content_type), buf_str(&r->headers), buf_str(&r->body));
        else
            run_reply_detail(r, st == TIMED_OUT ? 504 : 502, sentence(st));
        whole_ended(r, st, why);
    } else {
        whole_ended(r, st, why);
    }
}

static const struct upstream_ops upstream_ops = { on_head, on_data, on_settled, on_end };

static void read_delivery(struct run *r, struct arena *mem, json_object *plan, json_object *spec)
{
    struct str deliver = json_str(plan, "deliver"), format = json_str(spec, "format");
    struct buf headers = BUF(mem, 64 * 1024);

    run_forget_upstream(r);
    r->deliver = str_is(deliver, "socket") ? DELIVER_SOCKET : str_is(deliver, "client") ? DELIVER_CLIENT : DELIVER_JSON;
    r->format = str_is(format, "ollama") ? FORMAT_OLLAMA : str_is(format, "raw") ? FORMAT_RAW : FORMAT_OPENAI;
    r->wants_stream = json_flag(spec, "stream", false);
    r->convert = json_flag(plan, "convert", false) && r->format == FORMAT_OLLAMA;
    r->errors_then = str_is(json_str(plan, "errors"), "then");
    r->prefix = copy_str(json_str(plan, "prefix"));
    r->suffix = copy_str(json_str(plan, "suffix"));
    r->body.max = (size_t)json_int(spec, "max_bytes", RUN_BODY_BYTES);
    if (r->body.max > 2u * RUN_BODY_BYTES)
        r->body.max = 2u * RUN_BODY_BYTES;
    run_add_headers(&headers, json_get(plan, "headers"));
    r->client_headers = copy_str(buf_str(&headers));
    r->answer_id = json_int(spec, "answer_id", 0);
}

void run_expect_answer(struct run *r, struct arena *mem, json_object *plan, json_object *spec)
{
    read_delivery(r, mem, plan, spec);
    r->upstream_since_ms = mono_ms();
    if (r->deliver == DELIVER_SOCKET) {
        stats.generations++;
        r->transcript = transcript_new(json_get(plan, "options"), true, now_ms());
        if (!r->spool && r->task_id && r->then)
            r->spool = spool_open(r, json_get(plan, "options"), NULL);
    }
}

static void start(struct run *r, json_object *spec)
{
    struct error err;

    r->upstream = upstream_start(spec, &upstream_ops, r, &err);
    if (!r->upstream) {
        log_error("%s", err.text);
        if (r->deliver == DELIVER_CLIENT && !r->errors_then)
            run_reply_detail(r, 502, sentence(UNAVAILABLE));
        whole_ended(r, UNAVAILABLE, err.text);
    }
}

static void start_late(void *arg)
{
    struct run *r = arg;
    struct arena *mem = arena_new(4096);
    json_object *spec = json_parse_or_null(mem, str_of(r->spec));

    start(r, spec);
    arena_free(mem);
}

void run_call_upstream(struct run *r, struct arena *mem, json_object *plan, json_object *spec)
{
    int64_t delay_ms = json_int(spec, "delay_ms", 0);

    run_expect_answer(r, mem, plan, spec);
    if (r->deliver == DELIVER_CLIENT && !r->client) { /* nobody is there to hear it */
        run_then_simple(r, "stopped", NULL);
        return;
    }
    r->phase = RUN_UPSTREAM;
    if (delay_ms > 0) {
        r->spec = copy_str(json_text(mem, spec));
        delay_start(&r->later, delay_ms > MAX_DELAY_MS ? MAX_DELAY_MS : delay_ms, start_late, r);
    } else {
        start(r, spec);
    }
}
