/* revoked.h: tokens that are good no more: those that were signed out, and all of a user before a change of password.
 *
 * They are kept in DATA_DIR/revoked, a file of lines that is only added to (and written anew when it has grown), since the schema is
 * the Python backend's and has no place for them. Every process holds the file's contents, and reads on when COUNTER_USERS has moved.
 * Keys are token_claims.key: hexadecimal digits. */
#ifndef LIB_STORE_REVOKED_H
#define LIB_STORE_REVOKED_H

#include "lib/base/error.h"

/* expires_s: when the token ends by itself and may be forgotten; 0: never. Bumps COUNTER_USERS. */
enum status revoked_add_token(struct arena *mem, const char *data_dir, struct str key, int64_t expires_s,
                              struct error *err);
/* All tokens of the user issued at or before at_ms (or at an unknown time), but for the one named except (absent: none). Bumps COUNTER_USERS. */
enum status revoked_add_user(struct arena *mem, const char *data_dir, struct str user_id, int64_t at_ms,
                             struct str except, struct error *err);
/* Lines of another machine's file: those that say something new are added to ours; what is no such line is left out. OK also when nothing was new. */
enum status revoked_merge(struct arena *mem, const char *data_dir, struct str lines, struct error *err);
/* OK: still good. INVALID: revoked. UNAVAILABLE: the list cannot be read. issued_ms 0: unknown. */
enum status revoked_check(struct arena *mem, const char *data_dir, struct str key, struct str user_id,
                          int64_t issued_ms, struct error *err);

#endif
