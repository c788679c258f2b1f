/* folder_files.c: owners of files and knowledge, many at once. */
#include "lib/store/folder_files.h"

static void read_owned(struct row *row, void *out)
{
    struct owned *o = out;

    o->id = row_str(row, 0);
    o->user_id = row_str(row, 1);
    o->access_control = row_json(row, 2);
}

enum db_status files_owned(struct db *db, struct arena *mem, struct str ids, struct owned **rows, size_t *n)
{
    return db_all(
        db, mem, read_owned, sizeof(**rows), rows, n,
        DB_SQL(db, "SELECT id, user_id, access_control FROM file WHERE id IN (SELECT value FROM json_each($1))",
               "SELECT id, user_id, access_control FROM file WHERE id IN (SELECT json_array_elements_text($1::json))"),
        ARGS(ids));
}

enum db_status knowledge_owned(struct db *db, struct arena *mem, struct str ids, struct owned **rows, size_t *n)
{
    return db_all(
        db, mem, read_owned, sizeof(**rows), rows, n,
        DB_SQL(db, "SELECT id, user_id, access_control FROM knowledge WHERE id IN (SELECT value FROM json_each($1))",
               "SELECT id, user_id, access_control FROM knowledge WHERE id IN (SELECT "
               "json_array_elements_text($1::json))"),
        ARGS(ids));
}
