/* dispatch.c: which part of the sidecar answers a request. */
#include "sidecar/dispatch.h"

#include "lib/base/encode.h"
#include "sidecar/control.h"
#include "sidecar/engineio.h"
#include "sidecar/forward.h"
#include "sidecar/sidecar.h"
#include "sidecar/ws_chat.h"

/* Steps are the sidecar's to call. However the path is spelt: decoded, and with slashes and dots taken out. */
static bool is_internal(struct str path)
{
    struct arena *mem = arena_new(256);
    struct str decoded, piece;
    bool internal = true; /* what cannot be decoded is not forwarded */

    if (url_decode(mem, path, false, &decoded)) {
        internal = false;
        while (str_split(&decoded, '/', &piece)) {
            if (piece.n == 0 || str_is(piece, ".") || str_is(piece, ".."))
                continue;
            internal = str_ieq(piece, "internal");
            break;
        }
    }
    arena_free(mem);
    return internal;
}

static bool is_path(struct http_request *r, const char *path)
{
    struct str p = r->head.path;

    if (p.n > 1 && p.p[p.n - 1] == '/')
        p.n--;
    return str_is(p, path);
}

void dispatch(struct http_request *r)
{
    if (r->is_control)
        control_request(r);
    else if (is_path(r, "/ws/socket.io"))
        engineio_request(r);
    else if (is_path(r, "/api/ws/chat") && r->head.upgrade_websocket)
        ws_chat_open(r);
    else if (is_internal(r->head.path))
        http_reply_detail(r, 404, "Not Found");
    else if (sidecar.draining)
        http_reply_detail(r, 503, "The server is shutting down");
    else
        forward_http(r);
}
