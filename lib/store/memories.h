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
/* As the API shows it. */
void memory_json(struct buf *b, const struct memory *m);

#endif
