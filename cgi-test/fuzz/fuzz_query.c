/* fuzz_query.c: query strings, cookies, header parameters, numbers, and chunked bodies of the sidecar. */
#include <stdint.h>
#include <stdlib.h>

#include "fcgi/query.h"
#include "fcgi/relay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The same bytes in pieces give the same body. */
static void check_dechunk(struct arena *mem, struct str all)
{
    struct buf whole = BUF(mem, SIZE_MAX / 2), pieces = BUF(mem, SIZE_MAX / 2);
    struct dechunk a = { CHUNK_SIZE }, b = { CHUNK_SIZE };
    struct str in = all, piece;

    while (dechunk_next(&a, &in, &piece))
        buf_add_str(&whole, piece);
    for (size_t at = 0; at < all.n; at += 3) {
        in = str_sub(all, at, 3);
        while (dechunk_next(&b, &in, &piece))
            buf_add_str(&pieces, piece);
    }
    if (a.state != b.state || !str_eq(buf_str(&whole), buf_str(&pieces)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *mem = arena_new(1024);
    struct str text = str_n((const char *)data, size), rest = text, name, value;
    struct relay_head head;
    int64_t i;
    double d;
    bool b;

    while (query_next(mem, &rest, &name, &value))
        if (name.n > size || value.n > size)
            abort();
    query_last(mem, text, "page");
    value = cookie_find(text, "token");
    if (value.n && (value.p < text.p || value.p + value.n > text.p + text.n))
        abort();
    header_parameter(mem, text, "filename");
    lax_int(text, &i);
    lax_double(text, &d);
    lax_bool(text, &b);
    if (relay_read_head(mem, text, &head) == OK && str_find(head.headers, S("\r\n\r\n")) != STR_NPOS)
        abort(); /* a head in the head */
    check_dechunk(mem, text);
    arena_free(mem);
    return 0;
}
