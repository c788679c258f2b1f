/* tools.h: the tool table: tools, which are Python code. */
#ifndef LIB_STORE_TOOLS_H
#define LIB_STORE_TOOLS_H

#include "lib/db/db.h"

struct tool { /* strings live in the arena they were read into */
    struct str id, user_id, name;
    struct str content, specs;      /* the code; JSON text. Absent in lists without code */
    struct str meta;                /* JSON text; absent: null */
    struct str access_control;      /* JSON text; absent: null */
    int64_t updated_at, created_at; /* Unix time */
};

/* All tools, last changed first. */
enum db_status tool_list(struct db *db, struct arena *mem, bool with_code, struct tool **out, size_t *n);
/* DB_ROW: found, with its code. DB_DONE: no such tool, *out is untouched. */
enum db_status tool_by_id(struct db *db, struct arena *mem, struct str id, struct tool *out);

/* What changes a row bumps COUNTER_FUNCTIONS. */
enum db_status tool_insert(struct db *db, const struct tool *t); /* db_unique_violation: the id is taken */
enum db_status tool_update(struct db *db,
                           const struct tool *t); /* all but id, user_id, created_at and the valves of t->id */
enum db_status tool_delete(struct db *db, struct str id);

/* The valves, JSON text; absent: none were ever set. DB_DONE: no such tool. */
enum db_status tool_valves(struct db *db, struct arena *mem, struct str id, struct str *json);
enum db_status tool_set_valves(struct db *db, struct str id, struct str json, int64_t now_s);

/* The members of a tool as the API shows it, without the closing brace: id … created_at; content and specs if they were read. */
void tool_json_open(struct arena *mem, struct buf *b, const struct tool *t);

#endif
