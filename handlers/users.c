/* users.c: /api/v1/users: lists, permissions, one's own settings, and what admins do with users. */
#include "handlers/groups.h"
#include "handlers/presence.h"
#include "handlers/routes.h"
#include "handlers/texts.h"
#include "handlers/user_image.h"
#include "lib/account/erase.h"
#include "lib/auth/auth.h"
#include "lib/auth/token.h"
#include "lib/base/log.h"
#include "lib/store/chats.h"
#include "lib/store/oauth_sessions.h"
#include "lib/store/user_json.h"
#include "lib/store/users.h"

enum { PAGE = 30, MAX_BODY = 256 * 1024 * 1024 };

static const char password_too_long[] =
    "Uh-oh! The password you entered is too long. Please make sure your password is less than 72 bytes long.";

/* ---- lists */

static int reply_users(struct request *r, struct response *out, const struct user_query *q,
                       void (*write)(struct buf *b, const struct user *u))
{
    struct buf b = BUF(r->mem, MAX_BODY);
    struct user *users;
    size_t n;
    int64_t total;

    if (user_list(r->db, r->mem, q, &users, &n) == DB_ERROR || user_count(r->db, r->mem, &total) == DB_ERROR)
        return fail_db(out, r->db);
    buf_add_c(&b, "{\"users\":[");
    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_add_char(&b, ',');
        write(&b, &users[i]);
    }
    buf_addf(&b, "],\"total\":%lld}", (long long)total);
    return buf_failed(&b) ? fail(out, 500, "The list is too long.") : reply_json_text(out, buf_str(&b));
}

static int list_users(struct request *r, struct response *out)
{
    struct user_query q = { .text = query_str(r, "query"),
                            .order_by = query_str(r, "order_by"),
                            .direction = query_str(r, "direction"),
                            .limit = PAGE };
    int64_t page = query_int(r, "page", 1);

    page = page < 1 ? 1 : page > 1000000000 ? 1000000000 : page;
    q.skip = (page - 1) * PAGE;
    return reply_users(r, out, &q, user_json_full);
}

static int all_users(struct request *r, struct response *out)
{
    struct user_query q = { .limit = -1 };

    return reply_users(r, out, &q, user_json_info);
}

static int search_users(struct request *r, struct response *out)
{
    struct user_query q = { .text = query_str(r, "query"), .limit = PAGE };

    return reply_users(r, out, &q, user_json_name);
}

static int active_users(struct request *r, struct response *out)
{
    json_object *o = json_new_object(r->mem);

    json_set(o, "user_ids", presence_user_ids(r->mem, r->config));
    return reply_json(out, o);
}

/* ---- groups and permissions */

static int reply_groups_of(struct request *r, struct response *out, struct str user_id)
{
    struct group *groups = NULL;
    size_t n = 0;
    enum db_status st = group_list_of(r->db, r->mem, user_id, &groups, &n);

    return reply_groups(r, out, st, groups, n);
}

static int own_groups(struct request *r, struct response *out)
{
    return reply_groups_of(r, out, r->user->id);
}

static int groups_of_user(struct request *r, struct response *out)
{
    return reply_groups_of(r, out, path_arg(r, "user_id"));
}

static int own_permissions(struct request *r, struct response *out)
{
    return reply_json_text(out, auth_permissions_text(r->mem, r->db, r->config, r->user));
}

/* Defaults are those of the form, not of the setting. */
#define ON(name) FIELD(BOOLEAN, name, NOT_NULL, .def = "true")
#define OFF(name) FIELD(BOOLEAN, name, NOT_NULL, .def = "false")
static const struct field workspace_form[] = { OFF("models"), OFF("knowledge"), OFF("prompts"), OFF("tools"), END };
static const struct field sharing_form[] = { ON("public_models"), ON("public_knowledge"), ON("public_prompts"),
                                             ON("public_tools"),  ON("public_notes"),     END };
static const struct field chat_form[] = { ON("controls"),
                                          ON("valves"),
                                          ON("system_prompt"),
                                          ON("params"),
                                          ON("file_upload"),
                                          ON("delete"),
                                          ON("delete_message"),
                                          ON("continue_response"),
                                          ON("regenerate_response"),
                                          ON("rate_response"),
                                          ON("edit"),
                                          ON("share"),
                                          ON("export"),
                                          ON("stt"),
                                          ON("tts"),
                                          ON("call"),
                                          ON("multiple_models"),
                                          ON("temporary"),
                                          OFF("temporary_enforced"),
                                          END };
static const struct field features_form[] = { OFF("direct_tool_servers"), ON("web_search"), ON("image_generation"),
                                              ON("code_interpreter"),     ON("notes"),      END };
static const struct field permissions_form[] = { FIELD(FORM, "workspace", REQUIRED, workspace_form),
                                                 FIELD(FORM, "sharing", REQUIRED, sharing_form),
                                                 FIELD(FORM, "chat", REQUIRED, chat_form),
                                                 FIELD(FORM, "features", REQUIRED, features_form), END };

static int default_permissions(struct request *r, struct response *out)
{
    json_object *set = config_json(r->config, CFG_USER_PERMISSIONS), *o = json_new_object(r->mem);

    for (const struct field *part = permissions_form; part->name; part++) {
        json_object *from = json_get(set, part->name), *to = json_set_object(o, part->name);

        for (const struct field *f = part->form; f->name; f++)
            json_set_bool(to, f->name, json_flag(from, f->name, strcmp(f->def, "true") == 0));
    }
    return reply_json(out, o);
}

static int set_default_permissions(struct request *r, struct response *out)
{
    struct config_change *change = config_change_begin(r->config, r->mem);
    struct error err = { "" };
    enum status st;

    config_change_set(change, CFG_USER_PERMISSIONS, r->form);
    st = config_change_commit(change, r->db, &err);
    return st == OK ? reply_json(out, config_json(r->config, CFG_USER_PERMISSIONS)) : fail_status(out, st, &err);
}

/* ---- one's own settings and information */

static int own_settings(struct request *r, struct response *out)
{
    struct str text = user_json_settings(r->mem, r->user);

    return text.n ? reply_json_text(out, text) : reply_null(out);
}

/* {**stored, **form} */
static struct str merge_form(struct arena *mem, struct str text, void *arg)
{
    json_object *stored = json_parse_or_null(mem, text);

    if (!json_is(stored, json_type_object))
        stored = json_new_object(mem);
    json_merge(stored, arg);
    return json_text(mem, stored);
}

static int change_own(struct request *r, struct response *out, enum user_json which)
{
    struct str text;

    switch (user_change_json(r->db, r->mem, r->user->id, which, merge_form, r->form, &text)) {
    case DB_ROW: return reply_json_text(out, text);
    case DB_DONE: return fail(out, 400, NOT_FOUND_TEXT);
    default: return fail_db(out, r->db);
    }
}

static int update_settings(struct request *r, struct response *out)
{
    json_object *ui = json_get(r->form, "ui");

    if (!r->user->is_admin && json_has(ui, "toolServers") &&
        !auth_permission(r->mem, r->db, r->config, r->user, "features.direct_tool_servers"))
        json_del(ui, "toolServers");
    return change_own(r, out, USER_SETTINGS);
}

static int own_info(struct request *r, struct response *out)
{
    return r->user->info.n ? reply_json_text(out, r->user->info) : reply_null(out);
}

static int update_info(struct request *r, struct response *out)
{
    return change_own(r, out, USER_INFO);
}

/* ---- somebody else */

static int get_user(struct request *r, struct response *out)
{
    struct str id = path_arg(r, "user_id");
    json_object *o = json_new_object(r->mem);
    enum db_status st = DB_ROW;
    struct chat chat;
    struct user u;

    /* The copy that a shared chat's link shows belongs to "shared-" and the chat's id. */
    if (str_starts(id, "shared-")) {
        st = chat_row_by_id(r->db, r->mem, str_replace(r->mem, id, S("shared-"), S("")), &chat);
        id = st == DB_ROW ? chat.user_id : STR_NONE;
    }
    if (st == DB_ROW)
        st = user_by_id(r->db, r->mem, id, &u);
    if (st == DB_ERROR)
        return fail_db(out, r->db);
    if (st == DB_DONE)
        return fail(out, 400, NOT_FOUND_TEXT);
    json_set_str(o, "name", u.name);
    json_set_str(o, "profile_image_url", u.profile_image_url);
    json_set_bool(o, "active", presence_is_active(r->mem, r->config, id));
    return reply_json(out, o);
}

static int oauth_sessions(struct request *r, struct response *out)
{
    struct str json;
    size_t n;

    if (oauth_sessions_json(r->db, r->mem, path_arg(r, "user_id"), &json, &n) == DB_ERROR)
        return fail_db(out, r->db);
    return n ? reply_json_text(out, json) : fail(out, 400, NOT_FOUND_TEXT);
}

static int profile_image(struct request *r, struct response *out)
{
    struct user u;

    switch (user_by_id(r->db, r->mem, path_arg(r, "user_id"), &u)) {
    case DB_ROW: return user_image_reply(r, out, u.profile_image_url);
    case DB_DONE: return fail(out, 400, NOT_FOUND_TEXT);
    default: return fail_db(out, r->db);
    }
}

static int user_active(struct request *r, struct response *out)
{
    json_object *o = json_new_object(r->mem);

    json_set_bool(o, "active", presence_is_active(r->mem, r->config, path_arg(r, "user_id")));
    return reply_json(out, o);
}

/* ---- administration */

/* 0: the form's password is *hash (absent: none was given). Else the answer is in out. */
static int new_password(struct request *r, struct response *out, struct str *hash)
{
    struct str password = form_str(r, "password");
    struct error err = { "" };
    enum status st;

    *hash = STR_NONE;
    if (!password.n)
        return 0;
    st = password_hash(r->mem, password, hash, &err);
    if (st == TOO_BIG || st == INVALID)
        return fail(out, 400, "%s", password_too_long);
    return st == OK ? 0 : fail_status(out, st, &err);
}

static int reply_updated(struct request *r, struct response *out, struct str id)
{
    struct buf b = BUF(r->mem, MAX_BODY);
    struct user u;

    switch (user_by_id(r->db, r->mem, id, &u)) {
    case DB_ROW: break;
    case DB_DONE: return fail(out, 400, NOT_FOUND_TEXT);
    default: return fail_db(out, r->db);
    }
    user_json_full(&b, &u);
    return reply_json_text(out, buf_str(&b));
}

static int update_user(struct request *r, struct response *out)
{
    struct str id = path_arg(r, "user_id");
    struct user_update change = { .role = form_str(r, "role"),
                                  .name = form_str(r, "name"),
                                  .email = str_lower(r->mem, form_str(r, "email")),
                                  .profile_image_url = form_str(r, "profile_image_url") };
    struct user first, before;
    struct error err = { "" };
    bool taken, self = str_eq(id, r->user->id);
    enum db_status st = user_first(r->db, r->mem, &first);
    int status;

    if (st == DB_ERROR)
        return fail_db(out, r->db);
    /* The first admin is changed by nobody else, and keeps his role. */
    if (st == DB_ROW && str_eq(first.id, id) && (!self || !str_is(change.role, "admin")))
        return fail(out, 403, ACTION_PROHIBITED_TEXT);
    st = user_by_id(r->db, r->mem, id, &before);
    if (st == DB_ROW) {
        status = new_password(r, out, &change.password_hash);
        if (status)
            return status;
        st = user_update(r->db, r->mem, id, &change, &taken);
    }
    if (st == DB_ERROR)
        return fail_db(out, r->db);
    if (st == DB_DONE)
        return fail(out, 400, NOT_FOUND_TEXT);
    if (taken)
        return fail(out, 400, EMAIL_TAKEN_TEXT);
    if (change.password_hash.p) {
        enum status revoked = auth_revoke_user(r->mem, r->config, id, self ? r->token : STR_NONE, &err);

        if (revoked != OK)
            return fail_status(out, revoked, &err);
    }
    if (!self && (change.password_hash.p || !str_eq(before.role, change.role)))
        presence_disconnect(r->mem, r->config, id);
    return reply_updated(r, out, id);
}

static int delete_user(struct request *r, struct response *out)
{
    struct str id = path_arg(r, "user_id");
    struct user first;
    enum db_status st = user_first(r->db, r->mem, &first);

    if (st == DB_ERROR)
        return fail_db(out, r->db);
    if (str_eq(id, r->user->id) || (st == DB_ROW && str_eq(first.id, id)))
        return fail(out, 403, ACTION_PROHIBITED_TEXT);
    if (account_erase(r->mem, r->db, r->config, id) == DB_ERROR)
        return fail_db(out, r->db);
    presence_disconnect(r->mem, r->config, id);
    return reply_bool(out, true);
}

/* ---- forms and routes */

static const struct field list_query[] = { FIELD(STRING, "query", OPTIONAL), FIELD(STRING, "order_by", OPTIONAL),
                                           FIELD(STRING, "direction", OPTIONAL),
                                           FIELD(INTEGER, "page", OPTIONAL, .def = "1"), END };
static const struct field search_query[] = { FIELD(STRING, "query", OPTIONAL), END };
static const struct field settings_form[] = { FIELD(OBJECT, "ui", OPTIONAL, .def = "{}"), END };
static const struct field update_form[] = {
    FIELD(STRING, "role", REQUIRED),     FIELD(STRING, "name", REQUIRED),
    FIELD(STRING, "email", REQUIRED),    FIELD(STRING, "profile_image_url", REQUIRED),
    FIELD(STRING, "password", OPTIONAL), END
};

const struct route users_routes[] = {
    { GET, "/api/v1/users/active", VERIFIED, active_users, .about = "Users whose tabs are connected" },
    { GET, "/api/v1/users/", ADMIN, list_users, .query = list_query, .about = "A page of users" },
    { GET, "/api/v1/users/all", ADMIN, all_users, .about = "All users, in short" },
    { GET, "/api/v1/users/search", VERIFIED, search_users, .query = search_query, .about = "Users by name or address" },
    { GET, "/api/v1/users/groups", VERIFIED, own_groups, .about = "The own groups" },
    { GET, "/api/v1/users/permissions", VERIFIED, own_permissions, .about = "The own permissions" },
    { GET, "/api/v1/users/default/permissions", ADMIN, default_permissions,
      .about = "What users may do whom no group allows more" },
    { POST, "/api/v1/users/default/permissions", ADMIN, set_default_permissions, .form = permissions_form,
      .about = "Change the default permissions" },
    { GET, "/api/v1/users/user/settings", VERIFIED, own_settings, .about = "The own settings" },
    { POST, "/api/v1/users/user/settings/update", VERIFIED, update_settings, .form = settings_form,
      .keep_unknown = true, .about = "Change the own settings" },
    { GET, "/api/v1/users/user/info", VERIFIED, own_info, .about = "The own information" },
    { POST, "/api/v1/users/user/info/update", VERIFIED, update_info, .body = BODY_JSON_ANY, .keep_unknown = true,
      .about = "Change the own information" },
    { GET, "/api/v1/users/{user_id}", VERIFIED, get_user, .about = "Name and picture of a user" },
    { GET, "/api/v1/users/{user_id}/oauth/sessions", ADMIN, oauth_sessions, .about = "A user's OAuth sessions" },
    { GET, "/api/v1/users/{user_id}/profile/image", VERIFIED, profile_image, .type = "image/*",
      .about = "A user's picture" },
    { GET, "/api/v1/users/{user_id}/active", VERIFIED, user_active, .about = "Whether a user's tabs are connected" },
    { POST, "/api/v1/users/{user_id}/update", ADMIN, update_user, .form = update_form, .about = "Change a user" },
    { PUT, "/api/v1/users/{user_id}", ADMIN, update_user, .form = update_form, .about = "Change a user" },
    { DELETE, "/api/v1/users/{user_id}", ADMIN, delete_user, .about = "Delete a user and what is his alone" },
    { GET, "/api/v1/users/{user_id}/groups", ADMIN, groups_of_user, .about = "A user's groups" },
    END
};
