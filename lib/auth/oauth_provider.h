/* oauth_provider.h: the identity providers that the settings name, and the addresses that they publish. */
#ifndef LIB_AUTH_OAUTH_PROVIDER_H
#define LIB_AUTH_OAUTH_PROVIDER_H

#include "lib/config/config.h"

struct oauth_provider {                  /* strings live in the arena they were read into, or as long as the settings */
    struct str name;                     /* "google", "oidc", "mcp:weather" */
    struct str client_id, client_secret; /* secret absent: a public client */
    struct str scope;
    struct str redirect_uri; /* absent: worked out from the request */
    struct str
        auth_method; /* at the token endpoint: client_secret_basic, client_secret_post, none; absent: what the provider can */
    struct str metadata_url; /* absent: the addresses below are set */
    struct str authorize_url, token_url, userinfo_url, keys_url, logout_url;
    struct str issuer;      /* absent: unknown */
    struct str sub_claim;   /* whose value names a person: "sub" */
    struct str picture_url; /* of everybody, asked for with his token (Microsoft); absent: none */
    bool is_openid;         /* an id token comes with the access token, and is what counts */
    bool in_data;           /* userinfo is wrapped: {"data": {…}} (Feishu) */
    bool checks_emails;     /* addresses are asked for at userinfo_url + "/emails" (GitHub) */
    int timeout_ms;
};

/* NOT_FOUND: no such provider, or not all that it needs is set. Asks nobody. */
enum status oauth_provider_find(struct arena *mem, struct config *c, struct str name, struct oauth_provider *out);

/* Fills in the addresses from metadata_url (RFC 8414, OpenID Connect Discovery); answers are kept in the process for five minutes. UNAVAILABLE, TIMED_OUT, INVALID: no
 * answer, or one without what is needed. */
enum status oauth_provider_discover(struct arena *mem, struct oauth_provider *p, struct error *err);

/* The keys that the provider signs with. fresh: not those that are kept in the process, unless they are some seconds young (so nobody makes us ask all the time). */
enum status oauth_provider_keys(struct arena *mem, const struct oauth_provider *p, bool fresh, json_object **keys,
                                struct error *err);

/* GET or (form set) POST of a JSON object at the provider, whatever its status, which is in *http_status. token absent: none is sent. */
struct oauth_request {
    struct str url, form;
    struct str bearer;
    const char *user_and_password;
    int timeout_ms;
    bool json; /* form is JSON */
};
enum status oauth_call(struct arena *mem, const struct oauth_request *q, json_object **out, int *http_status,
                       struct error *err);

#endif
