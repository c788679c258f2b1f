/* descriptions.h: what OpenAPI tool servers say of themselves, fetched once for all processes: RUN/tool-servers.json. One asks, the others go on with what is there. */
#ifndef LIB_TOOLS_DESCRIPTIONS_H
#define LIB_TOOLS_DESCRIPTIONS_H

#include "lib/config/config.h"
#include "lib/net/http.h"

/* An array beside TOOL_SERVER_CONNECTIONS: the description of each, null where there is none. calls[i]: how the i-th is fetched; url absent: it is not. A server that
 * does not answer costs its time-out once a minute, and only to the one who asks; what it said before stays until then. */
json_object *tool_descriptions(struct arena *mem, struct config *c, struct http_call *calls, size_t n);

/* They are asked for again: somebody has saved the connections. */
void tool_descriptions_forget(struct arena *mem, struct config *c);

/* The description in an answer. Otherwise err says why it is none. */
enum status tool_description_of(struct arena *mem, struct http_call *call, json_object **out, struct error *err);

#endif
