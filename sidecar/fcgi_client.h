/* fcgi_client.h: calls to the worker pool over RUN/worker.sock: a bounded number of kept connections, one call at a time on each, the others wait. */
#ifndef SIDECAR_FCGI_CLIENT_H
#define SIDECAR_FCGI_CLIENT_H

#include "lib/net/fcgi_wire.h"

struct worker_ops {
    void (*head)(void *arg, const struct cgi_head *head);
    void (*data)(void *arg, struct str piece);
    /* The last one. OK: the answer is whole. FAILED: the worker died or wrote nonsense. UNAVAILABLE: no worker in time. TIMED_OUT. */
    void (*end)(void *arg, enum status st);
};

struct worker_call;

/* params: name-value pairs (fcgi_wire_param), copied. body: taken over. repeat: a worker that dies before it has answered costs one more
 * try. timeout_ms: of the worker, from the moment it has the call. NULL: too many calls wait already. */
struct worker_call *worker_call(struct str params, struct buf *body, bool repeat, int64_t timeout_ms,
                                const struct worker_ops *ops, void *arg);
void worker_cancel(struct worker_call *call); /* no more callbacks */
void worker_pause(struct worker_call *call, bool paused);

void worker_tick(int64_t mono_now_ms);
void worker_close_all(void);
void worker_counts(unsigned *connections, unsigned *busy, unsigned *waiting);

#endif
