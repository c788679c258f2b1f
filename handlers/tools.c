/* tools.c: /api/v1/tools: tools, tool servers included in the list of what chats may use. */
#include "handlers/list_reply.h"
#include "handlers/load_url.h"
#include "handlers/python_code.h"
#include "handlers/routes.h"
#include "handlers/texts.h"
#include "lib/auth/auth.h"
#include "lib/base/clock.h"
#include "lib/store/owners.h"
#include "lib/store/row_json.h"
#include "lib/store/tools.h"
#include "lib/tools/servers.h"

static bool sees_all(struct request *r)
{
    return r->user->is_admin && config_bool(r->config, CFG_BYPASS_ADMIN_ACCESS_CONTROL);
}

static bool may(struct request *r, const char *type, struct str user_id, struct str access_control)
{
    return sees_all(r) || str_eq(user_id, r->user->id) || auth_access(r->mem, r->db, r->user->id, type, access_control);
}

static void add_server(struct buf *b, const struct tool_server *s)
{
    member_text(b, "{\"id\":", s->id);
    member_text(b, ",\"user_id\":", s->id);
    member_text(b, ",\"name\":", s->name);
    member_text(b, ",\"meta\":{\"description\":", s->description);
    member_json(b, ",\"manifest\":{}},\"access_control\":", s->access_control);
    member_int(b, ",\"updated_at\":", now_s());
    member_int(b, ",\"created_at\":", now_s());
    buf_add_c(b, ",\"user\":null}");
}

/* DB_ERROR: the database failed. */
static enum db_status add_tools(struct request *r, struct list_reply *reply, const char *type, bool with_code)
{
    struct tool *tools;
    struct owners owners;
    size_t all, n = 0;

    if (tool_list(r->db, r->mem, with_code, &tools, &all) == DB_ERROR)
        return DB_ERROR;
    for (size_t i = 0; i < all; i++)
        if (may(r, type, tools[i].user_id, tools[i].access_control))
            tools[n++] = tools[i];
    if (owners_read(r->db, r->mem, tools, n, sizeof *tools, offsetof(struct tool, user_id), &owners) == DB_ERROR)
        return DB_ERROR;
    for (size_t i = 0; i < n; i++) {
        struct buf *b = list_item(reply);

        tool_json_open(r->mem, b, &tools[i]);
        member_owner(b, ",\"user\":", &owners, tools[i].user_id);
        if (with_code)
            member_bool(b, ",\"has_user_valves\":",
                        python_has_valves(r->mem, PYTHON_TOOL, tools[i].content, PYTHON_USER_VALVES));
        buf_add_char(b, '}');
    }
    return DB_ROW;
}

/* What chats may use. */
static int list_usable(struct request *r, struct response *out)
{
    struct list_reply reply = list_start(r->mem);
    const struct tool_server *servers;
    size_t n;

    if (add_tools(r, &reply, "read", true) == DB_ERROR)
        return fail_db(out, r->db);
    tool_servers_list(r->config, &servers, &n);
    for (size_t i = 0; i < n; i++)
        if (may(r, "read", servers[i].id, servers[i].access_control))
            add_server(list_item(&reply), &servers[i]);
    return list_end(&reply, out);
}

/* What the workspace shows. */
static int list_writable(struct request *r, struct response *out)
{
    struct list_reply reply = list_start(r->mem);

    return add_tools(r, &reply, "write", false) == DB_ERROR ? fail_db(out, r->db) : list_end(&reply, out);
}

static int export_tools(struct request *r, struct response *out)
{
    struct list_reply reply = list_start(r->mem);
    struct tool *tools;
    size_t n;

    if (tool_list(r->db, r->mem, true, &tools, &n) == DB_ERROR)
        return fail_db(out, r->db);
    for (size_t i = 0; i < n; i++) {
        tool_json_open(r->mem, list_item(&reply), &tools[i]);
        buf_add_char(&reply.text, '}');
    }
    return list_end(&reply, out);
}

static int load_tool(struct request *r, struct response *out)
{
    return load_code(r, out, "tool");
}

/* ---- one tool */

static int reply_tool(struct request *r, struct response *out, const struct tool *t)
{
    struct buf b = BUF(r->mem, LIST_MAX_BYTES);

    tool_json_open(r->mem, &b, t);
    buf_add_char(&b, '}');
    return reply_json_text(out, buf_str(&b));
}

/* What the form says, and what its code says of itself. False: the code cannot be read; *status is the answer. */
static bool take_form(struct request *r, struct response *out, struct tool *t, int *status)
{
    struct error err = { "" };
    json_object *specs;

    t->name = form_str(r, "name");
    t->content = python_imports_replaced(r->mem, form_str(r, "content"));
    t->meta = code_meta(r, form_json(r, "meta"), t->content);
    t->access_control = form_json(r, "access_control") ? json_text(r->mem, form_json(r, "access_control")) : STR_NONE;
    t->updated_at = now_s();
    if (python_tool_specs(r->mem, t->content, &specs, &err) != OK) {
        *status = fail_code(out, err.text);
        return false;
    }
    t->specs = json_text(r->mem, specs);
    return true;
}

static int create_tool(struct request *r, struct response *out)
{
    struct tool t = { .id = code_id(r, form_str(r, "id")), .user_id = r->user->id }, taken;
    int status;

    if (!t.id.p)
        return fail(out, 400, BAD_ID);
    switch (tool_by_id(r->db, r->mem, t.id, &taken)) {
    case DB_ROW: return fail(out, 400, ID_TAKEN);
    case DB_ERROR: return fail_db(out, r->db);
    default: break;
    }
    if (!take_form(r, out, &t, &status))
        return status;
    t.created_at = t.updated_at;
    if (tool_insert(r->db, &t) == DB_ERROR) /* two at once: the second finds the id taken */
        return db_unique_violation(r->db) ? fail(out, 400, ID_TAKEN) : fail_db(out, r->db);
    t.content = STR_NONE;
    return reply_tool(r, out, &t);
}

/* The tool of {id}; false: the answer is made: *status. */
static bool find(struct request *r, struct response *out, struct tool *t, int *status)
{
    enum db_status st = tool_by_id(r->db, r->mem, path_arg(r, "id"), t);

    if (st != DB_ROW)
        *status = st == DB_ERROR ? fail_db(out, r->db) : fail(out, 401, NOT_FOUND_TEXT);
    return st == DB_ROW;
}

static bool may_use(struct request *r, const struct tool *t, const char *type)
{
    return r->user->is_admin || may(r, type, t->user_id, t->access_control);
}

/* The same, for who may "read" or "write" it; others get status and text. */
static bool find_for(struct request *r, struct response *out, const char *type, int refused, const char *text,
                     struct tool *t, int *status)
{
    if (!find(r, out, t, status))
        return false;
    if (may_use(r, t, type))
        return true;
    *status = fail(out, refused, "%s", text);
    return false;
}

static int get_tool(struct request *r, struct response *out)
{
    struct tool t;
    int status;

    if (!find(r, out, &t, &status))
        return status;
    return may_use(r, &t, "read") ? reply_tool(r, out, &t) : reply_null(out);
}

static int update_tool(struct request *r, struct response *out)
{
    struct tool t;
    int status;

    if (!find_for(r, out, "write", 401, UNAUTHORIZED_TEXT, &t, &status) || !take_form(r, out, &t, &status))
        return status;
    return tool_update(r->db, &t) == DB_ERROR ? fail_db(out, r->db) : reply_tool(r, out, &t);
}

static int delete_tool(struct request *r, struct response *out)
{
    struct tool t;
    int status;

    if (!find_for(r, out, "write", 401, UNAUTHORIZED_TEXT, &t, &status))
        return status;
    return tool_delete(r->db, t.id) == DB_ERROR ? fail_db(out, r->db) : reply_bool(out, true);
}

/* ---- valves: those of all users are for who may change the tool, for they hold keys */

static int get_valves(struct request *r, struct response *out)
{
    struct str valves = STR_NONE;
    struct tool t;
    int status;

    if (!find_for(r, out, "write", 401, PROHIBITED_TEXT, &t, &status))
        return status;
    if (tool_valves(r->db, r->mem, t.id, &valves) == DB_ERROR)
        return fail_db(out, r->db);
    return reply_json_text(out, valves.n ? valves : S("{}"));
}

static int reply_spec(struct request *r, struct response *out, enum python_valves which)
{
    struct tool t;
    int status;

    return find_for(r, out, "read", 401, PROHIBITED_TEXT, &t, &status)
               ? reply_valves_schema(r, out, PYTHON_TOOL, t.content, which)
               : status;
}

static int get_valves_spec(struct request *r, struct response *out)
{
    return reply_spec(r, out, PYTHON_VALVES);
}

static int get_user_valves_spec(struct request *r, struct response *out)
{
    return reply_spec(r, out, PYTHON_USER_VALVES);
}

static int set_valves(struct request *r, struct response *out)
{
    json_object *values;
    struct tool t;
    int status;

    if (!find_for(r, out, "write", 400, PROHIBITED_TEXT, &t, &status) ||
        !valves_of_form(r, out, PYTHON_TOOL, t.content, PYTHON_VALVES, &values, &status))
        return status;
    return tool_set_valves(r->db, t.id, json_text(r->mem, values), now_s()) == DB_ERROR ? fail_db(out, r->db)
                                                                                        : reply_json(out, values);
}

static int get_user_valves(struct request *r, struct response *out)
{
    struct tool t;
    int status;

    return find_for(r, out, "read", 401, PROHIBITED_TEXT, &t, &status) ? reply_user_valves(r, out, PYTHON_TOOL, t.id)
                                                                       : status;
}

static int set_user_valves(struct request *r, struct response *out)
{
    struct tool t;
    int status;

    return find_for(r, out, "read", 401, PROHIBITED_TEXT, &t, &status)
               ? save_user_valves(r, out, PYTHON_TOOL, t.id, t.content)
               : status;
}

/* ---- routes */

static const struct field meta_form[] = { FIELD(STRING, "description", OPTIONAL), FIELD(OBJECT, "manifest", OPTIONAL),
                                          END };
static const struct field tool_form[] = { FIELD(STRING, "id", REQUIRED),
                                          FIELD(STRING, "name", REQUIRED),
                                          FIELD(STRING, "content", REQUIRED),
                                          FIELD(FORM, "meta", REQUIRED, .form = meta_form),
                                          FIELD(OBJECT, "access_control", OPTIONAL),
                                          END };

const struct route tools_routes[] = {
    { GET, "/api/v1/tools/", VERIFIED, list_usable, .about = "Tools and tool servers the caller may use" },
    { GET, "/api/v1/tools/list", VERIFIED, list_writable, .about = "Tools the caller may change" },
    { GET, "/api/v1/tools/export", ADMIN, export_tools, .about = "All tools with their code" },
    { POST, "/api/v1/tools/load/url", ADMIN, load_tool, .form = load_url_form, .server = SIDECAR,
      .about = "The source of a tool at an address" },
    { POST, "/api/v1/tools/create", VERIFIED, create_tool, .form = tool_form, .needs = "workspace.tools",
      .about = "A new tool" },
    { GET, "/api/v1/tools/id/{id}", VERIFIED, get_tool, .about = "One tool with its code" },
    { POST, "/api/v1/tools/id/{id}/update", VERIFIED, update_tool, .form = tool_form, .about = "Changes a tool" },
    { DELETE, "/api/v1/tools/id/{id}/delete", VERIFIED, delete_tool, .about = "Deletes a tool" },
    { GET, "/api/v1/tools/id/{id}/valves", VERIFIED, get_valves, .about = "The valves of a tool" },
    { GET, "/api/v1/tools/id/{id}/valves/spec", VERIFIED, get_valves_spec, .about = "JSON Schema of a tool's valves" },
    { POST, "/api/v1/tools/id/{id}/valves/update", VERIFIED, set_valves, .body = BODY_JSON_ANY, .keep_unknown = true,
      .about = "Sets the valves of a tool" },
    { GET, "/api/v1/tools/id/{id}/valves/user", VERIFIED, get_user_valves, .about = "The caller's valves of a tool" },
    { GET, "/api/v1/tools/id/{id}/valves/user/spec", VERIFIED, get_user_valves_spec,
      .about = "JSON Schema of a tool's user valves" },
    { POST, "/api/v1/tools/id/{id}/valves/user/update", VERIFIED, set_user_valves, .body = BODY_JSON_ANY,
      .keep_unknown = true, .about = "Sets the caller's valves of a tool" },
    END
};
