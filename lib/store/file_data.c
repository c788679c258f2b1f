/* file_data.c: changes of a file's JSON columns. */
#include "lib/store/file_data.h"

struct columns {
    struct str data, meta;
};

static void read_columns(struct row *row, void *out)
{
    struct columns *c = out;

    c->data = row_json(row, 0);
    c->meta = row_json(row, 1);
}

static enum db_status change(struct db *db, struct arena *mem, struct str id, json_object *data, json_object *meta,
                             struct str hash)
{
    struct columns now;
    enum db_status st = db_one(db, mem, read_columns, &now,
                               DB_SQL(db, "SELECT data, meta FROM file WHERE id = $1",
                                      "SELECT data, meta FROM file WHERE id = $1 FOR UPDATE"),
                               ARGS(id));

    if (st != DB_ROW)
        return st;
    if (data)
        now.data = json_text_merged(mem, now.data, data);
    if (meta)
        now.meta = json_text_merged(mem, now.meta, meta);
    return db_exec(db,
                   "UPDATE file SET data = coalesce($2::json, 'null'), meta = coalesce($3::json, 'null'),"
                   " hash = coalesce($4, hash) WHERE id = $1",
                   ARGS(id, now.data, now.meta, hash), NULL);
}

enum db_status file_record(struct db *db, struct arena *mem, struct str id, json_object *data, json_object *meta,
                           struct str hash)
{
    enum db_status st = db_begin(db);

    if (st == DB_ERROR)
        return st;
    st = change(db, mem, id, data, meta, hash);
    if (st != DB_ERROR && db_commit(db) != DB_ERROR)
        return st;
    db_rollback(db);
    return DB_ERROR;
}
