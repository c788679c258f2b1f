/* control.h: what responders and workers ask of the sidecar, on RUN/control.sock (docs/plans.md). */
#ifndef SIDECAR_CONTROL_H
#define SIDECAR_CONTROL_H

#include "sidecar/http.h"

void control_request(struct http_request *r);

#endif
