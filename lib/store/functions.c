/* functions.c: functions. */
#include "lib/store/functions.h"

#include "lib/base/shared.h"
#include "lib/store/code_meta.h"
#include "lib/store/row_json.h"

#define SHORT "id, user_id, type, name, meta, is_active, is_global, updated_at, created_at"
#define COLUMNS SHORT ", content, valves"

static void read_function(struct row *row, void *out) /* in the order of SHORT */
{
    struct function *f = out;

    f->id = row_str(row, 0);
    f->user_id = row_str(row, 1);
    f->type = row_str(row, 2);
    f->name = row_str(row, 3);
    f->meta = row_json(row, 4);
    f->is_active = row_bool(row, 5);
    f->is_global = row_bool(row, 6);
    f->updated_at = row_int(row, 7);
    f->created_at = row_int(row, 8);
}

static void read_with_code(struct row *row, void *out) /* in the order of COLUMNS */
{
    struct function *f = out;

    read_function(row, out);
    f->content = row_str(row, 9);
    f->valves = row_json(row, 10);
}

static void read_id(struct row *row, void *out)
{
    *(struct str *)out = row_str(row, 0);
}

enum db_status function_list(struct db *db, struct arena *mem, struct function **out, size_t *n)
{
    return db_all(db, mem, read_function, sizeof **out, out, n,
                  "SELECT " SHORT " FROM function ORDER BY created_at, id", NO_ARGS);
}

enum db_status function_list_with_code(struct db *db, struct arena *mem, struct function **out, size_t *n)
{
    return db_all(db, mem, read_with_code, sizeof **out, out, n,
                  "SELECT " COLUMNS " FROM function ORDER BY created_at, id", NO_ARGS);
}

enum db_status function_by_id(struct db *db, struct arena *mem, struct str id, struct function *out)
{
    return db_one(db, mem, read_with_code, out, "SELECT " COLUMNS " FROM function WHERE id = $1", ARGS(id));
}

static enum db_status changed(enum db_status st)
{
    if (st == DB_ROW)
        counter_bump(COUNTER_FUNCTIONS);
    return st;
}

#define INSERT "INSERT INTO function (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"

static enum db_status insert(struct db *db, const struct function *f, const char *sql)
{
    return db_exec(db, sql,
                   ARGS(f->id, f->user_id, f->type, f->name, json_or_null(f->meta), f->is_active, f->is_global,
                        f->updated_at, f->created_at, f->content, json_or_null(f->valves)),
                   NULL);
}

enum db_status function_insert(struct db *db, const struct function *f)
{
    return changed(insert(db, f, INSERT));
}

enum db_status function_update(struct db *db, const struct function *f)
{
    return changed(
        db_exec(db, "UPDATE function SET name = $2, type = $3, content = $4, meta = $5, updated_at = $6 WHERE id = $1",
                ARGS(f->id, f->name, f->type, f->content, json_or_null(f->meta), f->updated_at), NULL));
}

enum db_status function_toggle(struct db *db, struct str id, int64_t now_s)
{
    return changed(db_exec(db,
                           DB_SQL(db, "UPDATE function SET is_active = 1 - is_active, updated_at = $2 WHERE id = $1",
                                  "UPDATE function SET is_active = NOT is_active, updated_at = $2 WHERE id = $1"),
                           ARGS(id, now_s), NULL));
}

enum db_status function_toggle_global(struct db *db, struct str id, int64_t now_s)
{
    return changed(db_exec(db,
                           DB_SQL(db, "UPDATE function SET is_global = 1 - is_global, updated_at = $2 WHERE id = $1",
                                  "UPDATE function SET is_global = NOT is_global, updated_at = $2 WHERE id = $1"),
                           ARGS(id, now_s), NULL));
}

enum db_status function_switch_off(struct db *db, struct str id, int64_t now_s)
{
    return changed(
        db_exec(db, "UPDATE function SET is_active = $2, updated_at = $3 WHERE id = $1", ARGS(id, false, now_s), NULL));
}

enum db_status function_set_valves(struct db *db, struct str id, struct str json, int64_t now_s)
{
    return changed(
        db_exec(db, "UPDATE function SET valves = $2, updated_at = $3 WHERE id = $1", ARGS(id, json, now_s), NULL));
}

enum db_status function_delete(struct db *db, struct str id)
{
    return changed(db_exec(db, "DELETE FROM function WHERE id = $1", ARGS(id), NULL));
}

static bool is_among(const struct function *v, size_t n, struct str id)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(v[i].id, id))
            return true;
    return false;
}

static enum db_status replace_all(struct db *db, struct arena *mem, const struct function *v, size_t n)
{
    struct str *ids;
    size_t ids_n;
    enum db_status st = db_all(db, mem, read_id, sizeof(*ids), &ids, &ids_n, "SELECT id FROM function", NO_ARGS);

    for (size_t i = 0; st != DB_ERROR && i < n; i++)
        st = insert(db, &v[i],
                    INSERT " ON CONFLICT (id) DO UPDATE SET user_id = excluded.user_id, type = excluded.type,"
                           " name = excluded.name, meta = excluded.meta, is_active = excluded.is_active,"
                           " is_global = excluded.is_global, updated_at = excluded.updated_at,"
                           " created_at = excluded.created_at, content = excluded.content, valves = excluded.valves");
    for (size_t i = 0; st != DB_ERROR && i < ids_n; i++)
        if (!is_among(v, n, ids[i]))
            st = db_exec(db, "DELETE FROM function WHERE id = $1", ARGS(ids[i]), NULL);
    return st;
}

enum db_status function_sync(struct db *db, struct arena *mem, const struct function *v, size_t n)
{
    if (db_begin(db) == DB_ERROR)
        return DB_ERROR;
    if (replace_all(db, mem, v, n) == DB_ERROR) {
        db_rollback(db);
        return DB_ERROR;
    }
    return db_commit(db) == DB_ERROR ? DB_ERROR : changed(DB_ROW);
}

void function_json_open(struct arena *mem, struct buf *b, const struct function *f)
{
    member_text(b, "{\"id\":", f->id);
    member_text(b, ",\"user_id\":", f->user_id);
    member_text(b, ",\"type\":", f->type);
    member_text(b, ",\"name\":", f->name);
    member_code_meta(mem, b, ",\"meta\":", f->meta, true);
    member_bool(b, ",\"is_active\":", f->is_active);
    member_bool(b, ",\"is_global\":", f->is_global);
    member_int(b, ",\"updated_at\":", f->updated_at);
    member_int(b, ",\"created_at\":", f->created_at);
    if (f->content.p)
        member_text(b, ",\"content\":", f->content);
}
