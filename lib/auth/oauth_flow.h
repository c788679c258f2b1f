/* oauth_flow.h: the authorization code grant (RFC 6749, 4.1) with PKCE (RFC 7636) and, for OpenID providers, a nonce: out to the provider and back. */
#ifndef LIB_AUTH_OAUTH_FLOW_H
#define LIB_AUTH_OAUTH_FLOW_H

#include "lib/auth/oauth_provider.h"

enum { OAUTH_FLOW_S = 600 }; /* how long somebody may take at the provider */

/* What the browser keeps meanwhile, in a cookie: sealed, so that it is ours and nobody reads it. One cookie a flow: several may go on in several tabs. */
struct oauth_departure {
    struct str url; /* where the browser goes */
    const char *cookie_name;
    struct str cookie;
};
/* user_id absent: a sign-in. */
enum status oauth_flow_start(struct arena *mem, struct config *c, struct oauth_provider *p, struct str redirect_uri,
                             struct str user_id, struct oauth_departure *out, struct error *err);

/* The name of the cookie that belongs to the state in an answer; NULL: no state of ours. */
const char *oauth_flow_cookie_name(struct arena *mem, struct str state);

struct oauth_arrival { /* the parameters of the callback, and the cookie */
    struct str state, code, error, issuer;
    struct str cookie, user_id;
};
/* Trades the code for tokens. OK: *token is the answer of the token endpoint, with "expires_at" and "issued_at" (Unix time) and, of OpenID providers, "userinfo": the
 * claims of the id token, which was verified. INVALID: the state is not this browser's, or the provider refused, or its id token is not good. */
enum status oauth_flow_finish(struct arena *mem, struct config *c, struct oauth_provider *p,
                              const struct oauth_arrival *a, json_object **token, struct error *err);

/* New tokens for a refresh token; what the answer leaves out stays as it was. */
enum status oauth_flow_refresh(struct arena *mem, const struct oauth_provider *p, json_object *token,
                               json_object **fresh, struct error *err);

/* The claims at the userinfo endpoint. of: the claims of the id token, whose subject it must be; NULL: there are none. */
enum status oauth_userinfo(struct arena *mem, const struct oauth_provider *p, struct str access_token, json_object *of,
                           json_object **claims, struct error *err);

#endif
