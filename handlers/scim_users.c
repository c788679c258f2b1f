/* scim_users.c: /api/v1/scim/v2/Users: accounts kept by an identity provider. */
#include "handlers/presence.h"
#include "handlers/routes.h"
#include "handlers/scim.h"
#include "lib/account/erase.h"
#include "lib/auth/auth.h"
#include "lib/auth/token.h"
#include "lib/scim/patch.h"
#include "lib/scim/resource.h"
#include "lib/store/groups.h"

static const char no_user[] = "User %.*s not found";

/* ---- as resources */

/* One query for the groups of all of them. */
static int show_users(struct request *r, struct response *out, const struct user *users, size_t n, json_object *list)
{
    json_object *ids = json_new_array(r->mem);
    struct membership *groups = NULL;
    size_t groups_n = 0;

    for (size_t i = 0; i < n; i++)
        json_push_str(ids, users[i].id);
    if (n && memberships_of(r->db, r->mem, json_text(r->mem, ids), &groups, &groups_n) == DB_ERROR)
        return fail_db(out, r->db);
    for (size_t i = 0; i < n; i++)
        json_push(list, scim_user(r->mem, scim_base(r), &users[i], groups, groups_n));
    return 0;
}

/* 0: *u, and how it is shown. */
static int find_user(struct request *r, struct response *out, struct user *u, json_object **resource)
{
    struct str id = path_arg(r, "user_id");
    json_object *list = json_new_array(r->mem);
    int status;

    switch (user_by_id(r->db, r->mem, id, u)) {
    case DB_ROW: break;
    case DB_ERROR: return fail_db(out, r->db);
    default:
        return r->method == GET ? scim_fail(out, 404, "invalidValue", no_user, STR(id))
                                : fail(out, 404, no_user, STR(id));
    }
    status = show_users(r, out, u, 1, list);
    *resource = json_at(list, 0);
    return status;
}

static int get_user(struct request *r, struct response *out)
{
    json_object *resource;
    struct user u;
    int status = find_user(r, out, &u, &resource);

    return status ? status : scim_reply(r, out, 200, resource);
}

static int list_users(struct request *r, struct response *out)
{
    json_object *list = json_new_array(r->mem);
    struct user_page page = { 0 };
    struct error err = { "" };
    struct user *users;
    int64_t total, first;
    size_t n;
    int status = scim_read_list(r, out, &page, &first);

    if (status)
        return status;
    switch (user_list_where(r->db, r->mem, &page, &users, &n, &total, &err)) {
    case OK: break;
    case INVALID: return scim_fail(out, 400, "invalidFilter", "%s", err.text);
    default: return fail_db(out, r->db);
    }
    status = show_users(r, out, users, n, list);
    return status ? status : scim_reply_list(r, out, list, total, first);
}

/* ---- making */

static int check_email(struct response *out, struct str email)
{
    return auth_email_valid(email)
               ? 0
               : scim_fail(out, 400, "invalidValue", "\"%.*s\" is no e-mail address", STR(str_utf8_first(email, 100)));
}

/* A password that is sent, else one that nobody knows: such an account is for signing in by other means. */
static int set_password(struct request *r, struct response *out, struct new_user *n)
{
    struct str password = form_str(r, "password");
    struct error err = { "" };
    enum status st;

    if (!password.n)
        st = password_unknown(r->mem, &n->password_hash, &err);
    else
        st = password_hash(r->mem, password, &n->password_hash, &err);
    if (st == OK)
        return 0;
    return st == TOO_BIG || st == INVALID ? scim_fail(out, 400, "invalidValue", "The password is too long")
                                          : fail_status(out, st, &err);
}

static int reply_user(struct request *r, struct response *out, int status, const struct user *u)
{
    json_object *list = json_new_array(r->mem);
    int failed = show_users(r, out, u, 1, list);

    return failed ? failed : scim_reply(r, out, status, json_at(list, 0));
}

static int create_user(struct request *r, struct response *out)
{
    struct str user_name = form_str(r, "userName"), email = scim_primary_value(form_json(r, "emails")),
               name = scim_name_of(r->mem, form_json(r, "name")), image = scim_primary_value(form_json(r, "photos"));
    struct new_user n = { .name = name.n ? name : form_str(r, "displayName"),
                          .email = str_lower(r->mem, str_trim(email.n ? email : user_name)),
                          .role = form_bool(r, "active", true) ? S("user") : S("pending"),
                          .profile_image_url = image.n ? image : STR_NONE };
    enum user_made made;
    struct user u;
    bool first;
    int status = check_email(out, n.email);

    if (!status)
        status = set_password(r, out, &n);
    if (status)
        return status;
    if (user_create(r->db, r->mem, &n, &u, &made, &first) == DB_ERROR)
        return fail_db(out, r->db);
    if (made == USER_EMAIL_TAKEN)
        return fail(out, 409, "User with email %.*s already exists", STR(user_name));
    return reply_user(r, out, 201, &u);
}

/* ---- changing */

/* The first administrator can neither be sent away nor deleted. 0: go on. */
static int protect_first(struct request *r, struct response *out, struct str id)
{
    struct user first;

    switch (user_first(r->db, r->mem, &first)) {
    case DB_ERROR: return fail_db(out, r->db);
    case DB_ROW: break;
    default: return 0;
    }
    return str_eq(first.id, id) ? scim_fail(out, 403, NULL, "The first administrator stays") : 0;
}

/* Whoever is active keeps his role: only somebody who waits becomes a user. */
static struct str role_of(const struct user *u, enum scim_active active)
{
    if (active == ACTIVE_NO)
        return S("pending");
    return active == ACTIVE_YES && str_is(u->role, "pending") ? S("user") : STR_NONE;
}

static int change_user(struct request *r, struct response *out, const struct user *u,
                       const struct scim_user_change *change)
{
    struct user_update update = { .role = role_of(u, change->active),
                                  .name = change->name,
                                  .email = change->email.p ? str_lower(r->mem, str_trim(change->email)) : STR_NONE,
                                  .profile_image_url = change->image };
    struct user now;
    bool taken = false;
    int status = update.email.p ? check_email(out, update.email) : 0;

    if (!status && change->active == ACTIVE_NO)
        status = protect_first(r, out, u->id);
    if (status)
        return status;
    if (update.role.p || update.name.p || update.email.p || update.profile_image_url.p) {
        switch (user_update(r->db, r->mem, u->id, &update, &taken)) {
        case DB_ERROR: return fail_db(out, r->db);
        case DB_DONE: return taken ? 0 : fail(out, 404, no_user, STR(u->id));
        default: break;
        }
    }
    if (taken)
        return scim_fail(out, 409, "uniqueness", "User with email %.*s already exists", STR(update.email));
    if (update.role.p && !str_eq(update.role, u->role))
        presence_disconnect(r->mem, r->config, u->id);
    switch (user_by_id(r->db, r->mem, u->id, &now)) {
    case DB_ROW: return reply_user(r, out, 200, &now);
    case DB_DONE: return fail(out, 404, no_user, STR(u->id));
    default: return fail_db(out, r->db);
    }
}

static int update_user(struct request *r, struct response *out)
{
    struct str email = scim_primary_value(form_json(r, "emails")), user_name = form_str(r, "userName"),
               display = form_str(r, "displayName"), image = scim_primary_value(form_json(r, "photos")),
               name = display.n ? display : scim_name_of(r->mem, form_json(r, "name"));
    struct scim_user_change change = { .email = email.n       ? email
                                                : user_name.n ? user_name
                                                              : STR_NONE,
                                       .name = name.n ? name : STR_NONE,
                                       .image = image.n ? image : STR_NONE };
    json_object *resource;
    struct user u;
    int status = find_user(r, out, &u, &resource);

    if (form_json(r, "active"))
        change.active = form_bool(r, "active", true) ? ACTIVE_YES : ACTIVE_NO;
    if (!status)
        status = scim_check_version(r, out, resource);
    return status ? status : change_user(r, out, &u, &change);
}

static int patch_user(struct request *r, struct response *out)
{
    struct scim_user_change change = { 0 };
    const char *type = "invalidValue";
    struct error err = { "" };
    json_object *resource;
    struct user u;
    int status = find_user(r, out, &u, &resource);

    if (!status)
        status = scim_check_version(r, out, resource);
    if (status)
        return status;
    if (scim_patch_user(r->mem, form_json(r, "Operations"), &u, &change, &type, &err) != OK)
        return scim_fail(out, 400, type, "%s", err.text);
    return change_user(r, out, &u, &change);
}

static int delete_user(struct request *r, struct response *out)
{
    json_object *resource;
    struct user u;
    int status = find_user(r, out, &u, &resource);

    if (!status)
        status = scim_check_version(r, out, resource);
    if (!status)
        status = protect_first(r, out, u.id);
    if (status)
        return status;
    if (account_erase(r->mem, r->db, r->config, u.id) == DB_ERROR)
        return fail_db(out, r->db);
    presence_disconnect(r->mem, r->config, u.id);
    return reply_empty(out, 204);
}

/* ---- forms and routes */

#define USER_SCHEMA "[\"" SCIM_USER "\"]"

static const struct field name_form[] = { FIELD(STRING, "formatted", OPTIONAL),
                                          FIELD(STRING, "familyName", OPTIONAL),
                                          FIELD(STRING, "givenName", OPTIONAL),
                                          FIELD(STRING, "middleName", OPTIONAL),
                                          FIELD(STRING, "honorificPrefix", OPTIONAL),
                                          FIELD(STRING, "honorificSuffix", OPTIONAL),
                                          END };
static const struct field email_form[] = { FIELD(STRING, "value", REQUIRED),
                                           FIELD(STRING, "type", OPTIONAL, .def = "\"work\""),
                                           FIELD(BOOLEAN, "primary", NOT_NULL, .def = "true"),
                                           FIELD(STRING, "display", OPTIONAL), END };
static const struct field photo_form[] = { FIELD(STRING, "value", REQUIRED),
                                           FIELD(STRING, "type", OPTIONAL, .def = "\"photo\""),
                                           FIELD(BOOLEAN, "primary", NOT_NULL, .def = "true"),
                                           FIELD(STRING, "display", OPTIONAL), END };
static const struct field create_form[] = { FIELD(LIST_OF_STRINGS, "schemas", NOT_NULL, .def = USER_SCHEMA),
                                            FIELD(STRING, "externalId", OPTIONAL),
                                            FIELD(STRING, "userName", REQUIRED),
                                            FIELD(FORM, "name", OPTIONAL, .form = name_form),
                                            FIELD(STRING, "displayName", REQUIRED),
                                            FIELD(LIST_OF_FORMS, "emails", REQUIRED, .form = email_form),
                                            FIELD(BOOLEAN, "active", NOT_NULL, .def = "true"),
                                            FIELD(STRING, "password", OPTIONAL),
                                            FIELD(LIST_OF_FORMS, "photos", OPTIONAL, .form = photo_form),
                                            END };
static const struct field update_form[] = { FIELD(LIST_OF_STRINGS, "schemas", NOT_NULL, .def = USER_SCHEMA),
                                            FIELD(STRING, "id", OPTIONAL),
                                            FIELD(STRING, "externalId", OPTIONAL),
                                            FIELD(STRING, "userName", OPTIONAL),
                                            FIELD(FORM, "name", OPTIONAL, .form = name_form),
                                            FIELD(STRING, "displayName", OPTIONAL),
                                            FIELD(LIST_OF_FORMS, "emails", OPTIONAL, .form = email_form),
                                            FIELD(BOOLEAN, "active", OPTIONAL),
                                            FIELD(LIST_OF_FORMS, "photos", OPTIONAL, .form = photo_form),
                                            END };

const struct route scim_users_routes[] = {
    { GET, SCIM_ROOT "/Users", SCIM, list_users, .query = scim_list_query, .about = "A page of SCIM users" },
    { POST, SCIM_ROOT "/Users/.search", SCIM, list_users, .form = scim_search_form, .about = "Searches SCIM users" },
    { GET, SCIM_ROOT "/Users/{user_id}", SCIM, get_user, .query = scim_view_query, .about = "One SCIM user" },
    { POST, SCIM_ROOT "/Users", SCIM, create_user, .form = create_form, .query = scim_view_query,
      .about = "A new SCIM user" },
    { PUT, SCIM_ROOT "/Users/{user_id}", SCIM, update_user, .form = update_form, .query = scim_view_query,
      .about = "Changes a SCIM user" },
    { PATCH, SCIM_ROOT "/Users/{user_id}", SCIM, patch_user, .form = scim_patch_form, .query = scim_view_query,
      .about = "Changes attributes of a SCIM user" },
    { DELETE, SCIM_ROOT "/Users/{user_id}", SCIM, delete_user, .about = "Deletes a SCIM user" },
    END
};
