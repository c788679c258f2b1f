/* files.c: files. */
#include "lib/store/files.h"

#include "lib/store/row_json.h"

#define COLUMNS "id, user_id, filename, hash, path, data, meta, access_control, created_at, updated_at"

struct reading {
    file_reader *each;
    void *arg;
};

static void read_file(struct row *row, void *out) /* in the order of COLUMNS */
{
    struct file *f = out;

    *f = (struct file){ .id = row_str(row, 0),
                        .user_id = row_str(row, 1),
                        .filename = row_str(row, 2),
                        .hash = row_str(row, 3),
                        .path = row_str(row, 4),
                        .data = row_json(row, 5),
                        .meta = row_json(row, 6),
                        .access_control = row_json(row, 7),
                        .created_at = row_int(row, 8),
                        .updated_at = row_int(row, 9) };
}

enum db_status file_by_id(struct db *db, struct arena *mem, struct str id, struct file *out)
{
    return db_one(db, mem, read_file, out, "SELECT " COLUMNS " FROM file WHERE id = $1", ARGS(id));
}

enum db_status files_by_ids(struct db *db, struct arena *mem, struct str ids, struct file **out, size_t *n)
{
    return db_all(db, mem, read_file, sizeof **out, out, n,
                  DB_SQL(db,
                         "SELECT " COLUMNS " FROM file WHERE id IN (SELECT value FROM json_each($1)) "
                         "ORDER BY updated_at DESC",
                         "SELECT " COLUMNS " FROM file WHERE id IN (SELECT json_array_elements_text($1::json)) "
                         "ORDER BY updated_at DESC"),
                  ARGS(ids));
}

static void pass_file(struct row *row, void *out)
{
    const struct reading *to = out;
    struct file f;

    read_file(row, &f);
    to->each(&f, to->arg);
}

enum db_status files_each(struct db *db, struct arena *mem, struct str user_id, file_reader *each, void *arg)
{
    struct reading to = { each, arg };

    if (!user_id.p)
        return db_each(db, mem, pass_file, &to, "SELECT " COLUMNS " FROM file ORDER BY created_at, id", NO_ARGS);
    return db_each(db, mem, pass_file, &to, "SELECT " COLUMNS " FROM file WHERE user_id = $1 ORDER BY created_at, id",
                   ARGS(user_id));
}

enum db_status file_insert(struct db *db, const struct file *f)
{
    return db_exec(db,
                   "INSERT INTO file (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, coalesce($6::json, 'null'), "
                   "coalesce($7::json, 'null'), coalesce($8::json, 'null'), $9, $10)",
                   ARGS(f->id, f->user_id, f->filename, f->hash, f->path, f->data, f->meta, f->access_control,
                        f->created_at, f->updated_at),
                   NULL);
}

/* ---- what processing writes */

struct columns {
    struct str data, meta;
};

static void read_columns(struct row *row, void *out)
{
    struct columns *c = out;

    c->data = row_json(row, 0);
    c->meta = row_json(row, 1);
}

static enum db_status change_columns(struct db *db, struct arena *mem, struct str id, json_object *data,
                                     json_object *meta, struct str hash)
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
    st = change_columns(db, mem, id, data, meta, hash);
    if (st != DB_ERROR && db_commit(db) != DB_ERROR)
        return st;
    db_rollback(db);
    return DB_ERROR;
}

/* ---- deleting */

enum db_status file_delete(struct db *db, struct str id)
{
    return db_exec(db, "DELETE FROM file WHERE id = $1", ARGS(id), NULL);
}

enum db_status files_delete(struct db *db, struct str ids)
{
    return db_exec(db,
                   DB_SQL(db, "DELETE FROM file WHERE id IN (SELECT value FROM json_each($1))",
                          "DELETE FROM file WHERE id IN (SELECT json_array_elements_text(CAST($1 AS json)))"),
                   ARGS(ids), NULL);
}

static void read_place(struct row *row, void *out)
{
    struct file *f = out;

    f->id = row_str(row, 0);
    f->path = row_str(row, 1);
}

/* Ids are UUIDs: as a pattern each stands for itself. */
enum db_status files_of_nobody_else(struct db *db, struct arena *mem, struct str user_id, struct file **out, size_t *n)
{
    static const char sqlite[] =
        "SELECT id, path FROM file WHERE user_id = $1 "
        "AND NOT EXISTS (SELECT 1 FROM knowledge AS k WHERE json_extract(k.data, '$.file_ids') LIKE '%\"' || file.id "
        "|| "
        "'\"%') "
        "AND NOT EXISTS (SELECT 1 FROM model AS m WHERE json_valid(m.meta) AND json_extract(m.meta, '$.knowledge') "
        "LIKE "
        "'%\"' || file.id || '\"%') "
        "AND NOT EXISTS (SELECT 1 FROM message AS x WHERE x.user_id = $1 AND x.data LIKE '%' || file.id || '%')";
    static const char postgres[] = "SELECT id, path FROM file WHERE user_id = $1 "
                                   "AND NOT EXISTS (SELECT 1 FROM knowledge AS k WHERE CAST(k.data -> 'file_ids' AS "
                                   "text) LIKE '%\"' || file.id || "
                                   "'\"%') "
                                   "AND NOT EXISTS (SELECT 1 FROM model AS m WHERE m.meta LIKE '{%' AND "
                                   "CAST(CAST(m.meta AS json) -> 'knowledge' AS "
                                   "text) LIKE '%\"' || file.id || '\"%') "
                                   "AND NOT EXISTS (SELECT 1 FROM message AS x WHERE x.user_id = $1 AND CAST(x.data AS "
                                   "text) LIKE '%' || file.id || "
                                   "'%')";

    return db_all(db, mem, read_place, sizeof(struct file), out, n, DB_SQL(db, sqlite, postgres), ARGS(user_id));
}

enum db_status file_delete_all(struct db *db)
{
    return db_exec(db, "DELETE FROM file", NO_ARGS, NULL);
}

static void read_metadata(struct row *row, void *out)
{
    struct file_metadata *f = out;

    f->id = str_copy(row_arena(row), row_str(row, 0));
    f->meta = row_json(row, 1);
    f->created_at = row_int(row, 2);
    f->updated_at = row_int(row, 3);
}

enum db_status file_metadata_of(struct db *db, struct arena *mem, struct str ids, struct file_metadata **out, size_t *n)
{
    return db_all(
        db, mem, read_metadata, sizeof **out, out, n,
        DB_SQL(
            db,
            "SELECT id, meta, created_at, updated_at FROM file WHERE id IN (SELECT value FROM json_each($1)) "
            "ORDER BY updated_at DESC",
            "SELECT id, meta, created_at, updated_at FROM file WHERE id IN (SELECT json_array_elements_text($1::json)) "
            "ORDER BY updated_at DESC"),
        ARGS(ids));
}

static void add_without_content(struct arena *mem, struct buf *b, struct str data)
{
    json_object *o = json_parse_or_null(mem, data);

    if (json_is(o, json_type_object))
        json_del(o, "content");
    json_add_to_buf(b, o);
}

void file_json(struct arena *mem, struct buf *b, const struct file *f, bool with_content)
{
    member_text(b, "{\"id\":", f->id);
    member_text(b, ",\"user_id\":", f->user_id);
    member_text(b, ",\"hash\":", f->hash);
    member_text(b, ",\"filename\":", f->filename);
    if (with_content) {
        member_json(b, ",\"data\":", f->data);
    } else {
        buf_add_c(b, ",\"data\":");
        add_without_content(mem, b, f->data);
    }
    member_json(b, ",\"meta\":", f->meta);
    member_int(b, ",\"created_at\":", f->created_at);
    member_int(b, ",\"updated_at\":", f->updated_at);
    buf_add_char(b, '}');
}

void file_json_open(struct buf *b, const struct file *f)
{
    member_text(b, "{\"id\":", f->id);
    member_text(b, ",\"user_id\":", f->user_id);
    member_text(b, ",\"hash\":", f->hash);
    member_text(b, ",\"filename\":", f->filename);
    member_text(b, ",\"path\":", f->path);
    member_json(b, ",\"data\":", f->data);
    member_json(b, ",\"meta\":", f->meta);
    member_json(b, ",\"access_control\":", f->access_control);
    member_int(b, ",\"created_at\":", f->created_at);
    member_int(b, ",\"updated_at\":", f->updated_at);
}

void file_metadata_json(struct buf *b, const struct file_metadata *f)
{
    member_text(b, "{\"id\":", f->id);
    member_json(b, ",\"meta\":", f->meta);
    member_int(b, ",\"created_at\":", f->created_at);
    member_int(b, ",\"updated_at\":", f->updated_at);
    buf_add_char(b, '}');
}
