/* owners.h: the users who own the rows of a list, read in one query. */
#ifndef LIB_STORE_OWNERS_H
#define LIB_STORE_OWNERS_H

#include "lib/auth/user.h"
#include "lib/db/db.h"

struct owners {
    struct user *v;
    size_t n;
};

/* rows: n structs of row_bytes, each with its owner's id (struct str) at offset id_at. */
enum db_status owners_read(struct db *db, struct arena *mem, const void *rows, size_t n, size_t row_bytes, size_t id_at,
                           struct owners *out);
const struct user *owners_find(const struct owners *owners, struct str id); /* NULL: he is gone */
/* "user":{…} as the API shows an owner; null when he is gone. name as in row_json.h. */
void member_owner(struct buf *b, const char *name, const struct owners *owners, struct str id);

#endif
