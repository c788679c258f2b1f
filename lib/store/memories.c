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

void memory_json(struct buf *b, const struct memory *m)
{
    member_text(b, "{\"id\":", m->id);
    member_text(b, ",\"user_id\":", m->user_id);
    member_text(b, ",\"content\":", m->content);
    member_int(b, ",\"updated_at\":", m->updated_at);
    member_int(b, ",\"created_at\":", m->created_at);
    buf_add_char(b, '}');
}
