/* oauth_clients.c: dynamic client registration; registrations are sealed with OAUTH_CLIENT_INFO_ENCRYPTION_KEY, as the Python backend seals them. */
#include "lib/auth/oauth_clients.h"

#include "lib/auth/fernet.h"

static enum status client_key(struct config *c, struct str *key, struct error *err)
{
    *key = config_str(c, CFG_OAUTH_CLIENT_INFO_ENCRYPTION_KEY);
    return key->n ? OK : config_secret_key(c, true, key, err);
}

/* ---- where a server says what it can */

/* "https://host:port" and the path after it, without a slash at its end. */
static bool split_url(struct str url, struct str *base, struct str *path)
{
    size_t start = str_find(url, S("://")), slash;

    if (start == STR_NPOS || !(str_starts(url, "http://") || str_starts(url, "https://")))
        return false;
    url = str_sub(url, 0, str_find_c(url, '?'));
    url = str_sub(url, 0, str_find_c(url, '#'));
    slash = str_find_c(str_from(url, start + 3), '/');
    *base = slash == STR_NPOS ? url : str_sub(url, 0, start + 3 + slash);
    *path = slash == STR_NPOS ? S("") : str_trim_c(str_from(url, start + 3 + slash), "/");
    return base->n > start + 3;
}

size_t oauth_metadata_urls(struct arena *mem, struct str server_url, struct str out[4])
{
    static const char *const kinds[] = { "oauth-authorization-server", "openid-configuration" };
    struct str base, path;
    size_t n = 0;

    if (!split_url(server_url, &base, &path))
        return 0;
    for (int i = 0; i < 2; i++)
        out[n++] = str_f(mem, "%.*s/.well-known/%s", STR(base), kinds[i]);
    for (int i = 0; i < 2 && path.n; i++)
        out[n++] = str_f(mem, "%.*s/.well-known/%s/%.*s", STR(base), kinds[i], STR(path));
    return n;
}

/* The first place with metadata; none: *url is absent and *out NULL. */
static void find_metadata(struct arena *mem, struct str server_url, struct str *url, json_object **out)
{
    struct str urls[4];
    size_t n = oauth_metadata_urls(mem, server_url, urls);

    *url = STR_NONE;
    *out = NULL;
    for (size_t i = 0; i < n; i++) {
        struct oauth_request q = { .url = urls[i] };
        json_object *o = NULL;
        int http_status = 0;

        if (oauth_call(mem, &q, &o, &http_status, NULL) != OK || http_status != 200 || !json_str(o, "issuer").n ||
            !json_str(o, "authorization_endpoint").n || !json_str(o, "token_endpoint").n)
            continue;
        *url = urls[i];
        *out = o;
        return;
    }
}

/* ---- registering */

static json_object *our_metadata(struct arena *mem, struct str redirect_uri, json_object *server)
{
    json_object *o = json_new_object(mem), *grants;
    struct buf scope = BUF(mem, 4096);

    json_push_str(json_set_array(o, "redirect_uris"), redirect_uri);
    json_set_c(o, "token_endpoint_auth_method", "client_secret_post");
    grants = json_set_array(o, "grant_types");
    json_push_str(grants, S("authorization_code"));
    json_push_str(grants, S("refresh_token"));
    json_push_str(json_set_array(o, "response_types"), S("code"));
    JSON_EACH (json_get(server, "scopes_supported"), i, one)
        buf_addf(&scope, "%s%.*s", i ? " " : "", STR(json_str_value(one)));
    if (scope.n)
        json_set_str(o, "scope", buf_str(&scope));
    json_set_c(o, "client_name", "Open WebUI");
    return o;
}

enum status oauth_client_register(struct arena *mem, struct config *c, struct str server_url, struct str redirect_uri,
                                  struct str *sealed, struct error *err)
{
    struct oauth_request q = { .json = true };
    json_object *server, *answer = NULL, *info;
    struct str metadata_url, base, path, key;
    int http_status = 0;
    enum status st;

    if (!split_url(server_url, &base, &path))
        return error_set(err, INVALID, "no http address");
    find_metadata(mem, server_url, &metadata_url, &server);
    q.url = json_str(server, "registration_endpoint");
    if (!q.url.n)
        q.url = str_f(mem, "%.*s/register", STR(base));
    info = our_metadata(mem, redirect_uri, server);
    q.form = json_text(mem, info);
    st = oauth_call(mem, &q, &answer, &http_status, err);
    if (st != OK)
        return st;
    if (http_status < 200 || http_status > 299 || !json_str(answer, "client_id").n)
        return error_set(err, INVALID, "the registration was answered with %d", http_status);
    /* What the server leaves out is as we asked for it. */
    json_merge(info, answer);
    json_set_str(info, "issuer", metadata_url);
    st = client_key(c, &key, err);
    if (st != OK)
        return st;
    *sealed = fernet_seal(mem, key, json_text(mem, info));
    return sealed->n ? OK : error_set(err, FAILED, "the registration could not be sealed");
}

/* ---- by name */

static json_object *connection_of(struct config *c, struct str client_id)
{
    struct str id = str_from(client_id, sizeof("mcp:") - 1);

    JSON_EACH (config_json(c, CFG_TOOL_SERVER_CONNECTIONS), i, one) {
        if (str_is(json_str(one, "type"), "mcp") && str_is(json_str(one, "auth_type"), "oauth_2.1") &&
            str_eq(json_str(json_get(one, "info"), "id"), id))
            return one;
    }
    return NULL;
}

enum status oauth_client_find(struct arena *mem, struct config *c, struct str client_id, struct oauth_provider *out,
                              struct error *err)
{
    json_object *connection = str_starts(client_id, "mcp:") ? connection_of(c, client_id) : NULL, *info = NULL;
    struct str key, text, base, path;
    enum status st = connection ? client_key(c, &key, err) : error_set(err, NOT_FOUND, "no such tool server");

    if (st != OK)
        return st;
    if (fernet_open(mem, key, json_str(json_get(connection, "info"), "oauth_client_info"), 0, &text, err) != OK ||
        json_parse(mem, text, &info, err) != OK || !json_str(info, "client_id").n)
        return error_add(err, NOT_FOUND, "the registration of %.*s", STR(client_id));
    *out = (struct oauth_provider){ .name = client_id,
                                    .client_id = json_str(info, "client_id"),
                                    .client_secret = json_str(info, "client_secret"),
                                    .auth_method = json_str(info, "token_endpoint_auth_method"),
                                    .scope = json_str(info, "scope"),
                                    .metadata_url = json_str(info, "issuer"),
                                    .redirect_uri = json_str_value(json_at(json_get(info, "redirect_uris"), 0)) };
    /* A server without metadata has its endpoints at the usual places (MCP, 2025-03-26, authorization, 2.3.3). */
    if (!out->metadata_url.n && split_url(json_str(connection, "url"), &base, &path)) {
        out->authorize_url = str_f(mem, "%.*s/authorize", STR(base));
        out->token_url = str_f(mem, "%.*s/token", STR(base));
    }
    return OK;
}
