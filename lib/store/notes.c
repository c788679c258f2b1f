/* notes.c: notes. */
#include "lib/store/notes.h"

#include "lib/store/row_json.h"

#define HEAD_COLUMNS "id, user_id, title, access_control, created_at, updated_at"
#define COLUMNS HEAD_COLUMNS ", data, meta"

static void read_title(struct row *row, void *out) /* HEAD_COLUMNS */
{
    struct note *note = out;

    note->id = row_str(row, 0);
    note->user_id = row_str(row, 1);
    note->title = row_str(row, 2);
    note->access_control = row_json(row, 3);
    note->created_at = row_int(row, 4);
    note->updated_at = row_int(row, 5);
}

static void read_note(struct row *row, void *out) /* COLUMNS */
{
    struct note *note = out;

    read_title(row, out);
    note->data = row_json(row, 6);
    note->meta = row_json(row, 7);
}

enum db_status note_list(struct db *db, struct arena *mem, bool with_contents, struct note **out, size_t *n)
{
    if (with_contents)
        return db_all(db, mem, read_note, sizeof **out, out, n, "SELECT " COLUMNS " FROM note ORDER BY updated_at DESC",
                      NO_ARGS);
    return db_all(db, mem, read_title, sizeof **out, out, n,
                  "SELECT " HEAD_COLUMNS " FROM note ORDER BY updated_at DESC", NO_ARGS);
}

enum db_status note_by_id(struct db *db, struct arena *mem, struct str id, struct note *out)
{
    return db_one(db, mem, read_note, out, "SELECT " COLUMNS " FROM note WHERE id = $1", ARGS(id));
}

enum db_status note_head_by_id(struct db *db, struct arena *mem, struct str id, struct note *out)
{
    return db_one(db, mem, read_title, out, "SELECT " HEAD_COLUMNS " FROM note WHERE id = $1", ARGS(id));
}

enum db_status note_for_update(struct db *db, struct arena *mem, struct str id, struct note *out)
{
    return db_one(db, mem, read_note, out,
                  DB_SQL(db, "SELECT " COLUMNS " FROM note WHERE id = $1",
                         "SELECT " COLUMNS " FROM note WHERE id = $1 FOR UPDATE"),
                  ARGS(id));
}

enum db_status note_insert(struct db *db, const struct note *note)
{
    return db_exec(db,
                   "INSERT INTO note (" COLUMNS ") VALUES ($1, $2, $3, coalesce($4::json, 'null'), $5, $6,"
                   " coalesce($7::json, 'null'), coalesce($8::json, 'null'))",
                   ARGS(note->id, note->user_id, note->title, note->access_control, note->created_at, note->updated_at,
                        note->data, note->meta),
                   NULL);
}

enum db_status note_update_commit(struct db *db, const struct note *note)
{
    return db_exec_commit(db,
                          "UPDATE note SET title = $2, access_control = coalesce($3::json, 'null'), updated_at = $4,"
                          " data = coalesce($5::json, 'null'), meta = coalesce($6::json, 'null') WHERE id = $1",
                          ARGS(note->id, note->title, note->access_control, note->updated_at, note->data, note->meta),
                          NULL);
}

enum db_status note_delete(struct db *db, struct str id)
{
    return db_exec(db, "DELETE FROM note WHERE id = $1", ARGS(id), NULL);
}

void note_json_open(struct buf *b, const struct note *note)
{
    member_text(b, "{\"id\":", note->id);
    member_text(b, ",\"user_id\":", note->user_id);
    member_text(b, ",\"title\":", note->title);
    member_json(b, ",\"data\":", note->data);
    member_json(b, ",\"meta\":", note->meta);
    member_json(b, ",\"access_control\":", note->access_control);
    member_int(b, ",\"created_at\":", note->created_at);
    member_int(b, ",\"updated_at\":", note->updated_at);
}

void note_json_title(struct buf *b, const struct note *note)
{
    member_text(b, "{\"id\":", note->id);
    member_text(b, ",\"title\":", note->title);
    member_int(b, ",\"updated_at\":", note->updated_at);
    member_int(b, ",\"created_at\":", note->created_at);
    buf_add_char(b, '}');
}
