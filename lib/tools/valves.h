/* valves.h: values of valves against their JSON Schema, read as pydantic reads them (lax mode). */
#ifndef LIB_TOOLS_VALVES_H
#define LIB_TOOLS_VALVES_H

#include "lib/json/json.h"

/* *out: the values that form sets, in the order of the schema, converted to its types. Members that are null count as not set; unknown ones go, unless the
 * schema takes them. INVALID: *complaint says what is wrong, in pydantic's words (several lines). Patterns and formats are not checked. */
enum status valves_check(struct arena *mem, json_object *schema, json_object *form, json_object **out,
                         struct str *complaint);

#endif
