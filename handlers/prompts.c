/* prompts.c: saved prompts: list, create, change, delete. */
#include "handlers/list_reply.h"
#include "handlers/routes.h"
#include "handlers/texts.h"
#include "lib/auth/auth.h"
#include "lib/base/clock.h"
#include "lib/store/prompts.h"
#include "lib/store/row_json.h"
#include "lib/store/user_json.h"

#define COMMAND_TAKEN "Uh-oh! This command is already registered. Please choose another command string."

static void add_prompt(struct buf *b, const struct prompt *p)
{
    member_text(b, "{\"command\":", p->command);
    member_text(b, ",\"user_id\":", p->user_id);
    member_text(b, ",\"title\":", p->title);
    member_text(b, ",\"content\":", p->content);
    member_int(b, ",\"timestamp\":", p->updated_s);
    member_json(b, ",\"access_control\":", p->access_control);
}

static int reply_prompt(struct response *out, const struct prompt *p)
{
    struct buf b = BUF(out->mem, STR_NPOS);

    add_prompt(&b, p);
    buf_add_char(&b, '}');
    return reply_json_text(out, buf_str(&b));
}

static bool may(struct request *r, const struct prompt *p, const char *type)
{
    return str_eq(p->user_id, r->user->id) || auth_access(r->mem, r->db, r->user->id, type, p->access_control);
}

static int list(struct request *r, struct response *out, const char *type, bool with_owner)
{
    bool all = r->user->is_admin && config_bool(r->config, CFG_BYPASS_ADMIN_ACCESS_CONTROL);
    struct list_reply reply = list_start(r->mem);
    struct prompt *v = NULL;
    size_t n = 0;

    if (prompt_list(r->db, r->mem, &v, &n) == DB_ERROR)
        return fail_db(out, r->db);
    for (size_t i = 0; i < n; i++) {
        struct buf *b;

        if (!all && !may(r, &v[i], type))
            continue;
        b = list_item(&reply);
        add_prompt(b, &v[i]);
        if (with_owner) {
            buf_add_c(b, ",\"user\":");
            if (v[i].owner.id.p)
                user_json_public(b, &v[i].owner);
            else
                buf_add_c(b, "null");
        }
        buf_add_char(b, '}');
    }
    return list_end(&reply, out);
}

static int list_readable(struct request *r, struct response *out)
{
    return list(r, out, "read", false);
}

static int list_writable(struct request *r, struct response *out)
{
    return list(r, out, "write", true);
}

static void take_form(struct request *r, struct prompt *p)
{
    p->title = form_str(r, "title");
    p->content = form_str(r, "content");
    p->access_control = form_json(r, "access_control") ? json_text(r->mem, form_json(r, "access_control")) : STR_NONE;
    p->updated_s = now_s();
}

static int create_prompt(struct request *r, struct response *out)
{
    struct prompt p = { .command = form_str(r, "command"), .user_id = r->user->id }, taken;

    switch (prompt_by_command(r->db, r->mem, p.command, &taken)) {
    case DB_ROW: return fail(out, 400, COMMAND_TAKEN);
    case DB_ERROR: return fail_db(out, r->db);
    default: break;
    }
    take_form(r, &p);
    if (prompt_insert(r->db, &p) == DB_ERROR) /* two at once: the second finds the command taken */
        return db_unique_violation(r->db) ? fail(out, 400, COMMAND_TAKEN) : fail_db(out, r->db);
    return reply_prompt(out, &p);
}

static enum db_status find(struct request *r, struct prompt *p)
{
    return prompt_by_command(r->db, r->mem, str_cat(r->mem, S("/"), path_arg(r, "command")), p);
}

static int get_prompt(struct request *r, struct response *out)
{
    struct prompt p;

    switch (find(r, &p)) {
    case DB_ROW: return r->user->is_admin || may(r, &p, "read") ? reply_prompt(out, &p) : reply_null(out);
    case DB_DONE: return fail(out, 401, NOT_FOUND_TEXT);
    default: return fail_db(out, r->db);
    }
}

/* The prompt of {command} for a change; otherwise the answer is made: *status. */
static bool find_for_change(struct request *r, struct response *out, struct prompt *p, int *status)
{
    enum db_status st = find(r, p);

    if (st == DB_ERROR)
        *status = fail_db(out, r->db);
    else if (st == DB_DONE)
        *status = fail(out, 401, NOT_FOUND_TEXT);
    else if (!r->user->is_admin && !may(r, p, "write"))
        *status = fail(out, 401, PROHIBITED_TEXT);
    else
        return true;
    return false;
}

static int update_prompt(struct request *r, struct response *out)
{
    struct prompt p;
    int status;

    if (!find_for_change(r, out, &p, &status))
        return status;
    take_form(r, &p);
    return prompt_update(r->db, &p) == DB_ERROR ? fail_db(out, r->db) : reply_prompt(out, &p);
}

static int delete_prompt(struct request *r, struct response *out)
{
    struct prompt p;
    int status;

    if (!find_for_change(r, out, &p, &status))
        return status;
    return prompt_delete(r->db, p.command) == DB_ERROR ? fail_db(out, r->db) : reply_bool(out, true);
}

static const struct field prompt_form[] = { FIELD(STRING, "command", REQUIRED), FIELD(STRING, "title", REQUIRED),
                                            FIELD(STRING, "content", REQUIRED),
                                            FIELD(OBJECT, "access_control", OPTIONAL), END };

const struct route prompts_routes[] = {
    { GET, "/api/v1/prompts/", VERIFIED, list_readable, .about = "Prompts that the caller may use" },
    { GET, "/api/v1/prompts/list", VERIFIED, list_writable,
      .about = "Prompts that the caller may change, with their owners" },
    { POST, "/api/v1/prompts/create", VERIFIED, create_prompt, .form = prompt_form, .needs = "workspace.prompts",
      .about = "A new prompt" },
    { GET, "/api/v1/prompts/command/{command}", VERIFIED, get_prompt, .about = "One prompt" },
    { POST, "/api/v1/prompts/command/{command}/update", VERIFIED, update_prompt, .form = prompt_form,
      .about = "Changes a prompt" },
    { DELETE, "/api/v1/prompts/command/{command}/delete", VERIFIED, delete_prompt, .about = "Deletes a prompt" },
    END
};
