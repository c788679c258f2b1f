/* folders.c: the folder table. A user has few folders: questions about the tree read them all once. */
#include "lib/store/folders.h"

#define COLUMNS "id, parent_id, user_id, name, items, meta, data, is_expanded, created_at, updated_at"

static void read_folder(struct row *row, void *out)
{
    struct folder *f = out;

    f->id = row_str(row, 0);
    f->parent_id = row_str(row, 1);
    f->user_id = row_str(row, 2);
    f->name = row_str(row, 3);
    f->items = row_json(row, 4);
    f->meta = row_json(row, 5);
    f->data = row_json(row, 6);
    f->is_expanded = row_bool(row, 7);
    f->created_at = row_int(row, 8);
    f->updated_at = row_int(row, 9);
}

enum db_status folder_by_id(struct db *db, struct arena *mem, struct str id, struct str user_id, struct folder *out)
{
    return db_one(db, mem, read_folder, out, "SELECT " COLUMNS " FROM folder WHERE id = $1 AND user_id = $2",
                  ARGS(id, user_id));
}

enum db_status folders_of_user(struct db *db, struct arena *mem, struct str user_id, struct folders *out)
{
    out->v = NULL;
    out->n = 0;
    return db_all(db, mem, read_folder, sizeof(*out->v), &out->v, &out->n,
                  "SELECT " COLUMNS " FROM folder WHERE user_id = $1", ARGS(user_id));
}

enum db_status folder_by_name(struct db *db, struct arena *mem, struct str user_id, struct str parent_id,
                              struct str name, struct folder *out)
{
    if (parent_id.p)
        return db_one(db, mem, read_folder, out,
                      "SELECT " COLUMNS
                      " FROM folder WHERE user_id = $1 AND parent_id = $2 AND lower(name) = lower($3)",
                      ARGS(user_id, parent_id, name));
    return db_one(db, mem, read_folder, out,
                  "SELECT " COLUMNS " FROM folder WHERE user_id = $1 AND parent_id IS NULL AND lower(name) = lower($2)",
                  ARGS(user_id, name));
}

/* Marks the folders below a marked one, until nothing changes: at most as many rounds as the tree is deep. */
static void mark_below(const struct folders *all, bool *marked)
{
    bool again = true;

    while (again) {
        again = false;
        for (size_t i = 0; i < all->n; i++) {
            for (size_t k = 0; k < all->n && !marked[i] && all->v[i].parent_id.n; k++) {
                if (marked[k] && str_eq(all->v[k].id, all->v[i].parent_id))
                    again = marked[i] = true;
            }
        }
    }
}

static struct str marked_ids(struct arena *mem, const struct folders *all, const bool *marked, json_object *ids)
{
    for (size_t i = 0; i < all->n; i++)
        if (marked[i])
            json_push_str(ids, all->v[i].id);
    return json_text(mem, ids);
}

enum db_status folder_ids_below(struct db *db, struct arena *mem, struct str id, struct str user_id, struct str *ids)
{
    json_object *list = json_new_array(mem);
    struct folders all;
    bool *marked;

    if (folders_of_user(db, mem, user_id, &all) == DB_ERROR)
        return DB_ERROR;
    marked = arena_new_array(mem, bool, all.n + 1);
    json_push_str(list, id);
    for (size_t i = 0; i < all.n; i++)
        marked[i] = str_eq(all.v[i].id, id);
    mark_below(&all, marked);
    for (size_t i = 0; i < all.n; i++)
        marked[i] = marked[i] && !str_eq(all.v[i].id, id);
    *ids = marked_ids(mem, &all, marked, list);
    return DB_ROW;
}

static struct str plain_name(struct arena *mem, struct str name)
{
    struct buf b = BUF(mem, STR_NPOS);

    for (size_t i = 0; i < name.n; i++) {
        char c = strchr(" \t\r\n\v\f_", name.p[i]) && name.p[i] ? ' ' : name.p[i];

        if (c != ' ' || (b.n && b.p[b.n - 1] != ' '))
            buf_add_char(&b, c);
    }
    return str_trim(str_lower(mem, buf_str(&b)));
}

enum db_status folder_ids_by_names(struct db *db, struct arena *mem, struct str user_id, json_object *names,
                                   struct str *ids)
{
    struct folders all;
    bool *marked;

    if (folders_of_user(db, mem, user_id, &all) == DB_ERROR)
        return DB_ERROR;
    marked = arena_new_array(mem, bool, all.n + 1);
    for (size_t i = 0; i < all.n; i++) {
        struct str name = plain_name(mem, all.v[i].name);

        JSON_EACH (names, k, wanted)
            marked[i] |= str_eq(name, plain_name(mem, json_str_value(wanted)));
    }
    mark_below(&all, marked);
    *ids = marked_ids(mem, &all, marked, json_new_array(mem));
    return DB_ROW;
}

enum db_status folder_insert(struct db *db, const struct folder *f)
{
    return db_exec(db,
                   "INSERT INTO folder (" COLUMNS
                   ") VALUES ($1, $2, $3, $4, coalesce($5::json, 'null'), coalesce($6::json, 'null'),"
                   " coalesce($7::json, 'null'), $8, $9, $10)",
                   ARGS(f->id, f->parent_id, f->user_id, f->name, f->items, f->meta, f->data, f->is_expanded,
                        f->created_at, f->updated_at),
                   NULL);
}

enum db_status folder_update(struct db *db, const struct folder *f)
{
    return db_exec(db,
                   "UPDATE folder SET parent_id = $3, name = $4, meta = coalesce($5::json, 'null'),"
                   " data = coalesce($6::json, 'null'), is_expanded = $7, updated_at = $8"
                   " WHERE id = $1 AND user_id = $2",
                   ARGS(f->id, f->user_id, f->parent_id, f->name, f->meta, f->data, f->is_expanded, f->updated_at),
                   NULL);
}

enum db_status folders_delete(struct db *db, struct str user_id, struct str ids)
{
    return db_exec(
        db,
        DB_SQL(db, "DELETE FROM folder WHERE user_id = $1 AND id IN (SELECT value FROM json_each($2))",
               "DELETE FROM folder WHERE user_id = $1 AND id IN (SELECT json_array_elements_text($2::json))"),
        ARGS(user_id, ids), NULL);
}
