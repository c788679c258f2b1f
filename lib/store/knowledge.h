/* knowledge.h: the knowledge table: collections of files. */
#ifndef LIB_STORE_KNOWLEDGE_H
#define LIB_STORE_KNOWLEDGE_H

#include "lib/db/db.h"
#include "lib/json/json.h"

struct knowledge { /* strings live in the arena they were read into */
    struct str id, user_id, name, description;
    struct str data, meta;          /* JSON text; absent: null. data: {"file_ids": […]} */
    struct str access_control;      /* JSON text; absent: null */
    int64_t created_at, updated_at; /* Unix time */
};

enum db_status knowledge_by_id(struct db *db, struct arena *mem, struct str id, struct knowledge *out);
/* All of them, last changed first. */
enum db_status knowledge_list(struct db *db, struct arena *mem, struct knowledge **out, size_t *n);
enum db_status knowledge_delete_all(struct db *db);

enum db_status knowledge_insert(struct db *db, const struct knowledge *k);
/* Name, description, data, access_control, updated_at. DB_DONE: no such row. */
enum db_status knowledge_update(struct db *db, const struct knowledge *k);
enum db_status knowledge_delete(struct db *db, struct str id);

/* Changes the list of files, in one transaction, so that two at once lose nothing. Ids that are there (or gone) already are left alone.
 * DB_ROW: *out is the row as it is now. DB_DONE: no such row. */
enum knowledge_files { KNOWLEDGE_ADD, KNOWLEDGE_REMOVE, KNOWLEDGE_CLEAR };
enum db_status knowledge_change_files(struct db *db, struct arena *mem, struct str id, enum knowledge_files what,
                                      const struct str *file_ids, size_t n, int64_t now_s, struct knowledge *out);

/* data.file_ids, an array; NULL: none. */
json_object *knowledge_file_ids(struct arena *mem, const struct knowledge *k);
bool knowledge_has_file(struct arena *mem, const struct knowledge *k, struct str file_id);

/* The members of a collection as the API shows them, without the closing brace. */
void knowledge_json_open(struct buf *b, const struct knowledge *k);

#endif
