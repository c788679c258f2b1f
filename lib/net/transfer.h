/* transfer.h: files of any size from and to other servers, over libcurl; nothing of them is held in memory. Blocking. */
#ifndef LIB_NET_TRANSFER_H
#define LIB_NET_TRANSFER_H

#include "lib/net/http.h"

struct transfer {
    struct str url;
    const struct http_header *headers;
    size_t headers_n;
    int fd; /* get: what comes is written behind what is there, which is asked for no more; put: read from its start */
    int64_t max_bytes;                                        /* get: of the whole file; 0: no limit */
    bool insecure;                                            /* do not verify TLS */
    bool public_only;                                         /* as of struct http_call; of every redirect too */
    int redirects;                                            /* get: followed at most; none leads from https to http */
    int idle_s;                                               /* given up after so long without a byte; 0: 120 */
    void (*progress)(void *arg, int64_t done, int64_t total); /* now and then; total 0: unknown. May be NULL */
    void *arg;

    /* what came of it */
    int status;           /* 0: no answer */
    struct str complaint; /* the first 4 KiB of an answer of 400 or more */
};

/* OK: the file is whole (its status is below 300). NOT_FOUND: status 404; FAILED: another status of 400 or more; TOO_BIG; NO_SPACE: the disk is full; UNAVAILABLE,
 * TIMED_OUT: what had come by then is kept, and the next call goes on from there. */
enum status transfer_get(struct arena *mem, struct transfer *t, struct error *err);
/* POST with the file as its body. OK: a status below 300. */
enum status transfer_post(struct arena *mem, struct transfer *t, struct error *err);

#endif
