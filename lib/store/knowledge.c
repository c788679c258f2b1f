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

enum db_status knowledge_insert(struct db *db, const struct knowledge *k)
{
    return db_exec(db,
                   "INSERT INTO knowledge (" COLUMNS ") VALUES ($1, $2, $3, $4, coalesce($5::json, 'null'), "
                   "coalesce($6::json, 'null'), coalesce($7::json, 'null'), $8, $9)",
                   ARGS(k->id, k->user_id, k->name, k->description, k->data, k->meta, k->access_control, k->created_at,
                        k->updated_at),
                   NULL);
}

enum db_status knowledge_update(struct db *db, const struct knowledge *k)
{
    return db_exec(
        db,
        "UPDATE knowledge SET name = $2, description = $3, data = coalesce($4::json, 'null'), access_control = "
        "coalesce($5::json, 'null'), updated_at = $6 WHERE id = $1",
        ARGS(k->id, k->name, k->description, k->data, k->access_control, k->updated_at), NULL);
}

enum db_status knowledge_delete(struct db *db, struct str id)
{
    return db_exec(db, "DELETE FROM knowledge WHERE id = $1", ARGS(id), NULL);
}

/* ---- its files */

json_object *knowledge_file_ids(struct arena *mem, const struct knowledge *k)
{
    json_object *ids = json_get(json_parse_or_null(mem, k->data), "file_ids");

    return json_is(ids, json_type_array) ? ids : NULL;
}

static bool is_in(json_object *ids, struct str id)
{
    JSON_EACH (ids, i, one)
        if (str_eq(json_str_value(one), id))
            return true;
    return false;
}

bool knowledge_has_file(struct arena *mem, const struct knowledge *k, struct str file_id)
{
    return is_in(knowledge_file_ids(mem, k), file_id);
}

static bool is_among(const struct str *ids, size_t n, struct str id)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(ids[i], id))
            return true;
    return false;
}

static struct str changed_data(struct arena *mem, struct str data, enum knowledge_files what,
                               const struct str *file_ids, size_t n)
{
    json_object *old = json_parse_or_null(mem, data), *all = json_new_object(mem), *ids;

    if (json_is(old, json_type_object) && what != KNOWLEDGE_CLEAR)
        all = old;
    old = json_get(all, "file_ids");
    ids = json_new_array(mem);
    JSON_EACH (old, i, id)
        if (what == KNOWLEDGE_ADD || !is_among(file_ids, n, json_str_value(id)))
            json_push(ids, id);
    for (size_t i = 0; i < n && what == KNOWLEDGE_ADD; i++)
        if (!is_in(ids, file_ids[i]))
            json_push_str(ids, file_ids[i]);
    json_set(all, "file_ids", ids);
    return json_text(mem, all);
}

static enum db_status change_row(struct db *db, struct arena *mem, enum knowledge_files what,
                                 const struct str *file_ids, size_t n, struct knowledge *k)
{
    struct str id = k->id;
    int64_t now_s = k->updated_at;
    enum db_status st = db_one(db, mem, read_knowledge, k,
                               DB_SQL(db, "SELECT " COLUMNS " FROM knowledge WHERE id = $1",
                                      "SELECT " COLUMNS " FROM knowledge WHERE id = $1 FOR UPDATE"),
                               ARGS(id));

    if (st != DB_ROW)
        return st;
    k->data = changed_data(mem, k->data, what, file_ids, n);
    k->updated_at = now_s;
    return db_exec(db, "UPDATE knowledge SET data = $2::json, updated_at = $3 WHERE id = $1", ARGS(id, k->data, now_s),
                   NULL);
}

enum db_status knowledge_change_files(struct db *db, struct arena *mem, struct str id, enum knowledge_files what,
                                      const struct str *file_ids, size_t n, int64_t now_s, struct knowledge *out)
{
    struct knowledge k = { .id = id, .updated_at = now_s };
    enum db_status st = db_begin(db);

    if (st == DB_ERROR)
        return st;
    st = change_row(db, mem, what, file_ids, n, &k);
    if (st != DB_ROW || db_commit(db) == DB_ERROR) {
        st = st == DB_DONE ? DB_DONE : DB_ERROR;
        db_rollback(db);
        return st;
    }
    *out = k;
    return DB_ROW;
}

enum db_status knowledge_delete_all(struct db *db)
{
    return db_exec(db, "DELETE FROM knowledge", NO_ARGS, NULL);
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
