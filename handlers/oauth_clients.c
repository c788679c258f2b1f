/* oauth_clients.c: tool servers with OAuth 2.1: registering there, and fetching a user's tokens. */
#include "handlers/oauth.h"
#include "handlers/routes.h"
#include "lib/auth/oauth_clients.h"
#include "lib/auth/oauth_tokens.h"
#include "lib/base/log.h"

/* The address under which browsers reach us: WEBUI_URL, else the request's. No slash at its end. */
static struct str public_base(struct request *r)
{
    struct str url = config_str(r->config, CFG_WEBUI_URL);

    return str_trim_c(url.n ? url : request_base_url(r), "/");
}

static int register_client(struct request *r, struct response *out)
{
    struct str id = form_str(r, "client_id"), type = query_str(r, "type"), sealed;
    json_object *o = json_new_object(r->mem);
    struct error err = { "" };

    if (type.n)
        id = str_f(r->mem, "%.*s:%.*s", STR(type), STR(id));
    if (oauth_client_register(r->mem, r->config, form_str(r, "url"),
                              str_f(r->mem, "%.*s/oauth/clients/%.*s/callback", STR(public_base(r)), STR(id)), &sealed,
                              &err) != OK) {
        log_warning("registering at %.*s failed: %s", STR(str_utf8_first(form_str(r, "url"), 200)), err.text);
        return fail(out, 400, "Failed to register OAuth client");
    }
    json_set_bool(o, "status", true);
    json_set_str(o, "oauth_client_info", sealed);
    return reply_json(out, o);
}

/* 0: *p. */
static int find_client(struct request *r, struct response *out, struct oauth_provider *p)
{
    struct error err = { "" };

    if (oauth_client_find(r->mem, r->config, path_arg(r, "client_id"), p, &err) == OK)
        return 0;
    log_info("OAuth client %.*s: %s", STR(str_utf8_first(path_arg(r, "client_id"), 100)), err.text);
    return fail(out, 404, "Not Found");
}

static int authorize(struct request *r, struct response *out)
{
    struct oauth_departure d;
    struct oauth_provider p;
    struct error err = { "" };
    struct str redirect_uri;
    int status = find_client(r, out, &p);

    if (status)
        return status;
    redirect_uri = p.redirect_uri;
    if (!redirect_uri.n)
        redirect_uri = str_f(r->mem, "%.*s/oauth/clients/%.*s/callback", STR(public_base(r)), STR(p.name));
    if (oauth_flow_start(r->mem, r->config, &p, redirect_uri, r->user->id, &d, &err) == OK)
        return oauth_send_away(r, out, &d);
    log_error("tokens of %.*s cannot be asked for: %s", STR(p.name), err.text);
    return oauth_send_home(r, out, "/", S("OAuth callback error"), NULL);
}

static int client_callback(struct request *r, struct response *out)
{
    const char *cookie_name;
    struct oauth_arrival a = oauth_arrival_of(r, &cookie_name);
    struct oauth_provider p;
    struct error err = { "" };
    json_object *token;
    struct str id;
    int status = find_client(r, out, &p);

    if (status)
        return status;
    a.user_id = r->user->id;
    if (oauth_flow_finish(r->mem, r->config, &p, &a, &token, &err) != OK) {
        log_warning("tokens of %.*s: %s", STR(p.name), err.text);
        return oauth_send_home(r, out, "/", S("OAuth callback error"), cookie_name);
    }
    if (oauth_tokens_keep(r->mem, r->db, r->config, r->user->id, p.name, token, &id, &err) != OK) {
        log_error("%s", err.text);
        return oauth_send_home(r, out, "/", S("Failed to store OAuth session server-side"), cookie_name);
    }
    return oauth_send_home(r, out, "/", STR_NONE, cookie_name);
}

static const struct field register_form[] = { FIELD(STRING, "url", REQUIRED), FIELD(STRING, "client_id", REQUIRED),
                                              FIELD(STRING, "client_name", OPTIONAL), END };
static const struct field register_query[] = { FIELD(STRING, "type", OPTIONAL), END };

const struct route oauth_clients_routes[] = {
    { POST, "/api/v1/configs/oauth/clients/register", ADMIN, register_client, .form = register_form,
      .query = register_query, .about = "Registers at a tool server's OAuth server" },
    { GET, "/oauth/clients/{client_id}/authorize", VERIFIED, authorize, .about = "To a tool server's OAuth server" },
    { GET, "/oauth/clients/{client_id}/callback", VERIFIED, client_callback,
      .about = "Back from a tool server's OAuth server" },
    END
};
