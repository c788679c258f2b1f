/* oauth_jwt.h: signed tokens of others (RFC 7519, RFC 7515) and the keys that they publish (RFC 7517). Our own tokens are in token.h. */
#ifndef LIB_AUTH_OAUTH_JWT_H
#define LIB_AUTH_OAUTH_JWT_H

#include "lib/json/json.h"

/* The claims of a token whose signature one of the keys of a key set ({"keys": […]}) has made. RS, PS and ES with 256 to 512 bits, and EdDSA (Ed25519); never "none",
 * nor HMAC, whose key would be a public one. A token that names a key by "kid" is tried with that key alone. NOT_FOUND: no such key in the set: it may have been
 * replaced. INVALID: anything else. */
enum status oauth_jwt_verify(struct arena *mem, json_object *keys, struct str token, json_object **claims,
                             struct error *err);

/* The claims of an id token, as OpenID Connect Core, 3.1.3.7 wants them checked: issuer, audience, party, times (60 s of tolerance), nonce (absent: not
 * asked for), a subject. {tenantid} in the issuer stands for the claim "tid" (Microsoft). */
enum status oauth_id_token_check(struct arena *mem, json_object *claims, struct str issuer, struct str client_id,
                                 struct str nonce, int64_t at_s, struct error *err);

#endif
