/* signin.c: signing in by password or by a web server's word, making an account, signing out. */
#include "handlers/auths.h"

#include "handlers/presence.h"
#include "lib/auth/auth.h"
#include "lib/auth/oauth_tokens.h"
#include "lib/auth/token.h"
#include "lib/base/log.h"
#include "lib/base/random.h"
#include "lib/net/webhook.h"
#include "lib/store/groups.h"
#include "lib/store/users.h"

#define VERSION "0.6.32" /* of the interface that is spoken here */

/* Without WEBUI_AUTH everybody is this one. */
#define LOCAL_EMAIL S("admin@localhost")
#define LOCAL_PASSWORD S("admin")

static const char signup_failed[] = "An internal error occurred during signup.";

/* ---- what a session is answered with */

static void cookie_settings(struct request *r, struct cookie *c)
{
    struct str same_site = config_str(r->config, CFG_WEBUI_AUTH_COOKIE_SAME_SITE);

    c->same_site = same_site.n ? str_c(r->mem, same_site) : "lax";
    c->secure = config_bool(r->config, CFG_WEBUI_AUTH_COOKIE_SECURE);
}

void auths_set_cookie(struct request *r, struct response *out, struct str token, int64_t expires_s)
{
    struct cookie c = { .name = "token", .value = token, .expires_s = expires_s, .http_only = true };

    cookie_settings(r, &c);
    response_cookie(out, &c);
}

static void add_text(struct buf *b, const char *opening, struct str value)
{
    buf_add_c(b, opening);
    if (value.p)
        buf_add_json_string(b, value);
    else
        buf_add_c(b, "null");
}

int auths_reply_session(struct request *r, struct response *out, const struct user *u, struct str token,
                        int64_t expires_s, bool with_details)
{
    struct buf b = BUF(r->mem, 64 * 1024 * 1024);

    add_text(&b, "{\"token\":", token);
    add_text(&b, ",\"token_type\":\"Bearer\",\"id\":", u->id);
    add_text(&b, ",\"email\":", u->email);
    add_text(&b, ",\"name\":", u->name);
    add_text(&b, ",\"role\":", u->role);
    add_text(&b, ",\"profile_image_url\":", u->profile_image_url);
    if (expires_s)
        buf_addf(&b, ",\"expires_at\":%lld", (long long)expires_s);
    else
        buf_add_c(&b, ",\"expires_at\":null");
    buf_add_c(&b, ",\"permissions\":");
    buf_add_str(&b, auth_permissions_text(r->mem, r->db, r->config, u));
    if (with_details) {
        add_text(&b, ",\"bio\":", u->bio);
        add_text(&b, ",\"gender\":", u->gender);
        add_text(&b, ",\"date_of_birth\":", u->date_of_birth);
    }
    buf_add_char(&b, '}');
    return reply_json_text(out, buf_str(&b));
}

int auths_start_session(struct request *r, struct response *out, const struct user *u)
{
    struct error err = { "" };
    struct str token;
    int64_t expires_s;
    enum status st = auth_issue(r->mem, r->config, u->id, false, &token, &expires_s, &err);

    if (st != OK)
        return fail_status(out, st, &err);
    auths_set_cookie(r, out, token, expires_s);
    return auths_reply_session(r, out, u, token, expires_s, false);
}

/* ---- signing up */

void auths_tell_webhook(struct request *r, const struct user *u)
{
    struct str url = config_str(r->config, CFG_WEBHOOK_URL);
    struct webhook_event e = { .action = "signup", .name = config_str(r->config, CFG_WEBUI_NAME), .version = VERSION };
    struct error err = { "" };

    if (!url.n)
        return;
    e.message = u->name.n ? str_f(r->mem, "New user signed up: %.*s", STR(u->name)) : S("New user signed up");
    e.facts = json_new_object(r->mem);
    json_set_str(e.facts, "id", u->id);
    json_set_str(e.facts, "name", u->name);
    json_set_str(e.facts, "email", u->email);
    json_set_str(e.facts, "role", u->role);
    json_set_str(e.facts, "profile_image_url", u->profile_image_url);
    json_set_int(e.facts, "last_active_at", u->last_active_at);
    json_set_int(e.facts, "updated_at", u->updated_at);
    json_set_int(e.facts, "created_at", u->created_at);
    e.data = json_new_object(r->mem);
    json_set_c(e.data, "action", e.action);
    json_set_str(e.data, "message", e.message);
    json_set_str(e.data, "user", json_text(r->mem, e.facts));
    if (webhook_post(r->mem, url, &e, &err) != OK)
        log_warning("%s", err.text);
}

static void close_signup(struct request *r)
{
    struct config_change *change = config_change_begin(r->config, r->mem);
    struct error err = { "" };

    config_change_set(change, CFG_ENABLE_SIGNUP, json_new_bool(r->mem, false));
    if (config_change_commit(change, r->db, &err) != OK)
        log_error("the first account is made, but sign-up could not be turned off: %s", err.text);
}

static bool signup_open(struct request *r, bool any)
{
    if (!config_bool(r->config, CFG_WEBUI_AUTH))
        return !any;
    if (config_bool(r->config, CFG_ENABLE_SIGNUP) && config_bool(r->config, CFG_ENABLE_LOGIN_FORM))
        return true;
    return !any && config_bool(r->config, CFG_ENABLE_INITIAL_ADMIN_SIGNUP);
}

/* 0: *u is the new account. Else the answer is in out. */
static int make_account(struct request *r, struct response *out, struct str email, struct str name, struct str password,
                        struct str image, struct user *u)
{
    struct new_user n = { .name = name, .email = str_lower(r->mem, email), .profile_image_url = image };
    struct error err = { "" };
    enum user_made made;
    bool any, first;
    enum status st;

    if (user_any(r->db, r->mem, &any) == DB_ERROR)
        return fail_db(out, r->db);
    if (!signup_open(r, any))
        return fail(out, 403, "%s", auths_access_prohibited);
    if (!auth_email_valid(n.email))
        return fail(out, 400, "%s", auths_email_invalid);
    switch (user_by_email(r->db, r->mem, n.email, u)) {
    case DB_ROW: return fail(out, 400, "%s", auths_email_taken);
    case DB_ERROR: return fail_db(out, r->db);
    default: break;
    }
    st = image.p ? password_hash(r->mem, password, &n.password_hash, &err) : INVALID;
    if (st != OK) {
        log_warning("no account was made: %s", err.text);
        return fail(out, 500, "%s", signup_failed);
    }
    n.role = config_str(r->config, CFG_DEFAULT_USER_ROLE);
    /* Who was let in as the first, and is not, came second in a race: sign-up is being closed behind the winner. */
    n.only_as_first = !any;
    if (user_create(r->db, r->mem, &n, u, &made, &first) == DB_ERROR)
        return fail_db(out, r->db);
    if (made == USER_EMAIL_TAKEN)
        return fail(out, 400, "%s", auths_email_taken);
    if (made == USER_NOT_FIRST)
        return fail(out, 403, "%s", auths_access_prohibited);
    if (first)
        close_signup(r);
    auths_tell_webhook(r, u);
    return 0;
}

int auths_signup(struct request *r, struct response *out)
{
    struct user u;
    int status = make_account(r, out, form_str(r, "email"), form_str(r, "name"), form_str(r, "password"),
                              form_str(r, "profile_image_url"), &u);

    return status ? status : auths_start_session(r, out, &u);
}

/* ---- signing in */

int auths_too_many(struct request *r, struct response *out)
{
    response_header(out, "Retry-After", str_f(r->mem, "%d", AUTH_TRY_WINDOW_S));
    return fail(out, 429, "%s", auths_too_many_tries);
}

static struct str trusted_header(struct request *r, enum setting_id id)
{
    struct str name = config_str(r->config, id);

    return name.n ? request_header(r, str_c(r->mem, name)) : STR_NONE;
}

static void sync_trusted_groups(struct request *r, const struct user *u)
{
    struct str rest = trusted_header(r, CFG_WEBUI_AUTH_TRUSTED_GROUPS_HEADER), piece;
    struct str names[256];
    size_t n = 0;

    while (str_split(&rest, ',', &piece) && n < sizeof(names) / sizeof(names[0])) {
        piece = str_trim(piece);
        if (piece.n)
            names[n++] = piece;
    }
    if (n && group_sync(r->db, r->mem, u->id, names, n, false) == DB_ERROR)
        log_error("could not keep the groups of a user as the web server names them: %s", db_error(r->db));
}

/* The web server says who somebody is. */
static int signin_trusted(struct request *r, struct response *out)
{
    struct str email = trusted_header(r, CFG_WEBUI_AUTH_TRUSTED_EMAIL_HEADER), name;
    struct user u;
    enum db_status st;

    if (!email.p)
        return fail(
            out, 400,
            "Your provider has not provided a trusted header. Please contact your administrator for assistance.");
    email = str_lower(r->mem, email);
    st = user_by_email(r->db, r->mem, email, &u);
    if (st == DB_DONE) {
        int status;

        name = trusted_header(r, CFG_WEBUI_AUTH_TRUSTED_NAME_HEADER);
        status = make_account(r, out, email, name.p ? name : email, random_uuid(r->mem), S("/user.png"), &u);
        if (status)
            return status;
    }
    if (st != DB_ERROR)
        st = user_by_active_email(r->db, r->mem, email, &u);
    if (st == DB_ERROR)
        return fail_db(out, r->db);
    if (st == DB_DONE)
        return fail(out, 400, "%s", auths_invalid_cred);
    if (!u.is_admin)
        sync_trusted_groups(r, &u);
    return auths_start_session(r, out, &u);
}

static int signin_password(struct request *r, struct response *out, struct str email, struct str password)
{
    struct error err = { "" };
    struct user u;
    enum status st;

    email = str_lower(r->mem, email);
    if (!auth_may_try(r->mem, email, r->remote_addr))
        return auths_too_many(r, out);
    st = auth_by_password(r->mem, r->db, email, password, &u, &err);
    if (st == OK)
        return auths_start_session(r, out, &u);
    if (st != NOT_FOUND)
        return fail_status(out, st, &err);
    auth_failed_try(r->mem, email, r->remote_addr);
    return fail(out, 400, "%s", auths_invalid_cred);
}

/* WEBUI_AUTH=false: nobody is asked for anything, on an installation that has no users. */
static int signin_without_auth(struct request *r, struct response *out)
{
    struct user u;
    bool any;
    int status;

    switch (user_by_email(r->db, r->mem, LOCAL_EMAIL, &u)) {
    case DB_ROW: return signin_password(r, out, LOCAL_EMAIL, LOCAL_PASSWORD);
    case DB_ERROR: return fail_db(out, r->db);
    default: break;
    }
    if (user_any(r->db, r->mem, &any) == DB_ERROR)
        return fail_db(out, r->db);
    if (any)
        return fail(out, 400,
                    "You can't turn off authentication because there are existing users. If you want to disable "
                    "WEBUI_AUTH, make sure "
                    "your web interface doesn't have any existing users and is a fresh installation.");
    status = make_account(r, out, LOCAL_EMAIL, S("User"), LOCAL_PASSWORD, S("/user.png"), &u);
    return status ? status : auths_start_session(r, out, &u);
}

int auths_signin(struct request *r, struct response *out)
{
    if (config_str(r->config, CFG_WEBUI_AUTH_TRUSTED_EMAIL_HEADER).n)
        return signin_trusted(r, out);
    if (!config_bool(r->config, CFG_WEBUI_AUTH))
        return signin_without_auth(r, out);
    return signin_password(r, out, form_str(r, "email"), form_str(r, "password"));
}

/* ---- signing out */

static void delete_cookie(struct response *out, const char *name)
{
    struct cookie c = { .name = name, .value = S(""), .delete_it = true, .same_site = "lax" };

    response_cookie(out, &c);
}

int auths_signout(struct request *r, struct response *out)
{
    struct str cookie = request_cookie(r, "token"), url = config_str(r->config, CFG_WEBUI_AUTH_SIGNOUT_REDIRECT_URL),
               session_id = request_cookie(r, "oauth_session_id"), logout = STR_NONE;
    json_object *o = json_new_object(r->mem);
    struct error err = { "" };
    enum status st = auth_revoke_token(r->mem, r->config, r->token, &err);

    if (st == OK && cookie.n && !str_eq(cookie, r->token))
        st = auth_revoke_token(r->mem, r->config, cookie, &err);
    if (st != OK)
        return fail_status(out, st, &err);
    if (r->user && !r->by_api_key)
        presence_disconnect(r->mem, r->config, r->user->id);
    delete_cookie(out, "token");
    delete_cookie(out, "oui-session");
    delete_cookie(out, "oauth_id_token");
    if (session_id.p) {
        delete_cookie(out, "oauth_session_id");
        logout = oauth_logout_url(r->mem, r->db, r->config, session_id);
    }
    json_set_bool(o, "status", true);
    if (logout.n || url.n)
        json_set_str(o, "redirect_url", logout.n ? logout : url);
    return reply_json(out, o);
}
