/* memories.h: the memory table: what a user wants models to know of him. */
#ifndef LIB_STORE_MEMORIES_H
#define LIB_STORE_MEMORIES_H

#include "lib/db/db.h"

struct memory { /* strings live in the arena they were read into */
    struct str id, user_id, content;
    int64_t updated_at, created_at; /* Unix time */
};

/* Oldest first. */
enum db_status memories_of_user(struct db *db, struct arena *mem, struct str user_id, struct memory **out, size_t *n);
enum db_status memory_insert(struct db *db, const struct memory *m);
/* The user's own alone. DB_ROW: done, and *out is the memory afterwards; DB_DONE: he has none of that id. content absent: it stays. */
enum db_status memory_update(struct db *db, struct arena *mem, struct str id, struct str user_id, struct str content,
                             int64_t now_s, struct memory *out);
/* DB_ROW: deleted. DB_DONE: he has none of that id. */
enum db_status memory_delete(struct db *db, struct str id, struct str user_id);
enum db_status memories_delete(struct db *db, struct str user_id);
/* As the API shows it. */
void memory_json(struct buf *b, const struct memory *m);

#endif
