/* direct.c: direct connections: answers that come through a tab. */
#include "sidecar/direct.h"

#include <stdlib.h>

#include "lib/base/clock.h"
#include "sidecar/plans.h"
#include "sidecar/sessions.h"
#include "sidecar/sidecar.h"

enum { IDLE_MS = 300 * 1000, ASK_MS = 60 * 1000, EARLY_BYTES = 4 * 1024 * 1024 };

struct direct {
    struct direct *next, **prev;
    struct run *run;
    struct session *tab;
    char *channel;
    bool is_on;       /* the tab has said that the stream begins */
    bool is_done;     /* … and before that, that it has ended */
    struct buf early; /* what came before it said so */
    int64_t last_ms;
};

static struct direct *all;

void direct_forget(struct run *r)
{
    struct direct *d = r->direct;

    if (!d)
        return;
    r->direct = NULL;
    *d->prev = d->next;
    if (d->next)
        d->next->prev = d->prev;
    buf_free(&d->early);
    free(d->channel);
    free(d);
}

static void remember(struct run *r, struct session *tab, struct str channel)
{
    struct direct *d = calloc(1, sizeof(*d));

    if (!d)
        abort();
    *d = (struct direct){ .next = all,
                          .prev = &all,
                          .run = r,
                          .tab = tab,
                          .channel = copy_str(channel),
                          .early = BUF(NULL, EARLY_BYTES),
                          .last_ms = mono_ms() };
    if (all)
        all->prev = &d->next;
    all = d;
    r->direct = d;
}

/* ---- the stream. After each of these the run may be gone. */

static void ended(struct run *r, enum status st, const char *why)
{
    struct arena *mem;

    direct_forget(r);
    if (r->deliver == DELIVER_SOCKET) {
        generation_end(r, st, why);
        return;
    }
    deliver_end(r, st);
    mem = arena_new(1024);
    run_upstream_ended(r, run_outcome(r, mem, st == OK ? "done" : "failed"), mem);
    arena_free(mem);
}

static bool flows(const struct direct *d)
{
    return d->is_on && d->run->streaming && d->run->phase == RUN_UPSTREAM;
}

static void give(struct run *r, struct str lines)
{
    r->bytes += lines.n;
    stats.bytes_up += lines.n;
    if (r->deliver == DELIVER_SOCKET) {
        generation_data(r, lines);
        generation_settled(r);
    } else {
        deliver_data(r, lines);
    }
}

static void add_lines(struct buf *b, json_object *data)
{
    if (json_is(data, json_type_string)) {
        buf_add_str(b, json_str_value(data));
    } else if (json_is(data, json_type_object)) {
        buf_add_c(b, "data: ");
        json_add_to_buf(b, data);
    }
    buf_add_c(b, "\n\n");
}

static void give_data(struct run *r, json_object *data)
{
    struct buf b = BUF(NULL, TRANSCRIPT_MAX_BYTES);

    add_lines(&b, data);
    give(r, buf_str(&b));
    buf_free(&b);
}

bool direct_event(struct session *s, struct str name, json_object *data)
{
    for (struct direct *d = all; d; d = d->next) {
        if (d->tab != s || !str_is(name, d->channel))
            continue;
        d->last_ms = mono_ms();
        if (!d->is_on && json_flag(data, "done", false))
            d->is_done = true;
        else if (!d->is_on)
            add_lines(&d->early, data);
        else if (flows(d) && json_flag(data, "done", false))
            ended(d->run, OK, "");
        else if (flows(d))
            give_data(d->run, data);
        return true;
    }
    return false;
}

bool direct_is_open(const struct session *s)
{
    for (struct direct *d = all; d; d = d->next)
        if (d->tab == s && flows(d))
            return true;
    return false;
}

/* Ends one after the other: the list changes with each. */
void direct_closed(struct session *s)
{
    struct direct *d = all;

    while (d) {
        if (d->tab == s && flows(d)) {
            ended(d->run, FAILED, "the browser tab was closed");
            d = all;
        } else {
            d = d->next;
        }
    }
}

void direct_tick(int64_t now_ms)
{
    for (struct direct *d = all; d; d = d->next) {
        if (flows(d) && now_ms - d->last_ms > IDLE_MS) {
            ended(d->run, TIMED_OUT, "the browser tab has been silent for too long");
            return; /* the others have another second */
        }
    }
}

/* ---- the question */

/* What the tab says went wrong: {"detail"}, {"error"}, a text. */
static void refused(struct run *r, struct arena *mem, json_object *answer)
{
    json_object *outcome = run_outcome(r, mem, "failed"), *error = json_get(answer, "error");

    if (!error)
        error = json_get(answer, "detail");
    if (!error && json_truthy(answer))
        error = answer;
    json_set(outcome, "error",
             error ? error : json_new_str(mem, S("The browser could not reach the provider of this model.")));
    json_set_bool(outcome, "streamed", false);
    direct_forget(r);
    run_then(r, mem, outcome);
}

static void begin(struct run *r)
{
    struct direct *d = r->direct;
    struct buf early = d->early;
    bool is_done = d->is_done;

    d->early = BUF(NULL, EARLY_BYTES);
    d->is_on = true;
    socketio_allow_stream(d->tab);
    d->last_ms = mono_ms();
    r->phase = RUN_UPSTREAM;
    r->status = 200;
    free(r->content_type);
    r->content_type = copy_str(S("text/event-stream"));
    r->streaming = r->deliver == DELIVER_SOCKET ? generation_head(r) : deliver_head(r);
    if (early.n)
        give(r, buf_str(&early));
    buf_free(&early);
    if (is_done && r->direct == d && flows(d))
        ended(r, OK, "");
}

static void answered(void *arg, struct str answer)
{
    struct run *r = arg;
    struct arena *mem = arena_new(answer.n + 4096);
    json_object *first = answer.p ? json_at(json_parse_or_null(mem, answer), 0) : NULL;

    r->phase = RUN_NOTHING;
    if (!r->direct || !json_flag(first, "status", false)) {
        refused(r, mem, first);
    } else {
        begin(r);
    }
    arena_free(mem);
}

void direct_ask(struct run *r, struct arena *mem, json_object *plan, json_object *question)
{
    struct str sid = json_str(question, "session_id").n ? json_str(question, "session_id") : str_of(r->session_id);
    struct session *s = sid.n ? session_by_id(sid) : NULL;
    json_object *data = json_new_object(mem);

    run_expect_answer(r, mem, plan, NULL);
    if (!s || !s->user || !r->user_id || strcmp(s->user->id, r->user_id) != 0 || r->deliver == DELIVER_JSON) {
        refused(r, mem, NULL);
        return;
    }
    remember(r, s, json_str(question, "channel"));
    json_set_c(data, "chat_id", r->chat_id);
    json_set_c(data, "message_id", r->message_id);
    json_set(data, "data", json_get(question, "data"));
    r->phase = RUN_ASK;
    socketio_ask(s, S("chat-events"), json_text(mem, data), json_int(question, "timeout_ms", ASK_MS), answered, r);
}
