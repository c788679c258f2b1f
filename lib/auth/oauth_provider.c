/* oauth_provider.c: providers by name, their metadata and keys, and calls to them. */
#include "lib/auth/oauth_provider.h"

#include "lib/base/clock.h"
#include "lib/net/http.h"

enum {
    TIMEOUT_MS = 10000,
    CONNECT_MS = 5000,
    MAX_ANSWER = 1024 * 1024,
    KEPT = 8,
    KEEP_MS = 300000,
    YOUNG_MS = 10000,
    STALE_MS = 24 * 3600 * 1000,
    FAILED_MS = 5000
};

/* ---- calls */

enum status oauth_call(struct arena *mem, const struct oauth_request *q, json_object **out, int *http_status,
                       struct error *err)
{
    struct http_header headers[4] = { { S("Accept"), S("application/json") }, { S("User-Agent"), S("webui-fcgi") } };
    struct http_call call = { .url = q->url,
                              .headers = headers,
                              .headers_n = 2,
                              .body = q->form,
                              .connect_timeout_ms = CONNECT_MS,
                              .max_bytes = MAX_ANSWER,
                              .timeout_ms = q->timeout_ms ? q->timeout_ms : TIMEOUT_MS,
                              .user_and_password = q->user_and_password };

    if (q->bearer.n)
        headers[call.headers_n++] = (struct http_header){ S("Authorization"),
                                                          str_f(mem, "Bearer %.*s", STR(q->bearer)) };
    if (q->form.p)
        headers[call.headers_n++] = (struct http_header){ S("Content-Type"),
                                                          q->json ? S("application/json")
                                                                  : S("application/x-www-form-urlencoded") };
    http_run(mem, &call, 1);
    if (call.result != OK)
        return error_set(err, call.result, "%.*s: %s", STR(str_utf8_first(q->url, 200)), call.err.text);
    *http_status = call.status;
    if (json_parse(mem, call.response, out, NULL) != OK || !*out)
        return error_set(err, INVALID, "%.*s answered %d without JSON", STR(str_utf8_first(q->url, 200)), call.status);
    return OK;
}

/* ---- what was fetched and is kept: a process asks few providers */

static struct {
    struct arena *mem;
    struct str url;
    json_object *document;       /* NULL: it has never answered */
    int64_t at_ms, failed_at_ms; /* failed_at_ms 0: the last time it answered */
} kept[KEPT];

static int kept_place(struct str url)
{
    int oldest = 0;

    for (int i = 0; i < KEPT; i++) {
        if (kept[i].mem && str_eq(kept[i].url, url))
            return i;
        if (!kept[i].mem || (kept[oldest].mem && kept[i].at_ms < kept[oldest].at_ms))
            oldest = i;
    }
    return oldest;
}

static void keep(int place, struct str url, json_object *document)
{
    struct arena *mem = arena_new(4096);

    arena_free(kept[place].mem);
    kept[place].mem = mem;
    kept[place].url = str_copy(mem, url);
    kept[place].document = document ? json_clone(mem, document) : NULL;
    kept[place].at_ms = mono_ms();
    kept[place].failed_at_ms = document ? 0 : mono_ms();
}

static bool is_kept(int place, struct str url, int64_t max_age_ms)
{
    return kept[place].mem && str_eq(kept[place].url, url) && kept[place].document &&
           mono_ms() - kept[place].at_ms < max_age_ms;
}

static bool failed_just_now(int place, struct str url)
{
    return kept[place].mem && str_eq(kept[place].url, url) && kept[place].failed_at_ms &&
           mono_ms() - kept[place].failed_at_ms < FAILED_MS;
}

static enum status ask(struct arena *mem, struct str url, int timeout_ms, json_object **out, struct error *err)
{
    struct oauth_request q = { .url = url, .timeout_ms = timeout_ms };
    int http_status = 0;
    enum status st = oauth_call(mem, &q, out, &http_status, err);

    if (st == OK && (http_status != 200 || !json_is(*out, json_type_object)))
        st = error_set(err, INVALID, "%.*s answered %d", STR(str_utf8_first(url, 200)), http_status);
    return st;
}

/* A provider that does not answer is asked every few seconds only: strangers can make us ask, and each question holds a process. What it said a day ago helps out. */
static enum status fetch(struct arena *mem, struct str url, int timeout_ms, int64_t max_age_ms, json_object **out,
                         struct error *err)
{
    int place = kept_place(url);
    enum status st;

    if (is_kept(place, url, max_age_ms)) {
        *out = json_clone(mem, kept[place].document);
        return OK;
    }
    if (failed_just_now(place, url))
        st = error_set(err, UNAVAILABLE, "%.*s did not answer a moment ago", STR(str_utf8_first(url, 200)));
    else
        st = ask(mem, url, timeout_ms, out, err);
    if (st == OK) {
        keep(place, url, *out);
    } else if (is_kept(place, url, STALE_MS)) {
        if (!failed_just_now(place, url))
            kept[place].failed_at_ms = mono_ms();
        *out = json_clone(mem, kept[place].document);
        return OK;
    } else if (!failed_just_now(place, url)) {
        keep(place, url, NULL);
    }
    return st;
}

/* ---- discovery */

static bool is_address(struct str url)
{
    return str_starts(url, "https://") || str_starts(url, "http://");
}

static struct str address_in(struct arena *mem, json_object *o, const char *name)
{
    struct str url = json_str(o, name);

    return is_address(url) ? str_copy(mem, url) : STR_NONE;
}

static bool among(json_object *list, const char *text)
{
    JSON_EACH (list, i, one) {
        if (str_is(json_str_value(one), text))
            return true;
    }
    return false;
}

enum status oauth_provider_discover(struct arena *mem, struct oauth_provider *p, struct error *err)
{
    json_object *o = NULL, *methods;
    enum status st;

    if (!p->metadata_url.n)
        return OK;
    st = fetch(mem, p->metadata_url, p->timeout_ms, KEEP_MS, &o, err);
    if (st != OK)
        return error_add(err, st, "could not read what %.*s says of itself", STR(p->name));
    p->authorize_url = address_in(mem, o, "authorization_endpoint");
    p->token_url = address_in(mem, o, "token_endpoint");
    p->userinfo_url = address_in(mem, o, "userinfo_endpoint");
    p->keys_url = address_in(mem, o, "jwks_uri");
    p->logout_url = address_in(mem, o, "end_session_endpoint");
    p->issuer = str_copy(mem, json_str(o, "issuer"));
    methods = json_get(o, "token_endpoint_auth_methods_supported");
    if (!p->auth_method.n && p->client_secret.n && json_length(methods) && !among(methods, "client_secret_basic") &&
        among(methods, "client_secret_post"))
        p->auth_method = S("client_secret_post");
    if (!p->authorize_url.n || !p->token_url.n)
        return error_set(err, INVALID, "%.*s names no endpoints", STR(str_utf8_first(p->metadata_url, 200)));
    return OK;
}

enum status oauth_provider_keys(struct arena *mem, const struct oauth_provider *p, bool fresh, json_object **keys,
                                struct error *err)
{
    if (!p->keys_url.n)
        return error_set(err, INVALID, "%.*s publishes no keys", STR(p->name));
    return fetch(mem, p->keys_url, p->timeout_ms, fresh ? YOUNG_MS : KEEP_MS, keys, err);
}

/* ---- by name */

static bool google(struct config *c, struct oauth_provider *p)
{
    p->client_id = config_str(c, CFG_GOOGLE_CLIENT_ID);
    p->client_secret = config_str(c, CFG_GOOGLE_CLIENT_SECRET);
    p->scope = config_str(c, CFG_GOOGLE_OAUTH_SCOPE);
    p->redirect_uri = config_str(c, CFG_GOOGLE_REDIRECT_URI);
    p->metadata_url = S("https://accounts.google.com/.well-known/openid-configuration");
    return p->client_id.n && p->client_secret.n;
}

static bool microsoft(struct arena *mem, struct config *c, struct oauth_provider *p)
{
    struct str tenant = config_str(c, CFG_MICROSOFT_CLIENT_TENANT_ID),
               base = config_str(c, CFG_MICROSOFT_CLIENT_LOGIN_BASE_URL);

    p->client_id = config_str(c, CFG_MICROSOFT_CLIENT_ID);
    p->client_secret = config_str(c, CFG_MICROSOFT_CLIENT_SECRET);
    p->scope = config_str(c, CFG_MICROSOFT_OAUTH_SCOPE);
    p->redirect_uri = config_str(c, CFG_MICROSOFT_REDIRECT_URI);
    p->picture_url = config_str(c, CFG_MICROSOFT_CLIENT_PICTURE_URL);
    p->metadata_url = str_f(mem, "%.*s/%.*s/v2.0/.well-known/openid-configuration?appid=%.*s", STR(base), STR(tenant),
                            STR(p->client_id));
    return p->client_id.n && p->client_secret.n && tenant.n;
}

static bool github(struct config *c, struct oauth_provider *p)
{
    p->client_id = config_str(c, CFG_GITHUB_CLIENT_ID);
    p->client_secret = config_str(c, CFG_GITHUB_CLIENT_SECRET);
    p->scope = config_str(c, CFG_GITHUB_CLIENT_SCOPE);
    p->redirect_uri = config_str(c, CFG_GITHUB_CLIENT_REDIRECT_URI);
    p->authorize_url = S("https://github.com/login/oauth/authorize");
    p->token_url = S("https://github.com/login/oauth/access_token");
    p->userinfo_url = S("https://api.github.com/user");
    p->auth_method = S("client_secret_post");
    p->sub_claim = S("id");
    p->is_openid = false;
    p->checks_emails = true;
    return p->client_id.n && p->client_secret.n;
}

static bool feishu(struct config *c, struct oauth_provider *p)
{
    p->client_id = config_str(c, CFG_FEISHU_CLIENT_ID);
    p->client_secret = config_str(c, CFG_FEISHU_CLIENT_SECRET);
    p->scope = config_str(c, CFG_FEISHU_OAUTH_SCOPE);
    p->redirect_uri = config_str(c, CFG_FEISHU_REDIRECT_URI);
    p->authorize_url = S("https://accounts.feishu.cn/open-apis/authen/v1/authorize");
    p->token_url = S("https://open.feishu.cn/open-apis/authen/v2/oauth/token");
    p->userinfo_url = S("https://open.feishu.cn/open-apis/authen/v1/user_info");
    p->auth_method = S("client_secret_post");
    p->sub_claim = S("user_id");
    p->is_openid = false;
    p->in_data = true;
    return p->client_id.n && p->client_secret.n;
}

static bool oidc(struct config *c, struct oauth_provider *p)
{
    p->client_id = config_str(c, CFG_OAUTH_CLIENT_ID);
    p->client_secret = config_str(c, CFG_OAUTH_CLIENT_SECRET);
    p->scope = config_str(c, CFG_OAUTH_SCOPES);
    p->redirect_uri = config_str(c, CFG_OPENID_REDIRECT_URI);
    p->auth_method = config_str(c, CFG_OAUTH_TOKEN_ENDPOINT_AUTH_METHOD);
    p->metadata_url = config_str(c, CFG_OPENID_PROVIDER_URL);
    return p->client_id.n && (p->client_secret.n || config_str(c, CFG_OAUTH_CODE_CHALLENGE_METHOD).n) &&
           p->metadata_url.n;
}

enum status oauth_provider_find(struct arena *mem, struct config *c, struct str name, struct oauth_provider *out)
{
    struct oauth_provider p = { .name = name, .sub_claim = S("sub"), .is_openid = true };
    int64_t seconds;
    bool there = str_is(name, "google")      ? google(c, &p)
                 : str_is(name, "microsoft") ? microsoft(mem, c, &p)
                 : str_is(name, "github")    ? github(c, &p)
                 : str_is(name, "feishu")    ? feishu(c, &p)
                 : str_is(name, "oidc")      ? oidc(c, &p)
                                             : false;

    if (!there)
        return NOT_FOUND;
    p.is_openid &= str_has(p.scope, "openid"); /* without it no id token comes */
    if (str_to_i64(config_str(c, CFG_OAUTH_TIMEOUT), &seconds) && seconds > 0 && seconds <= 120)
        p.timeout_ms = (int)seconds * 1000;
    if (config_str(c, CFG_OAUTH_SUB_CLAIM).n)
        p.sub_claim = config_str(c, CFG_OAUTH_SUB_CLAIM);
    *out = p;
    return OK;
}
