/* openapi.h: /openapi.json and /docs, made from the route tables. Only there with ENV=dev, as in the Python backend. */
#ifndef FCGI_OPENAPI_H
#define FCGI_OPENAPI_H

#include "fcgi/router.h"

extern const struct route openapi_routes[];
bool openapi_owns(const struct route *route);
void openapi_init(const struct router *router); /* what the document describes */

json_object *openapi_document(struct arena *mem, const struct router *router);

#endif
