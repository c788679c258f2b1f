/* auth.h: who somebody is, and what he may do. The one place where rights are decided. */
#ifndef LIB_AUTH_AUTH_H
#define LIB_AUTH_AUTH_H

#include "lib/auth/user.h"
#include "lib/config/config.h"
#include "lib/db/db.h"

/* Whom a credential belongs to: a token (JWT, HS256) or an API key ("sk-…", when ENABLE_API_KEY is on).
 * OK: *out is the living user (cached in the process until COUNTER_USERS moves: valid for the request). INVALID: no such credential, expired, revoked.
 * UNAVAILABLE: the database is away. *by_api_key tells the kind. */
enum status auth_identify(struct arena *mem, struct db *db, struct config *c, struct str credential, const struct user **out,
                          bool *by_api_key, struct error *err);

/* The permission "workspace.models" of a user: the default permissions and those of all his groups, or'ed. Admins are not special here. */
bool auth_permission(struct arena *mem, struct db *db, struct config *c, const struct user *u, const char *permission);
/* All of them, as GET /api/v1/users/permissions answers; object owned by mem. */
json_object *auth_permissions(struct arena *mem, struct db *db, struct config *c, const struct user *u);

/* access_control of a row, JSON text: absent: every user may read, only the owner writes; {}: owner only; else {"read": {"group_ids": […], "user_ids": […]}, "write": …}.
 * type is "read" or "write". */
bool auth_access(struct arena *mem, struct db *db, struct str user_id, const char *type, struct str access_control);
/* The ids of the user's groups, JSON array text order not defined; cached until COUNTER_GROUPS moves. */
enum status auth_group_ids(struct arena *mem, struct db *db, struct str user_id, struct str **ids, size_t *n);

#endif
