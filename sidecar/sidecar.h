/* sidecar.h: what all parts of the sidecar share: the loop, the settings of the process, delays, counts. */
#ifndef SIDECAR_SIDECAR_H
#define SIDECAR_SIDECAR_H

#include <uv.h>

#include "lib/base/str.h"

struct lws_context;
struct lws_vhost;

struct sidecar {
    uv_loop_t *loop;
    struct lws_context *lws;
    struct lws_vhost *vhost;
    char *run_dir;
    int workers_min, workers_max;
    bool deflate;             /* WEBSOCKET_DEFLATE: messages are compressed for those who offer it */
    bool websockets;          /* ENABLE_WEBSOCKET_SUPPORT; otherwise polling only */
    struct str cors_origins;  /* CORS_ALLOW_ORIGIN: ";"-separated, or "*" */
    int64_t ping_ms, pong_ms; /* how often sockets are pinged; how long they may take to answer */
    int64_t drain_ms;         /* how long streams may go on after SIGTERM */
    bool draining;
    int exit_code;
};
extern struct sidecar sidecar;

struct stats { /* for GET /stats */
    uint64_t requests, steps, step_failures, plans, generations, upstreams, upstream_failures, chunks, events_out,
        events_in, events_unknown, events_refused, sockets_refused, sockets_opened, node_messages, sockets_closed,
        workers_started, bytes_up;
    unsigned connections, sockets, generations_now, upstreams_now;
};
extern struct stats stats;

/* fn(arg) once after ms; *d is NULL again when it runs. delay_stop() of NULL is fine. */
struct delay;
void delay_start(struct delay **d, int64_t ms, void (*fn)(void *arg), void *arg);
void delay_stop(struct delay **d);

char *copy_str(struct str s); /* malloc; NULL stays NULL */
struct str path_in_run(struct arena *mem, const char *name);

#endif
