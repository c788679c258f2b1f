/* fuzz_mcp.c: whatever an MCP server says, a conversation comes to an end; and whether its answer is there does not depend on how the stream is cut. */
#include <stdint.h>
#include <stdlib.h>

#include "lib/net/sse_event.h"
#include "lib/tools/mcp.h"
#include "lib/tools/result.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Answers are separated by "~\n"; the first byte of each is the HTTP status: 2 200, 4 404, 0 none, else 500; j: JSON. */
static struct mcp_answer next(struct str *rest)
{
    struct mcp_answer a = { .status = 0 };
    size_t end = str_find(*rest, S("~\n"));
    struct str one = end == STR_NPOS ? *rest : str_sub(*rest, 0, end);

    *rest = end == STR_NPOS ? S("") : str_from(*rest, end + 2);
    if (one.n) {
        a.status = one.p[0] == '2' || one.p[0] == 'j' ? 200 : one.p[0] == '4' ? 404 : one.p[0] == '0' ? 0 : 500;
        a.content_type = one.p[0] == 'j' ? S("application/json") : S("text/event-stream");
        a.body = str_from(one, 1);
        a.session = S("S");
    }
    return a;
}

static void converse(struct arena *mem, struct str in)
{
    json_object *c = mcp_new(mem, S("http://m/")), *result = NULL;
    struct mcp_request request, again;
    struct error err;
    enum mcp_outcome outcome = MCP_RESULT;
    int turns = 0;

    while (in.n && outcome != MCP_FAILED && (outcome == MCP_AGAIN || mcp_next(mem, c, &request))) {
        struct mcp_answer a = next(&in);

        outcome = mcp_read(mem, c, &a, &result, &again, &err);
    }
    if (outcome == MCP_FAILED || !in.n)
        return;
    mcp_call(mem, c, S("t"), NULL, &request);
    do {
        struct mcp_answer a = next(&in);

        outcome = mcp_read(mem, c, &a, &result, &again, &err);
        if (++turns > 200)
            abort();
    } while (outcome == MCP_AGAIN);
    if (outcome == MCP_RESULT)
        tool_result_of(mem, S("t"), tool_result_mcp(mem, json_get(result, "content"), json_new_array(mem)), NULL);
}

static bool in_pieces(struct str text, size_t piece)
{
    size_t at = 0;

    for (size_t n = piece; n < text.n; n += piece)
        if (sse_has_answer(str_sub(text, 0, n), &at, 1))
            return true;
    return sse_has_answer(text, &at, 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *mem = arena_new(16 * 1024);
    struct str in = str_n((const char *)data, size);
    size_t at = 0;

    converse(mem, in);
    if (size && size < 4096 && in_pieces(in, data[0] % 16 + 1) != sse_has_answer(in, &at, 1))
        abort();
    arena_free(mem);
    return 0;
}
