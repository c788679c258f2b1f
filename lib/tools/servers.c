/* servers.c: descriptions of tool servers. */
#include "lib/tools/servers.h"

#include "lib/auth/oauth_tokens.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/net/http.h"
#include "lib/tools/descriptions.h"
#include "lib/tools/openapi.h"

enum { KEPT_MS = 30 * 1000, DESCRIPTION_MAX = 8 * 1024 * 1024, HEADERS = 3 };

static struct str full_url(struct arena *mem, struct str url, struct str path)
{
    if (str_has(path, "://"))
        return path;
    return str_f(mem, "%.*s%s%.*s", STR(url), str_starts(path, "/") ? "" : "/", STR(path));
}

static void prepare(struct arena *mem, struct config *c, struct str url, struct str token, struct http_call *call)
{
    struct http_header *headers = arena_new_array(mem, struct http_header, HEADERS);
    int64_t seconds = config_int(c, CFG_AIOHTTP_CLIENT_TIMEOUT_TOOL_SERVER_DATA);

    headers[0] = (struct http_header){ S("Accept"), S("application/json") };
    headers[1] = (struct http_header){ S("Content-Type"), S("application/json") };
    headers[2] = (struct http_header){ S("Authorization"), str_f(mem, "Bearer %.*s", STR(token)) };
    *call = (struct http_call){ .url = url,
                                .headers = headers,
                                .headers_n = token.n ? HEADERS : HEADERS - 1,
                                .max_bytes = DESCRIPTION_MAX,
                                .insecure = !config_bool(c, CFG_AIOHTTP_CLIENT_SESSION_TOOL_SERVER_SSL),
                                .timeout_ms = seconds > 0 && seconds < 300 ? (int)seconds * 1000 : 0 };
}

enum status tool_server_fetch(struct arena *mem, struct config *c, struct str url, struct str path, struct str token,
                              json_object **out, struct error *err)
{
    struct http_call call;

    prepare(mem, c, full_url(mem, url, path), token, &call);
    http_run(mem, &call, 1);
    return tool_description_of(mem, &call, out, err);
}

static struct str access_control(struct arena *mem, json_object *server)
{
    json_object *v = json_get(json_get(server, "config"), "access_control");

    return v ? json_text(mem, v) : STR_NONE;
}

static struct str or_else(struct str s, struct str otherwise)
{
    return s.p ? s : otherwise;
}

static void add_openapi(struct arena *mem, struct tool_server *to, json_object *server, size_t index,
                        json_object *description)
{
    json_object *theirs = json_get(description, "info"), *ours = json_get(server, "info");
    struct str id = json_str(ours, "id");

    to->id = id.n ? str_cat(mem, S("server:"), id) : str_f(mem, "server:%zu", index);
    to->name = or_else(or_else(json_str(ours, "name"), json_str(theirs, "title")), S("Tool Server"));
    to->description = or_else(or_else(json_str(ours, "description"), json_str(theirs, "description")), S(""));
    to->access_control = access_control(mem, server);
    to->is_mcp = false;
    to->connection = json_clone(mem, server);
    to->openapi = description;
    to->tools = openapi_tools(mem, description);
}

static void add_mcp(struct arena *mem, struct tool_server *to, json_object *server)
{
    json_object *ours = json_get(server, "info");

    to->id = str_cat(mem, S("server:mcp:"), or_else(json_str(ours, "id"), S("None")));
    to->name = or_else(json_str(ours, "name"), S("MCP Tool Server"));
    to->description = or_else(json_str(ours, "description"), S(""));
    to->access_control = access_control(mem, server);
    to->is_mcp = true;
    to->connection = json_clone(mem, server);
    to->openapi = to->tools = NULL;
}

static bool is_mcp(json_object *server)
{
    return str_is(json_str(server, "type"), "mcp");
}

static bool is_openapi_in_use(json_object *server)
{
    struct str type = json_str(server, "type");

    return (!type.p || str_is(type, "openapi")) && json_truthy(json_get(json_get(server, "config"), "enable"));
}

/* Where a server's description is to be fetched; false: it is in the setting, or nowhere. */
static bool to_be_fetched(struct arena *mem, struct config *c, json_object *server, struct http_call *call)
{
    struct str kind = json_str(server, "spec_type"), auth = json_str(server, "auth_type");
    bool bearer = !auth.p || str_is(auth, "bearer");

    if (kind.p && !str_is(kind, "url"))
        return false;
    prepare(mem, c, full_url(mem, json_str(server, "url"), or_else(json_str(server, "path"), S("openapi.json"))),
            bearer ? json_str(server, "key") : STR_NONE, call);
    return true;
}

static size_t read_servers(struct arena *mem, struct config *c, struct tool_server *to)
{
    json_object *servers = config_json(c, CFG_TOOL_SERVER_CONNECTIONS), *descriptions;
    size_t n = json_length(servers), found = 0, wanted = 0;
    struct http_call *calls = arena_new_array(mem, struct http_call, n);

    JSON_EACH (servers, i, one) {
        if (is_openapi_in_use(one) && to_be_fetched(mem, c, one, &calls[i]))
            wanted++;
        else
            calls[i].url = STR_NONE;
    }
    descriptions = wanted ? tool_descriptions(mem, c, calls, n) : NULL;
    JSON_EACH (servers, i, one) {
        json_object *description = calls[i].url.p ? json_at(descriptions, i)
                                                  : json_parse_or_null(mem, json_str(one, "spec"));

        if (!is_openapi_in_use(one))
            continue;
        if (json_is(description, json_type_object))
            add_openapi(mem, &to[found++], one, i, description);
        else
            log_info("tool server %.*s is left out: it has no description", STR(json_str(one, "url")));
    }
    JSON_EACH (servers, i, one)
        if (is_mcp(one))
            add_mcp(mem, &to[found++], one);
    return found;
}

void tool_servers_list(struct config *c, const struct tool_server **out, size_t *n)
{
    static struct arena *kept_mem;
    static struct tool_server *kept;
    static size_t kept_n;
    static uint64_t generation;
    static int64_t read_ms;

    if (!kept_mem || generation != config_generation(c) || mono_ms() - read_ms > KEPT_MS) {
        if (!kept_mem)
            kept_mem = arena_new(16 * 1024);
        arena_reset(kept_mem);
        kept = arena_new_array(kept_mem, struct tool_server, json_length(config_json(c, CFG_TOOL_SERVER_CONNECTIONS)));
        kept_n = read_servers(kept_mem, c, kept);
        generation = config_generation(c);
        read_ms = mono_ms();
    }
    *out = kept;
    *n = kept_n;
}

const struct tool_server *tool_server_by_id(struct config *c, struct str id)
{
    const struct tool_server *v;
    size_t n;

    tool_servers_list(c, &v, &n);
    for (size_t i = 0; i < n; i++)
        if (str_eq(v[i].id, id))
            return &v[i];
    return NULL;
}

/* ---- how one is spoken to */

static struct str auth_type(json_object *connection)
{
    return or_else(json_str(connection, "auth_type"), S("bearer"));
}

bool tool_server_needs_token(json_object *connection)
{
    return str_is(auth_type(connection), "session");
}

/* The access token that the user has at the provider he signed in with, or at this very server. Absent: he has none. */
static struct str oauth_token(struct arena *mem, struct config *c, json_object *connection,
                              const struct tool_caller *who)
{
    struct str id = json_str(json_get(connection, "info"), "id");
    size_t colon = str_rfind_c(id, ':');
    json_object *token = NULL;
    struct error err = { "" };
    enum status st;

    if (str_is(auth_type(connection), "system_oauth"))
        st = who->oauth_session.n
                 ? oauth_tokens_of_session(mem, who->db, c, who->oauth_session, who->user_id, &token, &err)
                 : NOT_FOUND;
    else
        st = oauth_tokens_of_client(mem, who->db, c,
                                    str_cat(mem, S("mcp:"), colon == STR_NPOS ? id : str_from(id, colon + 1)),
                                    who->user_id, &token, &err);
    if (st != OK)
        log_info("tool server %.*s is called without a token: %s", STR(id), err.text);
    return st == OK ? json_str(token, "access_token") : STR_NONE;
}

json_object *tool_server_headers(struct arena *mem, struct config *c, json_object *connection,
                                 const struct tool_caller *who)
{
    json_object *headers = json_new_object(mem), *more = json_get(connection, "headers");
    struct str type = auth_type(connection), token = STR_NONE;

    if (json_is(more, json_type_object)) {
        json_object_object_foreach(more, name, value) if (json_is(value, json_type_string))
            json_set(headers, name, value);
    }
    if (str_is(type, "bearer"))
        token = json_str(connection, "key");
    else if (str_is(type, "session"))
        token = who->token;
    else if (str_is(type, "system_oauth") || str_is(type, "oauth_2.1"))
        token = oauth_token(mem, c, connection, who);
    if (token.n)
        json_set_str(headers, "Authorization", str_f(mem, "Bearer %.*s", STR(token)));
    return headers;
}
