/* prompts.h: the prompt table: saved prompts, called by a command such as "/summarize". */
#ifndef LIB_STORE_PROMPTS_H
#define LIB_STORE_PROMPTS_H

#include "lib/auth/user.h"
#include "lib/db/db.h"

struct prompt {         /* strings live in the arena they were read into */
    struct str command; /* the key, with its leading slash */
    struct str user_id, title, content;
    struct str access_control; /* JSON text; absent: every user may read */
    int64_t updated_s;         /* Unix time */
    struct user owner; /* id absent: the account is gone. Only in lists, and only what the API shows of another user */
};

/* DB_ROW: found. DB_DONE: no such prompt, *out is untouched. */
enum db_status prompt_by_command(struct db *db, struct arena *mem, struct str command, struct prompt *out);
enum db_status prompt_list(struct db *db, struct arena *mem, struct prompt **out, size_t *n); /* newest first */
enum db_status prompt_insert(struct db *db, const struct prompt *p); /* db_unique_violation: the command is taken */
enum db_status prompt_update(struct db *db, const struct prompt *p); /* title, content, access, time of p->command */
enum db_status prompt_delete(struct db *db, struct str command);

#endif
