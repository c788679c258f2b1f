/* tags.c: the tag table. */
#include "lib/store/tags.h"

#define COLUMNS "id, name, user_id, meta"

static void read_tag(struct row *row, void *out)
{
    struct tag *t = out;

    t->id = row_str(row, 0);
    t->name = row_str(row, 1);
    t->user_id = row_str(row, 2);
    t->meta = row_json(row, 3);
}

struct str tag_id_of(struct arena *mem, struct str name)
{
    return str_lower(mem, str_replace(mem, name, S(" "), S("_")));
}

enum db_status tag_by_id(struct db *db, struct arena *mem, struct str id, struct str user_id, struct tag *out)
{
    return db_one(db, mem, read_tag, out, "SELECT " COLUMNS " FROM tag WHERE id = $1 AND user_id = $2",
                  ARGS(id, user_id));
}

enum db_status tags_of_user(struct db *db, struct arena *mem, struct str user_id, struct tags *out)
{
    out->v = NULL;
    out->n = 0;
    return db_all(db, mem, read_tag, sizeof(*out->v), &out->v, &out->n,
                  "SELECT " COLUMNS " FROM tag WHERE user_id = $1", ARGS(user_id));
}

enum db_status tags_by_ids(struct db *db, struct arena *mem, struct str user_id, struct str ids, struct tags *out)
{
    out->v = NULL;
    out->n = 0;
    return db_all(
        db, mem, read_tag, sizeof(*out->v), &out->v, &out->n,
        DB_SQL(db, "SELECT " COLUMNS " FROM tag WHERE user_id = $1 AND id IN (SELECT value FROM json_each($2))",
               "SELECT " COLUMNS " FROM tag WHERE user_id = $1 AND id IN (SELECT json_array_elements_text($2::json))"),
        ARGS(user_id, ids));
}

enum db_status tag_ensure(struct db *db, struct arena *mem, struct str name, struct str user_id)
{
    return db_exec(db, "INSERT INTO tag (id, name, user_id, meta) VALUES ($1, $2, $3, 'null') ON CONFLICT DO NOTHING",
                   ARGS(tag_id_of(mem, name), name, user_id), NULL);
}

enum db_status tag_delete(struct db *db, struct str id, struct str user_id)
{
    return db_exec(db, "DELETE FROM tag WHERE id = $1 AND user_id = $2", ARGS(id, user_id), NULL);
}
