/* upstream.h: calls to providers: libcurl's multi interface on the loop. */
#ifndef SIDECAR_UPSTREAM_H
#define SIDECAR_UPSTREAM_H

#include "lib/json/json.h"

struct upstream_head {
    int status;
    struct str content_type;
    struct str headers; /* "name: value\r\n" lines, names in lower case; those that may be of interest to a client */
    struct str kept;    /* the same of those that the plan has named in "keep_headers" */
};

struct upstream_ops {
    void (*head)(void *arg, const struct upstream_head *head);
    void (*data)(void *arg, struct str piece);
    void (*settled)(void *arg); /* after one or more pieces: nothing more is there right now; NULL: not of interest */
    /* The last one. OK: the answer is whole. TIMED_OUT, UNAVAILABLE (no connection), FAILED (cut off). why: a sentence for a person. */
    void (*end)(void *arg, enum status st, const char *why);
};

struct upstream;

/* spec: "upstream" of a plan. NULL: it cannot be called, err says why. */
struct upstream *upstream_start(json_object *spec, const struct upstream_ops *ops, void *arg, struct error *err);
void upstream_cancel(struct upstream *u); /* no more callbacks; also from within one. NULL is fine */
void upstream_pause(struct upstream *u, bool paused);

void upstream_init(void);
void upstream_tick(int64_t mono_now_ms);
void upstream_close_all(void);

#endif
