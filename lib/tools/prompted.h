/* prompted.h: tools for models that have no tools of their own: another model is asked in words which of them to call. */
#ifndef LIB_TOOLS_PROMPTED_H
#define LIB_TOOLS_PROMPTED_H

#include "lib/json/json.h"

/* The messages of that request. template: with {{TOOLS}}; empty: ours. specs: [{"name", "description", "parameters"}]; messages: of the chat. */
json_object *prompted_messages(struct arena *mem, struct str template, json_object *specs, json_object *messages);

/* The calls in its answer: [{"id", "name", "params"}]; NULL: it has none. */
json_object *prompted_calls(struct arena *mem, json_object *answer);

#endif
