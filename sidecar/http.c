/* http.c: the HTTP/1.1 server on RUN/sidecar.sock and RUN/control.sock. */
#include "sidecar/http.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "sidecar/dispatch.h"
#include "sidecar/sidecar.h"

enum {
    MAX_WAITING = 64 * 1024 * 1024,
    INPUT_BYTES = 256 * 1024,
    HEAD_MS = 30 * 1000,
    BODY_MS = 60 * 1000,
    IDLE_MS = 300 * 1000,
    WRITE_MS = 120 * 1000,
    LINGER_MS = 15 * 1000
};
#define MAX_BODIES (256u * 1024 * 1024) /* of all requests together */

enum state { READING_HEAD, READING_BODY, ANSWERING, CLOSING };

struct http_conn {
    struct stream s;
    struct http_conn *next, **prev;
    bool is_control, keep_alive, chunked_answer;
    enum state state;
    int64_t since_ms; /* of the state, or of the last progress */
    size_t waited;    /* to be written, at the last tick */
    struct buf in;    /* not used yet */
    bool lingers; /* refused, while its body still comes: what else comes is thrown away, so that the answer is read */
    struct delay *later; /* the next request is here already */
    struct http_chunks chunks;
    size_t body_counted;
    struct http_request *r;
};

static struct http_conn *conns;
static struct listener *listeners[2];
static size_t bodies;

static void use_head(void *arg);

/* ---- connections */

static void set_state(struct http_conn *c, enum state state)
{
    c->state = state;
    c->since_ms = mono_ms();
}

static void free_request(struct http_conn *c)
{
    bodies -= c->body_counted;
    c->body_counted = 0;
    if (!c->r)
        return;
    buf_free(&c->r->body);
    free(c->r->text);
    free(c->r);
    c->r = NULL;
}

static void conn_free(struct http_conn *c)
{
    stream_close(&c->s);
    delay_stop(&c->later);
    free_request(c);
    buf_free(&c->in);
    *c->prev = c->next;
    if (c->next)
        c->next->prev = c->prev;
    stats.connections--;
    free(c);
}

/* The client has left, or is cut off. */
static void conn_lost(struct http_conn *c)
{
    struct http_request *r = c->r;

    if (r && c->state == ANSWERING && r->on_gone)
        r->on_gone(r);
    conn_free(c);
}

/* The request is over; the connection takes the next one. */
static void request_over(struct http_conn *c)
{
    free_request(c);
    if (!c->keep_alive || sidecar.draining) {
        if (stream_waiting(&c->s) == 0 && !c->lingers) {
            conn_free(c);
            return;
        }
        set_state(c, CLOSING);
        if (stream_waiting(&c->s) == 0)
            shutdown(c->s.fd, SHUT_WR);
        return;
    }
    set_state(c, READING_HEAD);
    stream_pause(&c->s, false);
    if (c->in.n)
        delay_start(&c->later, 0, use_head, c);
}

/* ---- answers */

const char *http_reason(int status)
{
    static const struct {
        int status;
        const char *text;
    } reasons[] = { { 100, "Continue" },
                    { 200, "OK" },
                    { 201, "Created" },
                    { 202, "Accepted" },
                    { 204, "No Content" },
                    { 206, "Partial Content" },
                    { 301, "Moved Permanently" },
                    { 302, "Found" },
                    { 303, "See Other" },
                    { 304, "Not Modified" },
                    { 307, "Temporary Redirect" },
                    { 308, "Permanent Redirect" },
                    { 400, "Bad Request" },
                    { 401, "Unauthorized" },
                    { 403, "Forbidden" },
                    { 404, "Not Found" },
                    { 405, "Method Not Allowed" },
                    { 408, "Request Timeout" },
                    { 411, "Length Required" },
                    { 413, "Content Too Large" },
                    { 422, "Unprocessable Content" },
                    { 429, "Too Many Requests" },
                    { 431, "Request Header Fields Too Large" },
                    { 500, "Internal Server Error" },
                    { 501, "Not Implemented" },
                    { 502, "Bad Gateway" },
                    { 503, "Service Unavailable" },
                    { 504, "Gateway Timeout" } };

    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        if (reasons[i].status == status)
            return reasons[i].text;
    }
    return "Status";
}

void http_add_header(struct buf *headers, struct str name, struct str value)
{
    for (size_t i = 0; i < name.n; i++) {
        if ((unsigned char)name.p[i] <= ' ' || name.p[i] == ':' || (unsigned char)name.p[i] >= 0x7f)
            return;
    }
    for (size_t i = 0; i < value.n; i++) {
        if (((unsigned char)value.p[i] < ' ' && value.p[i] != '\t') || value.p[i] == 0x7f)
            return;
    }
    if (name.n == 0)
        return;
    buf_add_str(headers, name);
    buf_add_c(headers, ": ");
    buf_add_str(headers, value);
    buf_add_c(headers, "\r\n");
}

bool http_has_type(struct str headers)
{
    struct str line;

    while (headers.n && str_split(&headers, '\n', &line)) {
        if (line.n > 13 && str_ieq(str_sub(line, 0, 13), "Content-Type:"))
            return true;
    }
    return false;
}

static bool has_body(const struct http_request *r, int status)
{
    return status >= 200 && status != 204 && status != 304 && !str_is(r->head.method, "HEAD");
}

static void add_head(struct http_request *r, struct buf *out, int status, struct str content_type, struct str headers,
                     int64_t length)
{
    struct http_conn *c = r->conn;

    buf_addf(out, "HTTP/1.1 %d %s\r\n", status, http_reason(status));
    if (content_type.n)
        http_add_header(out, S("Content-Type"), content_type);
    buf_add_str(out, headers);
    c->chunked_answer = length < 0 && r->head.minor == 1 && has_body(r, status);
    if (c->chunked_answer)
        buf_add_c(out, "Transfer-Encoding: chunked\r\n");
    else if (length >= 0 && status != 204 && status != 304)
        buf_addf(out, "Content-Length: %lld\r\n", (long long)length);
    else if (length < 0 && has_body(r, status))
        c->keep_alive = false;
    buf_add_c(out, c->keep_alive && !sidecar.draining ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n");
    r->status = status;
}

void http_begin(struct http_request *r, int status, struct str content_type, struct str headers, int64_t length)
{
    struct buf head = BUF(NULL, 64 * 1024);

    add_head(r, &head, status, content_type, headers, length);
    stream_write(&r->conn->s, buf_str(&head));
    buf_free(&head);
}

void http_write(struct http_request *r, struct str piece)
{
    struct http_conn *c = r->conn;
    char size[24];
    int n;

    if (piece.n == 0 || !has_body(r, r->status))
        return;
    if (!c->chunked_answer) {
        stream_write(&c->s, piece);
        return;
    }
    n = snprintf(size, sizeof(size), "%zx\r\n", piece.n);
    stream_writev(&c->s, (struct iovec[]){ { size, (size_t)n }, { (void *)piece.p, piece.n }, { "\r\n", 2 } }, 3);
}

size_t http_waiting(const struct http_request *r)
{
    return stream_waiting(&r->conn->s);
}

void http_end(struct http_request *r)
{
    struct http_conn *c = r->conn;

    if (c->chunked_answer)
        stream_write(&c->s, S("0\r\n\r\n"));
    c->chunked_answer = false;
    request_over(c);
}

void http_abort(struct http_request *r)
{
    conn_free(r->conn);
}

void http_reply(struct http_request *r, int status, const char *content_type, struct str headers, struct str body)
{
    struct http_conn *c = r->conn;
    struct buf head = BUF(NULL, 64 * 1024);

    add_head(r, &head, status, str_of(content_type), headers, (int64_t)body.n);
    if (!has_body(r, status))
        body.n = 0;
    stream_writev(&c->s, (struct iovec[]){ { head.p, head.n }, { (void *)body.p, body.n } }, body.n ? 2 : 1);
    buf_free(&head);
    http_end(r);
}

void http_reply_json(struct http_request *r, int status, struct str json)
{
    http_reply(r, status, "application/json", STR_NONE, json);
}

void http_reply_detail(struct http_request *r, int status, const char *detail)
{
    struct buf b = BUF(NULL, 4096);

    buf_add_c(&b, "{\"detail\":");
    buf_add_json_string(&b, str_of(detail));
    buf_add_char(&b, '}');
    http_reply(r, status, "application/json", status == 503 ? S("Retry-After: 2\r\n") : STR_NONE, buf_str(&b));
    buf_free(&b);
}

bool http_has_more(const struct http_request *r)
{
    return r->conn->in.n != 0;
}

int http_take_socket(struct http_request *r)
{
    int fd = stream_detach(&r->conn->s);

    conn_free(r->conn);
    return fd;
}

/* ---- requests */

/* Answers what cannot be understood, and closes. */
static void refuse(struct http_conn *c, int status, const char *why)
{
    if (!c->r) {
        c->r = calloc(1, sizeof(*c->r));
        if (!c->r)
            abort();
        c->r->conn = c;
        c->r->head.minor = 1;
    }
    c->keep_alive = false;
    c->lingers = !sidecar.draining;
    c->state = ANSWERING;
    http_reply_detail(c->r, status, why);
}

static void answer(struct http_conn *c)
{
    set_state(c, ANSWERING);
    stats.requests += !c->is_control;
    dispatch(c->r);
}

static bool add_body(struct http_conn *c, struct str piece)
{
    buf_add_str(&c->r->body, piece);
    if (buf_failed(&c->r->body)) {
        refuse(c, 413, "Request body is too large");
        return false;
    }
    bodies += c->r->body.capacity - c->body_counted;
    c->body_counted = c->r->body.capacity;
    if (bodies > MAX_BODIES) {
        refuse(c, 503, "Too many large requests");
        return false;
    }
    c->since_ms = mono_ms();
    return true;
}

/* What has come of the body; what stands behind it belongs to the next request. */
static void use_body(struct http_conn *c, struct str in)
{
    struct http_request *r = c->r;
    struct str piece;
    bool is_whole;

    if (r->head.chunked) {
        while (http_chunks_next(&c->chunks, &in, &piece)) {
            if (!add_body(c, piece))
                return;
        }
        if (c->chunks.state == CHUNK_BROKEN) {
            refuse(c, 400, "Bad chunk");
            return;
        }
        is_whole = c->chunks.state == CHUNK_DONE;
    } else {
        piece = str_sub(in, 0, (size_t)r->head.content_length - r->body.n);
        in = str_from(in, piece.n);
        if (piece.n && !add_body(c, piece))
            return;
        is_whole = r->body.n == (size_t)r->head.content_length;
    }
    if (!is_whole)
        return;
    buf_add_str(&c->in, in);
    answer(c);
}

static void start_body(struct http_conn *c)
{
    struct http_request *r = c->r;
    struct buf rest = c->in;

    if (r->head.content_length > 0 && r->head.content_length < 65536)
        buf_reserve(&r->body, (size_t)r->head.content_length);
    if (r->head.expects_continue && r->head.minor == 1)
        stream_write(&c->s, S("HTTP/1.1 100 Continue\r\n\r\n"));
    c->chunks = (struct http_chunks){ 0 };
    set_state(c, READING_BODY);
    c->in = BUF(NULL, INPUT_BYTES);
    use_body(c, buf_str(&rest)); /* may end the connection */
    buf_free(&rest);
}

static void use_head(void *arg)
{
    struct http_conn *c = arg;
    struct http_request *r = calloc(1, sizeof(*r));
    struct error err;
    enum status st;
    size_t used = 0;

    if (!r)
        abort();
    *r = (struct http_request){ .conn = c, .is_control = c->is_control, .body = BUF(NULL, HTTP_MAX_BODY) };
    st = http_head_parse(buf_str(&c->in), &r->head, &used, &err);
    if (st == NOT_FOUND) {
        free(r);
        return;
    }
    c->r = r;
    if (st != OK) {
        r->head = (struct http_head){ .minor = 1 };
        refuse(c, st == TOO_BIG ? 431 : 400, err.text);
        return;
    }
    r->text = copy_str(str_sub(buf_str(&c->in), 0, used)); /* the head's views must not move */
    http_head_parse(str_n(r->text, used), &r->head, &used, &err);
    buf_drop_front(&c->in, used);
    c->keep_alive = r->head.keep_alive;
    if (r->head.content_length > (int64_t)HTTP_MAX_BODY)
        refuse(c, 413, "Request body is too large");
    else if (r->head.chunked || r->head.content_length > 0)
        start_body(c);
    else
        answer(c);
}

static void readable(struct stream *s, struct str piece)
{
    struct http_conn *c = s->owner;

    if (!piece.p) {
        conn_lost(c);
        return;
    }
    switch (c->state) {
    case READING_HEAD:
        if (c->in.n == 0)
            c->since_ms = mono_ms();
        buf_add_str(&c->in, piece);
        if (!c->later)
            use_head(c);
        break;
    case READING_BODY: use_body(c, piece); break;
    case ANSWERING: /* the next request can wait */
        buf_add_str(&c->in, piece);
        stream_pause(s, true);
        break;
    case CLOSING: break;
    }
}

static void drained(struct stream *s)
{
    struct http_conn *c = s->owner;

    if (c->state == CLOSING && c->lingers)
        shutdown(c->s.fd, SHUT_WR);
    else if (c->state == CLOSING)
        conn_free(c);
    else if (c->r && c->r->on_drained)
        c->r->on_drained(c->r);
}

static const struct stream_ops ops = { readable, drained };

static void accepted(int fd, void *arg)
{
    struct http_conn *c = calloc(1, sizeof(*c));

    if (!c)
        abort();
    c->is_control = arg != NULL;
    c->in = BUF(NULL, INPUT_BYTES);
    c->next = conns;
    c->prev = &conns;
    if (conns)
        conns->prev = &c->next;
    conns = c;
    stats.connections++;
    stream_open(&c->s, fd, &ops, c, MAX_WAITING);
    set_state(c, READING_HEAD);
}

/* ---- life */

bool http_start(void)
{
    static const struct {
        const char *name;
        int mode;
    } sockets[] = { { "sidecar.sock", 0660 }, { "control.sock", 0600 } };
    struct arena *mem = arena_new(512);
    bool good = true;

    for (int i = 0; i < 2 && good; i++) {
        struct str path = path_in_run(mem, sockets[i].name);
        int fd = listen_unix(path.p, sockets[i].mode);

        if (fd < 0)
            log_error("could not listen on %s: %s", path.p, strerror(errno));
        else
            listeners[i] = listen_start(fd, accepted, i == 1 ? &listeners : NULL);
        good = fd >= 0;
    }
    arena_free(mem);
    return good;
}

void http_stop_listening(bool control)
{
    struct arena *mem = arena_new(512);

    if (listeners[control])
        unlink(path_in_run(mem, control ? "control.sock" : "sidecar.sock").p);
    listen_stop(listeners[control]);
    listeners[control] = NULL;
    arena_free(mem);
}

static bool is_overdue(struct http_conn *c, int64_t now_ms)
{
    size_t waiting = stream_waiting(&c->s);

    if (waiting && waiting < c->waited) /* it takes something now and then */
        c->since_ms = now_ms;
    c->waited = waiting;
    switch (c->state) {
    case READING_HEAD: return now_ms - c->since_ms > (c->in.n ? HEAD_MS : IDLE_MS);
    case READING_BODY: return now_ms - c->since_ms > BODY_MS;
    case CLOSING: return now_ms - c->since_ms > (c->lingers ? LINGER_MS : WRITE_MS);
    case ANSWERING: return waiting && now_ms - c->since_ms > WRITE_MS;
    }
    return false;
}

void http_tick(int64_t now_ms)
{
    struct http_conn *c, *next;

    for (c = conns; c; c = next) {
        next = c->next;
        if (c->state == ANSWERING && stream_waiting(&c->s) == 0)
            c->since_ms = now_ms;
        if (is_overdue(c, now_ms))
            conn_lost(c);
    }
}

void http_close_all(void)
{
    while (conns)
        conn_lost(conns);
}

unsigned http_busy(void)
{
    unsigned n = 0;

    for (struct http_conn *c = conns; c; c = c->next)
        n += !c->is_control &&
             ((c->state == ANSWERING && !c->r->idle) || c->state == READING_BODY || stream_waiting(&c->s));
    return n;
}
