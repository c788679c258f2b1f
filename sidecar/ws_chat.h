/* ws_chat.h: WS /api/ws/chat: chat completions over a plain WebSocket (docs/ws-chat.md). */
#ifndef SIDECAR_WS_CHAT_H
#define SIDECAR_WS_CHAT_H

#include "sidecar/http.h"

void ws_chat_open(struct http_request *r); /* a WebSocket handshake; takes it over */
void ws_chat_close_all(void);

#endif
