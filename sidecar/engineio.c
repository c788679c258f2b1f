/* engineio.c: Engine.IO 4 over WebSocket and long polling. */
#include "sidecar/engineio.h"

#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/encode.h"
#include "lib/base/log.h"
#include "lib/base/random.h"
#include "lib/net/socketio.h"
#include "sidecar/map.h"
#include "sidecar/sidecar.h"
#include "sidecar/socketio.h"

enum {
    MAX_WAITING = 4 * 1024 * 1024,
    MAX_SOCKETS = 20000,
    PACKETS_A_POLL = 16
}; /* the Python client refuses more in one payload */

struct link {        /* one WebSocket of a connection: the one in use, or one that tries to become it */
    struct eio *eio; /* NULL: the connection is gone */
    struct ws *ws;
    bool probed;
};

struct waiting {
    struct waiting *next;
    struct packet *packet;
};

struct eio {
    char sid[33];
    struct link *link, *probe;
    struct http_request *poll;     /* a GET that waits for packets */
    struct waiting *first, **last; /* packets, while there is no WebSocket in use */
    size_t waiting_bytes;
    int64_t ping_ms, pong_ms; /* when a ping is due; until when a pong must come, 0: none is expected */
    bool closed;
    struct delay *closing;
    struct session *session;
};

static struct map connections;
static const struct ws_ops ws_ops;

/* ---- sending */

static void drop_waiting(struct eio *e)
{
    struct waiting *w = e->first;

    e->first = w->next;
    if (!e->first)
        e->last = &e->first;
    e->waiting_bytes -= w->packet->n;
    packet_drop(w->packet);
    free(w);
}

static bool listed_origin(struct str origin)
{
    struct str list = sidecar.cors_origins, piece;

    while (str_split(&list, ';', &piece)) {
        if (str_eq(str_trim(piece), origin))
            return true;
    }
    return false;
}

/* A page of our own: its origin is where it asked. The web server in front says with X-Forwarded-Proto how. */
static bool own_origin(struct http_request *r, struct str origin)
{
    bool https = str_ieq(http_head_field(&r->head, "X-Forwarded-Proto"), "https");
    const char *scheme = https ? "https://" : "http://";

    return str_starts(origin, scheme) && str_eq(str_from(origin, strlen(scheme)), http_head_field(&r->head, "Host"));
}

static bool good_origin(struct http_request *r)
{
    struct str origin = http_head_field(&r->head, "Origin");

    return !origin.p || listed_origin(S("*")) || listed_origin(origin) || own_origin(r, origin);
}

/* "*" goes without credentials. */
static void cors(struct http_request *r, struct buf *headers)
{
    struct str origin = http_head_field(&r->head, "Origin"),
               asked = http_head_field(&r->head, "Access-Control-Request-Headers");
    bool any = listed_origin(S("*"));

    if (!any && !(origin.n && listed_origin(origin)))
        return;
    http_add_header(headers, S("Access-Control-Allow-Origin"), any ? S("*") : origin);
    if (!any)
        buf_add_c(headers, "Access-Control-Allow-Credentials: true\r\nVary: Origin\r\n");
    if (!str_is(r->head.method, "OPTIONS"))
        return;
    buf_add_c(headers, "Access-Control-Allow-Methods: OPTIONS, GET, POST\r\n");
    if (asked.n)
        http_add_header(headers, S("Access-Control-Allow-Headers"), asked);
}

static void answer(struct http_request *r, int status, struct str body)
{
    struct buf headers = BUF(NULL, 4096);

    cors(r, &headers);
    buf_add_c(&headers, "Cache-Control: no-store\r\n");
    http_reply(r, status, "text/plain; charset=UTF-8", buf_str(&headers), body);
    buf_free(&headers);
}

/* Gives a waiting GET the packets that are there. */
static void answer_poll(struct eio *e)
{
    struct http_request *r = e->poll;
    struct buf body = BUF(NULL, MAX_WAITING * 8);
    struct arena *mem;

    if (!r || !e->first)
        return;
    mem = arena_new(256);
    for (int i = 0; i < PACKETS_A_POLL && e->first; i++) {
        struct packet *p = e->first->packet;

        if (body.n)
            buf_add_char(&body, '\x1e');
        if (p->binary) {
            buf_add_char(&body, 'b');
            buf_add_str(&body, base64_encode(mem, packet_str(p)));
        } else {
            buf_add_str(&body, packet_str(p));
        }
        drop_waiting(e);
    }
    arena_free(mem);
    e->poll = NULL;
    answer(r, 200, buf_str(&body));
    buf_free(&body);
}

static void wait(struct eio *e, struct packet *p)
{
    struct waiting *w = malloc(sizeof(*w));

    if (!w)
        abort();
    *w = (struct waiting){ .packet = p };
    p->refs++;
    *e->last = w;
    e->last = &w->next;
    e->waiting_bytes += p->n;
}

void eio_send(struct eio *e, struct packet *p)
{
    size_t waiting = e->link ? ws_waiting(e->link->ws) : e->waiting_bytes;

    if (e->closed)
        return;
    if (waiting > MAX_WAITING) { /* it does not read; when it comes back it is told everything anew */
        log_info("socket %s is too slow", e->sid);
        eio_close(e);
        return;
    }
    stats.events_out++;
    if (e->link) {
        ws_send(e->link->ws, p);
        return;
    }
    wait(e, p);
    if (!e->probe || !e->probe->probed)
        answer_poll(e);
}

static void send_text(struct eio *e, const char *text)
{
    struct packet *p = packet_new(str_of(text), false);

    eio_send(e, p);
    packet_drop(p);
}

void eio_send_binary(struct eio *e, struct str bytes)
{
    struct packet *p = packet_new(bytes, true);

    eio_send(e, p);
    packet_drop(p);
}

/* ---- the end */

static void unlink_ws(struct link *l, const char *reason)
{
    if (!l)
        return;
    l->eio = NULL;
    ws_close(l->ws, 1000, reason);
    free(l);
}

static void eio_free(struct eio *e)
{
    while (e->first)
        drop_waiting(e);
    free(e);
}

static void gone(void *arg)
{
    struct eio *e = arg;
    struct http_request *r = e->poll;

    e->poll = NULL;
    map_take(&connections, str_of(e->sid));
    stats.sockets_closed++;
    if (r)
        answer(r, 200, S("1"));
    unlink_ws(e->link, "");
    unlink_ws(e->probe, "");
    if (e->session)
        socketio_closed(e->session);
    eio_free(e);
}

/* Not at once: whoever sends to many, or reads several packets, must not lose the connection under its hands. */
void eio_close(struct eio *e)
{
    struct packet *p;

    if (e->closed)
        return;
    e->closed = true;
    if (e->link) {
        p = packet_new(S("1"), false);
        ws_send(e->link->ws, p);
        packet_drop(p);
    }
    delay_start(&e->closing, 0, gone, e);
}

/* ---- receiving */

static void take_packet(struct eio *e, const struct eio_packet *p)
{
    struct arena *mem;
    struct str bytes;

    switch (p->type) {
    case EIO_PONG:
        e->pong_ms = 0;
        e->ping_ms = mono_ms() + sidecar.ping_ms;
        break;
    case EIO_MESSAGE:
        stats.events_in++;
        socketio_text(e->session, p->data);
        break;
    case EIO_BINARY:
        mem = arena_new(p->data.n + 64);
        if (base64_decode(mem, p->data, &bytes))
            socketio_binary(e->session, bytes);
        else
            eio_close(e);
        arena_free(mem);
        break;
    case EIO_CLOSE:
        e->session->goodbye = true;
        eio_close(e);
        break;
    default: break;
    }
}

/* The probing WebSocket takes over: what waits goes there. */
static void upgrade(struct eio *e, struct link *l)
{
    if (e->link || e->probe != l || !l->probed)
        return;
    e->probe = NULL;
    if (e->poll) {
        struct http_request *r = e->poll;

        e->poll = NULL;
        answer(r, 200, S("6"));
    }
    e->link = l;
    while (e->first) {
        ws_send(l->ws, e->first->packet);
        drop_waiting(e);
    }
}

static void on_probe(struct eio *e, struct link *l, const struct eio_packet *p)
{
    struct packet *pong;

    if (p->type == EIO_UPGRADE && l->probed) {
        upgrade(e, l);
        return;
    }
    if (p->type != EIO_PING || !str_is(p->data, "probe") || l->probed) {
        e->probe = NULL;
        unlink_ws(l, "");
        return;
    }
    l->probed = true;
    pong = packet_new(S("3probe"), false);
    ws_send(l->ws, pong);
    packet_drop(pong);
    if (e->poll) {
        struct http_request *r = e->poll;

        e->poll = NULL;
        answer(r, 200, S("6"));
    }
}

static void on_message(void *owner, struct str data, bool binary)
{
    struct link *l = owner;
    struct eio *e = l->eio;
    struct eio_packet p;

    if (!e || e->closed)
        return;
    if (binary && l == e->link)
        socketio_binary(e->session, data);
    else if (binary || !eio_parse(data, &p) || p.type == EIO_BINARY)
        eio_close(e);
    else if (l == e->probe)
        on_probe(e, l, &p);
    else
        take_packet(e, &p);
}

static void on_closed(void *owner)
{
    struct link *l = owner;
    struct eio *e = l->eio;

    if (e && l == e->probe)
        e->probe = NULL;
    if (e && l == e->link) {
        e->link = NULL;
        e->session->goodbye |= ws_said_goodbye(l->ws);
        if (!e->closed) {
            e->closed = true;
            delay_start(&e->closing, 0, gone, e);
        }
    }
    free(l);
}

static const struct ws_ops ws_ops = { on_message, on_closed, EIO_MAX_PAYLOAD };

/* ---- requests */

static struct eio *eio_new(void)
{
    struct eio *e = calloc(1, sizeof(*e));
    struct arena *mem = arena_new(256);

    if (!e)
        abort();
    memcpy(e->sid, random_hex(mem, 16).p, 32);
    arena_free(mem);
    e->last = &e->first;
    e->ping_ms = mono_ms() + sidecar.ping_ms;
    map_set(&connections, str_of(e->sid), e);
    stats.sockets_opened++;
    e->session = socketio_opened(e);
    return e;
}

static struct packet *open_packet(struct eio *e, bool can_upgrade)
{
    struct buf b = BUF(NULL, 512);
    struct packet *p;

    buf_addf(&b, "0{\"sid\":\"%s\",\"upgrades\":[%s],\"pingTimeout\":%lld,\"pingInterval\":%lld,\"maxPayload\":%d}",
             e->sid, can_upgrade ? "\"websocket\"" : "", (long long)sidecar.pong_ms, (long long)sidecar.ping_ms,
             EIO_MAX_PAYLOAD);
    p = packet_new(buf_str(&b), false);
    buf_free(&b);
    return p;
}

/* false: the handshake failed and has been answered. */
static bool open_ws(struct http_request *r, struct eio *e, struct link **slot)
{
    struct link *l = calloc(1, sizeof(*l));

    if (!l)
        abort();
    l->eio = e;
    l->ws = ws_accept(r, &ws_ops, l);
    if (!l->ws) {
        free(l);
        return false;
    }
    *slot = l;
    return true;
}

static void connect_new(struct http_request *r, bool websocket)
{
    struct eio *e;
    struct packet *p;

    if (connections.n >= MAX_SOCKETS || sidecar.draining) {
        answer(r, 503, S("\"Too many sockets\""));
        return;
    }
    e = eio_new();
    p = open_packet(e, !websocket && sidecar.websockets);
    if (!websocket) {
        e->poll = r;
        eio_send(e, p);
    } else if (open_ws(r, e, &e->link)) {
        eio_send(e, p);
    } else {
        eio_close(e);
    }
    packet_drop(p);
}

static void poll_gone(struct http_request *r)
{
    struct eio *e = r->owner;

    if (e->poll == r)
        e->poll = NULL;
}

static void poll(struct http_request *r, struct eio *e)
{
    if (e->link) {
        answer(r, 400, S("\"Unexpected HTTP request\""));
    } else if (e->probe && e->probe->probed) {
        answer(r, 200, S("6"));
    } else if (e->poll) { /* two at once: something is wrong with this client */
        answer(r, 400, S("\"Unexpected HTTP request\""));
        eio_close(e);
    } else {
        e->poll = r;
        r->owner = e;
        r->on_gone = poll_gone;
        r->idle = true;
        answer_poll(e);
    }
}

static void post(struct http_request *r, struct eio *e)
{
    struct str payload = buf_str(&r->body);
    struct eio_packet p;
    bool broken = false;

    if (e->link) {
        answer(r, 400, S("\"Unexpected HTTP request\""));
        return;
    }
    if (payload.n > EIO_MAX_PAYLOAD || !str_utf8_valid(payload)) {
        answer(r, 400, S("\"Bad payload\""));
        eio_close(e);
        return;
    }
    for (int i = 0; !e->closed && eio_next(&payload, &p, &broken); i++) {
        if (i == EIO_MAX_PACKETS)
            broken = true;
        if (broken)
            break;
        take_packet(e, &p);
    }
    if (broken)
        eio_close(e);
    if (broken)
        answer(r, 400, S("\"Bad payload\""));
    else
        answer(r, 200, S("OK"));
}

/* A parameter of the query; sids and transports need no decoding. */
static struct str parameter(struct str query, const char *name)
{
    struct str piece;

    while (str_split(&query, '&', &piece)) {
        size_t eq = str_find_c(piece, '=');

        if (eq != STR_NPOS && str_is(str_sub(piece, 0, eq), name))
            return str_from(piece, eq + 1);
    }
    return STR_NONE;
}

static void bad(struct http_request *r, const char *text, struct str what)
{
    struct buf b = BUF(NULL, 1024), body = BUF(NULL, 4096);

    buf_addf(&b, text, STR(str_sub(what, 0, 100)));
    buf_add_json_string(&body, buf_str(&b));
    answer(r, 400, buf_str(&body));
    buf_free(&b);
    buf_free(&body);
}

static void with_sid(struct http_request *r, struct str sid, bool websocket)
{
    struct eio *e = map_get(&connections, sid);

    if (!e || e->closed)
        bad(r, "Invalid session %.*s", sid);
    else if (str_is(r->head.method, "POST"))
        post(r, e);
    else if (!websocket)
        poll(r, e);
    else if (e->link || e->probe || !sidecar.websockets)
        answer(r, 400, S("\"Unexpected HTTP request\""));
    else
        open_ws(r, e, &e->probe);
}

void engineio_request(struct http_request *r)
{
    struct str query = r->head.query, transport = parameter(query, "transport"), sid = parameter(query, "sid");
    bool websocket = str_is(transport, "websocket");

    if (str_is(r->head.method, "OPTIONS"))
        answer(r, 200, S("OK"));
    else if (!good_origin(r))
        bad(r, "%.*s is not an accepted origin.", http_head_field(&r->head, "Origin"));
    else if (!str_is(r->head.method, "GET") && !str_is(r->head.method, "POST"))
        answer(r, 405, S("\"Method not found\""));
    else if ((transport.p && !websocket && !str_is(transport, "polling")) || (websocket && !sidecar.websockets))
        answer(r, 400, S("\"Invalid transport\""));
    else if (!sid.p && !str_is(parameter(query, "EIO"), "4"))
        answer(r, 400, S("\"The client is using an unsupported version of the Socket.IO or Engine.IO protocols\""));
    else if (parameter(query, "j").p)
        answer(r, 400, S("\"JSONP is not supported\""));
    else if (websocket && !(r->head.upgrade_websocket && str_is(r->head.method, "GET")))
        answer(r, 400, S("\"Invalid websocket upgrade\""));
    else if (sid.p)
        with_sid(r, sid, websocket);
    else if (str_is(r->head.method, "POST"))
        bad(r, "Invalid session %.*s", S("None"));
    else
        connect_new(r, websocket);
}

/* ---- time */

void engineio_tick(int64_t now_ms)
{
    MAP_EACH(&connections, entry)
    {
        struct eio *e = entry->value;

        if (e->closed)
            continue;
        if (e->pong_ms && now_ms > e->pong_ms) {
            eio_close(e);
        } else if (!e->pong_ms && now_ms >= e->ping_ms) {
            e->pong_ms = now_ms + sidecar.pong_ms;
            send_text(e, "2");
        }
    }
}

void engineio_close_all(void)
{
    MAP_EACH(&connections, entry)
    eio_close(entry->value);
}

unsigned engineio_count(void)
{
    return (unsigned)connections.n;
}
