/* ws_frame.c: frames are taken off the front of what has come. */
#include "lib/net/ws_frame.h"

enum { CONTROL_MAX = 125, HEAD_MAX = 14 };

void ws_reader_init(struct ws_reader *r, size_t max_bytes)
{
    *r = (struct ws_reader){ .in = BUF(NULL, max_bytes + 64 * 1024), .message = BUF(NULL, max_bytes), .opcode = -1 };
}

void ws_reader_free(struct ws_reader *r)
{
    buf_free(&r->in);
    buf_free(&r->message);
}

void ws_reader_add(struct ws_reader *r, struct str bytes)
{
    if (r->used) {
        buf_drop_front(&r->in, r->used);
        r->used = 0;
    }
    buf_add_str(&r->in, bytes);
}

struct frame {
    bool final;
    int opcode;
    struct str data;
};

static uint64_t number(const char *p, size_t n)
{
    uint64_t v = 0;

    for (size_t i = 0; i < n; i++)
        v = v << 8 | (unsigned char)p[i];
    return v;
}

/* The frame at the front of in; *bytes is its length. */
static enum status read_frame(struct str in, size_t max, struct frame *f, size_t *bytes, struct error *err)
{
    unsigned char first, second;
    size_t head = 2;
    uint64_t n;

    if (in.n < head)
        return NOT_FOUND;
    first = (unsigned char)in.p[0];
    second = (unsigned char)in.p[1];
    if (first & 0x70)
        return error_set(err, INVALID, "a frame with reserved bits");
    if (second & 0x80)
        return error_set(err, INVALID, "a server's frame is masked");
    n = second & 0x7f;
    if (n >= 126)
        head += n == 126 ? 2 : 8;
    if (in.n < head)
        return NOT_FOUND;
    if (n >= 126)
        n = number(in.p + 2, head - 2);
    f->final = first & 0x80;
    f->opcode = first & 0x0f;
    if (f->opcode > WS_PONG || (f->opcode > WS_BINARY && f->opcode < WS_CLOSE))
        return error_set(err, INVALID, "a frame of an unknown kind");
    if (f->opcode >= WS_CLOSE && (!f->final || n > CONTROL_MAX))
        return error_set(err, INVALID, "a control frame in pieces, or too long");
    if (n > max)
        return error_set(err, TOO_BIG, "a message of more than %zu bytes", max);
    if (in.n - head < n)
        return NOT_FOUND;
    f->data = str_sub(in, head, (size_t)n);
    *bytes = head + (size_t)n;
    return OK;
}

/* A piece of a message; OK: it was the last. NOT_FOUND: another follows. */
static enum status add_piece(struct ws_reader *r, const struct frame *f, struct error *err)
{
    if ((f->opcode == WS_CONTINUATION) != (r->opcode >= 0))
        return error_set(err, INVALID, "the pieces of a message are mixed up");
    if (r->opcode < 0)
        r->opcode = f->opcode;
    buf_add_str(&r->message, f->data);
    if (buf_failed(&r->message))
        return error_set(err, TOO_BIG, "a message of more than %zu bytes", r->message.max);
    return f->final ? OK : NOT_FOUND;
}

enum status ws_reader_next(struct ws_reader *r, enum ws_opcode *opcode, struct str *data, struct error *err)
{
    if (r->given) {
        buf_reset(&r->message);
        r->opcode = -1;
        r->given = false;
    }
    if (buf_failed(&r->in))
        return error_set(err, TOO_BIG, "a message of more than %zu bytes", r->message.max);
    for (;;) {
        struct frame f = { 0 };
        size_t bytes = 0;
        enum status st = read_frame(str_from(buf_str(&r->in), r->used), r->message.max, &f, &bytes, err);

        if (st != OK)
            return st;
        r->used += bytes;
        if (f.opcode >= WS_CLOSE) {
            *opcode = (enum ws_opcode)f.opcode;
            *data = f.data;
            return OK;
        }
        st = add_piece(r, &f, err);
        if (st == NOT_FOUND)
            continue;
        if (st != OK)
            return st;
        if (r->opcode == WS_TEXT && !str_utf8_valid(buf_str(&r->message)))
            return error_set(err, INVALID, "a text that is no UTF-8");
        *opcode = (enum ws_opcode)r->opcode;
        *data = buf_str(&r->message);
        r->given = true;
        return OK;
    }
}

void ws_frame_add(struct buf *out, enum ws_opcode opcode, struct str data, const unsigned char mask[4])
{
    char head[HEAD_MAX];
    size_t n = 2, more = data.n < 126 ? 0 : data.n < 65536 ? 2 : 8;

    head[0] = (char)(0x80 | opcode);
    head[1] = (char)(0x80 | (more == 0 ? data.n : more == 2 ? 126 : 127));
    for (size_t i = more; i-- > 0;)
        head[n++] = (char)((uint64_t)data.n >> (8 * i));
    memcpy(head + n, mask, 4);
    buf_add(out, head, n + 4);
    for (size_t i = 0; i < data.n; i++)
        buf_add_char(out, (char)((unsigned char)data.p[i] ^ mask[i % 4]));
}
