/* http_head.h: the head of an HTTP/1.1 request and chunked bodies (RFC 9112). Pure and strict: what is doubtful is refused. */
#ifndef LIB_NET_HTTP_HEAD_H
#define LIB_NET_HTTP_HEAD_H

#include "lib/base/error.h"

enum { HTTP_HEAD_MAX_BYTES = 32 * 1024, HTTP_HEAD_MAX_FIELDS = 100 };

struct http_field {
    struct str name, value;
};

struct http_head {                          /* views into the text that was parsed */
    struct str method, target, path, query; /* as sent: nothing is decoded */
    int minor;                              /* HTTP/1.minor */
    struct http_field fields[HTTP_HEAD_MAX_FIELDS];
    int fields_n;
    int64_t content_length; /* -1: none */
    bool chunked, keep_alive, expects_continue;
    bool upgrade_websocket;
};

/* NOT_FOUND: the head has not ended yet. INVALID; TOO_BIG. OK: *used bytes were the head. */
enum status http_head_parse(struct str text, struct http_head *out, size_t *used, struct error *err);
struct str http_head_field(const struct http_head *head, const char *name); /* absent: none; the first of several */

struct http_chunks { /* a chunked body; starts zeroed */
    enum {
        CHUNK_SIZE,
        CHUNK_EXTENSION,
        CHUNK_DATA,
        CHUNK_DATA_END,
        CHUNK_TRAILER,
        CHUNK_TRAILER_LINE,
        CHUNK_DONE,
        CHUNK_BROKEN
    } state;
    uint64_t left;
    int digits;
    unsigned trailer_bytes;
};
/* Takes from *in up to the next piece of the body. false: nothing more in *in; look at the state. */
bool http_chunks_next(struct http_chunks *c, struct str *in, struct str *out);

#endif
