/* plans.c: carries out what a worker has planned. */
#include "sidecar/plans.h"

#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/encode.h"
#include "lib/base/log.h"
#include "sidecar/http.h"
#include "sidecar/sessions.h"
#include "sidecar/sidecar.h"
#include "sidecar/spool.h"
#include "sidecar/tasks.h"


enum { MAX_PLANS = 64, MAX_CALLS = 32, BODY_BYTES = 32 * 1024 * 1024, ASK_MS = 60 * 1000, PAUSE_BYTES = 256 * 1024 };

struct pending {                 /* one of "calls" */
    struct pending *next;
    char *plan;                  /* JSON text */
};

static struct run *runs;
static unsigned runs_n;

static void carry_out(struct run *r, json_object *plan);
static void call_then(struct run *r, struct arena *mem, json_object *outcome);

/* ---- life */

static void forget_upstream(struct run *r)
{
    char **texts[] = { &r->content_type, &r->prefix, &r->suffix, &r->client_headers };

    upstream_cancel(r->upstream);
    r->upstream = NULL;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        free(*texts[i]);
        *texts[i] = NULL;
    }
    buf_free(&r->headers);
    buf_free(&r->body);
    r->headers = BUF(NULL, 64 * 1024);
    r->body = BUF(NULL, BODY_BYTES);
    generation_free(r);
    line_reader_free(&r->lines);
    r->status = 0;
    r->bytes = 0;
    r->streaming = r->convert = r->errors_then = r->too_big = r->converted_done = false;
}

static void run_free(struct run *r)
{
    char *texts[] = { r->task_id, r->user_id, r->chat_id, r->message_id, r->session_id, r->model, r->then, r->state };

    tasks_remove(r);
    stats.generations_now -= r->listed;
    step_cancel(r->step);
    if (r->phase == RUN_ASK)
        socketio_ask_cancel(r);
    forget_upstream(r);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        free(texts[i]);
    while (r->calls) {
        struct pending *p = r->calls;

        r->calls = p->next;
        free(p->plan);
        free(p);
    }
    if (r->spool)
        spool_leave(r->spool);
    buf_free(&r->event_head);
    *r->prev_run = r->next_run;
    if (r->next_run)
        r->next_run->prev_run = r->prev_run;
    runs_n--;
    free(r);
}

static struct run *run_new(const struct client_ops *client, void *owner)
{
    struct run *r = calloc(1, sizeof(*r));

    if (!r)
        abort();
    *r = (struct run){ .client = client, .client_owner = owner, .started_ms = now_ms(), .event_head = BUF(NULL, 16 * 1024) };
    r->calls_end = &r->calls;
    r->headers = BUF(NULL, 64 * 1024);
    r->body = BUF(NULL, BODY_BYTES);
    r->next_run = runs;
    r->prev_run = &runs;
    if (runs)
        runs->prev_run = &r->next_run;
    runs = r;
    runs_n++;
    return r;
}

/* ---- answers to the client */

static void reply(struct run *r, int status, struct str type, struct str headers, struct str body)
{
    const struct client_ops *client = r->client;

    if (!client)
        return;
    r->client = NULL;
    client->reply(r->client_owner, status, type, headers, body);
}

void run_reply_detail(struct run *r, int status, const char *detail)
{
    struct buf b = BUF(NULL, 16 * 1024);

    buf_add_c(&b, "{\"detail\":");
    buf_add_json_string(&b, str_of(detail));
    buf_add_char(&b, '}');
    reply(r, status, S("application/json"), status == 503 ? S("Retry-After: 5\r\n") : STR_NONE, buf_str(&b));
    buf_free(&b);
}

static void add_headers(struct buf *lines, json_object *headers)
{
    if (!json_is(headers, json_type_object))
        return;
    json_object_object_foreach(headers, name, value)
        http_add_header(lines, str_of(name), json_str_value(value));
}

static void planned_reply(struct run *r, struct arena *mem, json_object *answer)
{
    struct buf headers = BUF(mem, 64 * 1024);
    struct str text = json_str(answer, "text");
    int status = (int)json_int(answer, "status", 200);

    if (!answer)
        return;
    add_headers(&headers, json_get(answer, "headers"));
    if (status < 200 || status > 599)
        status = 500;
    if (text.p)
        reply(r, status, http_has_type(buf_str(&headers)) ? STR_NONE : S("text/plain; charset=utf-8"), buf_str(&headers), text);
    else
        reply(r, status, http_has_type(buf_str(&headers)) ? STR_NONE : S("application/json"), buf_str(&headers), json_text(mem, json_get(answer, "body")));
}

/* ---- events */

static void set_event_head(struct run *r)
{
    struct buf *b = &r->event_head;

    buf_reset(b);
    buf_add_c(b, "42[\"chat-events\",{\"chat_id\":");
    if (r->chat_id)
        buf_add_json_string(b, str_of(r->chat_id));
    else
        buf_add_c(b, "null");
    buf_add_c(b, ",\"message_id\":");
    if (r->message_id)
        buf_add_json_string(b, str_of(r->message_id));
    else
        buf_add_c(b, "null");
    buf_add_c(b, ",\"data\":");
}

void run_emit(struct run *r, struct str data)
{
    struct packet *p;

    if (!r->user_id || !user_by_id(str_of(r->user_id)))
        return;
    p = packet_of(buf_str(&r->event_head), data, S("}]"));
    emit_to_user(str_of(r->user_id), p);
    packet_drop(p);
}

void run_emit_lines(struct run *r, struct str lines)
{
    struct str line;

    while (lines.n && str_split(&lines, '\n', &line)) {
        if (line.n)
            run_emit(r, line);
    }
}

static void emit_events(struct run *r, struct arena *mem, json_object *events)
{
    JSON_EACH(events, i, event) {
        r->told_cancel |= str_is(json_str(event, "type"), "chat:tasks:cancel");
        run_emit(r, json_text(mem, event));
    }
}

static void tell_cancelled(struct run *r)
{
    if (r->told_cancel || !r->listed)
        return;
    r->told_cancel = true;
    run_emit(r, S("{\"type\":\"chat:tasks:cancel\"}"));
}

/* ---- the end */

static void run_end(struct run *r)
{
    if (r->stop)
        tell_cancelled(r);
    if (r->client && r->client_began) {
        r->client->abort(r->client_owner);
        r->client = NULL;
    }
    run_reply_detail(r, 502, "The server has made no answer");
    run_free(r);
}

/* A step has failed for good: a person must not wait for ever. */
static void run_failed(struct run *r, enum status st, const char *what)
{
    struct buf event = BUF(NULL, 1024);

    log_error("%s of %s failed", what, r->task_id ? r->task_id : "a request");
    if (r->listed && !r->in_calls) {
        buf_add_c(&event, "{\"type\":\"chat:message:error\",\"data\":{\"error\":{\"content\":\"The server could not complete this answer.\"}}}");
        run_emit(r, buf_str(&event));
        buf_free(&event);
        tell_cancelled(r);
    }
    run_reply_detail(r, st == UNAVAILABLE ? 503 : 502, "The server could not complete this request");
    run_end(r);
}

/* This plan and what followed from it are done: the next of the calls, or the end. */
static void chain_done(struct run *r)
{
    struct pending *p = r->calls;
    struct arena *mem;
    json_object *plan;

    r->phase = RUN_NOTHING;
    if (!p || r->stop) {
        run_end(r);
        return;
    }
    r->calls = p->next;
    if (!r->calls)
        r->calls_end = &r->calls;
    r->in_calls = true;
    mem = arena_new(4096);
    plan = json_parse_or_null(mem, str_of(p->plan));
    carry_out(r, plan);
    arena_free(mem);
    free(p->plan);
    free(p);
}

static void add_calls(struct run *r, struct arena *mem, json_object *calls)
{
    size_t n = 0;

    for (struct pending *p = r->calls; p; p = p->next)
        n++;
    JSON_EACH(calls, i, call) {
        struct pending *p = n++ < MAX_CALLS ? calloc(1, sizeof(*p)) : NULL;

        if (!p)
            return;
        p->plan = copy_str(json_text(mem, call));
        *r->calls_end = p;
        r->calls_end = &p->next;
    }
}

/* ---- steps */

static void set_or_null(json_object *o, const char *key, const char *text)
{
    json_set_c(o, key, text);
}

/* Puts the outcome (NULL: none) between what the worker knows it by, and calls. */
static void call_step(struct run *r, struct arena *mem, const char *name, json_object *outcome, step_fn *fn)
{
    json_object *o = json_new_object(mem);
    struct buf path = BUF(mem, 256), body = BUF(NULL, 4u * BODY_BYTES);

    json_set_raw(o, "state", str_of(r->state));
    if (outcome)
        json_set(o, "outcome", outcome);
    set_or_null(o, "task_id", r->task_id);
    set_or_null(o, "user_id", r->user_id);
    set_or_null(o, "chat_id", r->chat_id);
    set_or_null(o, "message_id", r->message_id);
    set_or_null(o, "session_id", r->session_id);
    set_or_null(o, "model", r->model);
    json_add_to_buf(&body, o);
    buf_add_c(&path, "/internal/step/");
    buf_add_urlencoded(&path, str_of(name));
    r->step = step_call(buf_str(&path), buf_str(&body), str_of(r->task_id), STEP_PATIENCE_MS, fn, r);
    buf_free(&body);
}

static bool is_plan(struct str type)
{
    return str_starts(type, PLAN_TYPE);
}

static void next_plan(struct run *r, struct str body)
{
    struct arena *mem = arena_new(body.n + 4096);
    json_object *plan = NULL;
    struct error err;

    if (json_parse(mem, body, &plan, &err) == OK && json_is(plan, json_type_object)) {
        carry_out(r, plan);
    } else {
        log_error("a plan is no JSON object: %s", err.text);
        run_failed(r, FAILED, "a plan");
    }
    arena_free(mem);
}

static void then_answered(void *arg, enum status st, int status, struct str type, struct str body)
{
    struct run *r = arg;
    bool for_client = r->client && !r->client_began && !r->in_calls;

    r->step = NULL;
    if (st == OK || (st == FAILED && status >= 300 && for_client && r->deliver == DELIVER_JSON)) {
        if (r->spool)
            spool_drop(r->spool);
        r->spool = NULL;
        if (st == OK && is_plan(type)) {
            next_plan(r, body);
            return;
        }
        if (for_client)
            reply(r, status, type, STR_NONE, body);
        chain_done(r);
    } else if (r->in_calls) {
        chain_done(r);
    } else {
        run_failed(r, st, "a finish step");
    }
}

static void call_then(struct run *r, struct arena *mem, json_object *outcome)
{
    if (!r->then || (r->in_calls && r->stop)) {
        chain_done(r);
        return;
    }
    r->phase = RUN_THEN;
    call_step(r, mem, r->then, outcome, then_answered);
}

json_object *run_outcome(struct run *r, struct arena *mem, const char *status)
{
    json_object *o = json_new_object(mem);

    json_set_c(o, "status", status);
    json_set_int(o, "upstream_status", r->status);
    json_set_int(o, "upstream_ms", r->upstream_since_ms ? mono_ms() - r->upstream_since_ms : 0);
    if (r->stop)
        json_set_c(o, "reason", r->stop);
    return o;
}

static void then_simple(struct run *r, const char *status, const char *error)
{
    struct arena *mem = arena_new(4096);
    json_object *outcome = run_outcome(r, mem, status);

    if (error)
        json_set_c(outcome, "error", error);
    call_then(r, mem, outcome);
    arena_free(mem);
}

static void prepared(void *arg, enum status st, int status, struct str type, struct str body)
{
    struct run *r = arg;

    r->step = NULL;
    if (st == OK && is_plan(type)) {
        next_plan(r, body);
    } else if (st == OK) {
        reply(r, status, type, STR_NONE, body);
        chain_done(r);
    } else if (r->client && !r->client_began && status >= 400 && !r->listed) {
        reply(r, status, type, STR_NONE, body);      /* the request is refused after all */
        chain_done(r);
    } else if (r->then) {
        then_simple(r, r->stop ? "stopped" : "failed", "The server could not prepare this request.");
    } else {
        run_failed(r, st, "a prepare step");
    }
}

/* ---- a question to a tab */

static void tab_answered(void *arg, struct str answer)
{
    struct run *r = arg;
    struct arena *mem = arena_new(answer.n + 4096);
    json_object *outcome = run_outcome(r, mem, answer.p ? "done" : "failed");

    r->phase = RUN_NOTHING;
    if (answer.p)
        json_set(outcome, "answer", json_at(json_parse_or_null(mem, answer), 0));
    else
        json_set_c(outcome, "error", "The browser tab did not answer.");
    call_then(r, mem, outcome);
    arena_free(mem);
}

static void ask(struct run *r, struct arena *mem, json_object *spec)
{
    struct str sid = json_str(spec, "session_id").n ? json_str(spec, "session_id") : str_of(r->session_id);
    struct session *s = sid.n ? session_by_id(sid) : NULL;
    json_object *data = json_new_object(mem);

    if (!s || !s->user || !r->user_id || strcmp(s->user->id, r->user_id) != 0) {
        tab_answered(r, STR_NONE);
        return;
    }
    json_set_c(data, "chat_id", r->chat_id);
    json_set_c(data, "message_id", r->message_id);
    json_set(data, "data", json_get(spec, "data"));
    r->phase = RUN_ASK;
    socketio_ask(s, S("chat-events"), json_text(mem, data), json_int(spec, "timeout_ms", ASK_MS), tab_answered, r);
}

/* ---- a call */

void run_add_body(struct run *r, struct arena *mem, json_object *outcome)
{
    struct str body = buf_str(&r->body), lines = buf_str(&r->headers), line;
    json_object *headers;

    json_set_bool(outcome, "streamed", false);
    json_set_c(outcome, "content_type", r->content_type);
    if (str_utf8_valid(body))
        json_set_str(outcome, "body", body);
    else
        json_set_str(outcome, "body_base64", base64_encode(mem, body));
    headers = json_set_object(outcome, "headers");
    while (lines.n && str_split(&lines, '\n', &line)) {
        size_t colon = str_find_c(line, ':');

        if (colon != STR_NPOS)
            json_set_str(headers, str_c(mem, str_sub(line, 0, colon)), str_trim(str_from(line, colon + 1)));
    }
}

void run_upstream_ended(struct run *r, json_object *outcome, struct arena *mem)
{
    upstream_cancel(r->upstream);
    r->upstream = NULL;
    call_then(r, mem, outcome);
}

static void on_head(void *arg, const struct upstream_head *head)
{
    struct run *r = arg;

    r->status = head->status;
    free(r->content_type);
    r->content_type = copy_str(head->content_type);
    buf_reset(&r->headers);
    buf_add_str(&r->headers, head->headers);
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

/* What ends the call is done here and not in on_data, which libcurl calls. */
static void on_settled(void *arg)
{
    struct run *r = arg;

    if (r->streaming && r->deliver == DELIVER_SOCKET)
        generation_settled(r);
    else if (r->too_big)
        whole_ended(r, TOO_BIG, "the answer is too large");
    else if (r->client && r->client->waiting(r->client_owner) > PAUSE_BYTES)
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
        reply(r, r->status, str_of(r->content_type), buf_str(&r->headers), buf_str(&r->body));
    } else if (!r->then && r->client) {
        run_reply_detail(r, st == TIMED_OUT ? 504 : 502, sentence(st));
    }
    outcome = run_outcome(r, mem, r->stop ? "stopped" : good ? "done" : "failed");
    if (st == OK)
        run_add_body(r, mem, outcome);
    else
        json_set_c(outcome, "error", sentence(st));
    if (st == TIMED_OUT)
        json_set_c(outcome, "reason", "timeout");
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
            reply(r, r->status, str_of(r->content_type), buf_str(&r->headers), buf_str(&r->body));
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

    forget_upstream(r);
    r->deliver = str_is(deliver, "socket") ? DELIVER_SOCKET : str_is(deliver, "client") ? DELIVER_CLIENT : DELIVER_JSON;
    r->format = str_is(format, "ollama") ? FORMAT_OLLAMA : str_is(format, "raw") ? FORMAT_RAW : FORMAT_OPENAI;
    r->wants_stream = json_flag(spec, "stream", false);
    r->convert = json_flag(plan, "convert", false) && r->format == FORMAT_OLLAMA;
    r->errors_then = str_is(json_str(plan, "errors"), "then");
    r->prefix = copy_str(json_str(plan, "prefix"));
    r->suffix = copy_str(json_str(plan, "suffix"));
    r->body.max = (size_t)json_int(spec, "max_bytes", BODY_BYTES);
    if (r->body.max > 2u * BODY_BYTES)
        r->body.max = 2u * BODY_BYTES;
    add_headers(&headers, json_get(plan, "headers"));
    r->client_headers = copy_str(buf_str(&headers));
}

static void call_upstream(struct run *r, struct arena *mem, json_object *plan, json_object *spec)
{
    struct error err;

    read_delivery(r, mem, plan, spec);
    if (r->deliver == DELIVER_CLIENT && !r->client) {        /* nobody is there to hear it */
        then_simple(r, "stopped", NULL);
        return;
    }
    r->phase = RUN_UPSTREAM;
    r->upstream_since_ms = mono_ms();
    if (r->deliver == DELIVER_SOCKET) {
        stats.generations++;
        r->transcript = transcript_new(json_get(plan, "options"), true, now_ms());
        if (r->task_id && r->then)
            r->spool = spool_open(r, json_get(plan, "options"), r->spool);
    }
    r->upstream = upstream_start(spec, &upstream_ops, r, &err);
    if (!r->upstream) {
        log_error("%s", err.text);
        if (r->deliver == DELIVER_CLIENT && !r->errors_then)
            run_reply_detail(r, 502, sentence(UNAVAILABLE));
        whole_ended(r, UNAVAILABLE, err.text);
    }
}

/* ---- a plan */

static void replace_text(char **to, struct str text)
{
    if (!text.n)
        return;
    free(*to);
    *to = copy_str(text);
}

/* The first plan says who hears of it; a worker cannot make another task's plan out of it later. */
static void read_names(struct run *r, json_object *plan)
{
    replace_text(&r->user_id, json_str(plan, "user_id"));
    replace_text(&r->chat_id, json_str(plan, "chat_id"));
    replace_text(&r->message_id, json_str(plan, "message_id"));
    replace_text(&r->session_id, json_str(plan, "session_id"));
    replace_text(&r->model, json_str(plan, "model"));
    set_event_head(r);
    if (r->plans == 1 && json_str(plan, "task_id").n) {
        if (r->task_id && str_is(json_str(plan, "task_id"), r->task_id)) {
            r->listed = true;
            stats.generations_now++;
            tasks_add(r);
        } else {
            log_error("a plan names a task that is not its own");
        }
    }
}

static void set_then(struct run *r, struct arena *mem, json_object *plan)
{
    free(r->then);
    free(r->state);
    r->then = json_str(plan, "then").n ? copy_str(json_str(plan, "then")) : NULL;
    r->state = json_get(plan, "state") ? copy_str(json_text(mem, json_get(plan, "state"))) : NULL;
}

static void carry_out(struct run *r, json_object *plan)
{
    struct arena *mem = arena_new(4096);
    json_object *upstream = json_get(plan, "upstream"), *question = json_get(plan, "ask");
    struct str prepare = json_str(plan, "prepare");

    stats.plans++;
    if (++r->plans > MAX_PLANS) {
        run_failed(r, FAILED, "a plan without an end");
        goto done;
    }
    r->phase = RUN_NOTHING;
    read_names(r, plan);
    emit_events(r, mem, json_get(plan, "events"));
    planned_reply(r, mem, json_get(plan, "reply"));
    set_then(r, mem, plan);
    add_calls(r, mem, json_get(plan, "calls"));
    if (r->stop && (prepare.n || question || upstream)) {
        then_simple(r, "stopped", NULL);
    } else if (prepare.n) {
        r->phase = RUN_PREPARE;
        call_step(r, mem, str_c(mem, prepare), NULL, prepared);
    } else if (question) {
        ask(r, mem, question);
    } else if (upstream) {
        call_upstream(r, mem, plan, upstream);
    } else if (r->then) {
        then_simple(r, r->stop ? "stopped" : "done", NULL);
    } else {
        chain_done(r);
    }
done:
    arena_free(mem);
}

void run_start(const struct client_ops *client, void *owner, struct str task_id, struct str plan, void **handle)
{
    struct run *r = run_new(client, owner);

    r->task_id = copy_str(task_id);
    *handle = r;
    next_plan(r, plan);
}

/* ---- from outside */

void run_stop(struct run *r, const char *why)
{
    if (r->stop)
        return;
    r->stop = why;
    tasks_remove(r);
    switch (r->phase) {
    case RUN_UPSTREAM:
        upstream_cancel(r->upstream);
        r->upstream = NULL;
        if (r->in_calls)
            chain_done(r);
        else if (r->streaming && r->deliver == DELIVER_SOCKET)
            generation_stop(r);
        else
            then_simple(r, "stopped", NULL);
        break;
    case RUN_ASK:
        socketio_ask_cancel(r);
        then_simple(r, "stopped", NULL);
        break;
    default:                                 /* a step cannot be called back: its answer finds that this is over */
        break;
    }
}

void run_client_gone(struct run *r)
{
    r->client = NULL;
    if (!r->listed)
        run_stop(r, "client");
}

void run_client_drained(struct run *r)
{
    if (r->upstream)
        upstream_pause(r->upstream, false);
}

void runs_tick(int64_t mono_now_ms)
{
    for (struct run *r = runs; r; r = r->next_run) {
        if (r->deliver == DELIVER_SOCKET)
            generation_tick(r, mono_now_ms);
        else if (r->deliver == DELIVER_CLIENT)
            deliver_tick(r, mono_now_ms);
    }
}

unsigned runs_count(void)
{
    return runs_n;
}

void run_recover(json_object *header, struct transcript *t, struct spool *spool)
{
    struct run *r = run_new(NULL, NULL);
    struct arena *mem = arena_new(16 * 1024);
    json_object *outcome;
    struct buf events = BUF(mem, TRANSCRIPT_MAX_BYTES * 4);

    r->plans = 1;
    r->task_id = copy_str(json_str(header, "task_id"));
    read_names(r, header);                   /* it is a task again until its step has answered */
    r->spool = spool;
    set_then(r, mem, header);
    r->deliver = DELIVER_SOCKET;
    transcript_end(t, now_ms(), &events);
    outcome = run_outcome(r, mem, "failed");
    json_set_c(outcome, "reason", "restart");
    json_set_bool(outcome, "streamed", true);
    transcript_outcome(t, mem, outcome);
    json_set_c(outcome, "error", "The server was restarted while this answer was being written.");
    transcript_free(t);
    r->stop = NULL;
    call_then(r, mem, outcome);
    arena_free(mem);
}
