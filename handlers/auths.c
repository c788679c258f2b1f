/* auths.c: /api/v1/auths: the session, one's own profile, password and API key. */
#include "handlers/auths.h"

#include "handlers/date_field.h"
#include "handlers/presence.h"
#include "handlers/routes.h"
#include "handlers/texts.h"
#include "lib/auth/auth.h"
#include "lib/auth/token.h"
#include "lib/base/random.h"
#include "lib/store/user_json.h"
#include "lib/store/users.h"

const char auths_action_prohibited[] = ACTION_PROHIBITED_TEXT;
const char auths_access_prohibited[] = PROHIBITED_TEXT;
const char auths_email_taken[] = EMAIL_TAKEN_TEXT;
const char auths_email_invalid[] =
    "The email format you entered is invalid. Please double-check and make sure you're using a valid email address "
    "(e.g., yourname@example.com).";
const char auths_invalid_cred[] =
    "The email or password provided is incorrect. Please check for typos and try logging in again.";
const char auths_password_too_long[] =
    "Uh-oh! The password you entered is too long. Please make sure your password is less than 72 bytes long.";
const char auths_too_many_tries[] = "API rate limit exceeded";

static int get_session(struct request *r, struct response *out)
{
    int64_t expires_s = r->by_api_key ? 0 : auth_token_expires(r->mem, r->config, r->token);

    if (!r->by_api_key)
        auths_set_cookie(r, out, r->token, expires_s);
    return auths_reply_session(r, out, r->user, r->token, expires_s, true);
}

static int update_profile(struct request *r, struct response *out)
{
    struct user u;
    struct str date;
    struct buf b = BUF(r->mem, 64 * 1024 * 1024);
    int bad = date_field(r, out, "date_of_birth", &date);
    enum db_status st;

    if (bad)
        return bad;
    st = user_set_profile(r->db, r->user->id, form_str(r, "name"), form_str(r, "profile_image_url"), form_str(r, "bio"),
                          form_str(r, "gender"), date);
    if (st == DB_ROW)
        st = user_by_id(r->db, r->mem, r->user->id, &u);
    if (st == DB_ERROR)
        return fail_db(out, r->db);
    if (st == DB_DONE)
        return fail(out, 400, WENT_WRONG);
    user_json_public(&b, &u);
    return reply_json_text(out, buf_str(&b));
}

static int update_password(struct request *r, struct response *out)
{
    struct error err = { "" };
    struct str hash;
    struct user u;
    enum status st;

    if (config_str(r->config, CFG_WEBUI_AUTH_TRUSTED_EMAIL_HEADER).n)
        return fail(out, 400, "%s", auths_action_prohibited);
    if (!auth_may_try(r->mem, r->user->email, STR_NONE)) {
        response_header(out, "Retry-After", str_f(r->mem, "%d", AUTH_TRY_WINDOW_S));
        return fail(out, 429, "%s", auths_too_many_tries);
    }
    st = auth_by_password(r->mem, r->db, r->user->email, form_str(r, "password"), &u, &err);
    if (st == NOT_FOUND || (st == OK && !str_eq(u.id, r->user->id))) {
        auth_failed_try(r->mem, r->user->email, r->remote_addr);
        return fail(out, 400, "The password provided is incorrect. Please check for typos and try again.");
    }
    if (st != OK)
        return fail_status(out, st, &err);
    st = password_hash(r->mem, form_str(r, "new_password"), &hash, &err);
    if (st == TOO_BIG || st == INVALID)
        return fail(out, 400, "%s", auths_password_too_long);
    if (st != OK)
        return fail_status(out, st, &err);
    switch (user_set_password(r->db, r->user->id, hash)) {
    case DB_ERROR: return fail_db(out, r->db);
    case DB_DONE: return reply_bool(out, false);
    default: break;
    }
    st = auth_revoke_user(r->mem, r->config, r->user->id, r->token, &err);
    if (st != OK)
        return fail_status(out, st, &err);
    presence_disconnect(r->mem, r->config, r->user->id);
    return reply_bool(out, true);
}

/* ---- API keys */

static int reply_key(struct request *r, struct response *out, struct str key)
{
    json_object *o = json_new_object(r->mem);

    json_set_str(o, "api_key", key);
    return reply_json(out, o);
}

static int make_api_key(struct request *r, struct response *out)
{
    struct str key = str_cat(r->mem, S("sk-"), random_hex(r->mem, 16));

    if (!config_bool(r->config, CFG_ENABLE_API_KEY))
        return fail(out, 403, "API key creation is not allowed in the environment.");
    switch (user_set_api_key(r->db, r->user->id, key)) {
    case DB_ERROR: return fail_db(out, r->db);
    case DB_ROW: return reply_key(r, out, key);
    default:
        return fail(out, 500,
                    "Oops! Something went wrong while creating your API key. Please try again later. If the issue "
                    "persists, contact "
                    "support for assistance.");
    }
}

static int delete_api_key(struct request *r, struct response *out)
{
    enum db_status st = user_set_api_key(r->db, r->user->id, STR_NONE);

    return st == DB_ERROR ? fail_db(out, r->db) : reply_bool(out, st == DB_ROW);
}

static int get_api_key(struct request *r, struct response *out)
{
    if (r->user->api_key.n)
        return reply_key(r, out, r->user->api_key);
    return fail(out, 404,
                "Oops! It looks like there's a hiccup. The API key is missing. Please make sure to provide a valid API "
                "key to access "
                "this feature.");
}

/* ---- forms and routes */

static const struct field profile_form[] = { FIELD(STRING, "profile_image_url", REQUIRED),
                                             FIELD(STRING, "name", REQUIRED),
                                             FIELD(STRING, "bio", OPTIONAL),
                                             FIELD(STRING, "gender", OPTIONAL),
                                             FIELD(ANY, "date_of_birth", OPTIONAL),
                                             END };
static const struct field password_form[] = { FIELD(STRING, "password", REQUIRED),
                                              FIELD(STRING, "new_password", REQUIRED), END };
static const struct field ldap_form[] = { FIELD(STRING, "user", REQUIRED), FIELD(STRING, "password", REQUIRED), END };
static const struct field signin_form[] = { FIELD(STRING, "email", REQUIRED), FIELD(STRING, "password", REQUIRED),
                                            END };
static const struct field signup_form[] = { FIELD(STRING, "name", REQUIRED), FIELD(STRING, "email", REQUIRED),
                                            FIELD(STRING, "password", REQUIRED),
                                            FIELD(STRING, "profile_image_url", OPTIONAL, .def = "\"/user.png\""), END };
static const struct field add_form[] = { FIELD(STRING, "name", REQUIRED),
                                         FIELD(STRING, "email", REQUIRED),
                                         FIELD(STRING, "password", REQUIRED),
                                         FIELD(STRING, "profile_image_url", OPTIONAL, .def = "\"/user.png\""),
                                         FIELD(STRING, "role", OPTIONAL, .def = "\"pending\""),
                                         END };
static const struct field config_form[] = { FIELD(BOOLEAN, "SHOW_ADMIN_DETAILS", REQUIRED),
                                            FIELD(STRING, "WEBUI_URL", REQUIRED),
                                            FIELD(BOOLEAN, "ENABLE_SIGNUP", REQUIRED),
                                            FIELD(BOOLEAN, "ENABLE_API_KEY", REQUIRED),
                                            FIELD(BOOLEAN, "ENABLE_API_KEY_ENDPOINT_RESTRICTIONS", REQUIRED),
                                            FIELD(STRING, "API_KEY_ALLOWED_ENDPOINTS", REQUIRED),
                                            FIELD(STRING, "DEFAULT_USER_ROLE", REQUIRED),
                                            FIELD(STRING, "JWT_EXPIRES_IN", REQUIRED),
                                            FIELD(BOOLEAN, "ENABLE_COMMUNITY_SHARING", REQUIRED),
                                            FIELD(BOOLEAN, "ENABLE_MESSAGE_RATING", REQUIRED),
                                            FIELD(BOOLEAN, "ENABLE_CHANNELS", REQUIRED),
                                            FIELD(BOOLEAN, "ENABLE_NOTES", REQUIRED),
                                            FIELD(BOOLEAN, "ENABLE_USER_WEBHOOKS", REQUIRED),
                                            FIELD(STRING, "PENDING_USER_OVERLAY_TITLE", OPTIONAL),
                                            FIELD(STRING, "PENDING_USER_OVERLAY_CONTENT", OPTIONAL),
                                            FIELD(STRING, "RESPONSE_WATERMARK", OPTIONAL),
                                            END };
static const struct field ldap_server_form[] = { FIELD(STRING, "label", REQUIRED),
                                                 FIELD(STRING, "host", REQUIRED),
                                                 FIELD(INTEGER, "port", OPTIONAL),
                                                 FIELD(STRING, "attribute_for_mail", NOT_NULL, .def = "\"mail\""),
                                                 FIELD(STRING, "attribute_for_username", NOT_NULL, .def = "\"uid\""),
                                                 FIELD(STRING, "app_dn", REQUIRED),
                                                 FIELD(STRING, "app_dn_password", REQUIRED),
                                                 FIELD(STRING, "search_base", REQUIRED),
                                                 FIELD(STRING, "search_filters", NOT_NULL, .def = "\"\""),
                                                 FIELD(BOOLEAN, "use_tls", NOT_NULL, .def = "true"),
                                                 FIELD(STRING, "certificate_path", OPTIONAL),
                                                 FIELD(BOOLEAN, "validate_cert", NOT_NULL, .def = "true"),
                                                 FIELD(STRING, "ciphers", OPTIONAL, .def = "\"ALL\""),
                                                 END };
static const struct field ldap_config_form[] = { FIELD(BOOLEAN, "enable_ldap", OPTIONAL), END };

const struct route auths_routes[] = {
    { GET, "/api/v1/auths/", CURRENT, get_session, .about = "Who is signed in, with which permissions" },
    { POST, "/api/v1/auths/update/profile", VERIFIED, update_profile, .form = profile_form,
      .about = "Change the own profile" },
    { POST, "/api/v1/auths/update/password", CURRENT, update_password, .form = password_form,
      .about = "Change the own password" },
    { POST, "/api/v1/auths/ldap", PUBLIC, auths_ldap, .form = ldap_form, .about = "Sign in by LDAP" },
    { POST, "/api/v1/auths/signin", PUBLIC, auths_signin, .form = signin_form,
      .about = "Sign in by address and password" },
    { POST, "/api/v1/auths/signup", PUBLIC, auths_signup, .form = signup_form, .about = "Make an account" },
    { GET, "/api/v1/auths/signout", PUBLIC, auths_signout, .about = "Sign out: the token is good no more" },
    { POST, "/api/v1/auths/add", ADMIN, auths_add, .form = add_form, .about = "Add a user" },
    { GET, "/api/v1/auths/admin/details", CURRENT, auths_admin_details, .about = "Name and address of the admin" },
    { GET, "/api/v1/auths/admin/config", ADMIN, auths_admin_config, .about = "General settings" },
    { POST, "/api/v1/auths/admin/config", ADMIN, auths_admin_config_set, .form = config_form,
      .about = "Change the general settings" },
    { GET, "/api/v1/auths/admin/config/ldap/server", ADMIN, auths_ldap_server, .about = "The LDAP server" },
    { POST, "/api/v1/auths/admin/config/ldap/server", ADMIN, auths_ldap_server_set, .form = ldap_server_form,
      .about = "Change the LDAP server" },
    { GET, "/api/v1/auths/admin/config/ldap", ADMIN, auths_ldap_config, .about = "Whether LDAP is on" },
    { POST, "/api/v1/auths/admin/config/ldap", ADMIN, auths_ldap_config_set, .form = ldap_config_form,
      .about = "Turn LDAP on or off" },
    { POST, "/api/v1/auths/api_key", CURRENT, make_api_key, .about = "Make an API key; an old one ends" },
    { DELETE, "/api/v1/auths/api_key", CURRENT, delete_api_key, .about = "Delete the own API key" },
    { GET, "/api/v1/auths/api_key", CURRENT, get_api_key, .about = "The own API key" },
    END
};
