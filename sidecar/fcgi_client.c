/* fcgi_client.c: calls to the worker pool.
 *
 * A worker that keeps a connection open serves nobody else. So a call goes to an idle connection if there is one, and while a call waits on a new
 * connection that no worker has answered yet, whoever becomes free is let go (its connection is closed) to take that one. */
#include "sidecar/fcgi_client.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "sidecar/sidecar.h"
#include "sidecar/stream.h"

enum {
    MAX_QUEUE = 4000,
    QUEUE_MS = 30 * 1000,
    IDLE_MS = 10 * 1000,
    SLICE_BYTES = 64 * 1024 - 1,
    AHEAD_BYTES = 256 * 1024,
    RETRY_MS = 50
};

struct worker_call {
    struct worker_call *next; /* in the queue */
    struct conn *conn;        /* NULL: waits */
    struct buf params, body, head;
    size_t sent; /* of body */
    bool body_ended, repeat, got_head, paused;
    int64_t since_ms, timeout_ms;
    const struct worker_ops *ops;
    void *arg;
};

struct conn {
    struct stream s;
    struct conn *next, **prev;
    struct worker_call *call; /* NULL: idle */
    struct fcgi_wire wire;
    bool answered;     /* a worker has taken this connection */
    bool locked, dead; /* in a callback; to be freed after it */
    int64_t idle_ms;
};

static struct conn *conns;
static unsigned conns_n, queue_n;
static struct worker_call *queue, **queue_end = &queue;
static struct delay *retry;

static void serve_queue(void *arg);

/* ---- connections */

static void conn_free(struct conn *c)
{
    stream_close(&c->s);
    if (!c->dead) {
        *c->prev = c->next;
        if (c->next)
            c->next->prev = c->prev;
        conns_n--;
    }
    c->dead = true;
    if (!c->locked)
        free(c);
}

static void call_free(struct worker_call *call)
{
    buf_free(&call->params);
    buf_free(&call->body);
    buf_free(&call->head);
    free(call);
}

static void call_end(struct worker_call *call, enum status st)
{
    const struct worker_ops *ops = call->ops;
    void *arg = call->arg;

    call_free(call);
    ops->end(arg, st);
}

static void enqueue(struct worker_call *call, bool first)
{
    call->conn = NULL;
    call->since_ms = mono_ms();
    queue_n++;
    if (first) {
        call->next = queue;
        queue = call;
        if (!call->next)
            queue_end = &call->next;
    } else {
        call->next = NULL;
        *queue_end = call;
        queue_end = &call->next;
    }
}

static void unqueue(struct worker_call *call)
{
    struct worker_call **at = &queue;

    while (*at && *at != call)
        at = &(*at)->next;
    if (!*at)
        return;
    *at = call->next;
    if (queue_end == &call->next)
        queue_end = at;
    queue_n--;
}

/* ---- writing */

/* Sends what the socket takes of the body. false: the connection is dead. */
static bool pump(struct conn *c)
{
    struct worker_call *call = c->call;

    while (!call->body_ended && stream_waiting(&c->s) < AHEAD_BYTES) {
        struct str slice = str_sub(buf_str(&call->body), call->sent, SLICE_BYTES);
        unsigned char head[FCGI_WIRE_HEADER];

        fcgi_wire_stdin_head(head, slice.n);
        if (!stream_writev(&c->s, (struct iovec[]){ { head, sizeof(head) }, { (void *)slice.p, slice.n } },
                           slice.n ? 2 : 1))
            return false;
        call->sent += slice.n;
        call->body_ended = slice.n == 0;
    }
    return true;
}

static bool send_call(struct conn *c, struct worker_call *call)
{
    struct buf out = BUF(NULL, 1024 * 1024);
    bool sent;

    c->call = call;
    c->wire = (struct fcgi_wire){ 0 };
    call->conn = c;
    call->sent = 0;
    call->body_ended = call->got_head = false;
    call->since_ms = mono_ms();
    buf_reset(&call->head);
    fcgi_wire_begin(&out, true);
    fcgi_wire_params(&out, buf_str(&call->params));
    sent = !buf_failed(&out) && stream_write(&c->s, buf_str(&out)) && pump(c);
    buf_free(&out);
    if (sent && call->paused)
        stream_pause(&c->s, true);
    return sent;
}

/* ---- reading */

static bool somebody_waits_to_be_taken(void)
{
    for (struct conn *c = conns; c; c = c->next) {
        if (c->call && !c->answered)
            return true;
    }
    return false;
}

static void answer_whole(struct conn *c)
{
    struct worker_call *call = c->call;
    bool good = call->got_head;

    c->call = NULL;
    c->idle_ms = mono_ms();
    if (!call->body_ended || somebody_waits_to_be_taken())
        conn_free(c);
    else
        stream_pause(&c->s, false);
    call_end(call, good ? OK : FAILED);
    serve_queue(NULL);
}

static void lost(struct conn *c)
{
    struct worker_call *call = c->call;

    c->call = NULL;
    conn_free(c);
    if (!call)
        return;
    if (call->repeat && !call->got_head) {
        call->repeat = false;
        enqueue(call, true);
    } else {
        call_end(call, FAILED);
    }
    serve_queue(NULL);
}

/* A piece of the answer: first the head, then the body. false: nonsense. */
static bool take_answer(struct conn *c, struct worker_call *call, struct str piece)
{
    struct cgi_head head;
    struct error err;
    size_t used;
    enum status st;

    if (call->got_head) {
        call->ops->data(call->arg, piece);
        return true;
    }
    buf_add_str(&call->head, piece);
    st = cgi_head_parse(buf_str(&call->head), &head, &used, &err);
    if (st == NOT_FOUND)
        return !buf_failed(&call->head);
    if (st != OK) {
        log_error("%s", err.text);
        return false;
    }
    call->got_head = true;
    call->ops->head(call->arg, &head);
    if (c->call == call && call->head.n > used)
        call->ops->data(call->arg, str_from(buf_str(&call->head), used));
    return true;
}

static void read_records(struct conn *c, struct str in)
{
    struct worker_call *call = c->call;
    struct str piece;
    bool is_error;

    while (c->call == call && call && fcgi_wire_next(&c->wire, &in, &piece, &is_error)) {
        if (is_error)
            log_line(LOG_WARNING, "worker: %.*s", STR(str_trim(piece)));
        else if (!take_answer(c, call, piece))
            c->wire.state = FCGI_WIRE_BROKEN;
    }
    if (c->call != call || !call)
        return;
    if (c->wire.state == FCGI_WIRE_DONE)
        answer_whole(c);
    else if (c->wire.state == FCGI_WIRE_BROKEN)
        lost(c);
}

static void readable(struct stream *s, struct str piece)
{
    struct conn *c = s->owner;

    if (!piece.p || !c->call) { /* closed; or it speaks without having been asked */
        lost(c);
        return;
    }
    c->answered = true;
    c->locked = true;
    read_records(c, piece);
    c->locked = false;
    if (c->dead)
        free(c);
}

static void drained(struct stream *s)
{
    struct conn *c = s->owner;

    if (c->call && !pump(c))
        lost(c);
}

static const struct stream_ops stream_ops = { readable, drained };

/* ---- the queue */

static struct conn *open_conn(void)
{
    struct arena *mem = arena_new(512);
    int fd = connect_unix(path_in_run(mem, "worker.sock").p);
    struct conn *c = NULL;

    if (fd >= 0) {
        c = calloc(1, sizeof(*c));
        if (!c)
            abort();
        stream_open(&c->s, fd, &stream_ops, c, 80u * 1024 * 1024);
        c->next = conns;
        c->prev = &conns;
        if (conns)
            conns->prev = &c->next;
        conns = c;
        conns_n++;
    }
    arena_free(mem);
    return c;
}

static struct conn *idle_conn(void)
{
    for (struct conn *c = conns; c; c = c->next) {
        if (!c->call && !c->dead)
            return c;
    }
    return NULL;
}

static void serve_queue(void *arg)
{
    (void)arg;
    while (queue) {
        struct worker_call *call = queue;
        struct conn *c = idle_conn();

        if (!c && conns_n >= (unsigned)sidecar.workers_max)
            return;
        if (!c)
            c = open_conn();
        if (!c) { /* the pool is starting, or its backlog is full */
            delay_start(&retry, RETRY_MS, serve_queue, NULL);
            return;
        }
        unqueue(call);
        if (!send_call(c, call)) { /* it was closed while idle: nobody has seen the call */
            c->call = NULL;
            conn_free(c);
            enqueue(call, true);
        }
    }
}

struct worker_call *worker_call(struct str params, struct buf *body, bool repeat, int64_t timeout_ms,
                                const struct worker_ops *ops, void *arg)
{
    struct worker_call *call;

    if (queue_n >= MAX_QUEUE)
        return NULL;
    call = calloc(1, sizeof(*call));
    if (!call)
        abort();
    *call = (struct worker_call){ .params = BUF(NULL, 512 * 1024),
                                  .head = BUF(NULL, 256 * 1024),
                                  .repeat = repeat,
                                  .timeout_ms = timeout_ms,
                                  .ops = ops,
                                  .arg = arg };
    buf_add_str(&call->params, params);
    if (body) {
        call->body = *body;
        *body = BUF(NULL, body->max);
    }
    enqueue(call, false);
    serve_queue(NULL);
    return call;
}

void worker_cancel(struct worker_call *call)
{
    if (!call)
        return;
    if (call->conn) {
        call->conn->call = NULL;
        conn_free(call->conn);
    } else {
        unqueue(call);
    }
    call_free(call);
    if (queue)
        delay_start(&retry, 0, serve_queue, NULL);
}

void worker_pause(struct worker_call *call, bool paused)
{
    call->paused = paused;
    if (call->conn)
        stream_pause(&call->conn->s, paused);
}

void worker_tick(int64_t now_ms)
{
    struct conn *c, *next;

    while (queue && now_ms - queue->since_ms > QUEUE_MS) {
        struct worker_call *call = queue;

        unqueue(call);
        call_end(call, UNAVAILABLE);
    }
    for (c = conns; c; c = next) {
        struct worker_call *call = c->call;

        next = c->next;
        if (call && !call->paused && now_ms - call->since_ms > call->timeout_ms) {
            c->call = NULL;
            conn_free(c);
            call_end(call, TIMED_OUT);
            return; /* the list may have changed: the others have another second */
        }
        if (!call && conns_n > (unsigned)sidecar.workers_min && now_ms - c->idle_ms > IDLE_MS)
            conn_free(c);
    }
    serve_queue(NULL);
}

void worker_close_all(void)
{
    delay_stop(&retry);
    while (conns) {
        struct worker_call *call = conns->call;

        conns->call = NULL;
        conn_free(conns);
        if (call)
            call_end(call, UNAVAILABLE);
    }
    while (queue) {
        struct worker_call *call = queue;

        unqueue(call);
        call_end(call, UNAVAILABLE);
    }
}

void worker_counts(unsigned *connections, unsigned *busy, unsigned *waiting)
{
    *connections = conns_n;
    *waiting = queue_n;
    *busy = 0;
    for (struct conn *c = conns; c; c = c->next)
        *busy += c->call != NULL;
}
