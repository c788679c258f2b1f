/* tags.h: the tag table: the names a user has for his tags. Which chats carry a tag stands in the chats' meta. */
#ifndef LIB_STORE_TAGS_H
#define LIB_STORE_TAGS_H

#include "lib/db/db.h"

struct tag {
    struct str id, name, user_id;
    struct str meta; /* JSON text; absent: null */
};

struct tags {
    struct tag *v;
    size_t n;
};

struct str tag_id_of(struct arena *mem, struct str name); /* "My Tag" → "my_tag" */

enum db_status tag_by_id(struct db *db, struct arena *mem, struct str id, struct str user_id, struct tag *out);
enum db_status tags_of_user(struct db *db, struct arena *mem, struct str user_id, struct tags *out);
enum db_status tags_by_ids(struct db *db, struct arena *mem, struct str user_id, struct str ids,
                           struct tags *out); /* ids: JSON array text */
enum db_status tag_ensure(struct db *db, struct arena *mem, struct str name,
                          struct str user_id); /* made if it is not there */
enum db_status tag_delete(struct db *db, struct str id, struct str user_id);

#endif
