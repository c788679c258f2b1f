/* oauth.c: /oauth/{provider}: signing in at an identity provider, and coming back from it. */
#include "handlers/oauth.h"

#include "handlers/auths.h"
#include "handlers/routes.h"
#include "lib/auth/auth.h"
#include "lib/auth/oauth_account.h"
#include "lib/auth/oauth_picture.h"
#include "lib/auth/oauth_tokens.h"
#include "lib/base/clock.h"
#include "lib/base/encode.h"
#include "lib/base/log.h"
#include "lib/store/users.h"

static const char process_failed[] = "[ERROR: Error during OAuth process]";

/* ---- cookies */

static struct cookie flow_cookie(struct request *r, const char *name, struct str value)
{
    struct str same_site = config_str(r->config, CFG_WEBUI_SESSION_COOKIE_SAME_SITE);

    return (struct cookie){ .name = name,
                            .value = value,
                            .expires_s = now_s() + OAUTH_FLOW_S,
                            .http_only = true,
                            .secure = config_bool(r->config, CFG_WEBUI_SESSION_COOKIE_SECURE),
                            .same_site = same_site.n ? str_c(r->mem, same_site) : "lax" };
}

int oauth_send_away(struct request *r, struct response *out, const struct oauth_departure *d)
{
    struct cookie c = flow_cookie(r, d->cookie_name, d->cookie);

    reply_redirect(out, 302, d->url);
    response_header(out, "Cache-Control", S("no-store"));
    response_cookie(out, &c);
    return 302;
}

struct oauth_arrival oauth_arrival_of(struct request *r, const char **cookie_name)
{
    struct oauth_arrival a = { .state = query_str(r, "state"),
                               .code = query_str(r, "code"),
                               .error = query_str(r, "error"),
                               .issuer = query_str(r, "iss") };

    *cookie_name = oauth_flow_cookie_name(r->mem, a.state);
    if (*cookie_name)
        a.cookie = request_cookie(r, *cookie_name);
    return a;
}

/* A path of ours; with the address of WEBUI_URL before it where that is set. The cookie of the flow has done its work. */
int oauth_send_home(struct request *r, struct response *out, const char *path, struct str error,
                    const char *cookie_name)
{
    struct str base = str_trim_c(config_str(r->config, CFG_WEBUI_URL), "/");
    struct cookie c = flow_cookie(r, cookie_name ? cookie_name : "", S(""));

    if (!str_starts(base, "http://") && !str_starts(base, "https://"))
        base = S("");
    reply_redirect(out, 307,
                   error.n ? str_f(r->mem, "%.*s%s?error=%.*s", STR(base), path, STR(url_encode(r->mem, error)))
                           : str_f(r->mem, "%.*s%s", STR(base), path));
    response_header(out, "Cache-Control", S("no-store"));
    c.delete_it = true;
    if (cookie_name)
        response_cookie(out, &c);
    return 307;
}

/* ---- away */

static int login(struct request *r, struct response *out)
{
    struct oauth_provider p;
    struct oauth_departure d;
    struct error err = { "" };
    struct str redirect_uri;

    if (oauth_provider_find(r->mem, r->config, path_arg(r, "provider"), &p) != OK)
        return fail(out, 404, "Not Found");
    redirect_uri = p.redirect_uri;
    if (!redirect_uri.n)
        redirect_uri = str_f(r->mem, "%.*soauth/%.*s/login/callback", STR(request_base_url(r)), STR(p.name));
    if (oauth_flow_start(r->mem, r->config, &p, redirect_uri, STR_NONE, &d, &err) == OK)
        return oauth_send_away(r, out, &d);
    log_error("sign-in at %.*s is not possible: %s", STR(p.name), err.text);
    return oauth_send_home(r, out, "/auth", str_of(process_failed), NULL);
}

/* ---- and back */

static struct str verdict_text(enum oauth_verdict v)
{
    switch (v) {
    case OAUTH_NOT_ALLOWED: return str_of(auths_invalid_cred);
    case OAUTH_EMAIL_TAKEN: return str_of(auths_email_taken);
    case OAUTH_NO_SIGNUP: return str_of(auths_access_prohibited);
    default: return str_of(process_failed);
    }
}

/* Fetched for a new account, and at each sign-in where OAUTH_UPDATE_PICTURE_ON_LOGIN says so. What goes wrong with it stops nobody. */
static void keep_picture(struct request *r, const struct oauth_provider *p, const struct oauth_person *person,
                         json_object *token, bool is_new, struct user *u)
{
    struct error err = { "" };
    struct str url;

    if (!person->picture.n || !(is_new || config_bool(r->config, CFG_OAUTH_UPDATE_PICTURE_ON_LOGIN)))
        return;
    if (oauth_picture_fetch(r->mem, r->config, p, person->picture, json_str(token, "access_token"), &url, &err) != OK) {
        log_warning("no picture of a user was taken over: %s", err.text);
        return;
    }
    if (!str_eq(url, u->profile_image_url) && user_set_image(r->db, u->id, url) == DB_ERROR)
        log_error("could not keep the picture of a user: %s", db_error(r->db));
}

/* The page reads the token out of its cookie, so this one is not HttpOnly; the session that it asks for next makes it so. */
static int start_session(struct request *r, struct response *out, const struct oauth_provider *p, json_object *token,
                         const struct user *u, const char *cookie_name)
{
    struct str same_site = config_str(r->config, CFG_WEBUI_AUTH_COOKIE_SAME_SITE), jwt, session_id;
    struct cookie c = { .name = "token",
                        .same_site = same_site.n ? str_c(r->mem, same_site) : "lax",
                        .secure = config_bool(r->config, CFG_WEBUI_AUTH_COOKIE_SECURE) };
    struct error err = { "" };
    int64_t expires_s;

    if (auth_issue(r->mem, r->config, u->id, false, &jwt, &expires_s, &err) != OK) {
        log_error("%s", err.text);
        return oauth_send_home(r, out, "/auth", str_of(process_failed), cookie_name);
    }
    oauth_send_home(r, out, "/auth", STR_NONE, cookie_name);
    c.value = jwt;
    response_cookie(out, &c);
    c.http_only = true;
    c.name = "oauth_id_token";
    c.value = json_str(token, "id_token");
    /* Browsers keep cookies of 4096 bytes at most; the token is in the session anyway. */
    if (config_bool(r->config, CFG_ENABLE_OAUTH_ID_TOKEN_COOKIE) && c.value.n && c.value.n < 4000)
        response_cookie(out, &c);
    if (oauth_tokens_keep(r->mem, r->db, r->config, u->id, p->name, token, &session_id, &err) != OK) {
        log_error("signed in, but the provider's tokens are not kept: %s", err.text);
        return 307;
    }
    c.name = "oauth_session_id";
    c.value = session_id;
    response_cookie(out, &c);
    return 307;
}

static int callback(struct request *r, struct response *out)
{
    const char *cookie_name;
    struct oauth_arrival a = oauth_arrival_of(r, &cookie_name);
    struct oauth_person person;
    struct oauth_provider p;
    struct error err = { "" };
    enum oauth_verdict verdict;
    json_object *token;
    struct user u;
    enum status st;

    if (oauth_provider_find(r->mem, r->config, path_arg(r, "provider"), &p) != OK)
        return fail(out, 404, "Not Found");
    st = oauth_flow_finish(r->mem, r->config, &p, &a, &token, &err);
    if (st == OK)
        st = oauth_person_of(r->mem, r->config, &p, token, &person, &err);
    if (st != OK) {
        log_warning("a sign-in at %.*s is refused: %s", STR(p.name), err.text);
        return oauth_send_home(r, out, "/auth", str_of(st == INVALID ? auths_invalid_cred : process_failed),
                               cookie_name);
    }
    verdict = oauth_account(r->mem, r->db, r->config, &person, &u, &err);
    if (verdict != OAUTH_KNOWN && verdict != OAUTH_NEW) {
        log_warning("%.*s is not let in: %s", STR(person.sub), err.text[0] ? err.text : verdict_text(verdict).p);
        return oauth_send_home(r, out, "/auth", verdict_text(verdict), cookie_name);
    }
    keep_picture(r, &p, &person, token, verdict == OAUTH_NEW, &u);
    if (oauth_groups_sync(r->mem, r->db, r->config, &person, &u, &err) != OK)
        log_error("could not keep the groups of a user as the provider names them: %s", err.text);
    if (verdict == OAUTH_NEW)
        auths_tell_webhook(r, &u);
    return start_session(r, out, &p, token, &u, cookie_name);
}

const struct route oauth_routes[] = {
    { GET, "/oauth/{provider}/login", PUBLIC, login, .about = "To the identity provider" },
    { GET, "/oauth/{provider}/login/callback", PUBLIC, callback, .about = "Back from the identity provider" },
    { GET, "/oauth/{provider}/callback", PUBLIC, callback, .about = "Back from the identity provider" },
    END
};
