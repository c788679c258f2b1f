/* knowledge.h: the knowledge table: collections of files. */
#ifndef LIB_STORE_KNOWLEDGE_H
#define LIB_STORE_KNOWLEDGE_H

#include "lib/db/db.h"

struct knowledge { /* strings live in the arena they were read into */
    struct str id, user_id, name, description;
    struct str data, meta;          /* JSON text; absent: null. data: {"file_ids": […]} */
    struct str access_control;      /* JSON text; absent: null */
    int64_t created_at, updated_at; /* Unix time */
};

/* DB_ROW: found. DB_DONE: no such collection. */
enum db_status knowledge_by_id(struct db *db, struct arena *mem, struct str id, struct knowledge *out);
/* All of them, last changed first. */
enum db_status knowledge_list(struct db *db, struct arena *mem, struct knowledge **out, size_t *n);
/* The members of a collection as the API shows them, without the closing brace. */
void knowledge_json_open(struct buf *b, const struct knowledge *k);

#endif
