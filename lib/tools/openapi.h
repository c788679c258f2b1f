/* openapi.h: an OpenAPI description as tools: what a model is told of its operations, and the HTTP request that a call becomes. */
#ifndef LIB_TOOLS_OPENAPI_H
#define LIB_TOOLS_OPENAPI_H

#include "lib/json/json.h"

/* [{"name", "description", "parameters": a JSON schema}]: the operations that have an operationId, in the order of the description. References to
 * components are resolved; a schema that contains itself, or is too large, ends in {}. */
json_object *openapi_tools(struct arena *mem, json_object *description);

struct openapi_request {
    struct str method, url; /* the method in capitals */
    struct str body;        /* JSON text; absent: none */
};

/* The request of a call of the operation `name` with params (an object; NULL: none). NOT_FOUND: there is no such operation; INVALID: the
 * parameters do not make a request. err is worded for the model that called. */
enum status openapi_request(struct arena *mem, json_object *description, struct str base_url, struct str name,
                            json_object *params, struct openapi_request *out, struct error *err);

#endif
