/* functions.h: the function table: pipes, filters and actions, which are Python code. */
#ifndef LIB_STORE_FUNCTIONS_H
#define LIB_STORE_FUNCTIONS_H

#include "lib/db/db.h"

struct function { /* strings live in the arena they were read into */
    struct str id, user_id, type, name;
    struct str meta;            /* JSON text; absent: null */
    struct str content, valves; /* the code; JSON text, absent: null. Not in lists without code */
    bool is_active, is_global;
    int64_t updated_at, created_at; /* Unix time */
};

/* All functions, oldest first. */
enum db_status function_list(struct db *db, struct arena *mem, struct function **out, size_t *n);
enum db_status function_list_with_code(struct db *db, struct arena *mem, struct function **out, size_t *n);
/* DB_ROW: found, with its code. DB_DONE: no such function, *out is untouched. */
enum db_status function_by_id(struct db *db, struct arena *mem, struct str id, struct function *out);

/* What changes a row bumps COUNTER_FUNCTIONS. DB_DONE: no such function. */
enum db_status function_insert(struct db *db, const struct function *f); /* db_unique_violation: the id is taken */
enum db_status function_update(struct db *db,
                               const struct function *f); /* name, type, content, meta, updated_at of f->id */
enum db_status function_toggle(struct db *db, struct str id, int64_t now_s);        /* is_active */
enum db_status function_toggle_global(struct db *db, struct str id, int64_t now_s); /* is_global */
enum db_status function_switch_off(struct db *db, struct str id, int64_t now_s);    /* is_active */
enum db_status function_set_valves(struct db *db, struct str id, struct str json, int64_t now_s);
enum db_status function_delete(struct db *db, struct str id);
/* The table holds these afterwards, and nothing else. One transaction. */
enum db_status function_sync(struct db *db, struct arena *mem, const struct function *v, size_t n);

/* The members of a function as the API shows it, without the closing brace: id … created_at; content if it was read. */
void function_json_open(struct arena *mem, struct buf *b, const struct function *f);

#endif
