/* people_where.c: users and groups that meet a condition over the attributes of SCIM (RFC 7643, section 4). */
#include "lib/store/condition.h"
#include "lib/store/groups.h"
#include "lib/store/user_columns.h"
#include "lib/store/users.h"

/* ---- what the attributes are in SQL */

static const struct condition_column group_of_user[] = {
    { "value", COLUMN_EXACT, "g.id" },
    { "display", COLUMN_TEXT, "g.name" },
    { "type", COLUMN_FIXED, "direct" },
    { NULL },
};

static const struct condition_column user_attributes[] = {
    { "id", COLUMN_EXACT, "id" },
    { "username", COLUMN_TEXT, "email" },
    { "displayname", COLUMN_TEXT, "name" },
    { "name.formatted", COLUMN_TEXT, "name" },
    { "name.givenname", COLUMN_TEXT,
      "CASE instr(name, ' ') WHEN 0 THEN name ELSE substr(name, 1, instr(name, ' ') - 1) END",
      "split_part(name, ' ', 1)" },
    { "name.familyname", COLUMN_TEXT,
      "CASE instr(name, ' ') WHEN 0 THEN '' ELSE substr(name, instr(name, ' ') + 1) END",
      "CASE strpos(name, ' ') WHEN 0 THEN '' ELSE substr(name, strpos(name, ' ') + 1) END" },
    { "emails", COLUMN_TEXT, "email" },
    { "emails.value", COLUMN_TEXT, "email" },
    { "emails.type", COLUMN_FIXED, "work" },
    { "emails.primary", COLUMN_TRUTH, "1 = 1" },
    { "photos", COLUMN_TEXT, "profile_image_url" },
    { "photos.value", COLUMN_TEXT, "profile_image_url" },
    { "photos.type", COLUMN_FIXED, "photo" },
    { "photos.primary", COLUMN_TRUTH, "1 = 1" },
    { "active", COLUMN_TRUTH, "role <> 'pending'" },
    { "schemas", COLUMN_FIXED, "urn:ietf:params:scim:schemas:core:2.0:User" },
    { "meta.resourcetype", COLUMN_FIXED, "User" },
    { "meta.created", COLUMN_TIME, "created_at" },
    { "meta.lastmodified", COLUMN_TIME, "updated_at" },
    { "groups", COLUMN_MANY, /* read once, not once a user */
      "\"user\".id IN (SELECT m.value FROM \"group\" AS g, json_each(g.user_ids) AS m WHERE (",
      "\"user\".id IN (SELECT m.value FROM \"group\" AS g, json_array_elements_text(CASE json_typeof(g.user_ids) WHEN "
      "'array' THEN g.user_ids ELSE CAST('[]' AS json) END) AS m (value) WHERE (",
      group_of_user },
    { NULL },
};

static const struct condition_column member_of_group[] = {
    { "value", COLUMN_EXACT, "u.id" },
    { "display", COLUMN_TEXT, "u.name" },
    { "type", COLUMN_FIXED, "User" },
    { NULL },
};

static const struct condition_column group_attributes[] = {
    { "id", COLUMN_EXACT, "id" },
    { "displayname", COLUMN_TEXT, "coalesce(name, '')" },
    { "schemas", COLUMN_FIXED, "urn:ietf:params:scim:schemas:core:2.0:Group" },
    { "meta.resourcetype", COLUMN_FIXED, "Group" },
    { "meta.created", COLUMN_TIME, "created_at" },
    { "meta.lastmodified", COLUMN_TIME, "updated_at" },
    { "members", COLUMN_MANY,
      "EXISTS (SELECT 1 FROM json_each(\"group\".user_ids) AS m JOIN \"user\" AS u ON u.id = m.value WHERE (",
      "EXISTS (SELECT 1 FROM json_array_elements_text(CASE json_typeof(\"group\".user_ids) WHEN 'array' THEN "
      "\"group\".user_ids ELSE CAST('[]' AS json) END) AS m (value) JOIN \"user\" AS u ON u.id = m.value WHERE (",
      member_of_group },
    { NULL },
};

/* ---- a page */

struct table {
    const char *name, *columns, *order; /* order: where nothing else is asked for */
    const struct condition_column *attributes;
    row_reader *read;
    size_t row_bytes;
};

static void read_number(struct row *row, void *out)
{
    *(int64_t *)out = row_int(row, 0);
}

static enum status database_failed(struct db *db, struct error *err)
{
    return error_set(err, UNAVAILABLE, "%s", db_error(db));
}

static enum status list_where(struct db *db, struct arena *mem, const struct table *t, const struct user_page *page,
                              void *out, size_t *n, int64_t *total, struct error *err)
{
    struct condition_sql where = { .sql = BUF(mem, 256 * 1024) };
    const char *by = page->sort_by.n ? condition_order(db, t->attributes, page->sort_by) : NULL;
    enum status st = condition_sql(mem, db, page->condition, t->attributes, &where, err);
    int64_t *count = NULL;
    size_t counts;
    int k = where.n;
    struct str sql;

    if (st != OK)
        return st;
    sql = str_f(mem, "SELECT count(*) FROM \"%s\" WHERE %.*s", t->name, STR(buf_str(&where.sql)));
    if (db_all_dynamic(db, mem, read_number, sizeof(int64_t), &count, &counts, sql,
                       (struct args){ where.args, where.n }) == DB_ERROR)
        return database_failed(db, err);
    where.args[k] = arg_i64(page->limit);
    where.args[k + 1] = arg_i64(page->skip);
    sql = str_f(mem, "SELECT %s FROM \"%s\" WHERE %.*s ORDER BY %s%s%s%s LIMIT $%d OFFSET $%d", t->columns, t->name,
                STR(buf_str(&where.sql)), by ? by : "", by ? page->descending ? " DESC" : " ASC" : "", by ? ", " : "",
                t->order, k + 1, k + 2);
    if (db_all_dynamic(db, mem, t->read, t->row_bytes, out, n, sql, (struct args){ where.args, k + 2 }) == DB_ERROR)
        return database_failed(db, err);
    *total = count[0];
    return OK;
}

enum status user_list_where(struct db *db, struct arena *mem, const struct user_page *page, struct user **out,
                            size_t *n, int64_t *total, struct error *err)
{
    static const struct table t = { "user",          USER_COLUMNS, "created_at DESC, id",
                                    user_attributes, user_read,    sizeof(struct user) };

    return list_where(db, mem, &t, page, out, n, total, err);
}

enum status group_list_where(struct db *db, struct arena *mem, const struct user_page *page, struct group **out,
                             size_t *n, int64_t *total, struct error *err)
{
    static const struct table t = { "group",          GROUP_COLUMNS, "updated_at DESC, id",
                                    group_attributes, group_read,    sizeof(struct group) };

    return list_where(db, mem, &t, page, out, n, total, err);
}

/* ---- who is where */

static void read_membership(struct row *row, void *out)
{
    struct membership *m = out;

    m->user_id = row_str(row, 0);
    m->group_id = row_str(row, 1);
    m->group_name = row_str(row, 2);
}

enum db_status memberships_of(struct db *db, struct arena *mem, struct str user_ids_json, struct membership **out,
                              size_t *n)
{
    static const char sqlite[] = "SELECT m.value, g.id, g.name FROM \"group\" AS g, json_each(g.user_ids) AS m "
                                 "WHERE m.value IN (SELECT value FROM json_each($1)) ORDER BY g.updated_at DESC, g.id";
    static const char postgres[] =
        "SELECT m.value, g.id, g.name FROM \"group\" AS g, json_array_elements_text(CASE json_typeof(g.user_ids) WHEN "
        "'array' THEN g.user_ids ELSE CAST('[]' AS json) END) AS m (value) WHERE m.value IN "
        "(SELECT json_array_elements_text(CAST($1 AS json))) ORDER BY g.updated_at DESC, g.id";

    return db_all(db, mem, read_membership, sizeof(struct membership), out, n, DB_SQL(db, sqlite, postgres),
                  ARGS(user_ids_json));
}
