/* fuzz_http_head.c: a request's head, and what follows as a chunked body that must be the same however it is cut. */
#include <stdint.h>
#include <stdlib.h>

#include "lib/net/http_head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_body(struct str in, size_t piece, struct buf *out, struct http_chunks *c)
{
    for (; in.n && c->state != CHUNK_DONE && c->state != CHUNK_BROKEN; in = str_from(in, piece)) {
        struct str part = str_sub(in, 0, piece), got;

        while (http_chunks_next(c, &part, &got))
            buf_add_str(out, got);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in = str_n((const char *)data, size);
    struct buf whole = BUF(NULL, 1 << 24), cut = BUF(NULL, 1 << 24);
    struct http_chunks a = { 0 }, b = { 0 };
    struct http_head head;
    struct error err;
    size_t used = 0;

    if (http_head_parse(in, &head, &used, &err) == OK) {
        if (used > size || head.target.p[0] != '/' || head.method.n == 0 || head.content_length < -1 ||
            (head.chunked && head.content_length >= 0))
            abort();
        http_head_field(&head, "Host");
    }
    in = str_from(in, used);
    read_body(in, in.n + 1, &whole, &a);
    read_body(in, 3, &cut, &b);
    if (!str_eq(buf_str(&whole), buf_str(&cut)) || a.state != b.state)
        abort();
    buf_free(&whole);
    buf_free(&cut);
    return 0;
}
