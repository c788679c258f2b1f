/* chat_tools.c: the tools that a model may call in a chat. */
#include "handlers/chat_tools.h"

#include "lib/auth/auth.h"
#include "lib/base/log.h"
#include "lib/store/tools.h"
#include "lib/tools/mcp.h"
#include "lib/tools/servers.h"

enum { MAX_TOOLS = 512, MCP_ANSWER_BYTES = 8 * 1024 * 1024 };

/* ---- who may */

static bool may_use(struct request *r, const struct user *u, struct str owner, struct str access_control)
{
    return (u->is_admin && config_bool(r->config, CFG_BYPASS_ADMIN_ACCESS_CONTROL)) || str_eq(owner, u->id) ||
           auth_access(r->mem, r->db, u->id, "read", access_control);
}

/* "server:weather|get_weather,get_time" → the server's id and the names; *names absent: all. */
static struct str split_id(struct str id, struct str *names)
{
    size_t bar = str_find_c(id, '|');

    *names = bar == STR_NPOS ? STR_NONE : str_from(id, bar + 1);
    return bar == STR_NPOS ? id : str_sub(id, 0, bar);
}

static const struct tool_server *server_for(struct request *r, const struct user *u, struct str id)
{
    const struct tool_server *server = tool_server_by_id(r->config, id);

    return server && may_use(r, u, id, server->access_control) ? server : NULL;
}

int chat_tools_check(struct request *r, struct response *out, json_object *tool_ids)
{
    struct tool *tools;
    size_t n;

    JSON_EACH (tool_ids, i, id)
        if (!str_starts(json_str_value(id), "server:"))
            goto look;
    return 0;
look:
    if (tool_list(r->db, r->mem, false, &tools, &n) == DB_ERROR)
        return fail_db(out, r->db);
    JSON_EACH (tool_ids, i, id)
        for (size_t k = 0; k < n; k++)
            if (str_eq(tools[k].id, json_str_value(id)) &&
                may_use(r, r->user, tools[k].user_id, tools[k].access_control))
                return fail(out, 501, "The tool %.*s is Python code, which this server does not run", STR(tools[k].id));
    return 0;
}

/* ---- the list */

json_object *chat_tool(struct step *s, struct str name)
{
    JSON_EACH (json_get(s->state, "tools"), i, tool)
        if (str_eq(json_str(tool, "name"), name))
            return tool;
    return NULL;
}

static void add_tool(struct step *s, const char *kind, struct str tool_id, struct str name, json_object *spec,
                     json_object *server)
{
    json_object *tools = json_get(s->state, "tools"), *tool, *own;
    struct str function = json_str(spec, "name");

    if (!function.n || json_length(tools) >= MAX_TOOLS)
        return;
    tool = json_new_object(s->r->mem);
    own = json_clone(s->r->mem, spec);
    json_set_str(own, "name", name);
    json_set_str(tool, "name", name);
    json_set_c(tool, "kind", kind);
    json_set_str(tool, "function", function);
    json_set(tool, "spec", own);
    if (tool_id.n)
        json_set_str(tool, "tool_id", tool_id);
    if (server)
        json_set(tool, "server", server);
    json_push(tools, tool);
}

static bool is_named(struct str names, struct str name)
{
    struct str piece;

    if (!names.p)
        return true;
    while (str_split(&names, ',', &piece))
        if (str_eq(str_trim(piece), name))
            return true;
    return false;
}

/* Two servers may call their functions alike: the second one's get its id in front. */
static struct str free_name(struct step *s, struct str server_id, struct str name)
{
    while (chat_tool(s, name))
        name = str_f(s->r->mem, "%.*s_%.*s", STR(server_id), STR(name));
    return name;
}

static void add_openapi(struct step *s, const struct tool_server *server, struct str tool_id, struct str names)
{
    JSON_EACH (server->tools, i, spec)
        if (is_named(names, json_str(spec, "name")))
            add_tool(s, "openapi", tool_id,
                     free_name(s, str_from(server->id, strlen("server:")), json_str(spec, "name")), spec, NULL);
}

static void add_browser(struct step *s)
{
    JSON_EACH (json_get(s->state, "tool_servers"), i, server) {
        json_object *specs = json_get(server, "specs"), *described = json_clone(s->r->mem, server);

        if (!json_is(described, json_type_object))
            continue;
        json_del(described, "specs");
        JSON_EACH (specs, k, spec)
            add_tool(s, "browser", STR_NONE, json_str(spec, "name"), spec, described);
    }
    json_del(s->state, "tool_servers");
}

static void add_mcp(struct step *s, struct str tool_id, json_object *specs)
{
    struct str names, id = split_id(tool_id, &names);

    id = str_from(id, strlen("server:mcp:"));
    JSON_EACH (specs, i, spec)
        if (is_named(names, json_str(spec, "name")))
            add_tool(s, "mcp", tool_id,
                     free_name(s, id, str_f(s->r->mem, "%.*s_%.*s", STR(id), STR(json_str(spec, "name")))), spec, NULL);
}

/* What needs no asking; MCP servers are put down to be asked. */
static void begin(struct step *s)
{
    json_object *ids = json_get(s->state, "tool_ids"), *mcp, *ask;

    json_set_array(s->state, "tools");
    mcp = json_set_object(s->state, "mcp");
    ask = json_set_array(s->state, "mcp_todo");
    JSON_EACH (ids, i, given) {
        struct str names, tool_id = json_str_value(given), id = split_id(tool_id, &names);
        const struct tool_server *server = server_for(s->r, &s->user, id);

        if (!server) {
            log_info("a chat asks for the tool server %.*s, which is not there, or not for its user", STR(id));
        } else if (server->is_mcp) {
            json_set(mcp, str_c(s->r->mem, tool_id), mcp_new(s->r->mem, json_str(server->connection, "url")));
            json_push(ask, given);
        } else {
            add_openapi(s, server, tool_id, names);
        }
    }
    json_del(s->state, "tool_ids");
    add_browser(s);
}

static json_object *conversation(struct step *s, struct str tool_id)
{
    return json_get(json_get(s->state, "mcp"), str_c(s->r->mem, tool_id));
}

static void drop_first(json_object *list)
{
    json_object_array_del_idx(list, 0, 1);
}

bool chat_tools_gather(struct step *s)
{
    json_object *todo;
    struct mcp_request request;

    if (!json_get(s->state, "tools"))
        begin(s);
    todo = json_get(s->state, "mcp_todo");
    while (json_length(todo)) {
        struct str tool_id = json_str_value(json_at(todo, 0));
        json_object *c = conversation(s, tool_id);

        if (c && mcp_next(s->r->mem, c, &request)) {
            chat_mcp_plan(s, tool_id, &request);
            return true;
        }
        add_mcp(s, tool_id, mcp_tools(c));
        json_del(c, "tools"); /* they are in the state */
        drop_first(todo);
    }
    json_del(s->state, "mcp_todo");
    return false;
}

void chat_tools_listed(struct step *s)
{
    json_object *todo = json_get(s->state, "mcp_todo"), *result = NULL;
    struct str tool_id = json_str_value(json_at(todo, 0));
    struct mcp_answer answer = chat_mcp_answer(s);
    struct mcp_request again;
    struct error err = { "" };

    switch (mcp_read(s->r->mem, conversation(s, tool_id), &answer, &result, &again, &err)) {
    case MCP_AGAIN: chat_mcp_plan(s, tool_id, &again); break;
    case MCP_FAILED:
        log_warning("tool server %.*s is left out: %s", STR(tool_id), err.text);
        json_del(json_get(s->state, "mcp"), str_c(s->r->mem, tool_id));
        drop_first(todo);
        break;
    case MCP_RESULT: break;
    }
}

json_object *chat_tools_offered(struct step *s)
{
    json_object *list = json_new_array(s->r->mem);

    JSON_EACH (json_get(s->state, "tools"), i, tool) {
        json_object *o = json_new_object(s->r->mem);

        json_set_c(o, "type", "function");
        json_set(o, "function", json_get(tool, "spec"));
        json_push(list, o);
    }
    return list;
}

/* ---- servers */

json_object *chat_tool_headers(struct step *s, struct str tool_id)
{
    struct str names;
    const struct tool_server *server = server_for(s->r, &s->user, split_id(tool_id, &names));
    struct tool_caller who = { .db = s->r->db,
                               .user_id = s->user.id,
                               .token = json_str(s->state, "token"),
                               .oauth_session = json_str(s->state, "oauth_session") };

    return server ? tool_server_headers(s->r->mem, s->r->config, server->connection, &who) : NULL;
}

void chat_mcp_plan(struct step *s, struct str tool_id, const struct mcp_request *request)
{
    json_object *upstream = json_set_object(s->plan, "upstream"), *headers = chat_tool_headers(s, tool_id);
    int64_t seconds = config_int(s->r->config, json_get(s->state, "mcp_todo")
                                                   ? CFG_AIOHTTP_CLIENT_TIMEOUT_TOOL_SERVER_DATA
                                                   : CFG_AIOHTTP_CLIENT_TIMEOUT);

    if (!headers)
        headers = json_new_object(s->r->mem);
    json_merge(headers, request->headers);
    json_set_str(upstream, "url", request->url);
    json_set_c(upstream, "method", request->method);
    json_set(upstream, "headers", headers);
    if (request->body.p)
        json_set_str(upstream, "body", request->body);
    json_set_c(upstream, "format", "raw");
    json_set_bool(upstream, "verify_tls", config_bool(s->r->config, CFG_AIOHTTP_CLIENT_SESSION_TOOL_SERVER_SSL));
    json_set_int(upstream, "max_bytes", MCP_ANSWER_BYTES);
    json_push_str(json_set_array(upstream, "keep_headers"), S(MCP_SESSION_HEADER));
    if (request->id)
        json_set_int(upstream, "answer_id", request->id);
    if (request->delay_ms)
        json_set_int(upstream, "delay_ms", request->delay_ms);
    json_set_int(upstream, "timeout_ms", seconds > 0 ? seconds * 1000 : 0);
    json_set_c(s->plan, "deliver", "json");
}

struct mcp_answer chat_mcp_answer(struct step *s)
{
    return (struct mcp_answer){ .status = (int)json_int(s->outcome, "upstream_status", 0),
                                .content_type = json_str(s->outcome, "content_type"),
                                .body = json_str(s->outcome, "body"),
                                .session = json_str(json_get(s->outcome, "headers"), MCP_SESSION_HEADER),
                                .failure = STR_NONE };
}

void chat_mcp_close(struct step *s)
{
    json_object *all = json_get(s->state, "mcp"), *calls = json_get(s->plan, "calls");
    struct mcp_request request;

    if (!json_is(all, json_type_object))
        return;
    json_object_object_foreach(all, tool_id, c)
    {
        struct step call = *s;

        if (!mcp_close(s->r->mem, c, &request))
            continue;
        call.plan = json_new_object(s->r->mem);
        chat_mcp_plan(&call, str_of(tool_id), &request);
        json_set_int(json_get(call.plan, "upstream"), "timeout_ms", 10000);
        if (!calls)
            calls = json_set_array(s->plan, "calls");
        json_push(calls, call.plan);
    }
    json_del(s->state, "mcp");
}
