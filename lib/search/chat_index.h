/* chat_index.h: finds chats by what is said in them where one user has very many: an index of trigrams beside the database, in
 * DATA_DIR/cache/chat-search, one SQLite file (FTS5) a user. It only names candidates; the database decides, so an index that is old, wrong or
 * missing makes a search slower and never different. It can be deleted at any time. */
#ifndef LIB_SEARCH_CHAT_INDEX_H
#define LIB_SEARCH_CHAT_INDEX_H

#include "lib/store/chats.h"

/* As chat_titles_search(). *is_stale: the index is missing or behind: have chat_index_update() run in the background. */
enum db_status chat_search(struct db *db, struct arena *mem, const char *data_dir, struct str user_id,
                           const struct chat_search *s, struct chat_titles *out, bool *is_stale);

/* Takes in what has changed, for about budget_ms. *finished: nothing is left to do here. UNAVAILABLE:
 * another process is at it, or the database is away. */
enum status chat_index_update(struct db *db, const char *data_dir, struct str user_id, int64_t budget_ms,
                              bool *finished, struct error *err);

/* Removes a user's index: he is gone, or chats of an earlier time have come (an import). */
void chat_index_forget(const char *data_dir, struct str user_id);

#endif
