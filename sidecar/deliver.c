/* deliver.c: an answer that goes to the client who asked, as it comes. */
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/chat/ollama_convert.h"
#include "sidecar/plans.h"

enum { PING_MS = 15 * 1000 };

static void write_client(struct run *r, struct str piece)
{
    if (!r->client || piece.n == 0)
        return;
    r->client->write(r->client_owner, piece);
    r->client_wrote_ms = mono_ms();
}

bool deliver_head(struct run *r)
{
    struct buf headers = BUF(NULL, 64 * 1024);
    bool good = r->status < 400;
    struct str type = r->convert && good ? S("text/event-stream") : str_of(r->content_type);

    if (r->errors_then && !good)
        return false;
    if (str_has(type, "html") || str_has(type, "xml")) /* a page of the provider's must not be one of ours */
        type = S("text/plain; charset=utf-8");
    r->convert &= good;
    r->client_is_sse = str_has(type, "text/event-stream");
    buf_add_str(&headers, buf_str(&r->headers));
    if (r->client_headers)
        buf_add_c(&headers, r->client_headers);
    if (r->client_is_sse)
        buf_add_c(&headers, str_has(buf_str(&headers), "ache-control:")
                                ? "X-Accel-Buffering: no\r\n"
                                : "Cache-Control: no-cache\r\nX-Accel-Buffering: no\r\n");
    if (r->convert)
        line_reader_init(&r->lines, 32u * 1024 * 1024);
    if (r->client) {
        r->client_began = true;
        r->client->begin(r->client_owner, r->status, type, buf_str(&headers));
        r->client_wrote_ms = mono_ms();
    }
    if (r->prefix && good)
        write_client(r, str_of(r->prefix));
    buf_free(&headers);
    return true;
}

static void on_line(void *arg, struct str line)
{
    struct run *r = arg;
    struct buf chunk = BUF(NULL, 64u * 1024 * 1024);
    bool done = false;

    if (str_trim(line).n == 0)
        return;
    buf_add_c(&chunk, "data: ");
    if (ollama_convert_line(line, now_s(), &chunk, &done) == OK) {
        buf_add_c(&chunk, "\n\n");
        write_client(r, buf_str(&chunk));
    }
    buf_free(&chunk);
}

void deliver_data(struct run *r, struct str piece)
{
    if (r->convert)
        line_reader_feed(&r->lines, piece, on_line, r);
    else
        write_client(r, piece);
}

/* Ends an answer that has begun. A stream that broke off says so, if its format lets it. */
bool deliver_end(struct run *r, enum status st)
{
    const struct client_ops *client;

    if (r->convert) {
        line_reader_end(&r->lines, on_line, r);
        line_reader_free(&r->lines);
        if (st == OK)
            write_client(r, S("data: [DONE]\n\n"));
    }
    if (st == OK && r->suffix && r->status < 400)
        write_client(r, str_of(r->suffix));
    if (st != OK && r->client_is_sse)
        write_client(r, S("data: {\"error\":{\"message\":\"The connection to the model provider broke off before the "
                          "answer was complete.\"}}\n\n"));
    client = r->client;
    r->client = NULL;
    if (client && (st == OK || r->client_is_sse))
        client->end(r->client_owner);
    else if (client)
        client->abort(r->client_owner);
    return true;
}

void deliver_tick(struct run *r, int64_t mono_now_ms)
{
    if (r->client && r->client_began && r->client_is_sse && mono_now_ms - r->client_wrote_ms >= PING_MS)
        write_client(r, S(": ping\n\n"));
}
