/* chat_calls.c: calls of tools. */
#include "handlers/chat_calls.h"

#include "handlers/chat_pictures.h"
#include "handlers/chat_tools.h"
#include "lib/base/log.h"
#include "lib/base/random.h"
#include "lib/chat/blocks.h"
#include "lib/tools/arguments.h"
#include "lib/tools/mcp.h"
#include "lib/tools/openapi.h"
#include "lib/tools/result.h"
#include "lib/tools/servers.h"

enum {
    RESULT_BYTES = 2 * 1024 * 1024,
    RESULTS_BYTES = 12 * 1024 * 1024,
    ARGUMENTS_BYTES = 4 * 1024 * 1024,
    TAB_MS = 60 * 1000
};

void calls_begin(struct step *s, json_object *calls, const char *then)
{
    json_object *exec = json_set_object(s->state, "exec");

    json_set(exec, "calls", calls);
    json_set_array(exec, "results");
    json_set_c(exec, "then", then);
}

json_object *call_of_model(struct step *s, json_object *tool_call)
{
    struct arena *mem = s->r->mem;
    json_object *o = json_new_object(mem), *function = json_get(tool_call, "function"), *params;
    struct buf text = BUF(mem, ARGUMENTS_BYTES);

    if (!json_is(function, json_type_object))
        function = json_set_object(tool_call, "function");
    params = tool_arguments(mem, json_str(function, "arguments"));
    if (!params)
        params = json_new_object(mem);
    buf_add_python_json(&text, params, true);
    json_set_str(function, "arguments", buf_failed(&text) ? S("{}") : buf_str(&text));
    json_set_str(o, "id", json_str(tool_call, "id").p ? json_str(tool_call, "id") : S(""));
    json_set_str(o, "name", json_str(function, "name"));
    json_set(o, "params", params);
    return o;
}

/* ---- results */

static size_t bytes_of(json_object *results)
{
    size_t n = 0;

    JSON_EACH (results, i, result)
        n += json_str(result, "content").n;
    return n;
}

static json_object *exec_of(struct step *s)
{
    return json_get(s->state, "exec");
}

static json_object *current(struct step *s)
{
    return json_at(json_get(exec_of(s), "calls"), json_length(json_get(exec_of(s), "results")));
}

static void add_result(struct step *s, struct tool_result result)
{
    json_object *o = json_new_object(s->r->mem), *results = json_get(exec_of(s), "results");

    if (result.text.n > RESULT_BYTES)
        result.text = S("The tool's answer is too large.");
    if (result.text.n > RESULTS_BYTES - bytes_of(results))
        result.text = S("The tools' answers are too large.");
    json_set(o, "tool_call_id", json_get(current(s), "id"));
    json_set_str(o, "content", result.text);
    if (json_length(result.files))
        json_set(o, "files", result.files);
    if (json_length(result.embeds))
        json_set(o, "embeds", result.embeds);
    json_push(results, o);
}

static void add_value(struct step *s, json_object *value, json_object *headers)
{
    add_result(s, tool_result_of(s->r->mem, json_str(current(s), "name"), value, headers));
}

static void add_error(struct step *s, struct str text)
{
    add_value(s, tool_result_error(s->r->mem, text), NULL);
}

/* ---- the call */

/* Only what the tool says it takes. */
static json_object *allowed(struct step *s, json_object *tool, json_object *params)
{
    json_object *properties = json_path(tool, "spec.parameters.properties"), *o = json_new_object(s->r->mem);

    json_object_object_foreach(params, key, value) if (json_has(properties, key)) json_set(o, key, value);
    return o;
}

static void ask_browser(struct step *s, json_object *tool, json_object *params)
{
    json_object *ask = json_set_object(s->plan, "ask"), *event = json_set_object(ask, "data"),
                *data = json_set_object(event, "data");

    json_set(ask, "session_id", json_get(s->state, "session_id"));
    json_set_int(ask, "timeout_ms", TAB_MS);
    json_set_c(event, "type", "execute:tool");
    json_set_str(data, "id", random_uuid(s->r->mem));
    json_set(data, "name", json_get(tool, "function"));
    json_set(data, "params", params);
    json_set(data, "server", json_get(tool, "server"));
    json_set(data, "session_id", json_get(s->state, "session_id"));
}

/* false: it cannot be called; the result says why. */
static bool call_openapi(struct step *s, json_object *tool, json_object *params)
{
    struct str tool_id = json_str(tool, "tool_id");
    json_object *headers = chat_tool_headers(s, tool_id), *upstream;
    const struct tool_server *server = headers ? tool_server_by_id(s->r->config,
                                                                   str_sub(tool_id, 0, str_find_c(tool_id, '|')))
                                               : NULL;
    int64_t timeout_s = config_int(s->r->config, CFG_AIOHTTP_CLIENT_TIMEOUT);
    struct openapi_request request;
    struct error err = { "" };

    if (!server || openapi_request(s->r->mem, server->openapi, json_str(server->connection, "url"),
                                   json_str(tool, "function"), params, &request, &err) != OK) {
        add_error(s, server ? str_copy(s->r->mem, str_of(err.text)) : S("The tool server is not available."));
        return false;
    }
    upstream = json_set_object(s->plan, "upstream");
    json_set_str(upstream, "url", request.url);
    json_set_str(upstream, "method", request.method);
    json_set_c(headers, "Content-Type", "application/json");
    json_set(upstream, "headers", headers);
    if (request.body.p)
        json_set_str(upstream, "body", request.body);
    json_set_c(upstream, "format", "raw");
    json_set_int(upstream, "timeout_ms", timeout_s > 0 ? timeout_s * 1000 : 0);
    json_set_bool(upstream, "verify_tls", config_bool(s->r->config, CFG_AIOHTTP_CLIENT_SESSION_TOOL_SERVER_SSL));
    json_set_int(upstream, "max_bytes", RESULT_BYTES);
    json_push_str(json_set_array(upstream, "keep_headers"), S("location"));
    json_set_c(s->plan, "deliver", "json");
    return true;
}

static json_object *mcp_conversation(struct step *s, json_object *tool)
{
    return json_get(json_get(s->state, "mcp"), str_c(s->r->mem, json_str(tool, "tool_id")));
}

static bool call_mcp(struct step *s, json_object *tool, json_object *params)
{
    json_object *c = mcp_conversation(s, tool);
    struct mcp_request request;

    if (!c || !chat_tool_headers(s, json_str(tool, "tool_id"))) {
        add_error(s, S("The tool server is not available."));
        return false;
    }
    mcp_call(s->r->mem, c, json_str(tool, "function"), params, &request);
    chat_mcp_plan(s, json_str(tool, "tool_id"), &request);
    return true;
}

/* true: the plan waits for its answer. */
static bool start(struct step *s, json_object *call)
{
    json_object *tool = chat_tool(s, json_str(call, "name")), *params = json_get(call, "params");

    if (!tool) {
        add_value(s, NULL, NULL);
        return false;
    }
    if (!json_is(params, json_type_object)) {
        add_error(s, S("The arguments of the call are not an object."));
        return false;
    }
    params = allowed(s, tool, params);
    json_set(call, "params", params);
    if (str_is(json_str(tool, "kind"), "browser")) {
        ask_browser(s, tool, params);
        return true;
    }
    return str_is(json_str(tool, "kind"), "mcp") ? call_mcp(s, tool, params) : call_openapi(s, tool, params);
}

static void wait_for_it(struct step *s)
{
    json_set(s->plan, "then", json_get(exec_of(s), "then"));
    json_set(s->plan, "state", s->state);
}

bool calls_next(struct step *s)
{
    json_object *call;

    while ((call = current(s))) {
        if (start(s, call)) {
            wait_for_it(s);
            return true;
        }
    }
    return false;
}

/* ---- the answer */

static struct str failure(struct step *s)
{
    struct str reason = json_str(s->outcome, "reason");

    if (str_is(reason, "timeout"))
        return S("The tool server did not answer in time.");
    if (str_is(reason, "too_big"))
        return S("The tool server's answer is too large.");
    return S("The tool server could not be reached, or broke off.");
}

static void take_openapi(struct step *s)
{
    int status = (int)json_int(s->outcome, "upstream_status", 0);
    json_object *headers;

    if (status == 0 || !json_has(s->outcome, "content_type")) {
        add_error(s, failure(s));
        return;
    }
    if (!json_str(s->outcome, "body").p) {
        add_error(s, S("The tool server's answer is not text."));
        return;
    }
    headers = json_clone(s->r->mem, json_get(s->outcome, "headers"));
    json_set(headers, "content-type", json_get(s->outcome, "content_type"));
    add_value(s,
              tool_result_body(s->r->mem, status, json_str(s->outcome, "content_type"), json_str(s->outcome, "body")),
              status < 400 ? headers : NULL);
}

/* A page is embedded if the browser got [answer, headers] for it. */
static void take_browser(struct step *s)
{
    json_object *answer = json_get(s->outcome, "answer");

    if (step_failed(s))
        add_result(s, (struct tool_result){ .text = json_str(s->outcome, "error") });
    else if (json_is(answer, json_type_array) && json_length(answer) == 2)
        add_value(s, json_at(answer, 0), json_at(answer, 1));
    else
        add_value(s, answer, NULL);
}

static struct str texts_of(struct step *s, json_object *content)
{
    struct buf b = BUF(s->r->mem, RESULT_BYTES);

    JSON_EACH (content, i, item) {
        if (b.n)
            buf_add_char(&b, '\n');
        buf_add_str(&b, json_str(item, "text"));
    }
    return buf_str(&b);
}

static void take_mcp_result(struct step *s, json_object *result)
{
    json_object *content = json_get(result, "content"), *files = json_new_array(s->r->mem), *value;
    struct tool_result out;

    if (json_truthy(json_get(result, "isError"))) {
        add_error(s, texts_of(s, content));
        return;
    }
    value = tool_result_mcp(s->r->mem, content, files);
    if (json_length(value) == 0 && json_is(value, json_type_array) && json_get(result, "structuredContent"))
        value = json_get(result, "structuredContent");
    out = tool_result_of(s->r->mem, json_str(current(s), "name"), value, NULL);
    JSON_EACH (files, i, file) {
        struct str url = picture_kept(s, json_str(file, "content"));

        if (url.n) {
            json_del(file, "content");
            json_set_str(file, "url", url);
        }
        if (!out.files)
            out.files = json_new_array(s->r->mem);
        json_push(out.files, file);
    }
    add_result(s, out);
}

/* true: the server is to be asked again. */
static bool take_mcp(struct step *s, json_object *tool)
{
    struct mcp_answer answer = chat_mcp_answer(s);
    struct mcp_request again;
    struct error err = { "" };
    json_object *result = NULL;

    if (json_has(s->outcome, "error"))
        answer.failure = failure(s);
    switch (mcp_read(s->r->mem, mcp_conversation(s, tool), &answer, &result, &again, &err)) {
    case MCP_AGAIN: chat_mcp_plan(s, json_str(tool, "tool_id"), &again); return true;
    case MCP_FAILED: add_error(s, str_copy(s->r->mem, str_of(err.text))); return false;
    case MCP_RESULT: take_mcp_result(s, result); return false;
    }
    return false;
}

bool calls_answered(struct step *s)
{
    json_object *tool = chat_tool(s, json_str(current(s), "name"));
    struct str kind = json_str(tool, "kind");

    if (str_is(kind, "mcp")) {
        if (take_mcp(s, tool)) {
            wait_for_it(s);
            return true;
        }
    } else if (str_is(kind, "browser")) {
        take_browser(s);
    } else {
        take_openapi(s);
    }
    return calls_next(s);
}
