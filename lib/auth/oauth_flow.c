/* oauth_flow.c: state, nonce and verifier travel in a sealed cookie; nothing is kept on the server meanwhile. */
#include "lib/auth/oauth_flow.h"

#include <openssl/sha.h>

#include "lib/auth/fernet.h"
#include "lib/auth/oauth_jwt.h"
#include "lib/base/clock.h"
#include "lib/base/encode.h"
#include "lib/base/random.h"

enum { STATE_BYTES = 16, VERIFIER_BYTES = 32, NAME_DIGITS = 12, MAX_URL = 16 * 1024 };

static enum status flow_key(struct arena *mem, struct config *c, struct str *key, struct error *err)
{
    struct str secret;
    enum status st = config_secret_key(c, true, &secret, err);

    if (st == OK)
        *key = str_cat(mem, S("oauth flow:"), secret);
    return st;
}

/* ---- out */

static struct str challenge_of(struct arena *mem, struct str verifier)
{
    unsigned char hash[SHA256_DIGEST_LENGTH];

    SHA256((const unsigned char *)verifier.p, verifier.n, hash);
    return base64url_encode(mem, str_n((const char *)hash, sizeof(hash)));
}

static void add_parameter(struct buf *b, const char *name, struct str value)
{
    if (!value.n)
        return;
    buf_addf(b, "%s%s=", b->n ? "&" : "", name);
    buf_add_urlencoded(b, value);
}

static struct str authorize_url(struct arena *mem, const struct oauth_provider *p, struct str redirect_uri,
                                json_object *flow)
{
    struct buf b = BUF(mem, MAX_URL);

    add_parameter(&b, "response_type", S("code"));
    add_parameter(&b, "client_id", p->client_id);
    add_parameter(&b, "redirect_uri", redirect_uri);
    add_parameter(&b, "scope", p->scope);
    add_parameter(&b, "state", json_str(flow, "state"));
    add_parameter(&b, "nonce", json_str(flow, "nonce"));
    add_parameter(&b, "code_challenge", challenge_of(mem, json_str(flow, "verifier")));
    add_parameter(&b, "code_challenge_method", S("S256"));
    return str_f(mem, "%.*s%c%.*s", STR(p->authorize_url), str_find_c(p->authorize_url, '?') == STR_NPOS ? '?' : '&',
                 STR(buf_str(&b)));
}

const char *oauth_flow_cookie_name(struct arena *mem, struct str state)
{
    if (state.n != 2 * STATE_BYTES)
        return NULL;
    for (size_t i = 0; i < state.n; i++) {
        if (!strchr("0123456789abcdef", state.p[i]) || !state.p[i])
            return NULL;
    }
    return str_f(mem, "oauth_state_%.*s", NAME_DIGITS, state.p).p;
}

enum status oauth_flow_start(struct arena *mem, struct config *c, struct oauth_provider *p, struct str redirect_uri,
                             struct str user_id, struct oauth_departure *out, struct error *err)
{
    json_object *flow = json_new_object(mem);
    char verifier[VERIFIER_BYTES];
    struct str key;
    enum status st = oauth_provider_discover(mem, p, err);

    if (st == OK)
        st = flow_key(mem, c, &key, err);
    if (st != OK)
        return st;
    random_bytes(verifier, sizeof(verifier));
    json_set_str(flow, "provider", p->name);
    json_set_str(flow, "state", random_hex(mem, STATE_BYTES));
    if (p->is_openid)
        json_set_str(flow, "nonce", random_hex(mem, STATE_BYTES));
    json_set_str(flow, "verifier", base64url_encode(mem, str_n(verifier, sizeof(verifier))));
    json_set_str(flow, "redirect_uri", redirect_uri);
    if (user_id.n)
        json_set_str(flow, "user_id", user_id);
    out->url = authorize_url(mem, p, redirect_uri, flow);
    out->cookie_name = oauth_flow_cookie_name(mem, json_str(flow, "state"));
    out->cookie = fernet_seal(mem, key, json_text(mem, flow));
    return out->cookie.n ? OK : error_set(err, FAILED, "the state could not be sealed");
}

/* ---- back */

static enum status open_flow(struct arena *mem, struct config *c, const struct oauth_provider *p,
                             const struct oauth_arrival *a, json_object **flow, struct error *err)
{
    struct str key, text;
    enum status st = flow_key(mem, c, &key, err);

    if (st != OK)
        return st;
    if (!a->cookie.n)
        return error_set(err, INVALID, "the browser did not start this sign-in, or took too long");
    if (fernet_open(mem, key, a->cookie, OAUTH_FLOW_S, &text, err) != OK || json_parse(mem, text, flow, err) != OK)
        return error_add(err, INVALID, "the cookie of the sign-in");
    if (!a->state.n || !str_equal_secret(json_str(*flow, "state"), a->state) ||
        !str_eq(json_str(*flow, "provider"), p->name) || !str_eq(json_str(*flow, "user_id"), a->user_id))
        return error_set(err, INVALID, "the state is of another sign-in");
    return OK;
}

/* Who we are, as the token endpoint wants it: in the form, or as user and password (RFC 6749, 2.3.1). */
static const char *authenticate(struct arena *mem, const struct oauth_provider *p, struct buf *form)
{
    bool is_public = !p->client_secret.n || str_is(p->auth_method, "none");

    if (!is_public && !str_is(p->auth_method, "client_secret_post"))
        return str_f(mem, "%.*s:%.*s", STR(url_encode(mem, p->client_id)), STR(url_encode(mem, p->client_secret))).p;
    add_parameter(form, "client_id", p->client_id);
    if (!is_public)
        add_parameter(form, "client_secret", p->client_secret);
    return NULL;
}

static void stamp(json_object *token)
{
    int64_t lasts_s = json_int(token, "expires_in", 0);

    json_set_int(token, "issued_at", now_s());
    if (lasts_s > 0 && lasts_s < 10 * 365 * 86400 && !json_int(token, "expires_at", 0))
        json_set_int(token, "expires_at", now_s() + lasts_s);
}

static enum status ask_for_token(struct arena *mem, const struct oauth_provider *p, struct buf *form,
                                 json_object **token, struct error *err)
{
    struct oauth_request q = { .url = p->token_url, .timeout_ms = p->timeout_ms };
    int http_status = 0;
    enum status st;

    q.user_and_password = authenticate(mem, p, form);
    q.form = buf_str(form);
    st = oauth_call(mem, &q, token, &http_status, err);
    if (st != OK)
        return st;
    if (http_status != 200 || !json_str(*token, "access_token").n)
        return error_set(err, INVALID, "%.*s refuses a token: %d %.*s", STR(p->name), http_status,
                         STR(str_utf8_first(json_str(*token, "error"), 60)));
    stamp(*token);
    return OK;
}

/* The keys may have been replaced since they were read: then once more with fresh ones. */
static enum status verify_id_token(struct arena *mem, const struct oauth_provider *p, struct str nonce,
                                   json_object *token, struct error *err)
{
    struct str id_token = json_str(token, "id_token");
    json_object *keys = NULL, *claims = NULL;
    enum status st = NOT_FOUND;

    if (!id_token.n)
        return error_set(err, INVALID, "%.*s sent no id token", STR(p->name));
    for (int fresh = 0; fresh < 2 && st == NOT_FOUND; fresh++) {
        st = oauth_provider_keys(mem, p, fresh, &keys, err);
        if (st == OK)
            st = oauth_jwt_verify(mem, keys, id_token, &claims, err);
    }
    if (st == OK)
        st = oauth_id_token_check(mem, claims, p->issuer, p->client_id, nonce, now_s(), err);
    if (st != OK)
        return st == NOT_FOUND ? INVALID : st;
    json_set(token, "userinfo", claims);
    return OK;
}

enum status oauth_flow_finish(struct arena *mem, struct config *c, struct oauth_provider *p,
                              const struct oauth_arrival *a, json_object **token, struct error *err)
{
    struct buf form = BUF(mem, MAX_URL);
    json_object *flow = NULL;
    enum status st = open_flow(mem, c, p, a, &flow, err);

    if (st != OK)
        return st;
    if (a->error.n || !a->code.n)
        return error_set(err, INVALID, "%.*s says: %.*s", STR(p->name),
                         STR(a->error.n ? str_utf8_first(a->error, 60) : S("no code")));
    st = oauth_provider_discover(mem, p, err);
    if (st != OK)
        return st;
    if (a->issuer.n && p->issuer.n && !str_eq(a->issuer, p->issuer) && !str_has(p->issuer, "{tenantid}"))
        return error_set(err, INVALID, "the answer is another issuer's"); /* RFC 9207 */
    add_parameter(&form, "grant_type", S("authorization_code"));
    add_parameter(&form, "code", a->code);
    add_parameter(&form, "redirect_uri", json_str(flow, "redirect_uri"));
    add_parameter(&form, "code_verifier", json_str(flow, "verifier"));
    st = ask_for_token(mem, p, &form, token, err);
    return st == OK && p->is_openid ? verify_id_token(mem, p, json_str(flow, "nonce"), *token, err) : st;
}

enum status oauth_flow_refresh(struct arena *mem, const struct oauth_provider *p, json_object *token,
                               json_object **fresh, struct error *err)
{
    struct buf form = BUF(mem, MAX_URL);
    json_object *got = NULL;
    enum status st;

    if (!json_str(token, "refresh_token").n)
        return error_set(err, NOT_FOUND, "no refresh token");
    add_parameter(&form, "grant_type", S("refresh_token"));
    add_parameter(&form, "refresh_token", json_str(token, "refresh_token"));
    st = ask_for_token(mem, p, &form, &got, err);
    if (st != OK)
        return st;
    *fresh = json_clone(mem, token);
    json_del(*fresh, "expires_at");
    json_merge(*fresh, got);
    return OK;
}

enum status oauth_userinfo(struct arena *mem, const struct oauth_provider *p, struct str access_token, json_object *of,
                           json_object **claims, struct error *err)
{
    struct oauth_request q = { .url = p->userinfo_url, .bearer = access_token, .timeout_ms = p->timeout_ms };
    json_object *o = NULL;
    int http_status = 0;
    enum status st;

    if (!p->userinfo_url.n)
        return error_set(err, NOT_FOUND, "%.*s has no userinfo endpoint", STR(p->name));
    st = oauth_call(mem, &q, &o, &http_status, err);
    if (st != OK)
        return st;
    if (p->in_data)
        o = json_get(o, "data");
    if (http_status != 200 || !json_is(o, json_type_object))
        return error_set(err, INVALID, "%.*s tells nothing of the person: %d", STR(p->name), http_status);
    if (of && !str_eq(json_str(o, "sub"), json_str(of, "sub"))) /* OpenID Connect Core, 5.3.2 */
        return error_set(err, INVALID, "userinfo is of somebody else");
    *claims = o;
    return OK;
}
