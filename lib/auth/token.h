/* token.h: signed tokens (JWT, HS256 under WEBUI_SECRET_KEY) and password hashes (bcrypt). */
#ifndef LIB_AUTH_TOKEN_H
#define LIB_AUTH_TOKEN_H

#include "lib/config/config.h"

/* {"id": user_id, "exp": …, "iat": …, "jti": …}. expires_s: Unix time, 0: never (no exp). */
enum status token_make(struct arena *mem, struct config *c, struct str user_id, int64_t expires_s, struct str *out,
                       struct error *err);

struct token_claims {
    struct str id, jti;   /* jti absent: a legacy token */
    struct str key;       /* names this token in the list of revoked ones: 32 hexadecimal digits */
    int64_t iat_s, exp_s; /* 0: not there */
    int64_t issued_ms;    /* Unix time, exact in our own tokens; 0: unknown */
};
/* INVALID: signature, algorithm other than HS256, exp or nbf (60 s of tolerance), no string id. */
enum status token_read(struct arena *mem, struct config *c, struct str token, struct token_claims *out,
                       struct error *err);
bool token_expired(const struct token_claims *claims, int64_t at_s); /* with that tolerance */

/* The two without settings, for tests and fuzzing. */
enum status token_sign(struct arena *mem, struct str secret, struct str user_id, int64_t expires_s, int64_t at_ms,
                       struct str *out);
enum status token_verify(struct arena *mem, struct str secret, struct str token, int64_t at_s, struct token_claims *out,
                         struct error *err);

/* bcrypt, $2b$12$. TOO_BIG/INVALID: over 72 bytes, or a NUL in it. */
enum status password_hash(struct arena *mem, struct str password, struct str *out, struct error *err);
/* The hash of a password that nobody knows, for accounts that sign in by other means; made once a process. */
enum status password_unknown(struct arena *mem, struct str *out, struct error *err);
bool password_matches(struct arena *mem, struct str password, struct str hash); /* an absent hash costs the same time */

/* In shared memory (shared_window), for a minute: the token with this key was signed out. */
#define SIGNED_OUT "signed out:"
enum { SIGNED_OUT_S = 60 };

#endif
