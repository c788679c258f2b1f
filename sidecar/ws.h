/* ws.h: WebSockets, framed by libwebsockets. http.c reads the handshake and hands the socket over. */
#ifndef SIDECAR_WS_H
#define SIDECAR_WS_H

#include "sidecar/http.h"

struct packet { /* a message to be sent, shared by all who get it */
    int refs;
    bool binary;
    size_t n;
    unsigned char *data; /* with LWS_PRE bytes of room before it */
    unsigned char room[];
};
struct packet *packet_new(struct str data, bool binary);            /* refs 1 */
struct packet *packet_of(struct str a, struct str b, struct str c); /* text a b c */
void packet_drop(struct packet *p);
static inline struct str packet_str(const struct packet *p)
{
    return (struct str){ (const char *)p->data, p->n };
}

struct ws;
struct ws_ops {
    void (*message)(void *owner, struct str data, bool binary);
    void (*closed)(void *owner); /* the last callback */
    size_t max_message;
};

/* The request must be a WebSocket handshake (r->head.upgrade_websocket); it is ended. NULL: it was not a good one, and has been answered. */
struct ws *ws_accept(struct http_request *r, const struct ws_ops *ops, void *owner);
void ws_send(struct ws *w, struct packet *p); /* takes a reference of its own */
size_t ws_waiting(const struct ws *w);        /* bytes */
bool ws_said_goodbye(const struct ws *w);     /* in closed(): the other side meant to */
void ws_close(struct ws *w, int code,
              const char *reason); /* after what waits has been sent; closed() is not called any more */
void ws_drop(struct ws *w);        /* at once; closed() is not called */

bool ws_init(void);
void ws_end(void);

#endif
