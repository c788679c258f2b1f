/* oauth_tokens.h: tokens of others that are kept for a user, sealed in the database; they are renewed when they run out. */
#ifndef LIB_AUTH_OAUTH_TOKENS_H
#define LIB_AUTH_OAUTH_TOKENS_H

#include "lib/auth/oauth_provider.h"

/* Keeps what oauth_flow_finish() gave, in the place of what the user had with the provider; *id names it in the cookie "oauth_session_id". */
enum status oauth_tokens_keep(struct arena *mem, struct db *db, struct config *c, struct str user_id,
                              struct str provider, json_object *token, struct str *id, struct error *err);

/* The tokens of a session that a user signed in with ("access_token", "id_token" …). NOT_FOUND: none of his, or they have run out and cannot be renewed (the session
 * is deleted then). */
enum status oauth_tokens_of_session(struct arena *mem, struct db *db, struct config *c, struct str session_id,
                                    struct str user_id, json_object **token, struct error *err);

/* The tokens that a user has with a tool server ("mcp:weather"). */
enum status oauth_tokens_of_client(struct arena *mem, struct db *db, struct config *c, struct str client_id,
                                   struct str user_id, json_object **token, struct error *err);

/* Where somebody who signs out ends the provider's session too; absent: nowhere. session_id: of his cookie. */
struct str oauth_logout_url(struct arena *mem, struct db *db, struct config *c, struct str session_id);

#endif
