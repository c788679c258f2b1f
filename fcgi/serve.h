/* serve.h: one process that answers requests, whoever hands them to it. */
#ifndef FCGI_SERVE_H
#define FCGI_SERVE_H

#include "fcgi/policy.h"
#include "fcgi/router.h"
#include "fcgi/wire.h"

struct server {
    struct config *config;
    struct db *db;
    struct router *router;
    struct policy policy;
    struct arena *start_mem;  /* lives as long as the process */
    struct arena *mem;        /* of the request, reset between two */
    const char *frontend_dir; /* NULL: unknown */
    bool in_worker, is_dev, log_requests;
    int64_t max_json_bytes, max_upload_bytes;
    uint64_t id_prefix, requests;
};

/* Settings, routes, everything that a pool's processes share; no connection is opened. */
enum status server_init(struct server *s, bool in_worker, struct error *err);
/* The first use of the database: makes the schema of an empty one, the secret key, the demo account. INVALID: not a database for us.
 * UNAVAILABLE, FAILED: it does not answer, which later requests may find changed. Leaves the connection open. */
enum status server_prepare(struct server *s, struct error *err);
/* Connects and reads the settings, so that the first request does not wait for that. Without a database: nothing. */
void server_warm(struct server *s);
void server_after_fork(struct server *s); /* in each child: what must differ between processes */
void server_free(struct server *s);

/* Reads one request from w and answers it. */
void serve(struct server *s, struct wire *w);

#endif
