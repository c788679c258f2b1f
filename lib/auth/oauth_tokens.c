/* oauth_tokens.c: sealed with OAUTH_SESSION_TOKEN_ENCRYPTION_KEY, as the Python backend seals them. */
#include "lib/auth/oauth_tokens.h"

#include "lib/auth/fernet.h"
#include "lib/auth/oauth_clients.h"
#include "lib/auth/oauth_flow.h"
#include "lib/base/clock.h"
#include "lib/base/encode.h"
#include "lib/base/log.h"
#include "lib/store/oauth_sessions.h"

enum { RENEW_BEFORE_S = 300 };

/* Of a token that the provider gives no end: the column takes no null. */
static const int64_t never_s = 253402300799; /* the year 9999 */

static enum status session_key(struct config *c, struct str *key, struct error *err)
{
    *key = config_str(c, CFG_OAUTH_SESSION_TOKEN_ENCRYPTION_KEY);
    return key->n ? OK : config_secret_key(c, true, key, err);
}

static int64_t end_of(json_object *token)
{
    int64_t at = json_int(token, "expires_at", 0);

    return at > 0                                             ? at
           : (int64_t)json_double(token, "expires_at", 0) > 0 ? (int64_t)json_double(token, "expires_at", 0)
                                                              : never_s;
}

static enum status seal(struct arena *mem, struct config *c, json_object *token, struct str *out, struct error *err)
{
    struct str key;
    enum status st = session_key(c, &key, err);

    if (st != OK)
        return st;
    *out = fernet_seal(mem, key, json_text(mem, token));
    return out->n ? OK : error_set(err, FAILED, "the tokens could not be sealed");
}

enum status oauth_tokens_keep(struct arena *mem, struct db *db, struct config *c, struct str user_id,
                              struct str provider, json_object *token, struct str *id, struct error *err)
{
    struct str sealed;
    enum status st = seal(mem, c, token, &sealed, err);

    if (st == OK && oauth_session_replace(db, mem, user_id, provider, sealed, end_of(token), id) == DB_ERROR)
        st = error_set(err, UNAVAILABLE, "could not keep the tokens: %s", db_error(db));
    return st;
}

static enum status open_session(struct arena *mem, struct config *c, const struct oauth_session *s, json_object **token,
                                struct error *err)
{
    struct str key, text;
    enum status st = session_key(c, &key, err);

    if (st == OK)
        st = fernet_open(mem, key, s->token, 0, &text, err);
    if (st == OK)
        st = json_parse(mem, text, token, err);
    return error_add(err, st, "tokens of session %.*s", STR(s->id));
}

static enum status find_provider(struct arena *mem, struct config *c, struct str name, struct oauth_provider *p,
                                 struct error *err)
{
    enum status st = str_starts(name, "mcp:") ? oauth_client_find(mem, c, name, p, err)
                                              : oauth_provider_find(mem, c, name, p);

    return st == OK ? oauth_provider_discover(mem, p, err) : st;
}

static enum status renew(struct arena *mem, struct db *db, struct config *c, const struct oauth_session *s,
                         json_object **token, struct error *err)
{
    struct oauth_provider p;
    struct str sealed;
    json_object *fresh = NULL;
    enum status st = find_provider(mem, c, s->provider, &p, err);

    if (st == OK)
        st = oauth_flow_refresh(mem, &p, *token, &fresh, err);
    if (st == OK)
        st = seal(mem, c, fresh, &sealed, err);
    if (st == OK && oauth_session_set_token(db, s->id, sealed, end_of(fresh)) == DB_ERROR)
        st = error_set(err, UNAVAILABLE, "could not keep the new tokens: %s", db_error(db));
    if (st == OK)
        *token = fresh;
    return st;
}

/* A provider that is away for a moment does not cost the session; one that refuses does. */
static enum status usable(struct arena *mem, struct db *db, struct config *c, const struct oauth_session *s,
                          json_object **token, struct error *err)
{
    enum status st = open_session(mem, c, s, token, err);

    if (st != OK)
        return st;
    if (s->expires_at - RENEW_BEFORE_S > now_s())
        return OK;
    st = renew(mem, db, c, s, token, err);
    if (st == OK)
        return OK;
    if (s->expires_at > now_s())
        return OK;
    log_info("OAuth tokens of a user have run out and cannot be renewed: %s", err->text);
    if (st == INVALID || st == NOT_FOUND)
        oauth_session_delete(db, s->id);
    return st == UNAVAILABLE || st == TIMED_OUT ? st : NOT_FOUND;
}

static enum status of(struct arena *mem, struct db *db, struct config *c, enum db_status found,
                      const struct oauth_session *s, json_object **token, struct error *err)
{
    if (found == DB_ERROR)
        return error_set(err, UNAVAILABLE, "%s", db_error(db));
    if (found == DB_DONE)
        return error_set(err, NOT_FOUND, "no OAuth session");
    return usable(mem, db, c, s, token, err);
}

enum status oauth_tokens_of_session(struct arena *mem, struct db *db, struct config *c, struct str session_id,
                                    struct str user_id, json_object **token, struct error *err)
{
    struct oauth_session s;

    return of(mem, db, c, oauth_session_of(db, mem, session_id, user_id, &s), &s, token, err);
}

enum status oauth_tokens_of_client(struct arena *mem, struct db *db, struct config *c, struct str client_id,
                                   struct str user_id, json_object **token, struct error *err)
{
    struct oauth_session s;

    return of(mem, db, c, oauth_session_at(db, mem, user_id, client_id, &s), &s, token, err);
}

struct str oauth_logout_url(struct arena *mem, struct db *db, struct config *c, struct str session_id)
{
    struct str back = config_str(c, CFG_WEBUI_AUTH_SIGNOUT_REDIRECT_URL), hint, url;
    struct error err = { "" };
    struct oauth_session s;
    struct oauth_provider p;
    json_object *token;

    if (!session_id.n || oauth_session_by_id(db, mem, session_id, &s) != DB_ROW)
        return STR_NONE;
    if (open_session(mem, c, &s, &token, &err) != OK || find_provider(mem, c, s.provider, &p, &err) != OK) {
        log_warning("the provider's session is not ended: %s", err.text);
        return STR_NONE;
    }
    hint = json_str(token, "id_token");
    if (!p.logout_url.n || !hint.n)
        return STR_NONE;
    url = str_f(mem, "%.*s%cid_token_hint=%.*s", STR(p.logout_url),
                str_find_c(p.logout_url, '?') == STR_NPOS ? '?' : '&', STR(url_encode(mem, hint)));
    return back.n ? str_f(mem, "%.*s&post_logout_redirect_uri=%.*s", STR(url), STR(url_encode(mem, back))) : url;
}
