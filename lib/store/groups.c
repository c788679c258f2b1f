/* groups.c: groups of users. The members are a JSON array in the row, as the Python backend keeps them. */
#include "lib/store/groups.h"

#include "lib/base/clock.h"
#include "lib/base/random.h"
#include "lib/base/shared.h"
#include "lib/store/user_columns.h"

#define COLUMNS GROUP_COLUMNS
#define read_group group_read

enum { MAX_IDS_BYTES = 64 * 1024 * 1024 };

void group_read(struct row *row, void *out)
{
    struct group *g = out;

    g->id = row_str(row, 0);
    g->user_id = row_str(row, 1);
    g->name = row_str(row, 2);
    g->description = row_str(row, 3);
    g->data = row_json(row, 4);
    g->meta = row_json(row, 5);
    g->permissions = row_json(row, 6);
    g->user_ids = row_json(row, 7);
    g->created_at = row_int(row, 8);
    g->updated_at = row_int(row, 9);
}

enum db_status group_by_id(struct db *db, struct arena *mem, struct str id, struct group *out)
{
    return db_one(db, mem, read_group, out, "SELECT " COLUMNS " FROM \"group\" WHERE id = $1", ARGS(id));
}

enum db_status group_list(struct db *db, struct arena *mem, struct group **out, size_t *n)
{
    return db_all(db, mem, read_group, sizeof(struct group), out, n,
                  "SELECT " COLUMNS " FROM \"group\" ORDER BY updated_at DESC, id", NO_ARGS);
}

enum db_status group_list_of(struct db *db, struct arena *mem, struct str user_id, struct group **out, size_t *n)
{
    static const char sqlite[] =
        "SELECT " COLUMNS " FROM \"group\" WHERE json_type(user_ids) = 'array' AND "
        "EXISTS (SELECT 1 FROM json_each(\"group\".user_ids) WHERE value = $1) ORDER BY updated_at DESC, id";
    static const char postgres[] = "SELECT " COLUMNS
                                   " FROM \"group\" WHERE CASE json_typeof(user_ids) WHEN 'array' THEN "
                                   "EXISTS (SELECT 1 FROM json_array_elements_text(\"group\".user_ids) AS x WHERE x = "
                                   "$1) ELSE false END ORDER BY updated_at DESC, id";

    return db_all(db, mem, read_group, sizeof(struct group), out, n, DB_SQL(db, sqlite, postgres), ARGS(user_id));
}

static void read_members(struct row *row, void *out)
{
    json_object *list = json_parse_or_null(row_arena(row), row_json(row, 0));

    JSON_EACH (list, i, id)
        json_push(out, id);
}

enum db_status group_user_ids(struct db *db, struct arena *mem, struct str group_ids, json_object *ids)
{
    static const char sqlite[] = "SELECT user_ids FROM \"group\" WHERE id IN (SELECT value FROM json_each($1))";
    static const char postgres[] =
        "SELECT user_ids FROM \"group\" WHERE id IN (SELECT json_array_elements_text(CAST($1 AS json)))";

    return db_each(db, mem, read_members, ids, DB_SQL(db, sqlite, postgres), ARGS(group_ids));
}

static enum db_status changed(enum db_status st)
{
    if (st == DB_ROW)
        counter_bump(COUNTER_GROUPS);
    return st;
}

static enum db_status insert(struct db *db, struct arena *mem, struct group *g, struct group *out)
{
    static const char sqlite[] = "INSERT INTO \"group\" (" COLUMNS
                                 ") VALUES ($1, $2, $3, $4, 'null', 'null', $5, $7, $6, $6)";
    static const char postgres[] =
        "INSERT INTO \"group\" (" COLUMNS
        ") VALUES ($1, $2, $3, $4, 'null', 'null', CAST($5 AS json), CAST($7 AS json), $6, $6)";
    enum db_status st;

    g->id = random_uuid(mem);
    g->created_at = g->updated_at = now_s();
    st = db_exec(db, DB_SQL(db, sqlite, postgres),
                 ARGS(g->id, g->user_id, g->name, g->description, g->permissions.p ? g->permissions : S("null"),
                      g->created_at, g->user_ids.p ? g->user_ids : S("[]")),
                 NULL);
    if (st == DB_ROW)
        *out = *g;
    return changed(st);
}

enum db_status group_create(struct db *db, struct arena *mem, struct str user_id, struct str name,
                            struct str description, struct str permissions, struct group *out)
{
    struct group g = { .user_id = user_id, .name = name, .description = description, .permissions = permissions };

    return insert(db, mem, &g, out);
}

enum db_status group_create_with(struct db *db, struct arena *mem, struct str user_id, struct str name,
                                 struct str description, struct str user_ids, struct group *out)
{
    struct group g = { .user_id = user_id, .name = name, .description = description, .user_ids = user_ids };

    return insert(db, mem, &g, out);
}

enum db_status group_update(struct db *db, struct arena *mem, struct str id, struct str name, struct str description,
                            struct str permissions, struct str user_ids, struct group *out)
{
    static const char sqlite[] =
        "UPDATE \"group\" SET name = $2, description = $3, permissions = coalesce($4, permissions), "
        "user_ids = coalesce($5, user_ids), updated_at = $6 WHERE id = $1";
    static const char postgres[] =
        "UPDATE \"group\" SET name = $2, description = $3, permissions = coalesce(CAST($4 AS json), permissions), "
        "user_ids = coalesce(CAST($5 AS json), user_ids), updated_at = $6 WHERE id = $1";
    enum db_status st = changed(
        db_exec(db, DB_SQL(db, sqlite, postgres), ARGS(id, name, description, permissions, user_ids, now_s()), NULL));

    return st == DB_ROW ? group_by_id(db, mem, id, out) : st;
}

/* ---- members */

static bool among(const struct str *ids, size_t n, struct str id)
{
    for (size_t i = 0; i < n; i++) {
        if (str_eq(ids[i], id))
            return true;
    }
    return false;
}

static void push(struct buf *b, struct str id)
{
    buf_add_char(b, b->n ? ',' : '[');
    buf_add_json_string(b, id);
}

/* The members that text lists, each once, without those in gone. */
static void keep_members(struct arena *mem, struct buf *b, struct str text, const struct str *gone, size_t gone_n,
                         json_object *seen)
{
    json_object *list = json_parse_or_null(mem, text);

    JSON_EACH (list, i, item) {
        struct str id = json_str_value(item);

        if (!id.p || json_has(seen, id.p) || among(gone, gone_n, id))
            continue;
        json_set_null(seen, id.p);
        push(b, id);
    }
}

static enum db_status set_members(struct db *db, struct str id, struct str user_ids)
{
    static const char sqlite[] = "UPDATE \"group\" SET user_ids = $2, updated_at = $3 WHERE id = $1";
    static const char postgres[] = "UPDATE \"group\" SET user_ids = CAST($2 AS json), updated_at = $3 WHERE id = $1";

    return db_exec(db, DB_SQL(db, sqlite, postgres), ARGS(id, user_ids, now_s()), NULL);
}

static enum db_status locked_group(struct db *db, struct arena *mem, struct str id, struct group *out)
{
    return db_one(db, mem, read_group, out,
                  DB_SQL(db, "SELECT " COLUMNS " FROM \"group\" WHERE id = $1",
                         "SELECT " COLUMNS " FROM \"group\" WHERE id = $1 FOR UPDATE"),
                  ARGS(id));
}

static enum db_status change_members(struct db *db, struct arena *mem, struct str id, const struct str *add,
                                     size_t add_n, const struct str *gone, size_t gone_n, struct group *out)
{
    struct buf b = BUF(mem, MAX_IDS_BYTES);
    json_object *seen = json_new_object(mem);
    struct group g;
    enum db_status st = db_begin(db);

    if (st == DB_ERROR)
        return st;
    st = locked_group(db, mem, id, &g);
    if (st != DB_ROW)
        goto done;
    keep_members(mem, &b, g.user_ids, gone, gone_n, seen);
    for (size_t i = 0; i < add_n; i++) {
        const char *key = str_c(mem, add[i]);

        if (json_has(seen, key))
            continue;
        json_set_null(seen, key);
        push(&b, add[i]);
    }
    buf_add_c(&b, b.n ? "]" : "[]");
    g.user_ids = buf_str(&b);
    g.updated_at = now_s();
    st = set_members(db, id, g.user_ids);
    if (st == DB_ROW && db_commit(db) == DB_ERROR)
        st = DB_ERROR;
done:
    if (st == DB_ROW)
        *out = g;
    else
        db_rollback(db);
    return changed(st);
}

enum db_status group_add_users(struct db *db, struct arena *mem, struct str id, const struct str *ids, size_t n,
                               struct group *out)
{
    return change_members(db, mem, id, ids, n, NULL, 0, out);
}

enum db_status group_remove_users(struct db *db, struct arena *mem, struct str id, const struct str *ids, size_t n,
                                  struct group *out)
{
    return change_members(db, mem, id, NULL, 0, ids, n, out);
}

enum db_status group_change(struct db *db, struct arena *mem, struct str id, group_changer *change, void *arg,
                            struct group *g)
{
    static const char sqlite[] = "UPDATE \"group\" SET name = $2, user_ids = $3, updated_at = $4 WHERE id = $1";
    static const char postgres[] =
        "UPDATE \"group\" SET name = $2, user_ids = CAST($3 AS json), updated_at = $4 WHERE id = $1";
    enum db_status st = db_begin(db);

    if (st == DB_ERROR)
        return st;
    st = locked_group(db, mem, id, g);
    if (st != DB_ROW || !change(mem, g, arg)) {
        db_rollback(db);
        return st;
    }
    g->updated_at = now_s();
    st = db_exec_commit(db, DB_SQL(db, sqlite, postgres),
                        ARGS(id, g->name, g->user_ids.n ? g->user_ids : S("[]"), g->updated_at), NULL);
    return changed(st);
}

enum db_status group_delete(struct db *db, struct str id)
{
    return changed(db_exec(db, "DELETE FROM \"group\" WHERE id = $1", ARGS(id), NULL));
}

/* ---- groups that somebody else keeps */

static bool is_member(struct arena *mem, const struct group *g, struct str user_id)
{
    json_object *list = json_parse_or_null(mem, g->user_ids);

    JSON_EACH (list, i, item) {
        if (str_eq(json_str_value(item), user_id))
            return true;
    }
    return false;
}

/* One write for each group that changes: a sign-in changes few. */
static enum db_status sync_one(struct db *db, struct arena *mem, const struct group *g, struct str user_id, bool wanted)
{
    struct group now;

    if (is_member(mem, g, user_id) == wanted)
        return DB_DONE;
    return wanted ? group_add_users(db, mem, g->id, &user_id, 1, &now)
                  : group_remove_users(db, mem, g->id, &user_id, 1, &now);
}

enum db_status group_sync(struct db *db, struct arena *mem, struct str user_id, const struct str *names, size_t n,
                          bool create)
{
    struct group *groups, made;
    size_t groups_n;

    if (group_list(db, mem, &groups, &groups_n) == DB_ERROR)
        return DB_ERROR;
    for (size_t i = 0; i < groups_n; i++) {
        if (sync_one(db, mem, &groups[i], user_id, among(names, n, groups[i].name)) == DB_ERROR)
            return DB_ERROR;
    }
    for (size_t k = 0; create && k < n; k++) {
        bool known = among(names, k, names[k]);

        for (size_t i = 0; i < groups_n && !known; i++)
            known = str_eq(groups[i].name, names[k]);
        if (!known && (group_create(db, mem, user_id, names[k], S(""), STR_NONE, &made) == DB_ERROR ||
                       group_add_users(db, mem, made.id, &user_id, 1, &made) == DB_ERROR))
            return DB_ERROR;
    }
    return DB_ROW;
}

/* ---- */

static void member(struct buf *b, const char *opening, struct str value)
{
    buf_add_c(b, opening);
    if (value.p)
        buf_add_json_string(b, value);
    else
        buf_add_c(b, "null");
}

void group_json(struct buf *b, const struct group *g)
{
    member(b, "{\"id\":", g->id);
    member(b, ",\"user_id\":", g->user_id);
    member(b, ",\"name\":", g->name);
    member(b, ",\"description\":", g->description);
    buf_add_c(b, ",\"permissions\":");
    buf_add_str(b, g->permissions.n ? g->permissions : S("null"));
    buf_add_c(b, ",\"data\":");
    buf_add_str(b, g->data.n ? g->data : S("null"));
    buf_add_c(b, ",\"meta\":");
    buf_add_str(b, g->meta.n ? g->meta : S("null"));
    buf_add_c(b, ",\"user_ids\":");
    buf_add_str(b, g->user_ids.n ? g->user_ids : S("[]"));
    buf_addf(b, ",\"created_at\":%lld,\"updated_at\":%lld}", (long long)g->created_at, (long long)g->updated_at);
}
