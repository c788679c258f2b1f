/* plan_call.h: a call that was put together for lib/net/http.h, carried out by the sidecar instead: nobody waits for the answer meanwhile. */
#ifndef HANDLERS_PLAN_CALL_H
#define HANDLERS_PLAN_CALL_H

#include "fcgi/request.h"
#include "fcgi/response.h"
#include "lib/net/http.h"

/* The call as "upstream" of a plan. */
json_object *plan_call(struct request *r, const struct http_call *call);
/* Answers with the plan to make the call and to hand what comes back to the step `then`, with state. */
int reply_call_plan(struct request *r, struct response *out, const struct http_call *call, const char *then,
                    json_object *state);

/* In that step: call->result, status, content_type and response, as http_run() would have set them. */
void plan_call_outcome(struct request *r, struct http_call *call);

/* The answer in out as a plan that replies with it. */
int reply_as_plan(struct request *r, struct response *out);
/* The end of a step whose answer is in out: one of 300 or more has to go as a plan, since for the sidecar the step itself would have failed. */
int reply_step(struct request *r, struct response *out);

#endif
