/* knowledge.c: collections of files. */
#include "lib/store/knowledge.h"

#include "lib/store/row_json.h"

#define COLUMNS "id, user_id, name, description, data, meta, access_control, created_at, updated_at"

static void read_knowledge(struct row *row, void *out) /* in the order of COLUMNS */
{
    struct knowledge *k = out;

    k->id = row_str(row, 0);
    k->user_id = row_str(row, 1);
    k->name = row_str(row, 2);
    k->description = row_str(row, 3);
    k->data = row_json(row, 4);
    k->meta = row_json(row, 5);
    k->access_control = row_json(row, 6);
    k->created_at = row_int(row, 7);
    k->updated_at = row_int(row, 8);
}

enum db_status knowledge_list(struct db *db, struct arena *mem, struct knowledge **out, size_t *n)
{
    return db_all(db, mem, read_knowledge, sizeof **out, out, n,
                  "SELECT " COLUMNS " FROM knowledge ORDER BY updated_at DESC", NO_ARGS);
}

enum db_status knowledge_by_id(struct db *db, struct arena *mem, struct str id, struct knowledge *out)
{
    return db_one(db, mem, read_knowledge, out, "SELECT " COLUMNS " FROM knowledge WHERE id = $1", ARGS(id));
}

void knowledge_json_open(struct buf *b, const struct knowledge *k)
{
    member_text(b, "{\"id\":", k->id);
    member_text(b, ",\"user_id\":", k->user_id);
    member_text(b, ",\"name\":", k->name);
    member_text(b, ",\"description\":", k->description);
    member_json(b, ",\"data\":", k->data);
    member_json(b, ",\"meta\":", k->meta);
    member_json(b, ",\"access_control\":", k->access_control);
    member_int(b, ",\"created_at\":", k->created_at);
    member_int(b, ",\"updated_at\":", k->updated_at);
}
