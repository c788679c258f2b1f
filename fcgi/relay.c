/* relay.c: a request for the sidecar, passed on over its socket. The answer goes out as it comes: one flush for each read. */
#include "fcgi/relay.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "fcgi/output.h"
#include "fcgi/query.h"
#include "fcgi/router.h"
#include "fcgi/sidecar_start.h"
#include "lib/base/file.h"
#include "lib/base/log.h"

enum { HEAD_TIMEOUT_MS = 120 * 1000, IDLE_TIMEOUT_MS = 300 * 1000, MAX_HEAD = 64 * 1024, READ = 64 * 1024 };

bool relay_is_socket(struct str path)
{
    return str_starts(path, "/ws/") || str_starts(path, "/api/ws/");
}

/* ---- the request */

/* "HTTP_USER_AGENT=x" as a header line. What belongs to the connection stays behind, and what could lie about who asks is written below. */
static void add_header_line(struct buf *b, const char *param)
{
    static const char *const left_out[] = {
        "CONNECTION",        "KEEP_ALIVE",      "UPGRADE",           "TE",       "TRAILER",
        "TRANSFER_ENCODING", "PROXY",           "PROXY_CONNECTION",  "EXPECT",   "CONTENT_LENGTH",
        "CONTENT_TYPE",      "X_FORWARDED_FOR", "X_FORWARDED_PROTO", "FORWARDED"
    };
    const char *name = param + 5, *eq = strchr(name, '=');
    struct str key = str_n(name, eq ? (size_t)(eq - name) : 0), value;

    if (!eq || key.n == 0)
        return;
    for (size_t i = 0; i < sizeof(left_out) / sizeof(*left_out); i++)
        if (str_is(key, left_out[i]))
            return;
    value = str_of(eq + 1);
    if (str_find_c(value, '\r') != STR_NPOS || str_find_c(value, '\n') != STR_NPOS)
        return;
    for (size_t i = 0; i < key.n; i++)
        buf_add_char(b, key.p[i] == '_' ? '-' : key.p[i]);
    buf_addf(b, ": %.*s\r\n", STR(value));
}

static bool has_line_break(struct str s)
{
    return str_find_c(s, '\r') != STR_NPOS || str_find_c(s, '\n') != STR_NPOS;
}

static struct str request_head(const struct request *r)
{
    struct buf b = BUF(r->mem, 256 * 1024);

    buf_addf(&b, "%s %.*s HTTP/1.1\r\n", method_name(r->method), STR(r->uri));
    for (char **p = r->params; *p; p++)
        if (strncmp(*p, "HTTP_", 5) == 0)
            add_header_line(&b, *p);
    if (r->content_type.n && !has_line_break(r->content_type))
        buf_addf(&b, "Content-Type: %.*s\r\n", STR(r->content_type));
    if (r->body.n || r->method == POST || r->method == PUT || r->method == PATCH)
        buf_addf(&b, "Content-Length: %zu\r\n", r->body.n);
    if (r->remote_addr.n && !has_line_break(r->remote_addr))
        buf_addf(&b, "X-Forwarded-For: %.*s\r\n", STR(r->remote_addr));
    buf_addf(&b, "X-Forwarded-Proto: %s\r\n", request_is_https(r) ? "https" : "http");
    if (!request_header(r, "Host").p)
        buf_add_c(&b, "Host: localhost\r\n");
    buf_add_c(&b, "Connection: close\r\n\r\n");
    return buf_failed(&b) ? STR_NONE : buf_str(&b);
}

/* ---- the answer */

struct answer {
    int fd;
    struct arena *mem;
    char *bytes; /* READ of them */
    struct buf head;
    struct relay_head parsed;
    struct dechunk dechunk;
    int64_t left; /* of a body with a length */
};

/* Some bytes, none at the end; false: timed out or broken. */
static bool read_some(struct answer *a, int timeout_ms, struct str *out)
{
    struct pollfd p = { a->fd, POLLIN, 0 };
    ssize_t n;
    int ready;

    do
        ready = poll(&p, 1, timeout_ms);
    while (ready < 0 && errno == EINTR);
    if (ready <= 0)
        return false;
    do
        n = read(a->fd, a->bytes, READ);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return false;
    *out = str_n(a->bytes, (size_t)n);
    return true;
}

/* The head of the final answer (not 1xx); *body: what came behind it. */
static bool read_head(struct answer *a, struct str *body)
{
    for (;;) {
        struct str got = STR_NONE;
        size_t end = str_find(buf_str(&a->head), S("\r\n\r\n"));

        if (end != STR_NPOS) {
            if (relay_read_head(a->mem, str_sub(buf_str(&a->head), 0, end), &a->parsed) != OK ||
                a->parsed.status == 101)
                return false;
            if (a->parsed.status >= 200) {
                *body = str_from(buf_str(&a->head), end + 4);
                return true;
            }
            buf_drop_front(&a->head, end + 4);
            continue;
        }
        if (a->head.n > MAX_HEAD || !read_some(a, HEAD_TIMEOUT_MS, &got) || got.n == 0)
            return false;
        buf_add_str(&a->head, got);
    }
}

/* Sends what came on; false: that was all. */
static bool pass_on(struct wire *w, struct answer *a, struct str got)
{
    struct str piece;

    if (a->parsed.chunked) {
        while (dechunk_next(&a->dechunk, &got, &piece))
            wire_write(w, &piece, 1);
        return a->dechunk.state != CHUNK_DONE && a->dechunk.state != CHUNK_BROKEN;
    }
    if (a->parsed.bytes >= 0 && (int64_t)got.n > a->left)
        got = str_sub(got, 0, (size_t)a->left);
    a->left -= (int64_t)got.n;
    wire_write(w, &got, 1);
    return a->parsed.bytes < 0 || a->left > 0;
}

static void send_answer(struct wire *w, const struct request *r, struct answer *a, struct str body)
{
    struct str head[2] = { str_f(a->mem, "Status: %d %.*s\r\n", a->parsed.status,
                                 STR(a->parsed.reason.n ? a->parsed.reason : str_of(status_reason(a->parsed.status)))),
                           str_cat(a->mem, a->parsed.headers, S("\r\n")) };
    bool more = r->method != HEAD && a->parsed.status != 204 && a->parsed.status != 304 && a->parsed.bytes != 0;

    a->left = a->parsed.bytes;
    wire_write(w, head, 2);
    if (more && body.n)
        more = pass_on(w, a, body);
    wire_flush(w);
    while (more && !w->broken) {
        struct str got = STR_NONE;

        if (!read_some(a, IDLE_TIMEOUT_MS, &got) || got.n == 0)
            break;
        more = pass_on(w, a, got);
        wire_flush(w);
    }
}

/* ---- both */

static int refuse(struct response *out, int status, const char *detail)
{
    return fail(out, status, "%s", detail);
}

/* True: refused, out is filled. */
static bool refuse_upgrade(const struct request *r, struct response *out)
{
    if (str_ieq(request_header(r, "Upgrade"), "websocket")) {
        refuse(
            out, 501,
            "WebSocket connections cannot pass through FastCGI: the web server has to proxy this path to the sidecar.");
        return true;
    }
    if (relay_is_socket(r->path) && str_is(query_last(r->mem, r->query, "transport"), "websocket")) {
        refuse(out, 400, "Invalid WebSocket upgrade request");
        return true;
    }
    return false;
}

static bool exchange(int fd, struct wire *w, const struct request *r, struct response *out)
{
    struct answer a = { .fd = fd, .mem = r->mem, .head = BUF(r->mem, MAX_HEAD + 2 * READ) };
    struct str head = request_head(r), body;

    if (!head.p || has_line_break(r->uri) || r->method == METHOD_OTHER) {
        refuse(out, 400, "Bad Request");
        return false;
    }
    a.bytes = arena_alloc(r->mem, READ);
    if (write_all(fd, head, NULL) != OK || write_all(fd, r->body, NULL) != OK || !read_head(&a, &body)) {
        log_error("the sidecar took a request and gave no answer");
        refuse(out, 502, "Bad Gateway");
        return false;
    }
    send_answer(w, r, &a, body);
    return true;
}

bool relay(const struct config *config, struct wire *w, const struct request *r, struct response *out)
{
    struct error err = { "" };
    bool answered;
    int fd;

    if (refuse_upgrade(r, out))
        return false;
    fd = sidecar_connect(config_run_dir(config), &err);
    if (fd < 0) {
        log_error("%s", err.text);
        refuse(out, 503, "The sidecar is not running and could not be started.");
        response_header(out, "Retry-After", S("5"));
        return false;
    }
    answered = exchange(fd, w, r, out);
    close(fd);
    return answered;
}
