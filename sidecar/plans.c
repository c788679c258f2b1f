/* plans.c: carries out what a worker has planned. */
#include "sidecar/plans.h"

#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "sidecar/http.h"
#include "sidecar/missed.h"
#include "sidecar/nodes.h"
#include "sidecar/sessions.h"
#include "sidecar/sidecar.h"
#include "sidecar/spool.h"
#include "sidecar/tasks.h"

enum { MAX_PLANS = 1000, MAX_CALLS = 1000, ASK_MS = 60 * 1000, WAIT_MAX_MS = 60 * 1000, WAIT_MIN_MS = 100 };

struct pending { /* one of "calls" */
    struct pending *next;
    char *plan; /* JSON text */
};

static struct run *runs;
static unsigned runs_n;

static void carry_out(struct run *r, json_object *plan);

/* ---- life */

static void tab_ask_cancel(struct run *r)
{
    socketio_ask_cancel(r);
    nodes_ask_cancel(r);
}

static void run_free(struct run *r)
{
    char *texts[] = { r->task_id, r->user_id, r->chat_id, r->message_id, r->session_id,
                      r->model,   r->then,    r->state,   r->wait_key };

    tasks_remove(r);
    stats.generations_now -= r->listed;
    step_cancel(r->step);
    delay_stop(&r->wait);
    if (r->phase == RUN_ASK)
        tab_ask_cancel(r);
    run_forget_upstream(r);
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
    *r = (struct run){
        .client = client, .client_owner = owner, .started_ms = now_ms(), .event_head = BUF(NULL, 16 * 1024)
    };
    r->calls_end = &r->calls;
    r->headers = r->kept_headers = BUF(NULL, 64 * 1024);
    r->body = BUF(NULL, RUN_BODY_BYTES);
    r->next_run = runs;
    r->prev_run = &runs;
    if (runs)
        runs->prev_run = &r->next_run;
    runs = r;
    runs_n++;
    return r;
}

/* ---- answers to the client */

void run_reply(struct run *r, int status, struct str type, struct str headers, struct str body)
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
    run_reply(r, status, S("application/json"), status == 503 ? S("Retry-After: 5\r\n") : STR_NONE, buf_str(&b));
    buf_free(&b);
}

void run_add_headers(struct buf *lines, json_object *headers)
{
    if (!json_is(headers, json_type_object))
        return;
    json_object_object_foreach(headers, name, value) http_add_header(lines, str_of(name), json_str_value(value));
}

static void planned_reply(struct run *r, struct arena *mem, json_object *answer)
{
    struct buf headers = BUF(mem, 64 * 1024);
    struct str text = json_str(answer, "text");
    int status = (int)json_int(answer, "status", 200);

    if (!answer)
        return;
    run_add_headers(&headers, json_get(answer, "headers"));
    if (status < 200 || status > 599)
        status = 500;
    if (text.p)
        run_reply(r, status, http_has_type(buf_str(&headers)) ? STR_NONE : S("text/plain; charset=utf-8"),
                  buf_str(&headers), text);
    else
        run_reply(r, status, http_has_type(buf_str(&headers)) ? STR_NONE : S("application/json"), buf_str(&headers),
                  json_text(mem, json_get(answer, "body")));
}

/* A stream that the plans write themselves; its first piece says what it is. */
static void planned_write(struct run *r, json_object *what)
{
    struct str text = json_str(what, "text"), type = json_str(what, "content_type");

    if (!what || !r->client || (r->client_began && !r->client_is_written))
        return;
    if (!r->client_began) {
        r->client_began = r->client_is_written = true;
        r->client->begin(r->client_owner, 200, type.n ? type : S("text/plain; charset=utf-8"),
                         S("Cache-Control: no-cache\r\nX-Accel-Buffering: no\r\n"));
    }
    if (text.n)
        r->client->write(r->client_owner, text);
}

static void end_written(struct run *r)
{
    const struct client_ops *client = r->client;

    if (!client || !r->client_is_written)
        return;
    r->client = NULL;
    client->end(r->client_owner);
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

    if (!r->user_id || !user_is_there(str_of(r->user_id)))
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

static void keep(struct run *r, struct str data)
{
    struct packet *p = packet_of(buf_str(&r->event_head), data, S("}]"));

    missed_keep(str_of(r->user_id), r->tab_away ? STR_NONE : str_of(r->session_id), p);
    packet_drop(p);
}

/* How it ended, which a tab that is away must hear later; the text comes before it. */
static void run_tell(struct run *r, struct str data)
{
    struct buf text = BUF(NULL, TRANSCRIPT_MAX_BYTES * 4);

    run_emit(r, data);
    if (!r->listed || !r->user_id || (!r->tab_away && !r->session_id))
        return;
    if (r->tab_away && r->transcript && !r->snapshot_kept) {
        r->snapshot_kept = true;
        transcript_snapshot(r->transcript, &text);
        if (text.n)
            keep(r, str_trim(buf_str(&text)));
        buf_free(&text);
    }
    keep(r, data);
}

static void emit_events(struct run *r, struct arena *mem, json_object *events)
{
    JSON_EACH (events, i, event) {
        r->told_cancel |= str_is(json_str(event, "type"), "chat:tasks:cancel");
        run_tell(r, json_text(mem, event));
    }
}

static void tell_cancelled(struct run *r)
{
    if (r->told_cancel || !r->listed)
        return;
    r->told_cancel = true;
    run_tell(r, S("{\"type\":\"chat:tasks:cancel\"}"));
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
        buf_add_c(&event, "{\"type\":\"chat:message:error\",\"data\":{\"error\":{\"content\":\"The server could not "
                          "complete this answer.\"}}}");
        run_tell(r, buf_str(&event));
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
        end_written(r);
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
    JSON_EACH (calls, i, call) {
        struct pending *p = n++ < MAX_CALLS ? calloc(1, sizeof(*p)) : NULL;

        if (!p) {
            log_warning("a plan has %zu calls, %d are made", json_length(calls), MAX_CALLS);
            return;
        }
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
    struct buf path = BUF(mem, 256), body = BUF(NULL, 4u * RUN_BODY_BYTES);

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
            run_reply(r, status, type, STR_NONE, body);
        chain_done(r);
    } else if (r->in_calls) {
        chain_done(r);
    } else {
        if (r->recovered && r->spool && st == FAILED && status) { /* refused again: it will never be taken */
            spool_drop(r->spool);
            r->spool = NULL;
        }
        run_failed(r, st, "a finish step");
    }
}

void run_then(struct run *r, struct arena *mem, json_object *outcome)
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

void run_then_simple(struct run *r, const char *status, const char *error)
{
    struct arena *mem = arena_new(4096);
    json_object *outcome = run_outcome(r, mem, status);

    if (error)
        json_set_c(outcome, "error", error);
    run_then(r, mem, outcome);
    arena_free(mem);
}

static void prepared(void *arg, enum status st, int status, struct str type, struct str body)
{
    struct run *r = arg;

    r->step = NULL;
    if (st == OK && is_plan(type)) {
        next_plan(r, body);
    } else if (st == OK) {
        run_reply(r, status, type, STR_NONE, body);
        chain_done(r);
    } else if (r->client && !r->client_began && status >= 400 && !r->listed) {
        run_reply(r, status, type, STR_NONE, body); /* the request is refused after all */
        chain_done(r);
    } else if (r->then) {
        run_then_simple(r, r->stop ? "stopped" : "failed", "The server could not prepare this request.");
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
    run_then(r, mem, outcome);
    arena_free(mem);
}

/* The tab may be one of another machine. */
static void ask(struct run *r, struct arena *mem, json_object *spec)
{
    struct str sid = json_str(spec, "session_id").n ? json_str(spec, "session_id") : str_of(r->session_id);
    struct session *s = sid.n ? session_by_id(sid) : NULL;
    int64_t timeout_ms = json_int(spec, "timeout_ms", ASK_MS);
    json_object *data = json_new_object(mem);

    json_set_c(data, "chat_id", r->chat_id);
    json_set_c(data, "message_id", r->message_id);
    json_set(data, "data", json_get(spec, "data"));
    r->phase = RUN_ASK;
    if (s && s->user && r->user_id && strcmp(s->user->id, r->user_id) == 0)
        socketio_ask(s, S("chat-events"), json_text(mem, data), timeout_ms, tab_answered, r);
    else if (s || !r->user_id ||
             !nodes_ask(sid, str_of(r->user_id), S("chat-events"), json_text(mem, data), timeout_ms, tab_answered, r))
        tab_answered(r, STR_NONE);
}

/* ---- waiting */

static void waited(void *arg)
{
    run_then_simple(arg, "done", NULL);
}

static void wait(struct run *r, json_object *spec)
{
    int64_t ms = json_int(spec, "ms", 1000);

    r->phase = RUN_WAIT;
    free(r->wait_key);
    r->wait_key = json_str(spec, "job").n ? copy_str(json_str(spec, "job")) : NULL;
    delay_start(&r->wait, ms < WAIT_MIN_MS ? WAIT_MIN_MS : ms > WAIT_MAX_MS ? WAIT_MAX_MS : ms, waited, r);
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
            r->tab_away = r->session_id && nodes_count() == 0 && !session_by_id(str_of(r->session_id));
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
    json_object *upstream = json_get(plan, "upstream"), *question = json_get(plan, "ask"),
                *pause = json_get(plan, "wait");
    struct str prepare = json_str(plan, "prepare");

    stats.plans++;
    r->plans++;
    if (!pause && ++r->plans_that_cost > MAX_PLANS) {
        run_failed(r, FAILED, "a plan without an end");
        goto done;
    }
    r->phase = RUN_NOTHING;
    read_names(r, plan);
    emit_events(r, mem, json_get(plan, "events"));
    set_then(r, mem, plan);
    add_calls(r, mem, json_get(plan, "calls"));
    if (r->listed && !r->in_calls && r->then &&
        (prepare.n || question || upstream)) /* its end is known after a restart: before it is promised */
        r->spool = spool_open(r, json_get(plan, "options"), r->spool);
    planned_reply(r, mem, json_get(plan, "reply"));
    planned_write(r, json_get(plan, "write"));
    if (r->stop && (prepare.n || question || upstream || pause)) {
        run_then_simple(r, "stopped", NULL);
    } else if (prepare.n) {
        r->phase = RUN_PREPARE;
        call_step(r, mem, str_c(mem, prepare), NULL, prepared);
    } else if (question && json_str(question, "channel").n) {
        direct_ask(r, mem, plan, question);
    } else if (question) {
        ask(r, mem, question);
    } else if (pause) {
        wait(r, pause);
    } else if (upstream) {
        run_call_upstream(r, mem, plan, upstream);
    } else if (r->then) {
        run_then_simple(r, r->stop ? "stopped" : "done", NULL);
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
        delay_stop(&r->later);
        direct_forget(r);
        if (r->in_calls)
            chain_done(r);
        else if (r->streaming && r->deliver == DELIVER_SOCKET)
            generation_stop(r);
        else
            run_then_simple(r, "stopped", NULL);
        break;
    case RUN_ASK:
        tab_ask_cancel(r);
        direct_forget(r);
        run_then_simple(r, "stopped", NULL);
        break;
    case RUN_WAIT:
        delay_stop(&r->wait);
        chain_done(r);
        break;
    default: /* a step cannot be called back: its answer finds that this is over */ break;
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

void runs_wake(struct str job)
{
    for (struct run *r = runs; r; r = r->next_run)
        if (r->phase == RUN_WAIT && r->wait_key && str_is(job, r->wait_key))
            delay_start(&r->wait, 0, waited, r);
}

void runs_stop_waiting(void)
{
    for (struct run *r = runs, *next; r; r = next) {
        next = r->next_run;
        if (r->phase == RUN_WAIT)
            run_stop(r, "shutdown");
    }
}

void runs_session_gone(struct str sid)
{
    for (struct run *r = runs; r; r = r->next_run)
        r->tab_away |= r->listed && r->session_id && str_is(sid, r->session_id);
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
    bool whole;

    r->plans = 1;
    r->recovered = true;
    r->task_id = copy_str(json_str(header, "task_id"));
    read_names(r, header); /* it is a task again until its step has answered */
    r->spool = spool;
    set_then(r, mem, header);
    r->deliver = DELIVER_SOCKET;
    transcript_end(t, now_ms(), &events);
    r->tab_away = true;
    r->transcript = t;
    whole = transcript_complete(t) && !transcript_has_error(t);
    outcome = run_outcome(r, mem, whole ? "done" : "failed");
    json_set_c(outcome, "reason", "restart");
    json_set_bool(outcome, "streamed", true);
    transcript_outcome(t, mem, outcome);
    if (!whole)
        json_set_c(outcome, "error", "The server was restarted while this answer was being written.");
    r->stop = NULL;
    run_then(r, mem, outcome);
    arena_free(mem);
}
