/* steps.h: a worker's part of the work: POST /internal/step/NAME and /internal/session, tried again while the database is away. */
#ifndef SIDECAR_STEPS_H
#define SIDECAR_STEPS_H

#include "lib/net/fcgi_wire.h"

struct step;

/* st OK: the worker has answered with status below 300; body is its answer. FAILED, TIMED_OUT, UNAVAILABLE (60 s of 503, or no worker). body is valid during the call. */
typedef void step_fn(void *arg, enum status st, int status, struct str content_type, struct str body);

/* path: "/internal/step/finish". task_id: absent for none. attempts_ms: how long 503 is tried again. */
struct step *step_call(struct str path, struct str body, struct str task_id, int64_t attempts_ms, step_fn *fn,
                       void *arg);
/* The same for a step that may take longer than the usual two minutes. */
struct step *step_call_within(struct str path, struct str body, struct str task_id, int64_t attempts_ms,
                              int64_t limit_ms, step_fn *fn, void *arg);
void step_cancel(struct step *s); /* fn is not called; NULL is fine */

#define STEP_PATIENCE_MS (60 * 1000)

/* The parameters that every call has. */
void params_begin(struct buf *params, const char *method, struct str target);

#endif
