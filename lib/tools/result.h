/* result.h: what a tool has answered, as a chat takes it: the text that the model is shown, files and embedded pages that the user sees. */
#ifndef LIB_TOOLS_RESULT_H
#define LIB_TOOLS_RESULT_H

#include "lib/json/json.h"

struct tool_result {
    struct str text;     /* for the model; empty: nothing */
    json_object *files;  /* [{"type", "content": a data: URL}]; NULL: none */
    json_object *embeds; /* [HTML text or address]; NULL: none */
};

/* value: what came, any JSON. headers: of its HTTP answer (an object, any case); NULL: none. */
struct tool_result tool_result_of(struct arena *mem, struct str tool_name, json_object *value, json_object *headers);

/* The answer of an HTTP call: JSON if it says so and is; text else. A status of 400 or more becomes {"error": …}. */
json_object *tool_result_body(struct arena *mem, int status, struct str content_type, struct str body);

/* {"error": text} */
json_object *tool_result_error(struct arena *mem, struct str text);

/* "content" of an MCP result: texts (read as JSON where they are) become the value; pictures and sounds are added to files as data: URLs. */
json_object *tool_result_mcp(struct arena *mem, json_object *content, json_object *files);

#endif
