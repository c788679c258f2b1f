/* forward.c: a client's request goes to a worker. */
#include "sidecar/forward.h"

#include <stdlib.h>
#include <strings.h>

#include "lib/base/log.h"
#include "lib/base/random.h"
#include "sidecar/fcgi_client.h"
#include "sidecar/sidecar.h"

enum { WHOLE_BYTES = 1024 * 1024, PAUSE_BYTES = 1024 * 1024, PLAN_BYTES = 80 * 1024 * 1024, WORKER_MS = 300 * 1000 };

struct forward {
    const struct client_ops *ops;
    void *client;
    struct asker *asker;
    struct worker_call *call;
    char task_id[37];
    bool is_plan, began;
    int status;
    struct buf headers, body; /* body: while it is not clear whether it is small */
};

static void forward_free(struct forward *f)
{
    buf_free(&f->headers);
    buf_free(&f->body);
    free(f);
}

/* ---- the worker's answer */

static bool hop_by_hop(struct str name)
{
    static const char *const names[] = {
        "Connection", "Keep-Alive",         "Transfer-Encoding",   "Content-Length",   "Upgrade", "Trailer",
        "TE",         "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection", "Expect",  "Proxy"
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (str_ieq(name, names[i]))
            return true;
    }
    return false;
}

static void on_head(void *arg, const struct cgi_head *head)
{
    struct forward *f = arg;

    f->status = head->status;
    f->is_plan = str_starts(head->content_type, PLAN_TYPE);
    if (f->is_plan)
        f->body.max = PLAN_BYTES;
    for (int i = 0; i < head->headers_n; i++) {
        if (!hop_by_hop(head->headers[i].name))
            http_add_header(&f->headers, head->headers[i].name, head->headers[i].value);
    }
}

static void on_data(void *arg, struct str piece)
{
    struct forward *f = arg;

    if (f->is_plan || (!f->began && f->body.n + piece.n <= WHOLE_BYTES)) {
        buf_add_str(&f->body, piece);
        return;
    }
    if (!f->began) {
        f->began = true;
        f->ops->begin(f->client, f->status, STR_NONE, buf_str(&f->headers));
        f->ops->write(f->client, buf_str(&f->body));
        buf_free(&f->body);
    }
    f->ops->write(f->client, piece);
    if (f->ops->waiting(f->client) > PAUSE_BYTES)
        worker_pause(f->call, true);
}

static void detail(struct forward *f, int status, const char *text)
{
    struct buf b = BUF(NULL, 1024);

    buf_addf(&b, "{\"detail\":\"%s\"}", text);
    f->ops->reply(f->client, status, S("application/json"), status == 503 ? S("Retry-After: 2\r\n") : STR_NONE,
                  buf_str(&b));
    buf_free(&b);
}

static void on_end(void *arg, enum status st)
{
    struct forward *f = arg;

    f->asker->forward = NULL;
    f->call = NULL;
    if (st == OK && f->is_plan && f->status < 300 && !buf_failed(&f->body))
        run_start(f->ops, f->client, str_of(f->task_id), buf_str(&f->body), &f->asker->run);
    else if (st == OK && f->is_plan)
        detail(f, 502, "The server made a plan that cannot be carried out");
    else if (st == OK && f->began)
        f->ops->end(f->client);
    else if (st == OK)
        f->ops->reply(f->client, f->status, STR_NONE, buf_str(&f->headers), buf_str(&f->body));
    else if (f->began)
        f->ops->abort(f->client);
    else if (st == UNAVAILABLE)
        detail(f, 503, "No worker is available");
    else if (st == TIMED_OUT)
        detail(f, 504, "The worker did not answer in time");
    else
        detail(f, 502, "The worker ended without an answer");
    forward_free(f);
}

static const struct worker_ops worker_ops = { on_head, on_data, on_end };

/* ---- the request */

/* The last address that the web server, which alone can connect, has put there. */
static struct str remote_address(const struct http_head *head)
{
    struct str list = http_head_field(head, "X-Forwarded-For"), last;
    size_t comma = str_rfind_c(list, ',');

    last = str_trim(comma == STR_NPOS ? list : str_from(list, comma + 1));
    if (!last.n)
        last = str_trim(http_head_field(head, "X-Real-IP"));
    for (size_t i = 0; i < last.n; i++) {
        if (!strchr("0123456789abcdefABCDEF.:", last.p[i]))
            return S("127.0.0.1");
    }
    return last.n && last.n < 46 ? last : S("127.0.0.1");
}

/* HTTP_NAME; false: this line is not forwarded. A name with "_" could pass for one with "-". */
static bool param_name(struct str name, struct buf *out)
{
    buf_reset(out);
    if (hop_by_hop(name) || str_find_c(name, '_') != STR_NPOS || str_ieq(name, "Content-Type"))
        return false;
    buf_add_c(out, "HTTP_");
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-'))
            return false;
        buf_add_char(out, c == '-' ? '_' : (char)(c >= 'a' && c <= 'z' ? c - 32 : c));
    }
    return true;
}

static bool same_name(struct str a, struct str b)
{
    return a.n == b.n && strncasecmp(a.p, b.p, a.n) == 0;
}

/* The same name several times is one list, which stands where the first is. */
static void field_param(struct buf *params, const struct http_head *head, int at)
{
    struct str name = head->fields[at].name;
    struct buf key = BUF(NULL, 4096), value = BUF(NULL, HTTP_HEAD_MAX_BYTES);
    bool wanted = param_name(name, &key);

    for (int i = 0; i < at; i++)
        wanted &= !same_name(head->fields[i].name, name);
    for (int i = at; wanted && i < head->fields_n; i++) {
        if (!same_name(head->fields[i].name, name))
            continue;
        if (value.n)
            buf_add_c(&value, str_is(buf_str(&key), "HTTP_COOKIE") ? "; " : ", ");
        buf_add_str(&value, head->fields[i].value);
    }
    if (wanted)
        fcgi_wire_param(params, buf_str(&key), buf_str(&value));
    buf_free(&key);
    buf_free(&value);
}

void forward_params(struct buf *params, const struct http_head *head, const char *method, struct str target,
                    size_t body_bytes, struct str task_id)
{
    struct str type = http_head_field(head, "Content-Type");
    char length[24];

    params_begin(params, method, target);
    fcgi_wire_param(params, S("REMOTE_ADDR"), remote_address(head));
    if (str_ieq(http_head_field(head, "X-Forwarded-Proto"), "https"))
        fcgi_wire_param(params, S("HTTPS"), S("on"));
    snprintf(length, sizeof(length), "%zu", body_bytes);
    fcgi_wire_param(params, S("CONTENT_LENGTH"), str_of(length));
    if (type.n)
        fcgi_wire_param(params, S("CONTENT_TYPE"), type);
    fcgi_wire_param(params, S("WEBUI_TASK_ID"), task_id);
    for (int i = 0; i < head->fields_n; i++)
        field_param(params, head, i);
}

void forward_call(const struct client_ops *ops, void *client, struct asker *a, struct str params, struct buf *body,
                  bool repeat, struct str task_id)
{
    struct forward *f = calloc(1, sizeof(*f));

    if (!f)
        abort();
    *f = (struct forward){
        .ops = ops, .client = client, .asker = a, .headers = BUF(NULL, 128 * 1024), .body = BUF(NULL, WHOLE_BYTES)
    };
    snprintf(f->task_id, sizeof(f->task_id), "%.*s", STR(task_id));
    f->call = worker_call(params, body, repeat, WORKER_MS, &worker_ops, f);
    if (f->call) {
        a->forward = f;
        return;
    }
    detail(f, 503, "Too many requests are waiting");
    forward_free(f);
}

void forward_gone(struct asker *a)
{
    if (a->forward) {
        worker_cancel(a->forward->call);
        forward_free(a->forward);
    } else if (a->run) {
        run_client_gone(a->run);
    }
    *a = (struct asker){ 0 };
}

void forward_drained(struct asker *a)
{
    if (a->forward)
        worker_pause(a->forward->call, false);
    else if (a->run)
        run_client_drained(a->run);
}

/* ---- a client that speaks HTTP */

struct http_client {
    struct asker asker;
    struct http_request *r;
};

static void c_reply(void *client, int status, struct str type, struct str headers, struct str body)
{
    struct http_client *c = client;
    char text[256];

    snprintf(text, sizeof(text), "%.*s", STR(type));
    http_reply(c->r, status, text, headers, body);
    free(c);
}

static void c_begin(void *client, int status, struct str type, struct str headers)
{
    struct http_client *c = client;

    http_begin(c->r, status, type, headers, -1);
}

static void c_write(void *client, struct str piece)
{
    struct http_client *c = client;

    http_write(c->r, piece);
}

static void c_end(void *client)
{
    struct http_client *c = client;

    http_end(c->r);
    free(c);
}

static void c_abort(void *client)
{
    struct http_client *c = client;

    http_abort(c->r);
    free(c);
}

static size_t c_waiting(void *client)
{
    struct http_client *c = client;

    return http_waiting(c->r);
}

static const struct client_ops http_ops = { c_reply, c_begin, c_write, c_end, c_abort, c_waiting };

static void c_gone(struct http_request *r)
{
    struct http_client *c = r->owner;

    forward_gone(&c->asker);
    free(c);
}

static void c_drained(struct http_request *r)
{
    struct http_client *c = r->owner;

    forward_drained(&c->asker);
}

void forward_http(struct http_request *r)
{
    struct http_client *c = calloc(1, sizeof(*c));
    struct buf params = BUF(NULL, 256 * 1024);
    struct arena *mem = arena_new(512);
    struct str task_id = random_uuid(mem);
    char method[24];

    if (!c)
        abort();
    c->r = r;
    r->owner = c;
    r->on_gone = c_gone;
    r->on_drained = c_drained;
    snprintf(method, sizeof(method), "%.*s", STR(r->head.method));
    forward_params(&params, &r->head, method, r->head.target, r->body.n, task_id);
    forward_call(&http_ops, c, &c->asker, buf_str(&params), &r->body,
                 str_is(r->head.method, "GET") || str_is(r->head.method, "HEAD"), task_id);
    buf_free(&params);
    arena_free(mem);
}
