/* jobs.h: work that goes on after its request has been answered: a step, called by the sidecar, a few at a time. A job is a file in RUN/jobs until it
 * is done, so it outlives the sidecar and the workers. */
#ifndef SIDECAR_JOBS_H
#define SIDECAR_JOBS_H

#include "lib/json/json.h"

/* step: the name behind /internal/step/. key: what it is about, for those who wait for it; a job of the same step and key that has not begun yet is enough for
 * both. The step gets {"state": state}; if it never answers well, once more with "failed": a text. false: it could not be written down, or there are too many. */
bool job_add(struct arena *mem, struct str step, struct str key, json_object *state);

void jobs_recover(void); /* what an earlier sidecar has left */
void jobs_stop(void);    /* no more are begun */
unsigned jobs_count(void);
void jobs_keys(struct str step, json_object *list); /* of the jobs of that step */

#endif
