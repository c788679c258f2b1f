/* dispatch.h: which part of the sidecar answers a request. */
#ifndef SIDECAR_DISPATCH_H
#define SIDECAR_DISPATCH_H

#include "sidecar/http.h"

void dispatch(struct http_request *r);

#endif
