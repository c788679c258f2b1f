/* fetch.h: pages and files from addresses that a user, a model or a page named, behind redirects: only http and https, and only to servers of the public Internet.
 * The address that is connected to is checked, not the name: a name that resolves differently the second time gains nothing, nor does a redirect. (A call without redirects
 * may use http.h with public_only.) */
#ifndef LIB_NET_FETCH_H
#define LIB_NET_FETCH_H

#include "lib/base/error.h"

enum { FETCH_MAX_BYTES = 20 << 20, FETCH_TIMEOUT_MS = 30000, FETCH_REDIRECTS = 5 };

struct fetch_rules {
    bool allow_private; /* ENABLE_RAG_LOCAL_WEB_FETCH: addresses of this machine and of private networks too */
    bool insecure;      /* do not verify TLS */
    const char *
        proxy; /* the operator's; NULL: none (variables like http_proxy are not looked at). Addresses are the proxy's to check then */
    int timeout_ms;   /* of the whole of each; 0: FETCH_TIMEOUT_MS */
    size_t max_bytes; /* of each, decoded; 0: FETCH_MAX_BYTES */
    int at_a_time;    /* 0: 10 */
};

struct fetch {
    /* what is asked */
    struct str url;
    struct str accept; /* absent: anything */
    struct str body;   /* JSON to POST; absent: GET */

    /* the answer, in the arena */
    enum status
        result; /* OK: one came, whatever its status. INVALID: no such address, or one that is not to be fetched; UNAVAILABLE, TIMED_OUT, TOO_BIG: err says why */
    int status;
    struct str content_type; /* absent: none */
    struct str final_url;    /* behind all redirects */
    struct str response;
    struct error err;
};

/* Fetches all of them, some at a time, and returns when the last has ended. Nothing of this server goes along: no cookies, no tokens. */
void fetch_run(struct arena *mem, const struct fetch_rules *rules, struct fetch *v, size_t n);

/* http or https, with a host name that has a dot in it or is an address, without white space or controls: what the Python backend takes for an address of a page. */
bool fetch_url_valid(struct str url);
/* Whether all addresses of its host are public, by asking DNS: for those who have a service fetch it. */
bool fetch_host_public(struct arena *mem, struct str url);

#endif
