/* fuzz_tools.c: arguments as a model writes them, and descriptions of tool servers: what is read as JSON must print and parse again. */
#include <stdint.h>
#include <stdlib.h>

#include "lib/tools/arguments.h"
#include "lib/tools/openapi.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *mem = arena_new(16 * 1024);
    struct str in = str_n((const char *)data, size);
    json_object *v = tool_arguments(mem, in), *again = NULL, *description = json_parse_or_null(mem, in), *tools;

    if (v && json_parse(mem, json_text(mem, v), &again, NULL) != OK)
        abort();
    tools = openapi_tools(mem, description);
    JSON_EACH (tools, i, tool) {
        struct openapi_request out;
        struct error err;

        if (openapi_request(mem, description, S("http://t"), json_str(tool, "name"), json_get(description, "params"),
                            &out, &err) == OK &&
            (str_find_c(out.url, '\n') != STR_NPOS && str_find(in, S("\\n")) == STR_NPOS))
            abort();
    }
    arena_free(mem);
    return 0;
}
