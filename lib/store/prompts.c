/* prompts.c: the prompt table. */
#include "lib/store/prompts.h"

#define COLUMNS "command, user_id, title, content, access_control, timestamp"
#define LIST_COLUMNS                                                                                           \
    "p.command, p.user_id, p.title, p.content, p.access_control, p.timestamp, u.id, u.name, u.email, u.role, " \
    "u.profile_image_url"

static void read_prompt(struct row *row, void *out)
{
    struct prompt *p = out;

    *p = (struct prompt){ 0 };
    p->command = row_str(row, 0);
    p->user_id = row_str(row, 1);
    p->title = row_str(row, 2);
    p->content = row_str(row, 3);
    p->access_control = row_json(row, 4);
    p->updated_s = row_int(row, 5);
}

static void read_with_owner(struct row *row, void *out)
{
    struct prompt *p = out;

    read_prompt(row, out);
    p->owner.id = row_str(row, 6);
    p->owner.name = row_str(row, 7);
    p->owner.email = row_str(row, 8);
    p->owner.role = row_str(row, 9);
    p->owner.profile_image_url = row_str(row, 10);
}

enum db_status prompt_by_command(struct db *db, struct arena *mem, struct str command, struct prompt *out)
{
    return db_one(db, mem, read_prompt, out, "SELECT " COLUMNS " FROM prompt WHERE command = $1", ARGS(command));
}

enum db_status prompt_list(struct db *db, struct arena *mem, struct prompt **out, size_t *n)
{
    return db_all(db, mem, read_with_owner, sizeof(**out), out, n,
                  "SELECT " LIST_COLUMNS
                  " FROM prompt AS p LEFT JOIN \"user\" AS u ON u.id = p.user_id ORDER BY p.timestamp DESC",
                  NO_ARGS);
}

enum db_status prompt_insert(struct db *db, const struct prompt *p)
{
    return db_exec(db, "INSERT INTO prompt (" COLUMNS ") VALUES ($1, $2, $3, $4, coalesce($5::json, 'null'), $6)",
                   ARGS(p->command, p->user_id, p->title, p->content, p->access_control, p->updated_s), NULL);
}

enum db_status prompt_update(struct db *db, const struct prompt *p)
{
    return db_exec(db,
                   "UPDATE prompt SET title = $2, content = $3, access_control = coalesce($4::json, 'null'), timestamp "
                   "= $5 WHERE command = $1",
                   ARGS(p->command, p->title, p->content, p->access_control, p->updated_s), NULL);
}

enum db_status prompt_delete(struct db *db, struct str command)
{
    return db_exec(db, "DELETE FROM prompt WHERE command = $1", ARGS(command), NULL);
}
