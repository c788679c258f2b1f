/* fuzz_python.c: Python source of tools and functions, and values against the schemas that come of it. */
#include <stdint.h>
#include <stdlib.h>

#include "lib/tools/py_token.h"
#include "lib/tools/python.h"
#include "lib/tools/valves.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Tokens are views of the text in its order; brackets name each other; blocks begin and end in pairs. */
static void check_tokens(struct arena *mem, struct str text)
{
    struct py_tokens t;
    const char *last = text.p;
    long depth = 0;

    if (py_tokenize(mem, text, &t, NULL) != OK)
        return;
    for (uint32_t i = 0; i < t.n; i++) {
        const struct py_token *token = &t.v[i];

        if (token->text.p < last || token->text.p + token->text.n > text.p + text.n)
            abort();
        last = token->text.p;
        if (token->pair && t.v[token->pair].pair != i)
            abort();
        depth += (token->kind == PY_INDENT) - (token->kind == PY_DEDENT);
        if (depth < 0 || (token->kind == PY_END) != (i + 1 == t.n))
            abort();
    }
    if (depth != 0)
        abort();
}

static void check_values(struct arena *mem, json_object *schema)
{
    static const char form[] = "{\"a\":\"1\",\"b\":[1,\"x\",null],\"c\":{\"a\":{\"a\":1.5}},\"d\":null,\"x\":true}";
    json_object *values;
    struct str complaint;

    if (valves_check(mem, schema, json_parse_or_null(mem, str_of(form)), &values, &complaint) != OK && complaint.n == 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *mem = arena_new(4096);
    struct str text = str_copy(mem, str_n((const char *)data, size));
    struct error err;
    json_object *o;
    const char *type;
    bool toggle;

    if (str_utf8_valid(text)) {
        check_tokens(mem, text);
        text = python_imports_replaced(mem, text);
        json_text(mem, python_frontmatter(mem, text));
        if (python_tool_specs(mem, text, &o, &err) == OK)
            json_text(mem, o);
        python_function_type(mem, text, &type, &toggle, &err);
        for (int kind = PYTHON_TOOL; kind <= PYTHON_FUNCTION; kind++)
            for (int which = PYTHON_VALVES; which <= PYTHON_USER_VALVES; which++)
                if (python_valves_schema(mem, (enum python_kind)kind, text, (enum python_valves)which, &o, &err) ==
                        OK &&
                    o)
                    check_values(mem, o);
    }
    arena_free(mem);
    return 0;
}
