/* fuzz_fcgi_answer.c: what a worker writes: FastCGI records in pieces, and the CGI response inside. The first byte says how it is cut. */
#include <stdint.h>
#include <stdlib.h>

#include "lib/net/fcgi_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum fcgi_wire_state read_all(struct str in, size_t piece, struct buf *out)
{
    struct fcgi_wire w = { 0 };

    for (; in.n; in = str_from(in, piece)) {
        struct str part = str_sub(in, 0, piece), got;
        bool is_error;

        while (fcgi_wire_next(&w, &part, &got, &is_error)) {
            if (got.n == 0)
                abort();
            if (!is_error)
                buf_add_str(out, got);
        }
    }
    return w.state;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf whole = BUF(NULL, 1 << 24), cut = BUF(NULL, 1 << 24);
    struct str in = str_n((const char *)data + (size != 0), size ? size - 1 : 0);
    struct cgi_head head;
    struct error err;
    size_t used = 0;
    enum fcgi_wire_state a = read_all(in, in.n + 1, &whole), b = read_all(in, size ? data[0] % 32 + 1 : 1, &cut);

    if (!str_eq(buf_str(&whole), buf_str(&cut)) || a != b)
        abort();
    if (cgi_head_parse(buf_str(&whole), &head, &used, &err) == OK &&
        (used > whole.n || head.status < 100 || head.headers_n > CGI_MAX_HEADERS))
        abort();
    used = 0;
    if (cgi_head_parse(in, &head, &used, &err) == OK && used > in.n)
        abort();
    buf_free(&whole);
    buf_free(&cut);
    return 0;
}
