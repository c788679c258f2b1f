/* ws_chat.c: WS /api/ws/chat: a chat completion request in, each chunk of the provider out. */
#include "sidecar/ws_chat.h"

#include <stdlib.h>

#include "lib/base/encode.h"
#include "lib/base/random.h"
#include "sidecar/forward.h"
#include "sidecar/sidecar.h"
#include "sidecar/ws.h"

enum {
    MAX_MESSAGE = 16 * 1024 * 1024,
    MAX_TOKEN = 16 * 1024,
    LINE_BYTES = 16 * 1024 * 1024,
    ANSWER_BYTES = 32 * 1024 * 1024
};

struct chat {
    struct chat *next, **prev;
    struct ws *ws;
    struct asker asker;
    char *text; /* the handshake's head, without its credentials if they may not be used */
    size_t text_n;
    char *token;                     /* of the first message */
    bool busy, is_stream, broke_off; /* broke_off: the stream's last word was an error */
    int status;
    struct line_reader lines;
    struct buf body; /* an answer that is no stream */
};

static struct chat *chats;

/* ---- sending */

static void send_str(struct chat *c, struct str text)
{
    struct packet *p = packet_new(text, false);

    ws_send(c->ws, p);
    packet_drop(p);
}

static void send_error(struct chat *c, struct str json, int status)
{
    struct buf b = BUF(NULL, ANSWER_BYTES + 256);

    buf_add_c(&b, "{\"error\":");
    buf_add_str(&b, json);
    if (status)
        buf_addf(&b, ",\"status\":%d", status);
    buf_add_char(&b, '}');
    send_str(c, buf_str(&b));
    buf_free(&b);
}

static void over(struct chat *c)
{
    c->busy = c->broke_off = false;
    c->asker = (struct asker){ 0 };
    line_reader_free(&c->lines);
    buf_free(&c->body);
    c->body = BUF(NULL, ANSWER_BYTES);
}

/* A whole answer: JSON, or whatever a worker or provider said instead. */
static void send_whole(struct chat *c, int status, struct str body)
{
    struct arena *mem = arena_new(body.n + 1024);
    json_object *o = NULL;
    bool is_json = json_parse(mem, body, &o, NULL) == OK;
    json_object *error = json_get(o, "detail") ? json_get(o, "detail") : json_get(o, "error");

    if (status >= 400)
        send_error(c, json_text(mem, error ? error : is_json ? o : json_new_str(mem, body)), status);
    else
        send_str(c, is_json ? body : json_text(mem, json_new_str(mem, body)));
    arena_free(mem);
}

/* ---- what a worker or the provider answers */

static void c_reply(void *client, int status, struct str type, struct str headers, struct str body)
{
    struct chat *c = client;

    (void)type, (void)headers;
    send_whole(c, status, body);
    if (status < 400)
        send_str(c, S("{\"done\":true}"));
    over(c);
}

static void c_begin(void *client, int status, struct str type, struct str headers)
{
    struct chat *c = client;

    (void)headers;
    c->status = status;
    c->is_stream = status < 400 && str_has(type, "text/event-stream");
    line_reader_init(&c->lines, LINE_BYTES);
}

static void on_line(void *arg, struct str line)
{
    struct chat *c = arg;
    struct str data;

    if (!sse_data(line, &data) || str_is(data, "[DONE]") || !str_utf8_valid(data))
        return;
    c->broke_off = str_starts(data, "{\"error\":");
    send_str(c, data);
}

static void c_write(void *client, struct str piece)
{
    struct chat *c = client;

    if (c->is_stream)
        line_reader_feed(&c->lines, piece, on_line, c);
    else
        buf_add_str(&c->body, piece);
}

static void c_end(void *client)
{
    struct chat *c = client;

    if (c->is_stream)
        line_reader_end(&c->lines, on_line, c);
    else
        send_whole(c, c->status, buf_str(&c->body));
    if (c->status < 400 && !c->broke_off)
        send_str(c, S("{\"done\":true}"));
    over(c);
}

static void c_abort(void *client)
{
    struct chat *c = client;

    send_error(c, S("\"The answer broke off\""), 0);
    over(c);
}

static size_t c_waiting(void *client)
{
    struct chat *c = client;

    return ws_waiting(c->ws);
}

static const struct client_ops client_ops = { c_reply, c_begin, c_write, c_end, c_abort, c_waiting };

/* ---- what the client says */

static void ask(struct chat *c, json_object *request, struct arena *mem)
{
    struct http_head head;
    struct buf params = BUF(NULL, 256 * 1024), body = BUF(NULL, MAX_MESSAGE + 1024);
    struct str task_id = random_uuid(mem);
    size_t used;
    struct error err;

    json_set_bool(request, "stream", true);
    json_del(request, "token");
    json_add_to_buf(&body, request);
    http_head_parse(str_n(c->text, c->text_n), &head, &used, &err);
    for (int i = 0; i < head.fields_n; i++) {
        struct http_field *f = &head.fields[i];

        if (str_starts(f->name, "Sec-WebSocket") || str_ieq(f->name, "Content-Type") ||
            (c->token && (str_ieq(f->name, "Authorization") || str_ieq(f->name, "Cookie"))))
            f->name = S("X_dropped"); /* with "_": it is not forwarded */
    }
    forward_params(&params, &head, "POST", S("/api/chat/completions"), body.n, task_id);
    fcgi_wire_param(&params, S("CONTENT_TYPE"), S("application/json"));
    if (c->token)
        fcgi_wire_param(&params, S("HTTP_AUTHORIZATION"), str_f(mem, "Bearer %s", c->token));
    c->busy = true;
    forward_call(&client_ops, c, &c->asker, buf_str(&params), &body, false, task_id);
    buf_free(&params);
    buf_free(&body);
}

static bool clean(struct str token)
{
    for (size_t i = 0; i < token.n; i++) {
        if ((unsigned char)token.p[i] <= ' ' || (unsigned char)token.p[i] >= 0x7f)
            return false;
    }
    return token.n != 0 && token.n <= MAX_TOKEN;
}

static void on_message(void *owner, struct str data, bool binary)
{
    struct chat *c = owner;
    struct arena *mem = arena_new(data.n + 4096);
    json_object *o = NULL;
    struct error err;
    struct str token;

    if (binary || json_parse(mem, data, &o, &err) != OK || !json_is(o, json_type_object)) {
        send_error(c, S("\"A message must be a JSON object\""), 400);
        goto done;
    }
    token = json_str(o, "token");
    if (json_get(o, "token") && !clean(token)) {
        send_error(c, S("\"Bad token\""), 400);
        goto done;
    }
    if (token.n) {
        free(c->token);
        c->token = copy_str(token);
    }
    if (c->busy && json_get(o, "messages"))
        send_error(c, S("\"An answer is still being written\""), 409);
    else if (json_get(o, "messages"))
        ask(c, o, mem);
    else if (!token.n)
        send_error(c, S("\"A message must have messages, or a token\""), 400);
done:
    arena_free(mem);
}

static void chat_free(struct chat *c)
{
    forward_gone(&c->asker);
    over(c);
    *c->prev = c->next;
    if (c->next)
        c->next->prev = c->prev;
    free(c->text);
    free(c->token);
    free(c);
}

static void on_closed(void *owner)
{
    chat_free(owner);
}

static const struct ws_ops ws_ops = { on_message, on_closed, MAX_MESSAGE };

/* ---- the handshake */

static struct str host_of(struct str origin)
{
    size_t at = str_find(origin, S("://"));

    return at == STR_NPOS ? STR_NONE : str_from(origin, at + 3);
}

/* A page of another site can make a browser connect with the user's cookie. Its cookie counts only for pages of ours. */
static bool origin_is_ours(const struct http_head *head)
{
    struct str origin = http_head_field(head, "Origin"), host = http_head_field(head, "X-Forwarded-Host"),
               list = sidecar.cors_origins, piece;

    if (!origin.p)
        return true;
    if (!host.n)
        host = http_head_field(head, "Host");
    if (host_of(origin).n && str_eq(host_of(origin), host))
        return true;
    while (str_split(&list, ';', &piece)) {
        if (!str_is(piece, "*") && str_eq(str_trim(piece), origin))
            return true;
    }
    return false;
}

void ws_chat_open(struct http_request *r)
{
    struct chat *c = calloc(1, sizeof(*c));
    struct buf text = BUF(NULL, 2 * HTTP_HEAD_MAX_BYTES);
    bool ours = origin_is_ours(&r->head);

    if (!c)
        abort();
    buf_add_c(&text, "POST /api/chat/completions HTTP/1.1\r\n");
    for (int i = 0; i < r->head.fields_n; i++) {
        if (ours || !str_ieq(r->head.fields[i].name, "Cookie"))
            http_add_header(&text, r->head.fields[i].name, r->head.fields[i].value);
    }
    buf_add_c(&text, "\r\n");
    c->text_n = text.n;
    c->text = copy_str(buf_str(&text));
    buf_free(&text);
    c->body = BUF(NULL, ANSWER_BYTES);
    c->ws = ws_accept(r, &ws_ops, c);
    if (!c->ws) {
        free(c->text);
        free(c);
        return;
    }
    c->next = chats;
    c->prev = &chats;
    if (chats)
        chats->prev = &c->next;
    chats = c;
}

void ws_chat_close_all(void)
{
    while (chats) {
        ws_close(chats->ws, 1001, "shutting down");
        chat_free(chats);
    }
}
