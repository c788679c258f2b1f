/* mcp_verify.c: an administrator looks whether an MCP server answers: the sidecar asks it for its tools, message by message, or for where it has its users sign in. */
#include "handlers/mcp_verify.h"

#include "fcgi/route.h"
#include "handlers/routes.h"
#include "handlers/chat_steps.h"
#include "lib/base/log.h"
#include "lib/tools/mcp.h"
#include "lib/tools/servers.h"

enum { ANSWER_BYTES = 8 * 1024 * 1024, OAUTH_BYTES = 1024 * 1024 };

static int no_client(struct response *out, const char *why)
{
    log_info("an MCP server cannot be verified: %s", why);
    return fail(out, 400, "Failed to create MCP client");
}

static json_object *call_of(struct request *r, const char *method, struct str url, json_object *headers)
{
    json_object *upstream = json_new_object(r->mem);
    int64_t seconds = config_int(r->config, CFG_AIOHTTP_CLIENT_TIMEOUT_TOOL_SERVER_DATA);

    json_set_str(upstream, "url", url);
    json_set_c(upstream, "method", method);
    json_set(upstream, "headers", headers);
    json_set_c(upstream, "format", "raw");
    json_set_int(upstream, "max_bytes", ANSWER_BYTES);
    json_set_int(upstream, "timeout_ms", seconds > 0 ? seconds * 1000 : 0);
    json_set_bool(upstream, "verify_tls", config_bool(r->config, CFG_AIOHTTP_CLIENT_SESSION_TOOL_SERVER_SSL));
    return upstream;
}

/* ---- its tools */

static int ask(struct request *r, struct response *out, json_object *state, const struct mcp_request *request)
{
    json_object *plan = json_new_object(r->mem), *headers = json_clone(r->mem, json_get(state, "headers")), *upstream;

    json_merge(headers, request->headers);
    upstream = call_of(r, request->method, request->url, headers);
    if (request->body.p)
        json_set_str(upstream, "body", request->body);
    json_push_str(json_set_array(upstream, "keep_headers"), S(MCP_SESSION_HEADER));
    if (request->id)
        json_set_int(upstream, "answer_id", request->id);
    if (request->delay_ms)
        json_set_int(upstream, "delay_ms", request->delay_ms);
    json_set(plan, "upstream", upstream);
    json_set_c(plan, "deliver", "json");
    json_set_c(plan, "then", "mcp_verify");
    json_set(plan, "state", state);
    return reply_plan(out, plan);
}

static int all_tools(struct request *r, struct response *out, json_object *conversation, json_object *headers)
{
    json_object *plan = json_new_object(r->mem), *reply = json_set_object(plan, "reply"), *body, *call;
    struct mcp_request request;

    json_set_int(reply, "status", 200);
    body = json_set_object(reply, "body");
    json_set_bool(body, "status", true);
    json_set(body, "specs", mcp_tools(conversation));
    if (mcp_close(r->mem, conversation, &request)) {
        json_merge(headers, request.headers);
        call = json_new_object(r->mem);
        json_set(call, "upstream", call_of(r, request.method, request.url, headers));
        json_push(json_set_array(plan, "calls"), call);
    }
    return reply_plan(out, plan);
}

static int go_on(struct request *r, struct response *out, json_object *state)
{
    json_object *conversation = json_get(state, "conversation");
    struct mcp_request request;

    return mcp_next(r->mem, conversation, &request) ? ask(r, out, state, &request)
                                                    : all_tools(r, out, conversation, json_get(state, "headers"));
}

/* ---- where its users sign in */

static int ask_oauth(struct request *r, struct response *out, struct str url)
{
    size_t host = str_find(url, S("://")),
           slash = host == STR_NPOS ? STR_NPOS : str_find_c(str_from(url, host + 3), '/');
    json_object *plan = json_new_object(r->mem), *state;
    struct str base = slash == STR_NPOS ? url : str_sub(url, 0, host + 3 + slash),
               place = str_f(r->mem, "%.*s/.well-known/oauth-authorization-server", STR(base));

    json_set(plan, "upstream", call_of(r, "GET", place, json_new_object(r->mem)));
    json_set_c(plan, "deliver", "json");
    json_set_c(plan, "then", "mcp_verify");
    state = json_set_object(plan, "state");
    json_set_str(state, "oauth", place);
    return reply_plan(out, plan);
}

static int oauth_answered(struct request *r, struct response *out, struct str place, json_object *outcome)
{
    json_object *metadata = json_parse_or_null(r->mem, json_str(outcome, "body")), *o;

    if (json_int(outcome, "upstream_status", 0) != 200)
        return fail(out, 400, "Failed to fetch OAuth 2.1 discovery document from %.*s", STR(place));
    if (!json_str(metadata, "issuer").n || !json_str(metadata, "authorization_endpoint").n ||
        !json_str(metadata, "token_endpoint").n)
        return fail(out, 400, "Failed to parse OAuth 2.1 discovery document from %.*s", STR(place));
    o = json_new_object(r->mem);
    json_set_bool(o, "status", true);
    json_set(o, "oauth_server_metadata", metadata);
    return reply_json(out, o);
}

/* ---- both */

int mcp_verify(struct request *r, struct response *out)
{
    json_object *state = json_new_object(r->mem);
    struct tool_caller who = {
        .db = r->db, .user_id = r->user->id, .token = r->token, .oauth_session = request_cookie(r, "oauth_session_id")
    };
    struct str url = form_str(r, "url");

    if (!str_starts(url, "http://") && !str_starts(url, "https://"))
        return no_client(out, "not an HTTP address");
    if (str_is(form_str(r, "auth_type"), "oauth_2.1"))
        return ask_oauth(r, out, url);
    json_set(state, "conversation", mcp_new(r->mem, url));
    json_set(state, "headers", tool_server_headers(r->mem, r->config, r->form, &who));
    return go_on(r, out, state);
}

static int step_mcp_verify(struct request *r, struct response *out)
{
    json_object *state = form_json(r, "state"), *outcome = form_json(r, "outcome"), *result = NULL;
    struct mcp_answer answer = { .status = (int)json_int(outcome, "upstream_status", 0),
                                 .content_type = json_str(outcome, "content_type"),
                                 .body = json_str(outcome, "body"),
                                 .session = json_str(json_get(outcome, "headers"), MCP_SESSION_HEADER) };
    struct mcp_request again;
    struct error err = { "" };

    if (json_str(state, "oauth").n)
        return oauth_answered(r, out, json_str(state, "oauth"), outcome);
    switch (mcp_read(r->mem, json_get(state, "conversation"), &answer, &result, &again, &err)) {
    case MCP_AGAIN: return ask(r, out, state, &again);
    case MCP_FAILED: return no_client(out, err.text);
    case MCP_RESULT: break;
    }
    return go_on(r, out, state);
}

const struct route mcp_verify_routes[] = { STEP_ROUTE("mcp_verify", step_mcp_verify, "An MCP server has answered"),
                                           END };
