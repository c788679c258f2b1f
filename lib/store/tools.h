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
/* The members of a tool as lists show them, without the closing brace: id … created_at; content and specs if they were read. */
void tool_json_open(struct arena *mem, struct buf *b, const struct tool *t);
/* Whether its code has a class UserValves within another, which makes users able to set values. */
bool tool_has_user_valves(const struct tool *t);

#endif
