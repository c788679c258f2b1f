/* folders.h: the folder table: folders of chats, nested. */
#ifndef LIB_STORE_FOLDERS_H
#define LIB_STORE_FOLDERS_H

#include "lib/db/db.h"
#include "lib/json/json.h"

struct folder {
    struct str id, parent_id, user_id, name; /* parent_id absent: at the top */
    struct str items, meta, data;            /* JSON text; absent: null */
    bool is_expanded;
    int64_t created_at, updated_at; /* Unix time */
};

struct folders {
    struct folder *v;
    size_t n;
};

enum db_status folder_by_id(struct db *db, struct arena *mem, struct str id, struct str user_id, struct folder *out);
enum db_status folders_of_user(struct db *db, struct arena *mem, struct str user_id, struct folders *out);
/* Another folder with that name (case ignored) under the same parent; parent_id absent: at the top. */
enum db_status folder_by_name(struct db *db, struct arena *mem, struct str user_id, struct str parent_id,
                              struct str name, struct folder *out);

/* Ids as JSON array text: the folder itself first, then all that lie below it. A folder that is not there: only its id. */
enum db_status folder_ids_below(struct db *db, struct arena *mem, struct str id, struct str user_id, struct str *ids);
/* Folders with one of the names, where "_" is a space, white space counts once and case is ignored; and all that lie below them. */
enum db_status folder_ids_by_names(struct db *db, struct arena *mem, struct str user_id, json_object *names,
                                   struct str *ids);

enum db_status folder_insert(struct db *db, const struct folder *f);
enum db_status folder_update(
    struct db *db, const struct folder *f); /* name, parent, data, meta, expanded, updated_at by id and user_id */
enum db_status folders_delete(struct db *db, struct str user_id, struct str ids); /* ids: JSON array text */

#endif
