/* steps.c: a worker's part of the work. */
#include "sidecar/steps.h"

#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "sidecar/fcgi_client.h"
#include "sidecar/sidecar.h"

enum { ANSWER_BYTES = 32 * 1024 * 1024, STEP_MS = 120 * 1000, DIED_MS = 250 };

struct step {
    struct buf params, body, answer;
    char *path, *content_type;
    int status;
    unsigned tries, deaths;
    int64_t since_ms, patience_ms, limit_ms;
    struct worker_call *call;
    struct delay *again;
    step_fn *fn;
    void *arg;
};

static void start(void *arg);

static void step_free(struct step *s)
{
    delay_stop(&s->again);
    buf_free(&s->params);
    buf_free(&s->body);
    buf_free(&s->answer);
    free(s->path);
    free(s->content_type);
    free(s);
}

static void finish(struct step *s, enum status st)
{
    stats.step_failures += st != OK;
    if (st != OK)
        log_error("step %s failed: %s", s->path,
                  st == UNAVAILABLE ? "not available"
                  : st == TIMED_OUT ? "no answer in time"
                  : s->status       ? "refused"
                                    : "the worker died");
    s->fn(s->arg, st, s->status, str_of(s->content_type), buf_str(&s->answer));
    step_free(s);
}

static void on_head(void *arg, const struct cgi_head *head)
{
    struct step *s = arg;

    s->status = head->status;
    free(s->content_type);
    s->content_type = copy_str(head->content_type);
}

static void on_data(void *arg, struct str piece)
{
    struct step *s = arg;

    buf_add_str(&s->answer, piece);
}

static void try_again_or_give_up(struct step *s)
{
    int64_t wait_ms = s->tries < 4 ? 250 << s->tries : 5000;

    if (mono_ms() - s->since_ms + wait_ms > s->patience_ms)
        finish(s, UNAVAILABLE);
    else
        delay_start(&s->again, wait_ms, start, s);
}

static void on_end(void *arg, enum status st)
{
    struct step *s = arg;

    s->call = NULL;
    if (st == UNAVAILABLE || (st == OK && s->status == 503))
        try_again_or_give_up(s);
    else if (st == OK && (s->status >= 300 || buf_failed(&s->answer)))
        finish(s, FAILED);
    else if (st == FAILED && s->status == 0 &&
             ++s->deaths == 1) /* all workers were killed, perhaps: once more with new ones */
        delay_start(&s->again, DIED_MS, start, s);
    else
        finish(s, st);
}

static const struct worker_ops ops = { on_head, on_data, on_end };

static void start(void *arg)
{
    struct step *s = arg;
    struct buf body = BUF(NULL, ANSWER_BYTES);

    s->tries++;
    s->status = 0;
    buf_reset(&s->answer);
    buf_add_str(&body, buf_str(&s->body));
    stats.steps++;
    s->call = worker_call(buf_str(&s->params), &body, true, s->limit_ms, &ops, s);
    buf_free(&body);
    if (!s->call)
        try_again_or_give_up(s);
}

void params_begin(struct buf *params, const char *method, struct str target)
{
    size_t mark = str_find_c(target, '?');

    fcgi_wire_param(params, S("GATEWAY_INTERFACE"), S("CGI/1.1"));
    fcgi_wire_param(params, S("SERVER_SOFTWARE"), S("webui-sidecar"));
    fcgi_wire_param(params, S("SERVER_PROTOCOL"), S("HTTP/1.1"));
    fcgi_wire_param(params, S("SERVER_NAME"), S("localhost"));
    fcgi_wire_param(params, S("SERVER_PORT"), S("80"));
    fcgi_wire_param(params, S("SCRIPT_NAME"), S(""));
    fcgi_wire_param(params, S("REQUEST_METHOD"), str_of(method));
    fcgi_wire_param(params, S("REQUEST_URI"), target);
    fcgi_wire_param(params, S("DOCUMENT_URI"), str_sub(target, 0, mark == STR_NPOS ? target.n : mark));
    fcgi_wire_param(params, S("QUERY_STRING"), mark == STR_NPOS ? S("") : str_from(target, mark + 1));
}

struct step *step_call_within(struct str path, struct str body, struct str task_id, int64_t patience_ms,
                              int64_t limit_ms, step_fn *fn, void *arg)
{
    struct step *s = calloc(1, sizeof(*s));
    char length[24];

    if (!s)
        abort();
    *s = (struct step){ .params = BUF(NULL, 16 * 1024),
                        .body = BUF(NULL, 4 * ANSWER_BYTES),
                        .answer = BUF(NULL, ANSWER_BYTES),
                        .path = copy_str(path),
                        .since_ms = mono_ms(),
                        .patience_ms = patience_ms,
                        .limit_ms = limit_ms,
                        .fn = fn,
                        .arg = arg };
    buf_add_str(&s->body, body);
    snprintf(length, sizeof(length), "%zu", body.n);
    params_begin(&s->params, "POST", path);
    fcgi_wire_param(&s->params, S("REMOTE_ADDR"), S("127.0.0.1"));
    fcgi_wire_param(&s->params, S("CONTENT_TYPE"), S("application/json"));
    fcgi_wire_param(&s->params, S("CONTENT_LENGTH"), str_of(length));
    fcgi_wire_param(&s->params, S("WEBUI_INTERNAL"), S("1"));
    if (task_id.n)
        fcgi_wire_param(&s->params, S("WEBUI_TASK_ID"), task_id);
    start(s);
    return s;
}

struct step *step_call(struct str path, struct str body, struct str task_id, int64_t patience_ms, step_fn *fn,
                       void *arg)
{
    return step_call_within(path, body, task_id, patience_ms, STEP_MS, fn, arg);
}

void step_cancel(struct step *s)
{
    if (!s)
        return;
    worker_cancel(s->call);
    step_free(s);
}
