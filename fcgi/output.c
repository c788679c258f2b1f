/* output.c: the last step of an answer. */
#include "fcgi/output.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fcgi/range.h"
#include "lib/base/log.h"
#include "lib/base/random.h"

enum { CHUNK = 256 * 1024 }; /* of a file, read and sent at a time */

const char *status_reason(int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {
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
        { 402, "Payment Required" },
        { 403, "Forbidden" },
        { 404, "Not Found" },
        { 405, "Method Not Allowed" },
        { 406, "Not Acceptable" },
        { 408, "Request Timeout" },
        { 409, "Conflict" },
        { 410, "Gone" },
        { 411, "Length Required" },
        { 412, "Precondition Failed" },
        { 413, "Request Entity Too Large" },
        { 415, "Unsupported Media Type" },
        { 416, "Range Not Satisfiable" },
        { 422, "Unprocessable Entity" },
        { 423, "Locked" },
        { 424, "Failed Dependency" },
        { 425, "Too Early" },
        { 426, "Upgrade Required" },
        { 429, "Too Many Requests" },
        { 500, "Internal Server Error" },
        { 501, "Not Implemented" },
        { 502, "Bad Gateway" },
        { 503, "Service Unavailable" },
        { 504, "Gateway Timeout" },
        { 507, "Insufficient Storage" },
    };

    for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "Unknown";
}

struct str output_head(struct response *out, int64_t bytes)
{
    struct buf b = BUF(out->mem, 128 * 1024);

    buf_addf(&b, "Status: %d %s\r\n", out->status, status_reason(out->status));
    if (bytes >= 0)
        buf_addf(&b, "Content-Length: %lld\r\n", (long long)bytes);
    if (out->content_type.n)
        buf_addf(&b, "Content-Type: %.*s\r\n", STR(out->content_type));
    buf_add_str(&b, buf_str(&out->headers));
    buf_add_c(&b, "\r\n");
    return buf_str(&b);
}

static bool has_no_body(int status)
{
    return status == 204 || status == 304 || (status >= 100 && status < 200);
}

/* The value of a header that the handler has set; absent. */
static struct str header_of(const struct response *out, const char *name)
{
    struct str rest = buf_str(&out->headers), line;

    while (str_split(&rest, '\n', &line)) {
        size_t colon = str_find_c(line, ':');

        if (colon != STR_NPOS && str_ieq(str_sub(line, 0, colon), name))
            return str_trim(str_from(line, colon + 1));
    }
    return STR_NONE;
}

/* 304 when the client has it. Only for good answers to GET and HEAD (RFC 9110, 13.1.2). */
static bool is_known(const struct request *r, const struct response *out)
{
    struct str condition = request_header(r, "If-None-Match");

    return condition.p && out->status == 200 && (r->method == GET || r->method == HEAD) &&
           etag_matches(condition, header_of(out, "ETag"));
}

static void send_pieces(struct wire *w, const struct request *r, struct response *out)
{
    struct str parts[RESPONSE_PIECES + 1];
    int64_t bytes = 0;
    int n = 0;

    if (buf_failed(&out->tail)) {
        response_clear(out);
        fail(out, 500, "Internal Server Error");
    }
    for (int i = 0; i < out->pieces_n; i++)
        bytes += (int64_t)out->pieces[i].n;
    if (is_known(r, out))
        out->status = 304;
    parts[n++] = output_head(out, has_no_body(out->status) ? -1 : bytes);
    if (r->method != HEAD && !has_no_body(out->status))
        for (int i = 0; i < out->pieces_n; i++)
            parts[n++] = out->pieces[i];
    wire_write(w, parts, n);
}

/* ---- files */

static bool send_range(struct wire *w, struct response *out, struct range range)
{
    struct arena_mark mark = arena_mark(out->mem);
    char *chunk = arena_alloc(out->mem, range.n < CHUNK ? (size_t)range.n : CHUNK);
    bool good = true;

    while (range.n > 0 && good && !w->broken) {
        ssize_t got = pread(out->fd, chunk, range.n < CHUNK ? (size_t)range.n : CHUNK, (off_t)range.first);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            log_error("a file ended before its length, or could not be read: the answer is cut off");
            good = false;
            break;
        }
        wire_write(w, &(struct str){ chunk, (size_t)got }, 1);
        range.first += got;
        range.n -= got;
    }
    arena_rewind(out->mem, mark);
    return good;
}

/* An entity tag from the file's time and size, where the handler has set none. */
static void tag_file(struct response *out)
{
    struct stat st;

    if (header_of(out, "ETag").p || fstat(out->fd, &st) != 0)
        return;
    response_header(out, "ETag",
                    str_f(out->mem, "\"%llx-%llx\"",
                          (unsigned long long)st.st_mtim.tv_sec * 1000000000ull +
                              (unsigned long long)st.st_mtim.tv_nsec,
                          (unsigned long long)st.st_size));
}

static enum range_result wanted_ranges(const struct request *r, const struct response *out, struct range *ranges,
                                       int *n)
{
    struct str range = request_header(r, "Range"), condition = request_header(r, "If-Range");

    *n = 0;
    if (!range.p || r->method != GET || out->status != 200)
        return RANGE_WHOLE;
    if (condition.p && !str_eq(condition, header_of(out, "ETag")))
        return RANGE_WHOLE;
    return range_parse(range, out->fd_bytes, ranges, n);
}

static void send_multipart(struct wire *w, struct response *out, const struct range *ranges, int n)
{
    struct str boundary = random_hex(out->mem, 12), heads[RANGE_MAX], last, head;
    struct str type = out->content_type;
    int64_t bytes = 0;

    for (int i = 0; i < n; i++) {
        heads[i] = str_f(out->mem, "%s--%.*s\r\nContent-Type: %.*s\r\nContent-Range: bytes %lld-%lld/%lld\r\n\r\n",
                         i ? "\r\n" : "", STR(boundary), STR(type), (long long)ranges[i].first,
                         (long long)(ranges[i].first + ranges[i].n - 1), (long long)out->fd_bytes);
        bytes += (int64_t)heads[i].n + ranges[i].n;
    }
    last = str_f(out->mem, "\r\n--%.*s--\r\n", STR(boundary));
    out->status = 206;
    out->content_type = str_f(out->mem, "multipart/byteranges; boundary=%.*s", STR(boundary));
    head = output_head(out, bytes + (int64_t)last.n);
    wire_write(w, &head, 1);
    for (int i = 0; i < n; i++) {
        wire_write(w, &heads[i], 1);
        if (!send_range(w, out, ranges[i]))
            return;
    }
    wire_write(w, &last, 1);
}

static void send_one_range(struct wire *w, struct response *out, struct range range)
{
    struct str head;

    out->status = 206;
    response_header(out, "Content-Range",
                    str_f(out->mem, "bytes %lld-%lld/%lld", (long long)range.first,
                          (long long)(range.first + range.n - 1), (long long)out->fd_bytes));
    head = output_head(out, range.n);
    wire_write(w, &head, 1);
    send_range(w, out, range);
}

static void send_head_only(struct wire *w, struct response *out, int64_t bytes)
{
    struct str head = output_head(out, bytes);

    wire_write(w, &head, 1);
}

static void send_file(struct wire *w, const struct request *r, struct response *out)
{
    struct range ranges[RANGE_MAX];
    int n;

    tag_file(out);
    response_header(out, "Accept-Ranges", S("bytes"));
    if (is_known(r, out)) {
        out->status = 304;
        send_head_only(w, out, -1);
        return;
    }
    switch (wanted_ranges(r, out, ranges, &n)) {
    case RANGE_NONE:
        out->status = 416;
        response_header(out, "Content-Range", str_f(out->mem, "bytes */%lld", (long long)out->fd_bytes));
        send_head_only(w, out, 0);
        return;
    case RANGE_SOME:
        if (n == 1)
            send_one_range(w, out, ranges[0]);
        else
            send_multipart(w, out, ranges, n);
        return;
    case RANGE_WHOLE:
        send_head_only(w, out, out->fd_bytes);
        if (r->method != HEAD)
            send_range(w, out, (struct range){ 0, out->fd_bytes });
        return;
    }
}

/* ---- bodies that are made while they are sent */

struct response_sink {
    struct wire *w;
};

bool response_send(struct response_sink *to, struct str piece)
{
    wire_write(to->w, &piece, 1);
    wire_flush(to->w);
    return !to->w->broken;
}

void response_break(struct response_sink *to)
{
    wire_break(to->w);
}

static void send_made(struct wire *w, const struct request *r, struct response *out)
{
    struct response_sink to = { w };

    send_head_only(w, out, -1);
    if (r->method != HEAD)
        out->make(&to, out->make_arg);
}

void output_send(struct wire *w, const struct request *r, struct response *out)
{
    if (out->make) {
        send_made(w, r, out);
        return;
    }
    if (out->fd < 0) {
        send_pieces(w, r, out);
        return;
    }
    send_file(w, r, out);
    close(out->fd);
    out->fd = -1;
}
