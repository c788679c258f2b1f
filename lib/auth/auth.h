/* auth.h: who somebody is, and what he may do. The one place where rights are decided. */
#ifndef LIB_AUTH_AUTH_H
#define LIB_AUTH_AUTH_H

#include "lib/auth/user.h"
#include "lib/config/config.h"
#include "lib/db/db.h"

/* Whom a credential belongs to: a token (JWT, HS256) or an API key ("sk-…", when ENABLE_API_KEY is on).
 * OK: *out is the living user (cached in the process until COUNTER_USERS moves: valid for the request). INVALID: no such credential, expired, revoked;
 * FAILED: API keys are turned off. For both err holds the text that the client is shown ("401 Unauthorized", "Your session has expired …").
 * UNAVAILABLE: the database is away, or the list of revoked tokens cannot be read. *by_api_key tells the kind. The user's last_active_at is
 * kept up to date here, at most once a minute. */
enum status auth_identify(struct arena *mem, struct db *db, struct config *c, struct str credential,
                          const struct user **out, bool *by_api_key, struct error *err);

/* auth_identify for a request, with the two rules that need the request: the paths that API keys may call
 * (ENABLE_API_KEY_ENDPOINT_RESTRICTIONS), and the address that a trusted proxy names (trusted_email: value of the header
 * WEBUI_AUTH_TRUSTED_EMAIL_HEADER, absent when that is not set). Returns 0, or the HTTP status (401, 403, 503) with *detail for the client, which lives in mem. */
int auth_admit(struct arena *mem, struct db *db, struct config *c, struct str credential, struct str path,
               struct str trusted_email, const struct user **out, bool *by_api_key, const char **detail);

/* The permission "workspace.models" of a user: the default permissions and those of all his groups, or'ed. Admins are not special here. */
bool auth_permission(struct arena *mem, struct db *db, struct config *c, const struct user *u, const char *permission);
/* All of them, as GET /api/v1/users/permissions answers; a copy, owned by mem. */
json_object *auth_permissions(struct arena *mem, struct db *db, struct config *c, const struct user *u);
struct str auth_permissions_text(struct arena *mem, struct db *db, struct config *c,
                                 const struct user *u); /* the same as JSON text */

/* access_control of a row, JSON text: absent: every user may read, only the owner writes; {}: owner only; else {"read": {"group_ids": […], "user_ids": […]}, "write": …}.
 * type is "read" or "write". */
bool auth_access(struct arena *mem, struct db *db, struct str user_id, const char *type, struct str access_control);
/* Who passes auth_access() for such a row: *everybody, or the users of *ids (array, owned by mem; some may stand there twice, some may be gone).
 * OK, or UNAVAILABLE. */
enum status auth_who(struct arena *mem, struct db *db, const char *type, struct str access_control, bool *everybody,
                     json_object **ids);
/* The ids of the user's groups, order not defined; cached until COUNTER_GROUPS moves. OK, or UNAVAILABLE. */
enum status auth_group_ids(struct arena *mem, struct db *db, struct str user_id, struct str **ids, size_t *n);

/* ---- signing in and out */

/* A new token for the user, good for JWT_EXPIRES_IN (or for ever if lasting). *expires_s: 0: never. */
enum status auth_issue(struct arena *mem, struct config *c, struct str user_id, bool lasting, struct str *token,
                       int64_t *expires_s, struct error *err);
/* When a token that is known to be good ends, Unix time; 0: never. */
int64_t auth_token_expires(struct arena *mem, struct config *c, struct str token);
/* The token is no longer good, in any process. Says OK for what is no token of ours. API keys are left alone. */
enum status auth_revoke_token(struct arena *mem, struct config *c, struct str token, struct error *err);
/* All tokens of the user that were issued until now, but for the one given (absent: none is spared; a legacy token never is). */
enum status auth_revoke_user(struct arena *mem, struct config *c, struct str user_id, struct str except_token,
                             struct error *err);

/* Failed sign-ins are counted for five minutes, per account (any text a client sends) and per address (IPv6: its /64), in all processes. */
bool auth_may_try(struct arena *mem, struct str account, struct str address);
void auth_failed_try(struct arena *mem, struct str account, struct str address);
enum { AUTH_TRY_WINDOW_S = 300 };

/* The user with that address and password; NOT_FOUND: no such pair (same time either way). */
enum status auth_by_password(struct arena *mem, struct db *db, struct str email, struct str password, struct user *out,
                             struct error *err);

/* DEMO_ACCOUNT=true: test@test.com / test1234, an administrator, unless somebody is there already. OK when there is nothing to do. */
enum status auth_make_demo_account(struct db *db, struct config *c, struct error *err);

/* "…@localhost" or "x@y.z", no NUL, at most 255 bytes. */
bool auth_email_valid(struct str email);

#endif
