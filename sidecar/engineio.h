/* engineio.h: Engine.IO 4: a connection that is a WebSocket, or long polling, or becomes a WebSocket on the way. */
#ifndef SIDECAR_ENGINEIO_H
#define SIDECAR_ENGINEIO_H

#include "sidecar/http.h"
#include "sidecar/ws.h"

struct session;
struct eio;

void engineio_request(struct http_request *r);  /* anything under /ws/socket.io */
void eio_send(struct eio *e, struct packet *p); /* a message's packet, '4' included; takes a reference of its own */
void eio_send_binary(struct eio *e, struct str bytes);
void eio_close(struct eio *e); /* the other side is told; socketio_closed() is called */
void engineio_tick(int64_t mono_now_ms);
void engineio_close_all(void);
unsigned engineio_count(void);

#endif
