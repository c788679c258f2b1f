/* sse.c: the lines of a stream that arrives in pieces. */
#include "lib/net/sse.h"

enum { KEEP_BYTES = 16 * 1024 }; /* a buffer that grew beyond this for one long line is given back */

void line_reader_init(struct line_reader *r, size_t max_bytes)
{
    *r = (struct line_reader){ .rest = BUF(NULL, max_bytes) };
}

void line_reader_free(struct line_reader *r)
{
    buf_free(&r->rest);
}

static struct str without_cr(struct str line)
{
    if (line.n && line.p[line.n - 1] == '\r')
        line.n--;
    return line;
}

static void empty(struct line_reader *r)
{
    size_t max = r->rest.max;

    if (r->rest.capacity > KEEP_BYTES) {
        buf_free(&r->rest);
        r->rest = BUF(NULL, max);
    } else {
        buf_reset(&r->rest);
    }
}

static bool keep(struct line_reader *r, struct str part)
{
    if (r->skipping)
        return true;
    buf_add_str(&r->rest, part);
    if (!buf_failed(&r->rest))
        return true;
    empty(r);
    r->skipping = true;
    return false;
}

bool line_reader_feed(struct line_reader *r, struct str piece, line_fn *fn, void *arg)
{
    bool fits = true;

    while (piece.n) {
        const char *lf = memchr(piece.p, '\n', piece.n);
        struct str part = { piece.p, lf ? (size_t)(lf - piece.p) : piece.n };

        piece = str_from(piece, part.n + (lf != NULL));
        if (!lf) {
            fits &= keep(r, part);
        } else if (r->skipping) {
            r->skipping = false;
        } else if (r->rest.n == 0) {
            if (part.n > r->rest.max)
                fits = false;
            else
                fn(arg, without_cr(part));
        } else {
            bool kept = keep(r, part);

            fits &= kept;
            if (kept)
                fn(arg, without_cr(buf_str(&r->rest)));
            r->skipping = false;
            empty(r);
        }
    }
    return fits;
}

void line_reader_end(struct line_reader *r, line_fn *fn, void *arg)
{
    if (r->rest.n && !r->skipping)
        fn(arg, without_cr(buf_str(&r->rest)));
    r->skipping = false;
    empty(r);
}

bool sse_data(struct str line, struct str *data)
{
    if (!str_starts(line, "data:"))
        return false;
    *data = str_trim(str_from(line, 5));
    return data->n != 0;
}
