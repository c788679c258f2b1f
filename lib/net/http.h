/* http.h: requests to providers and other servers, blocking, several at once, over libcurl. Connections are kept for the next call of the process.
 * For addresses that a user named there is lib/net/fetch.h, which refuses private ones. */
#ifndef LIB_NET_HTTP_H
#define LIB_NET_HTTP_H

#include "lib/base/error.h"

struct http_header {
    struct str name, value; /* CR, LF or NUL in either: the call fails with INVALID */
};

struct http_call {
    /* the request */
    const char *method; /* NULL: GET without a body, POST with one */
    struct str url;     /* http or https; redirects are not followed */
    const struct http_header *headers;
    size_t headers_n;
    struct str body;               /* absent: none */
    int connect_timeout_ms;        /* 0: 5000 */
    int timeout_ms;                /* of the whole; 0: 300000 */
    size_t max_bytes;              /* of the answer; 0: 32 MiB */
    bool insecure;                 /* do not verify TLS (AIOHTTP_CLIENT_SESSION_SSL=false) */
    const char *user_and_password; /* basic authentication; NULL: none */
    bool digest;                   /* digest authentication instead */
    bool public_only; /* connect to public addresses only (address.h), and through no proxy; others: UNAVAILABLE */
    bool wants_head;  /* see head */
    const char *keep_header; /* name of a header of the answer that is wanted; NULL: none */

    /* the answer, in the arena of http_run */
    enum status
        result; /* OK: an answer came, whatever its status. UNAVAILABLE, TIMED_OUT, TOO_BIG, INVALID: err says why */
    int status; /* 0: none came */
    struct str content_type; /* absent: none */
    struct str kept_header;  /* absent: it did not come */
    struct str head;         /* with wants_head: the header lines, each with its line end; else absent */
    struct str response;     /* the body; what had arrived when it broke off */
    struct error err;
};

/* One header more; the array grows in mem. */
void http_add_call_header(struct arena *mem, struct http_call *call, const char *name, struct str value);

/* Runs all calls at the same time and returns when the last has ended: a dead one costs its own time-out, once. */
void http_run(struct arena *mem, struct http_call *calls, size_t n);

#endif
