/* fuzz_ws_frame.c: what a WebSocket server sends must be understood the same however it is cut. The first byte says how. */
#include <stdint.h>
#include <stdlib.h>

#include "lib/net/ws_frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum status read_all(struct str in, size_t piece, struct buf *out)
{
    struct ws_reader r;
    enum ws_opcode opcode;
    enum status st = NOT_FOUND;
    struct str message;

    ws_reader_init(&r, 4096);
    for (; in.n && st == NOT_FOUND; in = str_from(in, piece)) {
        ws_reader_add(&r, str_sub(in, 0, piece));
        while ((st = ws_reader_next(&r, &opcode, &message, NULL)) == OK) {
            if (message.n > 4096 || (opcode == WS_TEXT && !str_utf8_valid(message)) ||
                (opcode >= WS_CLOSE && message.n > 125))
                abort();
            buf_addf(out, "%d %zu ", opcode, message.n);
            buf_add_str(out, message);
        }
    }
    ws_reader_free(&r);
    return st;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf whole = BUF(NULL, 1 << 26), cut = BUF(NULL, 1 << 26);
    struct str in = str_n((const char *)data + (size != 0), size ? size - 1 : 0);
    enum status one = read_all(in, in.n + 1, &whole), two = read_all(in, size ? data[0] % 32 + 1 : 1, &cut);

    if (in.n < 60000 && (one != two || !str_eq(buf_str(&whole), buf_str(&cut))))
        abort();
    buf_free(&whole);
    buf_free(&cut);
    return 0;
}
