/* http_head.c: the head of an HTTP/1.1 request and chunked bodies (RFC 9112). */
#include "lib/net/http_head.h"

static bool token_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_token(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!token_char(s.p[i]))
            return false;
    }
    return s.n != 0;
}

static bool is_value(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (((unsigned char)s.p[i] < 0x20 && s.p[i] != '\t') || s.p[i] == 0x7f)
            return false;
    }
    return true;
}

static bool is_target(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if ((unsigned char)s.p[i] <= 0x20 || s.p[i] == 0x7f)
            return false;
    }
    return s.n && s.p[0] == '/';
}

/* Is word one of the comma-separated words of list? */
static bool has_word(struct str list, const char *word)
{
    struct str piece;

    while (str_split(&list, ',', &piece)) {
        if (str_ieq(str_trim(piece), word))
            return true;
    }
    return false;
}

static enum status request_line(struct str line, struct http_head *out, struct error *err)
{
    size_t a = str_find_c(line, ' '), z = str_rfind_c(line, ' '), mark;
    struct str version;

    if (a == STR_NPOS || a == z)
        return error_set(err, INVALID, "bad request line");
    out->method = str_sub(line, 0, a);
    out->target = str_sub(line, a + 1, z - a - 1);
    version = str_from(line, z + 1);
    if (!is_token(out->method) || out->method.n > 16 || !is_target(out->target))
        return error_set(err, INVALID, "bad request line");
    if (str_is(version, "HTTP/1.1"))
        out->minor = 1;
    else if (str_is(version, "HTTP/1.0"))
        out->minor = 0;
    else
        return error_set(err, INVALID, "bad version");
    mark = str_find_c(out->target, '?');
    out->path = str_sub(out->target, 0, mark == STR_NPOS ? out->target.n : mark);
    out->query = mark == STR_NPOS ? S("") : str_from(out->target, mark + 1);
    out->keep_alive = out->minor == 1;
    return OK;
}

/* Only digits, so that nobody reads it as another number. */
static bool content_length(struct str s, int64_t *out)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    }
    return s.n && s.n < 19 && str_to_i64(s, out);
}

static enum status known_field(struct http_head *out, struct str name, struct str value, struct error *err)
{
    if (str_ieq(name, "Content-Length")) {
        if (out->content_length >= 0 || !content_length(value, &out->content_length))
            return error_set(err, INVALID, "bad content length");
    } else if (str_ieq(name, "Transfer-Encoding")) {
        if (out->chunked || !str_ieq(value, "chunked"))
            return error_set(err, INVALID, "bad transfer encoding");
        out->chunked = true;
    } else if (str_ieq(name, "Connection")) {
        if (has_word(value, "close"))
            out->keep_alive = false;
        else if (out->minor == 0 && has_word(value, "keep-alive"))
            out->keep_alive = true;
    } else if (str_ieq(name, "Expect")) {
        out->expects_continue = str_ieq(value, "100-continue");
    } else if (str_ieq(name, "Upgrade")) {
        out->upgrade_websocket = has_word(value, "websocket");
    }
    return OK;
}

static enum status field_line(struct str line, struct http_head *out, struct error *err)
{
    size_t colon = str_find_c(line, ':');
    struct http_field f;

    if (colon == STR_NPOS)
        return error_set(err, INVALID, "bad header line");
    f.name = str_sub(line, 0, colon);
    f.value = str_trim(str_from(line, colon + 1));
    if (!is_token(f.name) || !is_value(f.value))
        return error_set(err, INVALID, "bad header line");
    if (out->fields_n >= HTTP_HEAD_MAX_FIELDS)
        return error_set(err, TOO_BIG, "too many header lines");
    out->fields[out->fields_n++] = f;
    return known_field(out, f.name, f.value, err);
}

enum status http_head_parse(struct str text, struct http_head *out, size_t *used, struct error *err)
{
    size_t at = 0;
    bool first = true;

    if (!memmem(text.p ? text.p : "", text.n, "\r\n\r\n", 4) && !memmem(text.p ? text.p : "", text.n, "\n\n", 2) &&
        text.n <= HTTP_HEAD_MAX_BYTES)
        return NOT_FOUND; /* so that a slow head is not parsed at every byte */
    *out = (struct http_head){ .content_length = -1 };
    for (;;) {
        struct str rest = str_from(text, at), line;
        size_t lf = str_find_c(rest, '\n');
        enum status st;

        if (lf == STR_NPOS || at + lf >= HTTP_HEAD_MAX_BYTES)
            return text.n > HTTP_HEAD_MAX_BYTES ? error_set(err, TOO_BIG, "request head is too long") : NOT_FOUND;
        line = str_sub(rest, 0, lf);
        if (line.n && line.p[line.n - 1] == '\r')
            line.n--;
        at += lf + 1;
        if (line.n == 0 && first)
            continue; /* section 2.2: an empty line before the request line */
        if (line.n == 0)
            break;
        st = first ? request_line(line, out, err) : field_line(line, out, err);
        if (st != OK)
            return st;
        first = false;
    }
    if (out->chunked && (out->content_length >= 0 || out->minor == 0))
        return error_set(err, INVALID, "both a length and chunks");
    *used = at;
    return OK;
}

struct str http_head_field(const struct http_head *head, const char *name)
{
    for (int i = 0; i < head->fields_n; i++) {
        if (str_ieq(head->fields[i].name, name))
            return head->fields[i].value;
    }
    return STR_NONE;
}

/* ---- chunks */

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static void size_char(struct http_chunks *c, char ch)
{
    int d = hex_digit(ch);

    if (d >= 0) {
        if (++c->digits > 12)
            c->state = CHUNK_BROKEN;
        c->left = c->left << 4 | (unsigned)d;
        return;
    }
    if (c->digits == 0)
        c->state = CHUNK_BROKEN;
    else if (ch == '\n')
        c->state = c->left ? CHUNK_DATA : CHUNK_TRAILER;
    else if (ch == ';' || ch == '\r' || ch == ' ' || ch == '\t')
        c->state = CHUNK_EXTENSION;
    else
        c->state = CHUNK_BROKEN;
    c->digits = 0;
}

/* One byte outside of the data. */
static void frame_char(struct http_chunks *c, char ch)
{
    switch (c->state) {
    case CHUNK_SIZE: size_char(c, ch); break;
    case CHUNK_EXTENSION:
        if (++c->trailer_bytes > HTTP_HEAD_MAX_BYTES)
            c->state = CHUNK_BROKEN;
        else if (ch == '\n')
            c->state = c->left ? CHUNK_DATA : CHUNK_TRAILER;
        break;
    case CHUNK_DATA_END: c->state = ch == '\n' ? CHUNK_SIZE : ch == '\r' ? CHUNK_DATA_END : CHUNK_BROKEN; break;
    case CHUNK_TRAILER:
        if (ch == '\n')
            c->state = CHUNK_DONE;
        else if (ch != '\r')
            c->state = CHUNK_TRAILER_LINE;
        break;
    default:
        if (++c->trailer_bytes > HTTP_HEAD_MAX_BYTES)
            c->state = CHUNK_BROKEN;
        else if (ch == '\n')
            c->state = CHUNK_TRAILER;
    }
}

bool http_chunks_next(struct http_chunks *c, struct str *in, struct str *out)
{
    while (in->n && c->state != CHUNK_DONE && c->state != CHUNK_BROKEN) {
        if (c->state == CHUNK_DATA) {
            *out = str_sub(*in, 0, c->left);
            *in = str_from(*in, out->n);
            c->left -= out->n;
            if (c->left == 0)
                c->state = CHUNK_DATA_END;
            return true;
        }
        frame_char(c, in->p[0]);
        *in = str_from(*in, 1);
    }
    return false;
}
