/* test_tools.c: tools in a chat: OpenAPI descriptions, arguments as models write them, what comes back, and the Model Context Protocol. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "lib/net/sse_event.h"
#include "lib/tools/arguments.h"
#include "lib/tools/mcp.h"
#include "lib/tools/openapi.h"
#include "lib/tools/prompted.h"
#include "lib/tools/result.h"

static void is_text(struct str got, const char *want, const char *label)
{
    if (!str_is(got, want))
        fail_msg("%s: want %s, got %.*s", label, want, STR(got));
}

static json_object *parsed(struct arena *mem, const char *text)
{
    json_object *o = json_parse_or_null(mem, str_of(text));

    if (!o)
        fail_msg("a test's JSON is broken: %s", text);
    return o;
}

/* ---- OpenAPI */

static const char description[] =
    "{\"paths\": {"
    "\"/city/{name}/weather\": {\"parameters\": [{\"name\": \"name\", \"in\": \"path\", \"required\": true, "
    "\"schema\": {\"type\": \"string\"}, \"description\": \"A city\"}],"
    "  \"get\": {\"operationId\": \"weather\", \"summary\": \"Weather\", \"parameters\": ["
    "    {\"name\": \"unit\", \"in\": \"query\", \"schema\": {\"type\": \"string\", \"enum\": [\"C\", \"F\"], "
    "\"description\": \"Degrees\"}},"
    "    {\"name\": \"days\", \"in\": \"query\", \"schema\": {\"type\": \"array\", \"items\": {\"type\": "
    "\"integer\"}}}]}},"
    "\"/note\": {\"post\": {\"operationId\": \"note\", \"description\": \"Keeps a note\", \"requestBody\": "
    "{\"content\": {\"application/json\": {\"schema\": "
    "    {\"$ref\": \"#/components/schemas/Note\"}}}}}, \"summary\": \"not an operation\"},"
    "\"/tree\": {\"post\": {\"operationId\": \"tree\", \"requestBody\": {\"content\": {\"application/json\": "
    "{\"schema\": {\"$ref\": \"#/components/schemas/Tree\"}}}}}},"
    "\"/ping\": {\"post\": {\"operationId\": \"ping\"}, \"get\": {\"summary\": \"without an id\"}}},"
    "\"components\": {\"schemas\": {\"Text\": {\"type\": \"string\"},"
    "  \"Note\": {\"type\": \"object\", \"properties\": {\"text\": {\"$ref\": \"#/components/schemas/Text\"}}, "
    "\"required\": [\"text\"]},"
    "  \"Tree\": {\"type\": \"object\", \"properties\": {\"child\": {\"$ref\": \"#/components/schemas/Tree\"}, "
    "\"loop\": {\"$ref\": \"#/components/schemas/Loop\"}}},"
    "  \"Loop\": {\"$ref\": \"#/components/schemas/Loop\"}}}}";

static void test_openapi_tools(void **state)
{
    struct arena *mem = arena_new(4096);
    json_object *tools = openapi_tools(mem, parsed(mem, description));

    (void)state;
    assert_int_equal(json_length(tools), 4);
    is_text(json_text(mem, json_at(tools, 0)),
            "{\"name\":\"weather\",\"description\":\"Weather\",\"parameters\":{\"type\":\"object\",\"properties\":{"
            "\"name\":{\"type\":\"string\",\"description\":\"A city\"},"
            "\"unit\":{\"type\":\"string\",\"description\":\"Degrees. Possible values: C, F\"},"
            "\"days\":{\"type\":\"array\",\"description\":\"\",\"items\":{\"type\":\"integer\"}}},\"required\":["
            "\"name\"]}}",
            "parameters");
    is_text(json_text(mem, json_at(tools, 1)),
            "{\"name\":\"note\",\"description\":\"Keeps a note\",\"parameters\":{\"type\":\"object\",\"properties\":{"
            "\"text\":{\"type\":\"string\"}},\"required\":[\"text\"]}}",
            "a body by reference");
    is_text(json_str(json_at(tools, 2), "name"), "tree", "a schema that contains itself ends");
    is_text(json_str(json_at(tools, 3), "description"), "No description available.", "nothing is said");
    assert_int_equal(json_length(openapi_tools(mem, NULL)), 0);
    assert_int_equal(json_length(openapi_tools(mem, parsed(mem, "{\"paths\": [1, {\"x\": 2}]}"))), 0);
    arena_free(mem);
}

static const struct {
    const char *label, *name, *params, *method, *url, *body, *error;
} requests[] = {
    { "path and query", "weather", "{\"name\": \"São Paulo/1\", \"unit\": \"C&F\", \"days\": [1, 2]}", "GET",
      "http://t/api/city/S%C3%A3o%20Paulo%2F1/weather?unit=C%26F&days=%5B1%2C2%5D", NULL, NULL },
    { "a body", "note", "{\"text\": \"x\"}", "POST", "http://t/api/note", "{\"text\":\"x\"}", NULL },
    { "a body is not given", "note", "{}", NULL, NULL, NULL,
      "Request body expected for operation 'note' but none found." },
    { "POST without a body", "ping", "{}", "POST", "http://t/api/ping", "{}", NULL },
    { "a path cannot climb", "weather", "{\"name\": \"..\"}", NULL, NULL, NULL,
      "The value of \"name\" cannot stand in a path" },
    { "a parameter of the path is missing", "weather", "{\"unit\": \"C\"}", NULL, NULL, NULL,
      "The path of \"weather\" needs parameters that were not given" },
    { "no such operation", "nothing", "{}", NULL, NULL, NULL, "No matching route found for operationId: nothing" },
};

static void test_openapi_requests(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
        struct arena *mem = arena_new(4096);
        struct openapi_request out;
        struct error err = { "" };
        enum status st = openapi_request(mem, parsed(mem, description), S("http://t/api/"), str_of(requests[i].name),
                                         parsed(mem, requests[i].params), &out, &err);

        if (requests[i].error) {
            assert_int_not_equal(st, OK);
            is_text(str_of(err.text), requests[i].error, requests[i].label);
        } else {
            if (st != OK)
                fail_msg("%s: %s", requests[i].label, err.text);
            is_text(out.method, requests[i].method, requests[i].label);
            is_text(out.url, requests[i].url, requests[i].label);
            assert_int_equal(out.body.p != NULL, requests[i].body != NULL);
            if (requests[i].body)
                is_text(out.body, requests[i].body, requests[i].label);
        }
        arena_free(mem);
    }
}

/* ---- arguments */

static const struct {
    const char *label, *in, *want; /* want NULL: unreadable */
} arguments[] = {
    { "JSON", "{\"city\": \"Oslo\", \"n\": 1.5}", "{\"city\":\"Oslo\",\"n\":1.5}" },
    { "single quotes", "{'city': 'Oslo'}", "{\"city\":\"Oslo\"}" },
    { "quotes in quotes", "{'say': 'he said \"hi\"', \"it\": \"it's\"}",
      "{\"say\":\"he said \\\"hi\\\"\",\"it\":\"it's\"}" },
    { "escapes", "{'a': 'it\\'s\\n\\x41\\d'}", "{\"a\":\"it's\\nA\\\\d\"}" },
    { "True, False, None", "{'a': True, 'b': False, 'c': None}", "{\"a\":true,\"b\":false,\"c\":null}" },
    { "a tuple, a comma at the end", "{'a': (1, 2,), }", "{\"a\":[1,2]}" },
    { "numbers", "{'a': -1.5, }", "{\"a\":-1.5}" },
    { "a name", "{'a': exit()}", NULL },
    { "a string that does not end", "{'a': 'b", NULL },
    { "a backslash at the end", "{'a': 'b\\", NULL },
    { "nothing", "", NULL },
    { "words", "call the tool", NULL },
};

static void test_arguments(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(arguments) / sizeof(arguments[0]); i++) {
        struct arena *mem = arena_new(4096);
        json_object *got = tool_arguments(mem, str_of(arguments[i].in));

        if (arguments[i].want)
            is_text(json_text(mem, got), arguments[i].want, arguments[i].label);
        else if (got)
            fail_msg("%s: got %s", arguments[i].label, json_text(mem, got).p);
        arena_free(mem);
    }
}

/* ---- results */

static const struct {
    const char *label, *value, *headers, *text, *files, *embeds;
} results[] = {
    { "an object", "{\"city\": \"Oslo\", \"list\": [1, {\"a\": []}], \"none\": {}}", NULL,
      "{\n  \"city\": \"Oslo\",\n  \"list\": [\n    1,\n    {\n      \"a\": []\n    }\n  ],\n  \"none\": {}\n}", "null",
      "null" },
    { "a text", "\"sunny\"", NULL, "sunny", "null", "null" },
    { "a number", "42", NULL, "42", "null", "null" },
    { "nothing", "null", NULL, "", "null", "null" },
    { "a list with a picture", "[\"a\", \"data:image/png;base64,AA==\"]", NULL,
      "{\n  \"results\": [\n    \"a\"\n  ]\n}", "[{\"type\":\"data\",\"content\":\"data:image/png;base64,AA==\"}]",
      "null" },
    { "a page to be shown", "\"<p>x</p>\"",
      "{\"Content-Disposition\": \"inline\", \"content-type\": \"text/html; charset=utf-8\"}",
      "{\n  \"status\": \"success\",\n  \"code\": \"ui_component\",\n  \"message\": \"t: Embedded UI result is active "
      "and visible to the user.\"\n}",
      "null", "[\"<p>x</p>\"]" },
    { "an address to be shown", "\"moved\"", "{\"content-disposition\": \"inline\", \"location\": \"http://x/\"}",
      "{\n  \"status\": \"success\",\n  \"code\": \"ui_component\",\n  \"message\": \"t: Embedded UI result is active "
      "and visible to the user.\"\n}",
      "null", "[\"http://x/\"]" },
    { "a page that is only text", "\"<p>x</p>\"", "{\"content-type\": \"text/html\"}", "<p>x</p>", "null", "null" },
};

static void test_results(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
        struct arena *mem = arena_new(4096);
        struct tool_result r = tool_result_of(mem, S("t"), json_parse_or_null(mem, str_of(results[i].value)),
                                              results[i].headers ? parsed(mem, results[i].headers) : NULL);

        is_text(r.text, results[i].text, results[i].label);
        is_text(json_text(mem, r.files), results[i].files, results[i].label);
        is_text(json_text(mem, r.embeds), results[i].embeds, results[i].label);
        arena_free(mem);
    }
}

static void test_result_bodies(void **state)
{
    struct arena *mem = arena_new(4096);
    json_object *files = json_new_array(mem);

    (void)state;
    is_text(json_text(mem, tool_result_body(mem, 200, S("application/json"), S("{\"a\":1}"))), "{\"a\":1}", "JSON");
    is_text(json_text(mem, tool_result_body(mem, 200, S("text/plain"), S("{\"a\":1}"))), "\"{\\\"a\\\":1}\"", "text");
    is_text(json_text(mem, tool_result_body(mem, 200, S("application/json"), S("<oops>"))), "\"<oops>\"", "no JSON");
    is_text(json_text(mem, tool_result_body(mem, 404, S("text/plain"), S("gone"))),
            "{\"error\":\"HTTP error 404: gone\"}", "an error");
    is_text(json_text(mem,
                      tool_result_mcp(
                          mem,
                          parsed(mem,
                                 "[{\"type\":\"text\",\"text\":\"{\\\"n\\\": 1}\"},{\"type\":\"text\",\"text\":\"b\"},"
                                 "{\"type\":\"image\",\"mimeType\":\"image/png\",\"data\":\"AA==\"},"
                                 "{\"type\":\"image\",\"mimeType\":\"image/svg+xml\",\"data\":\"AA==\"}]"),
                          files)),
            "[{\"n\":1},\"b\"]", "MCP");
    is_text(json_text(mem, files), "[{\"type\":\"image\",\"content\":\"data:image/png;base64,AA==\"}]", "MCP pictures");
    arena_free(mem);
}

static void test_prompted(void **state)
{
    struct arena *mem = arena_new(4096);
    json_object *list = prompted_messages(mem, S("Tools: {{TOOLS}} \"tool_calls\""), parsed(mem, "[{\"name\": \"a\"}]"),
                                          parsed(mem, "[{\"role\": \"user\", \"content\": \"Hi {{TOOLS}}\"}]"));

    (void)state;
    is_text(json_str(json_at(list, 0), "content"), "Tools: [{\"name\": \"a\"}] \"tool_calls\"", "the template");
    is_text(json_str(json_at(list, 1), "content"),
            "The chat so far:\nUSER: Hi {{TOOLS}}\n\nThe last message: Hi {{TOOLS}}", "the chat");
    assert_true(str_has(json_str(json_at(prompted_messages(mem, S(" "), json_new_array(mem), NULL), 0), "content"),
                        "\"tool_calls\""));
    is_text(
        json_text(
            mem,
            prompted_calls(
                mem,
                parsed(mem, "{\"tool_calls\": [{\"name\": \"a\", \"parameters\": {\"x\": 1}}, {\"name\": \"\"}, 3]}"))),
        "[{\"id\":\"\",\"name\":\"a\",\"params\":{\"x\":1}}]", "calls");
    is_text(json_text(mem, prompted_calls(mem, parsed(mem, "{\"name\": \"a\"}"))),
            "[{\"id\":\"\",\"name\":\"a\",\"params\":{}}]", "one call");
    assert_null(prompted_calls(mem, parsed(mem, "{\"tool_calls\": []}")));
    assert_null(prompted_calls(mem, NULL));
    arena_free(mem);
}

/* ---- events */

static void test_sse_events(void **state)
{
    struct arena *mem = arena_new(4096);
    struct str text = S(
        "\n: hello\nevent: message\ndata: a\ndata:b\nid: 7\nretry: 20\n\ndata: c\r\n\r\nid\r\rdata: cut\n");
    struct sse_event e;
    size_t at = 0;

    (void)state;
    assert_true(sse_event_next(mem, text, &at, &e));
    is_text(e.data, "a\nb", "data");
    is_text(e.id, "7", "id");
    assert_int_equal(e.retry_ms, 20);
    assert_true(sse_event_next(mem, text, &at, &e));
    is_text(e.data, "c", "CR LF");
    assert_true(sse_event_next(mem, text, &at, &e));
    assert_null(e.data.p);
    assert_int_equal(e.id.n, 0);
    assert_false(sse_event_next(mem, text, &at, &e));
    at = 0;
    assert_false(sse_has_answer(S("data: {\"id\": 1, \"method\": \"ping\"}\n\ndata: [1]\n\ndata: x\n\n"), &at, 1));
    at = 0;
    assert_true(sse_has_answer(S("data: {\"method\": \"note\"}\n\ndata: {\"id\": 1, \"result\": {}}\n\n"), &at, 1));
    arena_free(mem);
}

/* ---- MCP */

#define ANSWER(id, result) "{\"jsonrpc\":\"2.0\",\"id\":" #id ",\"result\":" result "}"
#define ERROR(id, text) "{\"jsonrpc\":\"2.0\",\"id\":" #id ",\"error\":{\"code\":-1,\"message\":\"" text "\"}}"
#define HELLO(id, version) ANSWER(id, "{\"protocolVersion\":\"" version "\",\"capabilities\":{}}")

struct turn {
    const char *expect; /* in the request: its method, or "GET"; NULL: the end */
    int status;
    const char *type, *body, *session;
};

static const struct {
    const char *label, *tools, *error;
    struct turn turns[10];
} listings[] = {
    { "JSON answers",
      "[\"a\",\"b\"]",
      NULL,
      { { "initialize", 200, "application/json", HELLO(1, "2025-06-18"), NULL },
        { "notifications/initialized", 202, NULL, "", NULL },
        { "tools/list", 200, "application/json",
          ANSWER(2, "{\"tools\":[{\"name\":\"a\"},{\"x\":1}],\"nextCursor\":\"p2\"}"), NULL },
        { "p2", 200, "application/json", ANSWER(3, "{\"tools\":[{\"name\":\"b\"}]}"), NULL } } },
    { "events, with others before",
      "[\"a\"]",
      NULL,
      { { "initialize", 200, "text/event-stream",
          "event: message\ndata: {\"method\":\"log\"}\n\ndata: " HELLO(1, "2025-11-25") "\n\n", "S1" },
        { "Mcp-Session-Id\":\"S1", 202, NULL, "", NULL },
        { "tools/list", 200, "text/event-stream", "data: " ANSWER(2, "{\"tools\":[{\"name\":\"a\"}]}"), NULL } } },
    { "a stream that broke off is resumed",
      "[\"a\"]",
      NULL,
      { { "initialize", 200, "application/json", HELLO(1, "2025-11-25"), NULL },
        { "notifications/initialized", 200, NULL, "", NULL },
        { "tools/list", 200, "text/event-stream", "id: e1\nretry: 5\ndata:\n\n", NULL },
        { "Last-Event-ID\":\"e1", 200, "text/event-stream",
          "id: e2\ndata: " ANSWER(2, "{\"tools\":[{\"name\":\"a\"}]}") "\n\n", NULL } } },
    { "a batch",
      "[]",
      NULL,
      { { "initialize", 200, "application/json", "[{\"method\":\"x\"}," HELLO(1, "2025-03-26") "]", NULL },
        { "notifications/initialized", 202, NULL, "", NULL },
        { "tools/list", 200, "application/json", ANSWER(2, "{\"tools\":[]}"), NULL } } },
    { "a session that has ended begins anew",
      "[\"a\"]",
      NULL,
      { { "initialize", 200, "application/json", HELLO(1, "2025-06-18"), "S1" },
        { "notifications/initialized", 202, NULL, "", NULL },
        { "tools/list", 404, "text/plain", "no such session", NULL },
        { "initialize", 200, "application/json", HELLO(3, "2025-06-18"), "S2" },
        { "Mcp-Session-Id\":\"S2", 202, NULL, "", NULL },
        { "tools/list", 200, "application/json", ANSWER(4, "{\"tools\":[{\"name\":\"a\"}]}"), NULL } } },
    { "an unknown version",
      NULL,
      "The MCP server speaks a version of the protocol that is not known here: 1999-01-01",
      { { "initialize", 200, "application/json", HELLO(1, "1999-01-01"), NULL } } },
    { "an error",
      NULL,
      "The MCP server reports an error: no",
      { { "initialize", 200, "application/json", ERROR(1, "no"), NULL } } },
    { "an error with a status",
      NULL,
      "The MCP server reports an error: no",
      { { "initialize", 400, "application/json", ERROR(1, "no"), NULL } } },
    { "no credentials",
      NULL,
      "The MCP server asks for other credentials",
      { { "initialize", 401, "text/plain", "", NULL } } },
    { "no answer", NULL, "The MCP server gave no answer", { { "initialize", 0, NULL, "", NULL } } },
    { "a failure",
      NULL,
      "The MCP server answered with HTTP status 500",
      { { "initialize", 500, "text/plain", "", NULL } } },
    { "garbage",
      NULL,
      "The MCP server's answer cannot be understood",
      { { "initialize", 200, "application/json", "{{{", NULL } } },
    { "the answer to something else",
      NULL,
      "The MCP server's answer cannot be understood",
      { { "initialize", 200, "application/json", ANSWER(9, "{}"), NULL } } },
    { "no list",
      NULL,
      "The MCP server did not list its tools",
      { { "initialize", 200, "application/json", HELLO(1, "2025-06-18"), NULL },
        { "notifications/initialized", 202, NULL, "", NULL },
        { "tools/list", 200, "application/json", ANSWER(2, "{\"tools\":3}"), NULL } } },
};

static enum mcp_outcome answer(struct arena *mem, json_object *c, const struct mcp_request *request,
                               const struct turn *t, const char *label, json_object **result, struct mcp_request *again,
                               struct error *err)
{
    struct str sent = str_f(mem, "%s %.*s %.*s", request->method, STR(json_text(mem, request->headers)),
                            STR(request->body));
    struct mcp_answer in = { t->status, str_of(t->type), str_of(t->body), str_of(t->session), STR_NONE };

    if (!t->expect)
        fail_msg("%s: one request more than was expected: %s", label, sent.p);
    if (!str_has(sent, t->expect))
        fail_msg("%s: want %s in %s", label, t->expect, sent.p);
    return mcp_read(mem, c, &in, result, again, err);
}

static void test_mcp_lists(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(listings) / sizeof(listings[0]); i++) {
        struct arena *mem = arena_new(4096);
        json_object *c = mcp_new(mem, S("http://m/mcp")), *result = NULL, *names = json_new_array(mem);
        const struct turn *t = listings[i].turns;
        struct mcp_request request, again;
        struct error err = { "" };
        enum mcp_outcome outcome = MCP_RESULT;

        while (outcome != MCP_FAILED && (outcome == MCP_AGAIN || mcp_next(mem, c, &request))) {
            if (outcome == MCP_AGAIN)
                request = again;
            outcome = answer(mem, c, &request, t++, listings[i].label, &result, &again, &err);
            c = parsed(mem, json_text(mem, c).p); /* it is kept as text between steps */
        }
        is_text(str_of(err.text), listings[i].error ? listings[i].error : "", listings[i].label);
        JSON_EACH (mcp_tools(c), k, tool)
            json_push(names, json_get(tool, "name"));
        if (listings[i].tools)
            is_text(json_text(mem, names), listings[i].tools, listings[i].label);
        assert_null(t->expect);
        arena_free(mem);
    }
}

static const struct {
    const char *label, *result, *error;
    struct turn turns[6];
} calls[] = {
    { "an answer",
      "{\"content\":[]}",
      NULL,
      { { "\"progressToken\":3", 200, "application/json", ANSWER(3, "{\"content\":[]}"), NULL } } },
    { "an error",
      NULL,
      "The MCP server reports an error: no",
      { { "tools/call", 200, "application/json", ERROR(3, "no"), NULL } } },
    { "the session has ended",
      "{\"content\":[]}",
      NULL,
      { { "tools/call", 404, "text/plain", "", NULL },
        { "initialize", 200, "application/json", HELLO(4, "2025-06-18"), "S2" },
        { "notifications/initialized", 202, NULL, "", NULL },
        { "S2", 200, "application/json", ANSWER(5, "{\"content\":[]}"), NULL } } },
    { "it ends again and again",
      NULL,
      "The MCP server answered with HTTP status 404",
      { { "tools/call", 404, "text/plain", "", NULL },
        { "initialize", 200, "application/json", HELLO(4, "2025-06-18"), "S2" },
        { "notifications/initialized", 202, NULL, "", NULL },
        { "S2", 404, "text/plain", "", NULL } } },
    { "cut off without an event",
      NULL,
      "The MCP server's answer cannot be understood",
      { { "tools/call", 200, "text/event-stream", "data: {\"id\"", NULL } } },
};

static void test_mcp_calls(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        struct arena *mem = arena_new(4096);
        json_object
            *c = parsed(
                mem, "{\"url\":\"http://m/"
                     "mcp\",\"tools\":[],\"id\":2,\"stage\":\"ready\",\"session\":\"S1\",\"version\":\"2025-06-18\"}"),
            *result = NULL;
        const struct turn *t = calls[i].turns;
        struct mcp_request request, again;
        struct error err = { "" };
        enum mcp_outcome outcome;

        mcp_call(mem, c, S("weather"), parsed(mem, "{\"city\":\"Oslo\"}"), &request);
        assert_true(str_has(request.body, "\"arguments\":{\"city\":\"Oslo\"}"));
        while ((outcome = answer(mem, c, &request, t++, calls[i].label, &result, &again, &err)) == MCP_AGAIN)
            request = again;
        is_text(str_of(err.text), calls[i].error ? calls[i].error : "", calls[i].label);
        if (calls[i].result)
            is_text(json_text(mem, result), calls[i].result, calls[i].label);
        assert_null(t->expect);
        assert_true(mcp_close(mem, c, &request));
        assert_string_equal(request.method, "DELETE");
        arena_free(mem);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_openapi_tools), cmocka_unit_test(test_openapi_requests), cmocka_unit_test(test_arguments),
        cmocka_unit_test(test_results),       cmocka_unit_test(test_result_bodies),    cmocka_unit_test(test_prompted),
        cmocka_unit_test(test_sse_events),    cmocka_unit_test(test_mcp_lists),        cmocka_unit_test(test_mcp_calls),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
