/* tools.c: /api/v1/tools: the lists, tool servers included. */
#include "handlers/list_reply.h"
#include "handlers/routes.h"
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
            member_bool(b, ",\"has_user_valves\":", tool_has_user_valves(&tools[i]));
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

const struct route tools_routes[] = {
    { GET, "/api/v1/tools/", VERIFIED, list_usable, .about = "Tools and tool servers the caller may use" },
    { GET, "/api/v1/tools/list", VERIFIED, list_writable, .about = "Tools the caller may change" },
    END
};
