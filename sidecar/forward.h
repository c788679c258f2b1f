/* forward.h: a client's request goes to a worker, whose answer goes back, or is a plan to be carried out. */
#ifndef SIDECAR_FORWARD_H
#define SIDECAR_FORWARD_H

#include "sidecar/http.h"
#include "sidecar/plans.h"

struct forward;

struct asker {               /* what a client has going on; starts zeroed */
    struct forward *forward; /* a worker has the request */
    void *run;               /* a plan is carried out */
};

void forward_http(struct http_request *r); /* takes it over */

/* For other clients: params as fcgi_wire_param writes them; body is taken over. The client hears by ops. */
void forward_call(const struct client_ops *ops, void *client, struct asker *a, struct str params, struct buf *body,
                  bool repeat, struct str task_id);
void forward_params(struct buf *params, const struct http_head *head, const char *method, struct str target,
                    size_t body_bytes, struct str task_id);
void forward_gone(struct asker *a); /* the client has left */
void forward_drained(struct asker *a);

#endif
