/* ws.c: WebSockets, framed by libwebsockets. */
#include "sidecar/ws.h"

#include <libwebsockets.h>
#include <stdlib.h>

#include "lib/base/log.h"
#include "sidecar/sidecar.h"

enum { FRAMES_AT_ONCE = 64, FRAME_HEAD_BYTES = 4, BATCH_BYTES = 64 * 1024 };

#define DEFLATE \
    "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n"

struct queued {
    struct queued *next;
    struct packet *packet;
};

struct ws {
    struct lws *wsi;
    const struct ws_ops *ops;
    void *owner;
    struct buf in; /* a message in fragments */
    struct queued *first, **last;
    size_t waiting;
    struct packet *compressing; /* libwebsockets reads on in it until it calls for the next */
    bool closing, silent;       /* silent: the owner is gone */
    bool established, is_dirty;
    struct ws *next_dirty;
    bool goodbye; /* the other side has closed it in due form */
    int code;
    char reason[64];
};

static struct ws *dirty; /* have something to send */
static uv_check_t after_events;
static uv_prepare_t before_events;
static struct ws
    *adopting; /* the socket that libwebsockets is being given: its callbacks come before the call returns */

/* ---- packets */

struct packet *packet_of(struct str a, struct str b, struct str c)
{
    struct packet *p = malloc(sizeof(*p) + LWS_PRE + a.n + b.n + c.n + 1);

    if (!p)
        abort();
    *p = (struct packet){ .refs = 1, .n = a.n + b.n + c.n };
    p->data = p->room + LWS_PRE;
    memcpy(p->data, a.p ? a.p : "", a.n);
    memcpy(p->data + a.n, b.p ? b.p : "", b.n);
    memcpy(p->data + a.n + b.n, c.p ? c.p : "", c.n);
    return p;
}

struct packet *packet_new(struct str data, bool binary)
{
    struct packet *p = packet_of(data, STR_NONE, STR_NONE);

    p->binary = binary;
    return p;
}

void packet_drop(struct packet *p)
{
    if (--p->refs == 0)
        free(p);
}

/* ---- sending */

static void drop_first(struct ws *w)
{
    struct queued *q = w->first;

    w->first = q->next;
    if (!w->first)
        w->last = &w->first;
    w->waiting -= q->packet->n;
    packet_drop(q->packet);
    free(q);
}

static bool write_one(struct ws *w, struct packet *p)
{
    return lws_write(w->wsi, p->data, p->n, p->binary ? LWS_WRITE_BINARY : LWS_WRITE_TEXT) >= (int)p->n;
}

/* Several messages as one piece of bytes, framed here (RFC 6455, section 5.2; a server does not mask): one system call, and one for the web server to
 * read. For what is no WebSocket message libwebsockets only cares that all of it is sent. */
static bool write_many(struct ws *w)
{
    static unsigned char room[LWS_PRE + BATCH_BYTES];
    size_t n = 0;

    while (w->first && n + w->first->packet->n + FRAME_HEAD_BYTES <= BATCH_BYTES) {
        struct packet *p = w->first->packet;
        unsigned char *to = room + LWS_PRE + n;

        *to++ = p->binary ? 0x82 : 0x81;
        if (p->n < 126) {
            *to++ = (unsigned char)p->n;
        } else {
            *to++ = 126;
            *to++ = (unsigned char)(p->n >> 8);
            *to++ = (unsigned char)p->n;
        }
        memcpy(to, p->data, p->n);
        n = (size_t)(to - room) - LWS_PRE + p->n;
        drop_first(w);
    }
    return lws_write(w->wsi, room + LWS_PRE, n, LWS_WRITE_HTTP) >= (int)n;
}

static bool fits_batch(const struct packet *p)
{
    return p->n <= BATCH_BYTES / 4;
}

/* false: the connection is broken. What the kernel does not take libwebsockets keeps, and sends before it says that we may write again. */
static bool write_waiting(struct ws *w)
{
    for (int i = 0; w->first && i < FRAMES_AT_ONCE && !lws_partial_buffered(w->wsi); i++) {
        if (w->first->next && fits_batch(w->first->packet) && fits_batch(w->first->next->packet)) {
            if (!write_many(w))
                return false;
        } else {
            if (!write_one(w, w->first->packet))
                return false;
            drop_first(w);
        }
    }
    if (w->first)
        lws_callback_on_writable(w->wsi);
    return true;
}

/* What was sent since the loop looked for events last: the way over libwebsockets' own callback costs four system calls a message. */
static void flush_all(void)
{
    while (dirty) {
        struct ws *w = dirty;

        dirty = w->next_dirty;
        w->is_dirty = false;
        if (w->established && !write_waiting(w))
            lws_set_timeout(w->wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
    }
}

static void on_check(uv_check_t *handle)
{
    (void)handle;
    flush_all();
}

static void on_prepare(uv_prepare_t *handle)
{
    (void)handle;
    flush_all();
}

void ws_send(struct ws *w, struct packet *p)
{
    struct queued *q = malloc(sizeof(*q));

    if (!q)
        abort();
    *q = (struct queued){ .packet = p };
    p->refs++;
    *w->last = q;
    w->last = &q->next;
    w->waiting += p->n;
    if (sidecar.deflate && w->wsi)
        lws_callback_on_writable(w->wsi);
    if (w->is_dirty || sidecar.deflate)
        return;
    w->is_dirty = true;
    w->next_dirty = dirty;
    dirty = w;
}

size_t ws_waiting(const struct ws *w)
{
    return w->waiting;
}

static void compressed(struct ws *w)
{
    if (w->compressing)
        packet_drop(w->compressing);
    w->compressing = NULL;
}

/* With permessage-deflate: one message at a time, in libwebsockets' callback, as its extension wants it. */
static int writable_compressed(struct ws *w)
{
    struct packet *p = w->first ? w->first->packet : NULL;

    compressed(w);
    if (p) {
        if (lws_write(w->wsi, p->data, p->n, p->binary ? LWS_WRITE_BINARY : LWS_WRITE_TEXT) < (int)p->n)
            return -1;
        w->compressing = p;
        p->refs++;
        drop_first(w);
    }
    if (w->first || (w->closing && w->compressing)) { /* comes again when it is out */
        lws_callback_on_writable(w->wsi);
    } else if (w->closing) {
        lws_close_reason(w->wsi, (enum lws_close_status)w->code, (unsigned char *)w->reason, strlen(w->reason));
        return -1;
    }
    return 0;
}

static int writable(struct ws *w)
{
    if (sidecar.deflate)
        return writable_compressed(w);
    if (!write_waiting(w))
        return -1;
    if (!w->first && w->closing) {
        lws_close_reason(w->wsi, (enum lws_close_status)w->code, (unsigned char *)w->reason, strlen(w->reason));
        return -1;
    }
    return 0;
}

void ws_close(struct ws *w, int code, const char *reason)
{
    w->closing = w->silent = true;
    w->code = code;
    snprintf(w->reason, sizeof(w->reason), "%s", reason);
    lws_set_timeout(w->wsi, PENDING_TIMEOUT_USER_OK, 10);
    lws_callback_on_writable(w->wsi);
}

void ws_drop(struct ws *w)
{
    w->silent = true;
    lws_set_timeout(w->wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
}

/* ---- receiving */

static int received(struct ws *w, const char *p, size_t n)
{
    bool binary = lws_frame_is_binary(w->wsi),
         last = lws_is_final_fragment(w->wsi) && lws_remaining_packet_payload(w->wsi) == 0;
    struct str data = str_n(p, n);

    if (w->silent)
        return 0;
    if (!last || w->in.n) {
        buf_add(&w->in, p, n);
        if (buf_failed(&w->in)) {
            lws_close_reason(w->wsi, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, NULL, 0);
            return -1;
        }
        if (!last && sidecar.deflate) /* what is still to be inflated is looked at when something happens */
            lws_callback_on_writable(w->wsi);
        if (!last)
            return 0;
        data = buf_str(&w->in);
    }
    if (!binary && !str_utf8_valid(data)) {
        lws_close_reason(w->wsi, LWS_CLOSE_STATUS_INVALID_PAYLOAD, NULL, 0);
        return -1;
    }
    w->ops->message(w->owner, data, binary);
    buf_free(&w->in);
    w->in = BUF(NULL, w->ops->max_message);
    return 0;
}

static void destroyed(struct ws *w)
{
    struct ws **at = &dirty;

    while (*at && *at != w)
        at = &(*at)->next_dirty;
    if (*at)
        *at = w->next_dirty;
    if (!w->silent && w != adopting)
        w->ops->closed(w->owner);
    while (w->first)
        drop_first(w);
    compressed(w);
    buf_free(&w->in);
    free(w);
}

static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
    struct ws *w = lws_get_opaque_user_data(wsi);

    (void)user;
    if (!w && adopting && adopting->wsi == wsi) { /* what is set in WSI_CREATE does not stay */
        w = adopting;
        lws_set_opaque_user_data(wsi, w);
    }
    switch (reason) {
    case LWS_CALLBACK_WSI_CREATE:
        if (adopting && !adopting->wsi)
            adopting->wsi = wsi;
        return 0;
    case LWS_CALLBACK_HTTP: /* nobody speaks plain HTTP to libwebsockets here */ return -1;
    case LWS_CALLBACK_ESTABLISHED:
        if (w)
            w->established = true;
        if (w && w->first)
            lws_callback_on_writable(wsi);
        return w ? 0 : -1;
    case LWS_CALLBACK_RECEIVE: return w ? received(w, in, len) : -1;
    case LWS_CALLBACK_SERVER_WRITEABLE: return w ? writable(w) : -1;
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        if (w)
            w->goodbye = true;
        return 0;
    case LWS_CALLBACK_WSI_DESTROY:
        if (w)
            destroyed(w);
        return 0;
    default: return 0;
    }
}

bool ws_said_goodbye(const struct ws *w)
{
    return w->goodbye;
}

/* ---- the handshake */

static bool good_key(struct str key)
{
    if (key.n != 24 || key.p[23] != '=' || key.p[22] != '=')
        return false;
    for (size_t i = 0; i < 22; i++) {
        char c = key.p[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' || c == '/'))
            return false;
    }
    return true;
}

/* Does the client offer permessage-deflate (RFC 7692)? Its parameters do not matter: we ask for no memory between messages, which it may not refuse. */
static bool offers_deflate(struct http_request *r)
{
    struct str list = http_head_field(&r->head, "Sec-WebSocket-Extensions"), one;

    while (list.p && str_split(&list, ',', &one)) {
        if (str_ieq(str_trim(str_sub(one, 0, str_find_c(one, ';'))), "permessage-deflate"))
            return true;
    }
    return false;
}

/* Libwebsockets sees a handshake of ours: only the key is the client's. A client that speaks before we have answered is refused. */
struct ws *ws_accept(struct http_request *r, const struct ws_ops *ops, void *owner)
{
    struct str key = http_head_field(&r->head, "Sec-WebSocket-Key");
    struct buf head = BUF(NULL, 4096);
    struct ws *w;
    int fd;

    if (http_has_more(r) || !good_key(key) || !str_is(http_head_field(&r->head, "Sec-WebSocket-Version"), "13") ||
        !str_is(r->head.method, "GET")) {
        http_reply_detail(r, 400, "Bad WebSocket handshake");
        return NULL;
    }
    buf_addf(&head,
             "GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: "
             "%.*s\r\nSec-WebSocket-Version: 13\r\n%s\r\n",
             STR(key), sidecar.deflate && offers_deflate(r) ? DEFLATE : "");
    w = calloc(1, sizeof(*w));
    if (!w)
        abort();
    *w = (struct ws){ .ops = ops, .owner = owner, .in = BUF(NULL, ops->max_message) };
    w->last = &w->first;
    fd = http_take_socket(r);
    adopting = w;
    if (!lws_adopt_socket_vhost_readbuf(sidecar.vhost, fd, head.p, head.n)) {
        log_warning("a WebSocket handshake failed");
        if (!w->wsi) {
            close(fd);
            buf_free(&w->in);
            free(w);
        }
        w = NULL; /* with a wsi, its end has freed it */
    }
    adopting = NULL;
    buf_free(&head);
    return w;
}

/* ---- life */

static void lws_log(int level, const char *line)
{
    (void)level;
    log_debug("libwebsockets: %.*s", STR(str_trim(str_of(line))));
}

bool ws_init(void)
{
    static const struct lws_protocols protocols[] = { { .name = "webui", .callback = callback, .rx_buffer_size = 1024 },
                                                      { 0 } };
    static const struct lws_extension deflate[] = {
        { "permessage-deflate", lws_extension_callback_pm_deflate, "permessage-deflate" }, { 0 }
    };
    void *loops[] = { sidecar.loop };
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN_SERVER,
        .protocols = protocols,
        .options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS,
        .foreign_loops = loops,
        .max_http_header_pool = 10000,
        .max_http_header_data = 1024,
        .pt_serv_buf_size = 16384,
        .extensions = sidecar.deflate ? deflate : NULL,
        .gid = -1,
        .uid = -1,
    };

    lws_set_log_level(LLL_ERR | LLL_WARN, lws_log);
    sidecar.lws = lws_create_context(&info);
    if (!sidecar.lws)
        return false;
    uv_check_init(sidecar.loop, &after_events);
    uv_check_start(&after_events, on_check);
    uv_prepare_init(sidecar.loop, &before_events);
    uv_prepare_start(&before_events, on_prepare);
    info.vhost_name = "sidecar";
    sidecar.vhost = lws_create_vhost(sidecar.lws, &info);
    return sidecar.vhost != NULL;
}

void ws_end(void)
{
    lws_context_destroy(sidecar.lws);
}
