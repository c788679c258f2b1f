/* relay.h: where the web server cannot proxy, a responder passes the sidecar's requests on, and starts the sidecar if none runs. */
#ifndef FCGI_RELAY_H
#define FCGI_RELAY_H

#include "fcgi/request.h"
#include "fcgi/response.h"
#include "fcgi/wire.h"

bool relay_is_socket(struct str path); /* /ws/… and /api/ws/… */
/* True: the sidecar's answer went through w as it came. False: out says why not. */
bool relay(const struct config *config, struct wire *w, const struct request *r, struct response *out);

/* The head of an HTTP/1.1 answer in text: INVALID: none. Hop-by-hop headers are left out of *headers ("Name: value\r\n" …), in mem. */
struct relay_head {
    int status;
    struct str reason, headers;
    bool chunked;
    int64_t bytes; /* Content-Length; -1: until the end */
};
enum status relay_read_head(struct arena *mem, struct str text, struct relay_head *out);

/* A reader of chunked bodies (RFC 9112, 7.1) that is fed as bytes come. */
struct dechunk {
    enum { CHUNK_SIZE, CHUNK_EXTENSION, CHUNK_DATA, CHUNK_DATA_END, CHUNK_TRAILER, CHUNK_DONE, CHUNK_BROKEN } state;
    uint64_t left;
    int digits;
    bool line_empty; /* of a trailer */
};
/* Takes bytes off the front of *in; gives the next piece of the body, a view of it; false: needs more, done or broken (see state). */
bool dechunk_next(struct dechunk *d, struct str *in, struct str *piece);

#endif
