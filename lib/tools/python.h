/* python.h: what tools and functions, which are Python source, say of themselves. The source is read, never run: requirements are not installed, no
 * decorator and no default is computed. What only running would tell is INVALID, with the line in err. */
#ifndef LIB_TOOLS_PYTHON_H
#define LIB_TOOLS_PYTHON_H

#include "lib/json/json.h"

/* As the Python backend stores it: "from utils" and its like come from open_webui. */
struct str python_imports_replaced(struct arena *mem, struct str content);

/* {"title": …, "author": …} of the docstring that the source begins with; empty: there is none. */
json_object *python_frontmatter(struct arena *mem, struct str content);

/* Whether it is Python, as far as reading it shows. INVALID: err says what is wrong, and in which line. */
enum status python_check(struct arena *mem, struct str content, struct error *err);

/* The functions that class Tools offers to models: [{"name", "description", "parameters"}]. */
enum status python_tool_specs(struct arena *mem, struct str content, json_object **out, struct error *err);

/* "pipe", "filter" or "action", by the class that is there; *toggle: a filter that users switch on. */
enum status python_function_type(struct arena *mem, struct str content, const char **out, bool *toggle,
                                 struct error *err);

/* Settings of a tool or function: class Valves, for all, and class UserValves, for each user. */
enum python_kind { PYTHON_TOOL, PYTHON_FUNCTION };
enum python_valves { PYTHON_VALVES, PYTHON_USER_VALVES };
/* Their JSON Schema; *out NULL: it has none. */
enum status python_valves_schema(struct arena *mem, enum python_kind kind, struct str content, enum python_valves which,
                                 json_object **out, struct error *err);
/* False also for what cannot be read. */
bool python_has_valves(struct arena *mem, enum python_kind kind, struct str content, enum python_valves which);

#endif
