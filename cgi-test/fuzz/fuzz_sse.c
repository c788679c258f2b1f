/* fuzz_sse.c: lines must be the same however the stream is cut. The first byte says how. */
#include <stdint.h>
#include <stdlib.h>

#include "lib/net/sse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void keep(void *arg, struct str line)
{
    struct buf *out = arg;
    struct str value;

    if (line.n && line.p[line.n - 1] == '\n')
        abort();
    buf_add_str(out, line);
    buf_add_char(out, '\n');
    if (sse_data(line, &value) && (value.n == 0 || value.n > line.n - 5))
        abort();
}

static void read_all(struct str in, size_t piece, size_t max, struct buf *out)
{
    struct line_reader r;

    line_reader_init(&r, max);
    for (; in.n; in = str_from(in, piece))
        line_reader_feed(&r, str_sub(in, 0, piece), keep, out);
    line_reader_end(&r, keep, out);
    line_reader_free(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf whole = BUF(NULL, 1 << 24), cut = BUF(NULL, 1 << 24);
    struct str in = str_n((const char *)data + (size != 0), size ? size - 1 : 0);
    size_t piece = size ? data[0] % 32 + 1 : 1, max = size && data[0] & 0x80 ? 20 : 1 << 20;

    read_all(in, in.n + 1, max, &whole);
    read_all(in, piece, max, &cut);
    if (!str_eq(buf_str(&whole), buf_str(&cut)))
        abort();
    buf_free(&whole);
    buf_free(&cut);
    return 0;
}
