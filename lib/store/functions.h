/* functions.h: the function table: pipes, filters and actions, which are Python code. */
#ifndef LIB_STORE_FUNCTIONS_H
#define LIB_STORE_FUNCTIONS_H

#include "lib/db/db.h"

struct function { /* strings live in the arena they were read into; without its content */
    struct str id, user_id, type, name;
    struct str meta; /* JSON text; absent: null */
    bool is_active, is_global;
    int64_t updated_at, created_at; /* Unix time */
};

/* All functions, oldest first. */
enum db_status function_list(struct db *db, struct arena *mem, struct function **out, size_t *n);
/* As lists show it. */
void function_json(struct arena *mem, struct buf *b, const struct function *f);

#endif
