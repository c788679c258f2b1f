/* arguments.h: the arguments of a tool call as models write them: JSON, or nearly. */
#ifndef LIB_TOOLS_ARGUMENTS_H
#define LIB_TOOLS_ARGUMENTS_H

#include "lib/json/json.h"

/* JSON; or else what Python would take as a literal: strings in single quotes, True, False, None, tuples, a comma at the end. NULL: neither (or null). */
json_object *tool_arguments(struct arena *mem, struct str text);

#endif
