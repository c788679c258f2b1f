/* relay_http.c: as much of an HTTP/1.1 client's reading as a relay needs. */
#include "fcgi/relay.h"

static bool is_hop_by_hop(struct str name)
{
    static const char *const names[] = { "Connection", "Keep-Alive", "Proxy-Connection", "Transfer-Encoding",
                                         "Upgrade",    "TE",         "Trailer" };

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (str_ieq(name, names[i]))
            return true;
    return false;
}

static enum status read_status_line(struct str line, struct relay_head *out)
{
    int64_t status;

    if (!str_starts(line, "HTTP/1.") || line.n < sizeof("HTTP/1.1 200") - 1 || line.p[8] != ' ')
        return INVALID;
    if (!str_to_i64(str_sub(line, 9, 3), &status) || status < 100 || status > 599)
        return INVALID;
    out->status = (int)status;
    out->reason = str_trim(str_from(line, 12));
    return OK;
}

enum status relay_read_head(struct arena *mem, struct str text, struct relay_head *out)
{
    struct buf kept = BUF(mem, 64 * 1024);
    struct str rest = text, line;

    *out = (struct relay_head){ .bytes = -1 };
    if (!str_split(&rest, '\n', &line) || read_status_line(str_trim(line), out) != OK)
        return INVALID;
    while (str_split(&rest, '\n', &line)) {
        size_t colon;
        struct str name, value;

        line = str_trim(line);
        if (line.n == 0)
            break;
        colon = str_find_c(line, ':');
        if (colon == STR_NPOS || colon == 0)
            return INVALID;
        name = str_sub(line, 0, colon);
        value = str_trim(str_from(line, colon + 1));
        if (str_ieq(name, "Transfer-Encoding") && str_ieq(value, "chunked"))
            out->chunked = true;
        if (str_ieq(name, "Content-Length") && (!str_to_i64(value, &out->bytes) || out->bytes < 0))
            return INVALID;
        if (str_find_c(value, '\r') != STR_NPOS || str_find_c(value, '\0') != STR_NPOS)
            return INVALID;
        if (is_hop_by_hop(name) || str_ieq(name, "Status"))
            continue;
        buf_addf(&kept, "%.*s: %.*s\r\n", STR(name), STR(value));
    }
    out->headers = buf_str(&kept);
    return buf_failed(&kept) ? INVALID : OK;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void size_byte(struct dechunk *d, char c)
{
    int digit = hex_digit(c);

    if (digit >= 0) {
        if (++d->digits > 15)
            d->state = CHUNK_BROKEN;
        d->left = d->left * 16 + (unsigned)digit;
        return;
    }
    if (d->digits == 0 || !strchr("\r\n; \t", c) || c == '\0') {
        d->state = CHUNK_BROKEN;
        return;
    }
    d->state = CHUNK_EXTENSION;
}

static void size_line_end(struct dechunk *d)
{
    d->digits = 0;
    d->line_empty = true;
    d->state = d->left ? CHUNK_DATA : CHUNK_TRAILER;
}

/* A byte that belongs to no data. */
static void other_byte(struct dechunk *d, char c)
{
    switch (d->state) {
    case CHUNK_SIZE:
        size_byte(d, c);
        if (d->state == CHUNK_EXTENSION && c == '\n')
            size_line_end(d);
        break;
    case CHUNK_EXTENSION:
        if (c == '\n')
            size_line_end(d);
        break;
    case CHUNK_DATA_END:
        if (c == '\n')
            d->state = CHUNK_SIZE;
        else if (c != '\r')
            d->state = CHUNK_BROKEN;
        break;
    case CHUNK_TRAILER:
        if (c == '\n' && d->line_empty)
            d->state = CHUNK_DONE;
        else if (c == '\n')
            d->line_empty = true;
        else if (c != '\r')
            d->line_empty = false;
        break;
    default: break;
    }
}

bool dechunk_next(struct dechunk *d, struct str *in, struct str *piece)
{
    while (in->n && d->state != CHUNK_DONE && d->state != CHUNK_BROKEN) {
        if (d->state == CHUNK_DATA) {
            *piece = str_sub(*in, 0, d->left < in->n ? (size_t)d->left : in->n);
            *in = str_from(*in, piece->n);
            d->left -= piece->n;
            if (d->left == 0)
                d->state = CHUNK_DATA_END;
            return true;
        }
        other_byte(d, in->p[0]);
        *in = str_from(*in, 1);
    }
    return false;
}
