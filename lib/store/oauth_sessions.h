/* oauth_sessions.h: the oauth_session table: tokens that identity providers and tool servers gave for a user. Tokens are sealed by the caller. */
#ifndef LIB_STORE_OAUTH_SESSIONS_H
#define LIB_STORE_OAUTH_SESSIONS_H

#include "lib/db/db.h"

struct oauth_session { /* strings live in the arena they were read into */
    struct str id, user_id, provider, token;
    int64_t expires_at, created_at, updated_at; /* Unix time */
};

/* DB_ROW: found. DB_DONE: none, *out is untouched. */
enum db_status oauth_session_of(struct db *db, struct arena *mem, struct str id, struct str user_id,
                                struct oauth_session *out);
enum db_status oauth_session_by_id(struct db *db, struct arena *mem, struct str id, struct oauth_session *out);
enum db_status oauth_session_at(struct db *db, struct arena *mem, struct str user_id, struct str provider,
                                struct oauth_session *out);
/* A new one in the place of all that the user has with the provider; *id is its id. */
enum db_status oauth_session_replace(struct db *db, struct arena *mem, struct str user_id, struct str provider,
                                     struct str token, int64_t expires_at, struct str *id);
enum db_status oauth_session_set_token(struct db *db, struct str id, struct str token, int64_t expires_at);
/* All of a user, without their tokens, as a JSON array text. */
enum db_status oauth_sessions_json(struct db *db, struct arena *mem, struct str user_id, struct str *json, size_t *n);
enum db_status oauth_session_delete(struct db *db, struct str id);

#endif
