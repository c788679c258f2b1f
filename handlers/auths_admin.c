/* auths_admin.c: what admins do about signing in: add users, general settings, LDAP settings. */
#include "handlers/auths.h"

#include "lib/auth/auth.h"
#include "lib/auth/token.h"
#include "lib/base/log.h"
#include "lib/store/users.h"

static const char add_failed[] = "An internal error occurred while adding the user.";

static int reply_added(struct request *r, struct response *out, const struct user *u)
{
    json_object *o = json_new_object(r->mem);
    struct error err = { "" };
    struct str token;
    int64_t expires_s;
    enum status st = auth_issue(r->mem, r->config, u->id, true, &token, &expires_s, &err);

    if (st != OK)
        return fail_status(out, st, &err);
    json_set_str(o, "token", token);
    json_set_c(o, "token_type", "Bearer");
    json_set_str(o, "id", u->id);
    json_set_str(o, "email", u->email);
    json_set_str(o, "name", u->name);
    json_set_str(o, "role", u->role);
    json_set_str(o, "profile_image_url", u->profile_image_url);
    return reply_json(out, o);
}

int auths_add(struct request *r, struct response *out)
{
    struct new_user n = { .name = form_str(r, "name"),
                          .email = str_lower(r->mem, form_str(r, "email")),
                          .role = form_str(r, "role"),
                          .profile_image_url = form_str(r, "profile_image_url") };
    struct error err = { "" };
    struct user u;
    enum user_made made;
    bool first;

    if (!auth_email_valid(n.email))
        return fail(out, 400, "%s", auths_email_invalid);
    switch (user_by_email(r->db, r->mem, n.email, &u)) {
    case DB_ROW: return fail(out, 400, "%s", auths_email_taken);
    case DB_ERROR: return fail_db(out, r->db);
    default: break;
    }
    if (!n.role.p || !n.profile_image_url.p ||
        password_hash(r->mem, form_str(r, "password"), &n.password_hash, &err) != OK)
        return fail(out, 500, "%s", add_failed);
    if (user_create(r->db, r->mem, &n, &u, &made, &first) == DB_ERROR)
        return fail_db(out, r->db);
    return made == USER_EMAIL_TAKEN ? fail(out, 400, "%s", auths_email_taken) : reply_added(r, out, &u);
}

int auths_admin_details(struct request *r, struct response *out)
{
    struct str email = config_str(r->config, CFG_ADMIN_EMAIL), name = STR_NONE;
    json_object *o = json_new_object(r->mem);
    struct user u;
    enum db_status st;

    if (!config_bool(r->config, CFG_SHOW_ADMIN_DETAILS))
        return fail(out, 400, "%s", auths_action_prohibited);
    st = email.n ? user_by_email(r->db, r->mem, email, &u) : user_first(r->db, r->mem, &u);
    if (st == DB_ERROR)
        return fail_db(out, r->db);
    if (st == DB_ROW) {
        name = u.name;
        email = u.email;
    }
    json_set_str(o, "name", name);
    json_set_str(o, "email", email);
    return reply_json(out, o);
}

/* ---- settings: a form's members and where they are kept */

struct kept {
    const char *name;
    enum setting_id id;
};

static int reply_settings(struct request *r, struct response *out, const struct kept *kept)
{
    json_object *o = json_new_object(r->mem);

    for (; kept->name; kept++)
        json_set(o, kept->name, config_json(r->config, kept->id));
    return reply_json(out, o);
}

/* accept NULL: all values are fine. */
static int change_settings(struct request *r, struct response *out, const struct kept *kept,
                           bool (*accept)(enum setting_id id, json_object *v))
{
    struct config_change *change = config_change_begin(r->config, r->mem);
    struct error err = { "" };
    enum status st;

    for (const struct kept *k = kept; k->name; k++) {
        json_object *v = form_json(r, k->name);

        if (!accept || accept(k->id, v))
            config_change_set(change, k->id, v);
    }
    st = config_change_commit(change, r->db, &err);
    return st == OK ? reply_settings(r, out, kept) : fail_status(out, st, &err);
}

static const struct kept general[] = { { "SHOW_ADMIN_DETAILS", CFG_SHOW_ADMIN_DETAILS },
                                       { "WEBUI_URL", CFG_WEBUI_URL },
                                       { "ENABLE_SIGNUP", CFG_ENABLE_SIGNUP },
                                       { "ENABLE_API_KEY", CFG_ENABLE_API_KEY },
                                       { "ENABLE_API_KEY_ENDPOINT_RESTRICTIONS",
                                         CFG_ENABLE_API_KEY_ENDPOINT_RESTRICTIONS },
                                       { "API_KEY_ALLOWED_ENDPOINTS", CFG_API_KEY_ALLOWED_ENDPOINTS },
                                       { "DEFAULT_USER_ROLE", CFG_DEFAULT_USER_ROLE },
                                       { "JWT_EXPIRES_IN", CFG_JWT_EXPIRES_IN },
                                       { "ENABLE_COMMUNITY_SHARING", CFG_ENABLE_COMMUNITY_SHARING },
                                       { "ENABLE_MESSAGE_RATING", CFG_ENABLE_MESSAGE_RATING },
                                       { "ENABLE_CHANNELS", CFG_ENABLE_CHANNELS },
                                       { "ENABLE_NOTES", CFG_ENABLE_NOTES },
                                       { "ENABLE_USER_WEBHOOKS", CFG_ENABLE_USER_WEBHOOKS },
                                       { "PENDING_USER_OVERLAY_TITLE", CFG_PENDING_USER_OVERLAY_TITLE },
                                       { "PENDING_USER_OVERLAY_CONTENT", CFG_PENDING_USER_OVERLAY_CONTENT },
                                       { "RESPONSE_WATERMARK", CFG_RESPONSE_WATERMARK },
                                       { 0 } };

/* "-1", "0", or one number with one unit: the panel knows no sums. */
static bool is_simple_duration(struct str s)
{
    static const char *const units[] = { "ms", "s", "m", "h", "d", "w" };
    size_t i = s.n && s.p[0] == '-' ? 1 : 0, start = i, fraction;

    if (str_is(s, "-1") || str_is(s, "0"))
        return true;
    while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9')
        i++;
    if (i == start)
        return false;
    if (i < s.n && s.p[i] == '.') {
        fraction = ++i;
        while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9')
            i++;
        if (i == fraction)
            return false;
    }
    for (size_t k = 0; k < sizeof(units) / sizeof(units[0]); k++) {
        if (str_is(str_from(s, i), units[k]))
            return true;
    }
    return false;
}

/* Values that make no sense leave the setting as it was. */
static bool accept_general(enum setting_id id, json_object *v)
{
    struct str s = json_str_value(v);

    if (id == CFG_DEFAULT_USER_ROLE)
        return str_is(s, "pending") || str_is(s, "user") || str_is(s, "admin");
    return id != CFG_JWT_EXPIRES_IN || is_simple_duration(s);
}

int auths_admin_config(struct request *r, struct response *out)
{
    return reply_settings(r, out, general);
}

int auths_admin_config_set(struct request *r, struct response *out)
{
    return change_settings(r, out, general, accept_general);
}

static const struct kept ldap_server[] = { { "label", CFG_LDAP_SERVER_LABEL },
                                           { "host", CFG_LDAP_SERVER_HOST },
                                           { "port", CFG_LDAP_SERVER_PORT },
                                           { "attribute_for_mail", CFG_LDAP_ATTRIBUTE_FOR_MAIL },
                                           { "attribute_for_username", CFG_LDAP_ATTRIBUTE_FOR_USERNAME },
                                           { "app_dn", CFG_LDAP_APP_DN },
                                           { "app_dn_password", CFG_LDAP_APP_PASSWORD },
                                           { "search_base", CFG_LDAP_SEARCH_BASE },
                                           { "search_filters", CFG_LDAP_SEARCH_FILTER },
                                           { "use_tls", CFG_LDAP_USE_TLS },
                                           { "certificate_path", CFG_LDAP_CA_CERT_FILE },
                                           { "validate_cert", CFG_LDAP_VALIDATE_CERT },
                                           { "ciphers", CFG_LDAP_CIPHERS },
                                           { 0 } };

int auths_ldap_server(struct request *r, struct response *out)
{
    return reply_settings(r, out, ldap_server);
}

int auths_ldap_server_set(struct request *r, struct response *out)
{
    static const char *const required[] = {
        "label", "host", "attribute_for_mail", "attribute_for_username", "app_dn", "app_dn_password", "search_base"
    };

    for (size_t i = 0; i < sizeof(required) / sizeof(required[0]); i++) {
        if (!form_str(r, required[i]).n)
            return fail(out, 400, "Required field %s is empty", required[i]);
    }
    return change_settings(r, out, ldap_server, NULL);
}

static const struct kept ldap_switch[] = { { "ENABLE_LDAP", CFG_ENABLE_LDAP }, { 0 } };

int auths_ldap_config(struct request *r, struct response *out)
{
    return reply_settings(r, out, ldap_switch);
}

int auths_ldap_config_set(struct request *r, struct response *out)
{
    static const struct kept form[] = { { "enable_ldap", CFG_ENABLE_LDAP }, { 0 } };
    int status = change_settings(r, out, form, NULL);

    return status == 200 ? reply_settings(r, out, ldap_switch) : status;
}
