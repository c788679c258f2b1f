/* ws_client.h: a WebSocket to another server (RFC 6455), blocking, over libcurl's connection (TLS, proxies). The address is an administrator's. */
#ifndef LIB_NET_WS_CLIENT_H
#define LIB_NET_WS_CLIENT_H

#include "lib/net/http.h"

struct ws_client;

struct ws_options {
    struct str url;                    /* ws, wss, http or https */
    const struct http_header *headers; /* of the handshake, besides its own */
    size_t headers_n;
    bool insecure;    /* do not verify TLS */
    int timeout_ms;   /* of connecting and the handshake; 0: 10000 */
    size_t max_bytes; /* of a message; 0: 16 MiB */
};

/* UNAVAILABLE, TIMED_OUT, FAILED (no WebSocket there; err has the status). */
enum status ws_open(struct arena *mem, const struct ws_options *options, struct ws_client **out, struct error *err);
enum status ws_send(struct ws_client *w, struct str text, int timeout_ms, struct error *err);
/* The next text, valid until the next call; pings are answered, binary messages skipped. until_ms: mono_ms(). TIMED_OUT; NOT_FOUND: the other end has closed;
 * UNAVAILABLE, INVALID, TOO_BIG. */
enum status ws_receive(struct ws_client *w, int64_t until_ms, struct str *text, struct error *err);
void ws_close(struct ws_client *w); /* NULL is fine */

#endif
