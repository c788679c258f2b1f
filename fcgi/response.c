/* response.c: what a handler answers, collected. Nothing is written to the web server here (see output.c). */
#include "fcgi/response.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "fcgi/check.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

enum { MAX_HEADERS = 64 * 1024 };

static const char application_json[] = "application/json";

void response_init(struct response *out, struct arena *mem)
{
    memset(out, 0, sizeof(*out));
    out->mem = mem;
    out->headers = BUF(mem, MAX_HEADERS);
    out->tail = BUF(mem, SIZE_MAX / 2);
    out->fd = -1;
}

void response_clear(struct response *out)
{
    struct arena *mem = out->mem;

    if (out->fd >= 0)
        close(out->fd);
    response_init(out, mem);
}

/* ---- headers */

static bool name_is_clean(const char *name)
{
    for (const char *p = name; *p; p++)
        if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 127 || *p == ':')
            return false;
    return *name != '\0';
}

/* The one place that lets text of others into a header: what would end the line, and so begin another, is refused (response splitting). */
void response_header(struct response *out, const char *name, struct str value)
{
    bool clean = name_is_clean(name);

    for (size_t i = 0; clean && i < value.n; i++)
        clean = (unsigned char)value.p[i] >= ' ' ? value.p[i] != 127 : value.p[i] == '\t';
    if (!clean) {
        log_error("a response header with control characters was left out: %s",
                  name_is_clean(name) ? name : "(its name)");
        return;
    }
    buf_addf(&out->headers, "%s: ", name);
    buf_add_str(&out->headers, value);
    buf_add_c(&out->headers, "\r\n");
}

static bool cookie_text_is_clean(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= ' ' || (unsigned char)s.p[i] >= 127 || strchr("\",;\\", s.p[i]))
            return false;
    return true;
}

static void add_http_date(struct buf *b, int64_t unix_s)
{
    static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    time_t t = (time_t)unix_s;
    struct tm tm;

    gmtime_r(&t, &tm);
    buf_addf(b, "%.3s, %02d %.3s %d %02d:%02d:%02d GMT", days + 3 * tm.tm_wday, tm.tm_mday, months + 3 * tm.tm_mon,
             tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* The attributes in the order in which Python's http.cookies prints them. */
void response_cookie(struct response *out, const struct cookie *c)
{
    struct buf b = BUF(out->mem, 16 * 1024);

    if (!cookie_text_is_clean(c->value) || !cookie_text_is_clean(str_of(c->name))) {
        log_error("the cookie %s was left out: its value is not fit for a cookie", c->name);
        return;
    }
    buf_addf(&b, "%s=%.*s", c->name, STR(c->delete_it ? S("\"\"") : c->value));
    if (c->delete_it || c->expires_s > 0) {
        buf_add_c(&b, "; expires=");
        add_http_date(&b, c->delete_it ? now_s() : c->expires_s);
    }
    if (c->http_only)
        buf_add_c(&b, "; HttpOnly");
    if (c->delete_it)
        buf_add_c(&b, "; Max-Age=0");
    buf_add_c(&b, "; Path=/");
    if (c->same_site)
        buf_addf(&b, "; SameSite=%s", c->same_site);
    if (c->secure)
        buf_add_c(&b, "; Secure");
    response_header(out, "Set-Cookie", buf_str(&b));
}

/* ---- bodies */

static int start(struct response *out, int status, struct str content_type)
{
    if (out->fd >= 0)
        close(out->fd);
    out->fd = -1;
    out->make = NULL;
    out->is_plan = false;
    out->status = status;
    out->content_type = content_type;
    out->pieces_n = 0;
    buf_reset(&out->tail);
    return status;
}

void response_add(struct response *out, struct str piece)
{
    if (piece.n == 0)
        return;
    if (out->pieces_n < RESPONSE_PIECES) {
        out->pieces[out->pieces_n++] = piece;
        return;
    }
    if (out->tail.n == 0)
        buf_add_str(&out->tail, out->pieces[RESPONSE_PIECES - 1]);
    buf_add_str(&out->tail, piece);
    out->pieces[RESPONSE_PIECES - 1] = buf_str(&out->tail);
}

int reply_pieces(struct response *out, int status, const char *content_type)
{
    return start(out, status, str_of(content_type));
}

int reply_text(struct response *out, int status, const char *content_type, struct str body)
{
    start(out, status, str_of(content_type));
    response_add(out, body);
    return status;
}

int reply_json_status(struct response *out, int status, json_object *body)
{
    return reply_text(out, status, application_json, json_text(out->mem, body));
}

int reply_json(struct response *out, json_object *body)
{
    return reply_json_status(out, 200, body);
}

int reply_json_text(struct response *out, struct str json)
{
    return reply_text(out, 200, application_json, json);
}

int reply_bool(struct response *out, bool value)
{
    return reply_json_text(out, value ? S("true") : S("false"));
}

int reply_null(struct response *out)
{
    return reply_json_text(out, S("null"));
}

int reply_empty(struct response *out, int status)
{
    return start(out, status, STR_NONE);
}

int reply_redirect(struct response *out, int status, struct str location)
{
    start(out, status, STR_NONE);
    response_header(out, "Location", location);
    return status;
}

int reply_file(struct response *out, int fd, int64_t bytes, const char *content_type)
{
    start(out, 200, str_of(content_type));
    out->fd = fd;
    out->fd_bytes = bytes;
    return 200;
}

int reply_stream(struct response *out, const char *content_type, response_maker *make, void *arg)
{
    start(out, 200, str_of(content_type));
    out->make = make;
    out->make_arg = arg;
    return 200;
}

int reply_plan(struct response *out, json_object *plan)
{
    reply_text(out, 200, "application/vnd.webui.plan+json", json_text(out->mem, plan));
    out->is_plan = true;
    return 200;
}

/* ---- failures */

int fail_json(struct response *out, int status, json_object *detail)
{
    struct buf b = BUF(out->mem, SIZE_MAX / 2);

    buf_add_c(&b, "{\"detail\":");
    json_add_to_buf(&b, detail);
    buf_add_char(&b, '}');
    return reply_text(out, status, application_json, buf_str(&b));
}

int fail(struct response *out, int status, const char *format, ...)
{
    struct str text;
    va_list args;

    va_start(args, format);
    text = str_vf(out->mem, format, args);
    va_end(args);
    return fail_json(out, status, json_new_str(out->mem, text));
}

int fail_form(struct response *out, const char *where, const char *member, const char *type, const char *msg,
              json_object *input, json_object *ctx)
{
    struct check c = { .mem = out->mem };
    const struct loc top = { NULL, where, 0 }, at = { &top, member, 0 };

    check_complain(&c, member ? &at : &top, type, msg, input, ctx);
    return fail_json(out, 422, c.errors);
}

static int fail_away(struct response *out)
{
    int status = fail(out, 503, "The server is busy or its database is not available. Please try again.");

    response_header(out, "Retry-After", S("5"));
    return status;
}

int fail_db(struct response *out, struct db *db)
{
    if (db_bad_input(db)) {
        log_warning("%s", db_error(db));
        return fail(out, 400, "Text with NUL characters cannot be stored or looked for");
    }
    log_error("%s", db_error(db));
    return db_unavailable(db) ? fail_away(out) : fail(out, 500, "Internal Server Error");
}

int fail_status(struct response *out, enum status st, const struct error *err)
{
    static const struct {
        enum status st;
        int status;
        const char *detail;
    } known[] = {
        { INVALID, 400, "Bad Request" },
        { NOT_FOUND, 404, "Not Found" },
        { TOO_BIG, 413, "Request Entity Too Large" },
        { NO_SPACE, 507, "Insufficient Storage" },
    };

    log_error("%s", err && err->text[0] ? err->text : "a step failed without giving a reason");
    if (st == UNAVAILABLE)
        return fail_away(out);
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        if (known[i].st == st)
            return fail(out, known[i].status, "%s", known[i].detail);
    return fail(out, 500, "Internal Server Error");
}
