/* memories.c: memories. */
#include "lib/store/memories.h"

#include "lib/store/row_json.h"

#define COLUMNS "id, user_id, content, updated_at, created_at"

static void read_memory(struct row *row, void *out) /* in the order of COLUMNS */
{
    struct memory *m = out;

    m->id = row_str(row, 0);
    m->user_id = row_str(row, 1);
    m->content = row_str(row, 2);
    m->updated_at = row_int(row, 3);
    m->created_at = row_int(row, 4);
}

enum db_status memories_of_user(struct db *db, struct arena *mem, struct str user_id, struct memory **out, size_t *n)
{
    return db_all(db, mem, read_memory, sizeof **out, out, n,
                  "SELECT " COLUMNS " FROM memory WHERE user_id = $1 ORDER BY created_at, id", ARGS(user_id));
}

enum db_status memory_insert(struct db *db, const struct memory *m)
{
    return db_exec(db, "INSERT INTO memory (" COLUMNS ") VALUES ($1, $2, $3, $4, $5)",
                   ARGS(m->id, m->user_id, m->content, m->updated_at, m->created_at), NULL);
}

enum db_status memory_update(struct db *db, struct arena *mem, struct str id, struct str user_id, struct str content,
                             int64_t now_s, struct memory *out)
{
    return db_one(db, mem, read_memory, out,
                  "UPDATE memory SET content = coalesce($3, content), updated_at = $4 WHERE id = $1 AND user_id = $2"
                  " RETURNING " COLUMNS,
                  ARGS(id, user_id, content, now_s));
}

enum db_status memory_delete(struct db *db, struct str id, struct str user_id)
{
    int64_t changed = 0;

    return db_exec(db, "DELETE FROM memory WHERE id = $1 AND user_id = $2", ARGS(id, user_id), &changed);
}

enum db_status memories_delete(struct db *db, struct str user_id)
{
    return db_exec(db, "DELETE FROM memory WHERE user_id = $1", ARGS(user_id), NULL);
}

void memory_json(struct buf *b, const struct memory *m)
{
    member_text(b, "{\"id\":", m->id);
    member_text(b, ",\"user_id\":", m->user_id);
    member_text(b, ",\"content\":", m->content);
    member_int(b, ",\"updated_at\":", m->updated_at);
    member_int(b, ",\"created_at\":", m->created_at);
    buf_add_char(b, '}');
}
