/* mcp.c: a client of the Model Context Protocol, without I/O.
 *
 * The conversation's members: "url"; "session" and "version", once the server has said them; "id", of the last request; "stage", where it is on the way to the list:
 * absent, "initialize", "greeted", "list", "ready"; "cursor" of the next page; "tools"; "pages"; "call": {"name", "arguments"} of the call that runs; "resumed" and
 * "last_event" of a stream that broke off; "renewed": the session has begun anew. */
#include "lib/tools/mcp.h"

#include "lib/net/sse_event.h"

enum {
    MAX_PAGES = 50,
    MAX_TOOLS = 1000,
    MAX_RESUMES = 20,
    RETRY_MS = 1000,
    LONGEST_RETRY_MS = 60 * 1000,
    ERROR_BYTES = 500
};

static const char *const versions[] = { "2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05" };

json_object *mcp_new(struct arena *mem, struct str url)
{
    json_object *o = json_new_object(mem);

    json_set_str(o, "url", url);
    json_set_array(o, "tools");
    return o;
}

json_object *mcp_tools(json_object *conversation)
{
    return json_get(conversation, "tools");
}

static bool is_stage(json_object *c, const char *stage)
{
    return str_is(json_str(c, "stage"), stage);
}

/* ---- requests */

static json_object *common_headers(struct arena *mem, json_object *c)
{
    json_object *headers = json_new_object(mem);

    json_set_c(headers, "Accept", "application/json, text/event-stream");
    if (json_str(c, "session").n)
        json_set(headers, "Mcp-Session-Id", json_get(c, "session"));
    if (json_str(c, "version").n)
        json_set(headers, "MCP-Protocol-Version", json_get(c, "version"));
    return headers;
}

/* params NULL: none. id 0: a notification. */
static void post(struct arena *mem, json_object *c, const char *method, json_object *params, int64_t id,
                 struct mcp_request *out)
{
    json_object *message = json_new_object(mem);

    json_set_c(message, "jsonrpc", "2.0");
    if (id)
        json_set_int(message, "id", id);
    json_set_c(message, "method", method);
    if (params)
        json_set(message, "params", params);
    *out = (struct mcp_request){ .method = "POST",
                                 .url = json_str(c, "url"),
                                 .headers = common_headers(mem, c),
                                 .body = json_text(mem, message),
                                 .id = id };
    json_set_c(out->headers, "Content-Type", "application/json");
}

static void ask(struct arena *mem, json_object *c, const char *method, json_object *params, struct mcp_request *out)
{
    int64_t id = json_int(c, "id", 0) + 1;

    json_set_int(c, "id", id);
    json_del(c, "resumed");
    json_del(c, "last_event");
    post(mem, c, method, params, id, out);
}

static void initialize(struct arena *mem, json_object *c, struct mcp_request *out)
{
    json_object *params = json_new_object(mem), *info;

    json_set_c(params, "protocolVersion", versions[0]);
    json_set_object(params, "capabilities");
    info = json_set_object(params, "clientInfo");
    json_set_c(info, "name", "webui-fcgi");
    json_set_c(info, "version", "0.1");
    json_set_c(c, "stage", "initialize");
    json_del(c, "session");
    json_del(c, "version");
    ask(mem, c, "initialize", params, out);
}

bool mcp_next(struct arena *mem, json_object *c, struct mcp_request *out)
{
    json_object *params = NULL;

    if (is_stage(c, "ready"))
        return false;
    if (is_stage(c, "greeted")) {
        post(mem, c, "notifications/initialized", NULL, 0, out);
    } else if (is_stage(c, "list")) {
        if (json_str(c, "cursor").n) {
            params = json_new_object(mem);
            json_set(params, "cursor", json_get(c, "cursor"));
        }
        ask(mem, c, "tools/list", params, out);
    } else {
        initialize(mem, c, out);
    }
    return true;
}

static void call(struct arena *mem, json_object *c, struct mcp_request *out)
{
    json_object *params = json_clone(mem, json_get(c, "call"));

    /* Reports of progress keep the connection from looking dead. */
    json_set_int(json_set_object(params, "_meta"), "progressToken", json_int(c, "id", 0) + 1);
    ask(mem, c, "tools/call", params, out);
}

void mcp_call(struct arena *mem, json_object *c, struct str name, json_object *arguments, struct mcp_request *out)
{
    json_object *o = json_set_object(c, "call");

    json_set_str(o, "name", name);
    if (arguments)
        json_set(o, "arguments", arguments);
    else
        json_set_object(o, "arguments");
    json_del(c, "renewed");
    call(mem, c, out);
}

bool mcp_close(struct arena *mem, json_object *c, struct mcp_request *out)
{
    if (!json_str(c, "session").n)
        return false;
    *out = (struct mcp_request){ .method = "DELETE", .url = json_str(c, "url"), .headers = common_headers(mem, c) };
    return true;
}

/* ---- answers */

static bool fail_with(struct error *err, const char *what, struct str detail)
{
    detail = str_utf8_first(detail, ERROR_BYTES);
    error_set(err, FAILED, "%s%s%.*s", what, detail.n ? ": " : "", STR(detail));
    return false;
}

/* The answer among what came; NULL: it is not there. Remembers the last event's id, and how long to wait before it may be asked for the rest. */
static json_object *find_answer(struct arena *mem, json_object *c, const struct mcp_answer *in, int64_t *retry_ms)
{
    int64_t id = json_int(c, "id", 0);
    struct str text = str_cat(mem, in->body, S("\n\n"));
    struct sse_event e;
    size_t at = 0;

    if (!str_has(in->content_type, "event-stream"))
        return jsonrpc_answer(json_parse_or_null(mem, in->body), id);
    while (sse_event_next(mem, text, &at, &e)) {
        json_object *answer = e.data.n ? jsonrpc_answer(json_parse_or_null(mem, e.data), id) : NULL;

        if (answer)
            return answer;
        if (e.id.n && str_utf8_valid(e.id))
            json_set_str(c, "last_event", e.id);
        if (e.retry_ms >= 0)
            *retry_ms = e.retry_ms;
    }
    return NULL;
}

static bool resume(struct arena *mem, json_object *c, int64_t retry_ms, struct mcp_request *again)
{
    int64_t n = json_int(c, "resumed", 0) + 1;

    if (!json_str(c, "last_event").n || n > MAX_RESUMES)
        return false;
    json_set_int(c, "resumed", n);
    *again = (struct mcp_request){ .method = "GET",
                                   .url = json_str(c, "url"),
                                   .headers = common_headers(mem, c),
                                   .id = json_int(c, "id", 0),
                                   .delay_ms = retry_ms > LONGEST_RETRY_MS ? LONGEST_RETRY_MS : retry_ms };
    json_set_c(again->headers, "Accept", "text/event-stream");
    json_set(again->headers, "Last-Event-ID", json_get(c, "last_event"));
    return true;
}

static bool greet(json_object *c, json_object *result, const struct mcp_answer *in, struct error *err)
{
    struct str version = json_str(result, "protocolVersion");

    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
        if (!str_is(version, versions[i]))
            continue;
        json_set_str(c, "version", version);
        if (in->session.n)
            json_set_str(c, "session", in->session);
        json_set_c(c, "stage", "greeted");
        return true;
    }
    return fail_with(err, "The MCP server speaks a version of the protocol that is not known here", version);
}

static bool take_tools(struct arena *mem, json_object *c, json_object *result, struct error *err)
{
    json_object *tools = json_get(c, "tools");

    if (!json_is(json_get(result, "tools"), json_type_array))
        return fail_with(err, "The MCP server did not list its tools", STR_NONE);
    JSON_EACH (json_get(result, "tools"), i, given) {
        json_object *tool;

        if (!json_str(given, "name").n || json_length(tools) >= MAX_TOOLS)
            continue;
        tool = json_new_object(mem);
        json_set(tool, "name", json_get(given, "name"));
        json_set(tool, "description", json_get(given, "description"));
        json_set(tool, "parameters", json_get(given, "inputSchema"));
        json_push(tools, tool);
    }
    json_set_int(c, "pages", json_int(c, "pages", 0) + 1);
    json_set(c, "cursor", json_get(result, "nextCursor"));
    json_set_c(c, "stage", json_str(result, "nextCursor").n && json_int(c, "pages", 0) < MAX_PAGES ? "list" : "ready");
    return true;
}

/* What the answer means where the conversation is. *next: another request follows by itself. */
static bool use_result(struct arena *mem, json_object *c, json_object *result, const struct mcp_answer *in,
                       struct error *err)
{
    if (is_stage(c, "initialize"))
        return greet(c, result, in, err);
    if (is_stage(c, "list"))
        return take_tools(mem, c, result, err);
    return true;
}

/* The session has ended at the server: a new one, once. */
static bool renew(struct arena *mem, json_object *c, struct mcp_request *again)
{
    if (!json_str(c, "session").n || json_flag(c, "renewed", false))
        return false;
    json_set_bool(c, "renewed", true);
    initialize(mem, c, again);
    return true;
}

/* After a renewal: the greeting, and then the call that had failed. false: nothing is left to be done again. */
static bool go_on(struct arena *mem, json_object *c, struct mcp_request *again)
{
    if (!json_flag(c, "renewed", false) || !json_get(c, "call") || is_stage(c, "ready"))
        return false;
    if (is_stage(c, "greeted")) {
        post(mem, c, "notifications/initialized", NULL, 0, again);
    } else { /* the list was read before */
        json_set_c(c, "stage", "ready");
        call(mem, c, again);
    }
    return true;
}

static enum mcp_outcome refused(const struct mcp_answer *in, struct error *err)
{
    if (in->status == 0)
        fail_with(err, "The MCP server gave no answer", in->failure);
    else if (in->status == 401 || in->status == 403)
        fail_with(err, "The MCP server asks for other credentials", STR_NONE);
    else if (in->status >= 300)
        error_set(err, FAILED, "The MCP server answered with HTTP status %d", in->status);
    else
        fail_with(err, "The MCP server's answer cannot be understood", in->failure);
    return MCP_FAILED;
}

enum mcp_outcome mcp_read(struct arena *mem, json_object *c, const struct mcp_answer *in, json_object **result,
                          struct mcp_request *again, struct error *err)
{
    json_object *answer, *error;
    int64_t retry_ms = RETRY_MS;

    if (in->status == 404 && renew(mem, c, again))
        return MCP_AGAIN;
    if (is_stage(c, "greeted")) { /* of a notification there is only a status */
        if (in->status == 0 || in->status >= 300)
            return refused(in, err);
        json_set_c(c, "stage", "list");
        return go_on(mem, c, again) ? MCP_AGAIN : MCP_RESULT;
    }
    if (in->status < 200 || in->status >= 300) {
        answer = jsonrpc_answer(json_parse_or_null(mem, in->body), json_int(c, "id", 0));
        if (!json_get(answer, "error"))
            return in->status == 0 && resume(mem, c, retry_ms, again) ? MCP_AGAIN : refused(in, err);
    } else {
        answer = find_answer(mem, c, in, &retry_ms);
    }
    if (!answer)
        return resume(mem, c, retry_ms, again) ? MCP_AGAIN : refused(in, err);
    error = json_get(answer, "error");
    if (error) {
        fail_with(err, "The MCP server reports an error", json_str(error, "message"));
        return MCP_FAILED;
    }
    *result = json_get(answer, "result");
    if (!use_result(mem, c, *result, in, err))
        return MCP_FAILED;
    return go_on(mem, c, again) ? MCP_AGAIN : MCP_RESULT;
}
