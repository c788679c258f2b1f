/* fcgi_wire.c: FastCGI records (specification 1.0, sections 3 to 5) and the CGI response inside. */
#include "lib/net/fcgi_wire.h"

enum {
    VERSION = 1,
    BEGIN_REQUEST = 1,
    END_REQUEST = 3,
    PARAMS = 4,
    STDIN = 5,
    STDOUT = 6,
    STDERR = 7,
    RESPONDER = 1,
    KEEP_CONN = 1,
    ID = 1
};

static void put_head(unsigned char *h, int type, size_t n)
{
    memset(h, 0, FCGI_WIRE_HEADER);
    h[0] = VERSION;
    h[1] = (unsigned char)type;
    h[3] = ID;
    h[4] = (unsigned char)(n >> 8);
    h[5] = (unsigned char)n;
}

static void add_head(struct buf *out, int type, size_t n)
{
    unsigned char h[FCGI_WIRE_HEADER];

    put_head(h, type, n);
    buf_add(out, h, sizeof(h));
}

void fcgi_wire_begin(struct buf *out, bool keep)
{
    const unsigned char body[8] = { 0, RESPONDER, keep ? KEEP_CONN : 0 };

    add_head(out, BEGIN_REQUEST, sizeof(body));
    buf_add(out, body, sizeof(body));
}

static void add_length(struct buf *b, size_t n)
{
    if (n < 128)
        buf_add_char(b, (char)n);
    else
        buf_add(b,
                (unsigned char[]){ (unsigned char)(n >> 24 | 0x80), (unsigned char)(n >> 16), (unsigned char)(n >> 8),
                                   (unsigned char)n },
                4);
}

void fcgi_wire_param(struct buf *params, struct str name, struct str value)
{
    add_length(params, name.n);
    add_length(params, value.n);
    buf_add_str(params, name);
    buf_add_str(params, value);
}

void fcgi_wire_params(struct buf *out, struct str params)
{
    while (params.n) {
        struct str piece = str_sub(params, 0, FCGI_WIRE_MAX);

        add_head(out, PARAMS, piece.n);
        buf_add_str(out, piece);
        params = str_from(params, piece.n);
    }
    add_head(out, PARAMS, 0);
}

void fcgi_wire_stdin_head(unsigned char head[FCGI_WIRE_HEADER], size_t n)
{
    put_head(head, STDIN, n);
}

/* ---- reading */

static void read_head(struct fcgi_wire *w, struct str *in)
{
    while (in->n && w->head_n < FCGI_WIRE_HEADER) {
        w->head[w->head_n++] = (unsigned char)in->p[0];
        *in = str_from(*in, 1);
    }
    if (w->head_n < FCGI_WIRE_HEADER)
        return;
    w->head_n = 0;
    w->left = (unsigned)(w->head[4] << 8 | w->head[5]);
    w->padding = w->head[6];
    w->state = w->head[0] == VERSION ? FCGI_WIRE_BODY : FCGI_WIRE_BROKEN;
    if (w->head[1] == END_REQUEST && (w->head[2] << 8 | w->head[3]) != ID)
        w->state = FCGI_WIRE_BROKEN;
}

static struct str take(struct fcgi_wire *w, struct str *in)
{
    struct str piece = str_sub(*in, 0, w->left);

    w->left -= (unsigned)piece.n;
    *in = str_from(*in, piece.n);
    return piece;
}

static void body_ended(struct fcgi_wire *w)
{
    if (w->head[1] == END_REQUEST)
        w->state = w->end_n == 8 && w->end[4] == 0 ? FCGI_WIRE_DONE : FCGI_WIRE_BROKEN;
    else
        w->state = w->padding ? FCGI_WIRE_PADDING : FCGI_WIRE_HEAD;
}

bool fcgi_wire_next(struct fcgi_wire *w, struct str *in, struct str *out, bool *is_error)
{
    while (w->state != FCGI_WIRE_DONE && w->state != FCGI_WIRE_BROKEN && in->n) {
        struct str piece;

        if (w->state == FCGI_WIRE_HEAD) {
            read_head(w, in);
            if (w->state == FCGI_WIRE_BODY && w->left == 0)
                body_ended(w);
            continue;
        }
        if (w->state == FCGI_WIRE_PADDING) {
            w->left = w->padding;
            take(w, in);
            w->padding = w->left;
            if (w->padding == 0)
                w->state = FCGI_WIRE_HEAD;
            continue;
        }
        piece = take(w, in);
        if (w->head[1] == END_REQUEST) {
            for (size_t i = 0; i < piece.n && w->end_n < 8; i++)
                w->end[w->end_n++] = (unsigned char)piece.p[i];
        }
        if (w->left == 0)
            body_ended(w);
        if ((w->head[1] == STDOUT || w->head[1] == STDERR) && piece.n) {
            *out = piece;
            *is_error = w->head[1] == STDERR;
            return true;
        }
    }
    return false;
}

/* ---- the CGI response */

static bool is_token(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_'))
            return false;
    }
    return s.n != 0;
}

static bool is_clean(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (((unsigned char)s.p[i] < 0x20 && s.p[i] != '\t') || s.p[i] == 0x7f)
            return false;
    }
    return true;
}

static enum status add_line(struct cgi_head *out, struct str line, struct error *err)
{
    size_t colon = str_find_c(line, ':');
    struct str name = str_sub(line, 0, colon == STR_NPOS ? 0 : colon),
               value = str_trim(str_from(line, colon == STR_NPOS ? 0 : colon + 1));
    int64_t n;

    if (!is_token(name) || !is_clean(value))
        return error_set(err, INVALID, "bad header line in a worker's answer");
    if (str_ieq(name, "Status")) {
        if (!str_to_i64(str_sub(value, 0, 3), &n) || n < 100 || n > 599)
            return error_set(err, INVALID, "bad status in a worker's answer");
        out->status = (int)n;
        return OK;
    }
    if (str_ieq(name, "Content-Type"))
        out->content_type = value;
    if (str_ieq(name, "Content-Length")) {
        if (!str_to_i64(value, &n) || n < 0)
            return error_set(err, INVALID, "bad content length in a worker's answer");
        out->content_length = n;
    }
    if (out->headers_n >= CGI_MAX_HEADERS)
        return error_set(err, INVALID, "too many headers in a worker's answer");
    out->headers[out->headers_n++] = (struct cgi_header){ name, value };
    return OK;
}

enum status cgi_head_parse(struct str text, struct cgi_head *out, size_t *used, struct error *err)
{
    size_t at = 0;

    out->status = 0;
    out->headers_n = 0;
    out->content_type = STR_NONE;
    out->content_length = -1;
    for (;;) {
        struct str rest = str_from(text, at), line;
        size_t lf = str_find_c(rest, '\n');
        enum status st;

        if (lf == STR_NPOS)
            return text.n > CGI_MAX_HEAD_BYTES ? error_set(err, INVALID, "headers of a worker's answer are too long")
                                               : NOT_FOUND;
        line = str_sub(rest, 0, lf);
        if (line.n && line.p[line.n - 1] == '\r')
            line.n--;
        at += lf + 1;
        if (at > CGI_MAX_HEAD_BYTES)
            return error_set(err, INVALID, "headers of a worker's answer are too long");
        if (line.n == 0)
            break;
        st = add_line(out, line, err);
        if (st != OK)
            return st;
    }
    if (out->status == 0) {
        out->status = 200;
        for (int i = 0; i < out->headers_n; i++) {
            if (str_ieq(out->headers[i].name, "Location"))
                out->status = 302;
        }
    }
    *used = at;
    return OK;
}
