/* models.c: the model table. */
#include "lib/store/models.h"

#include "lib/base/shared.h"
#include "lib/store/row_json.h"

#define COLUMNS "id, user_id, base_model_id, name, params, meta, access_control, is_active, updated_at, created_at"

static void read_model(struct row *row, void *out)
{
    struct model_row *m = out;

    m->id = row_str(row, 0);
    m->user_id = row_str(row, 1);
    m->base_model_id = row_str(row, 2);
    m->name = row_str(row, 3);
    m->params = row_json(row, 4);
    m->meta = row_json(row, 5);
    m->access_control = row_json(row, 6);
    m->is_active = row_bool(row, 7);
    m->updated_at = row_int(row, 8);
    m->created_at = row_int(row, 9);
}

enum db_status model_row_by_id(struct db *db, struct arena *mem, struct str id, struct model_row *out)
{
    return db_one(db, mem, read_model, out, "SELECT " COLUMNS " FROM model WHERE id = $1", ARGS(id));
}

enum db_status model_rows(struct db *db, struct arena *mem, struct model_row **out, size_t *n)
{
    *out = NULL;
    *n = 0;
    return db_all(db, mem, read_model, sizeof(**out), out, n, "SELECT " COLUMNS " FROM model", NO_ARGS);
}

static enum db_status changed(enum db_status st)
{
    if (st == DB_ROW)
        counter_bump(COUNTER_MODELS);
    return st;
}

static struct str object_text(struct str json)
{
    return json.n ? json : S("{}");
}

enum db_status model_row_insert(struct db *db, const struct model_row *m)
{
    return changed(
        db_exec(db, "INSERT INTO model (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                ARGS(m->id, m->user_id, m->base_model_id, m->name, object_text(m->params), object_text(m->meta),
                     json_or_null(m->access_control), m->is_active, m->updated_at, m->created_at),
                NULL));
}

enum db_status model_row_update(struct db *db, const struct model_row *m)
{
    return changed(db_exec(
        db,
        "UPDATE model SET base_model_id = $2, name = $3, params = $4, meta = $5, access_control = $6, is_active = $7,"
        " updated_at = $8 WHERE id = $1",
        ARGS(m->id, m->base_model_id, m->name, object_text(m->params), object_text(m->meta),
             json_or_null(m->access_control), m->is_active, m->updated_at),
        NULL));
}

enum db_status model_row_toggle(struct db *db, struct str id, int64_t now_s)
{
    return changed(db_exec(db, "UPDATE model SET is_active = NOT is_active, updated_at = $2 WHERE id = $1",
                           ARGS(id, now_s), NULL));
}

/* Whether one of the rows has the id; rows that stay keep their place in the table. */
static bool listed(const struct model_row *rows, size_t n, struct str id)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(rows[i].id, id))
            return true;
    return false;
}

static enum db_status replace_row(struct db *db, const struct model_row *m)
{
    enum db_status st = db_exec(
        db,
        "UPDATE model SET user_id = $2, base_model_id = $3, name = $4, params = $5, meta = $6, access_control = $7,"
        " is_active = $8, updated_at = $9, created_at = $10 WHERE id = $1",
        ARGS(m->id, m->user_id, m->base_model_id, m->name, object_text(m->params), object_text(m->meta),
             json_or_null(m->access_control), m->is_active, m->updated_at, m->created_at),
        NULL);

    return st == DB_DONE ? model_row_insert(db, m) : st;
}

enum db_status model_rows_replace_all(struct db *db, struct arena *mem, const struct model_row *rows, size_t n)
{
    struct model_row *old = NULL;
    size_t old_n = 0;
    enum db_status st = db_begin(db);

    if (st == DB_ERROR)
        return st;
    st = model_rows(db, mem, &old, &old_n);
    for (size_t i = 0; i < old_n && st != DB_ERROR; i++)
        if (!listed(rows, n, old[i].id))
            st = db_exec(db, "DELETE FROM model WHERE id = $1", ARGS(old[i].id), NULL);
    for (size_t i = 0; i < n && st != DB_ERROR; i++)
        st = replace_row(db, &rows[i]);
    st = st == DB_ERROR ? st : db_commit(db);
    if (st == DB_ERROR) {
        db_rollback(db);
        return st;
    }
    counter_bump(COUNTER_MODELS);
    return DB_ROW;
}

enum db_status model_row_delete(struct db *db, struct str id)
{
    return changed(db_exec(db, "DELETE FROM model WHERE id = $1", ARGS(id), NULL));
}

enum db_status model_rows_delete_all(struct db *db)
{
    return changed(db_exec(db, "DELETE FROM model", NO_ARGS, NULL));
}

static json_object *meta_json(struct arena *mem, struct str text)
{
    json_object *stored = json_parse_or_null(mem, text), *meta = json_new_object(mem);

    json_set_c(meta, "profile_image_url", "/static/favicon.png");
    json_set_null(meta, "description");
    json_set_null(meta, "capabilities");
    json_merge(meta, stored);
    return meta;
}

json_object *model_row_json(struct arena *mem, const struct model_row *m)
{
    json_object *o = json_new_object(mem);

    json_set_str(o, "id", m->id);
    json_set_str(o, "user_id", m->user_id);
    json_set_str(o, "base_model_id", m->base_model_id);
    json_set_str(o, "name", m->name);
    json_set(o, "params", json_parse_or_null(mem, object_text(m->params)));
    json_set(o, "meta", meta_json(mem, m->meta));
    json_set(o, "access_control", json_parse_or_null(mem, m->access_control));
    json_set_bool(o, "is_active", m->is_active);
    json_set_int(o, "updated_at", m->updated_at);
    json_set_int(o, "created_at", m->created_at);
    return o;
}
