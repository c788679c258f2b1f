/* users.c: the user table and, beside it, the auth table with the passwords. */
#include "lib/store/users.h"

#include "lib/base/clock.h"
#include "lib/base/random.h"
#include "lib/base/shared.h"
#include "lib/store/user_columns.h"

#define COLUMNS USER_COLUMNS
#define read_user user_read

void user_read(struct row *row, void *out)
{
    struct user *u = out;

    u->id = row_str(row, 0);
    u->name = row_str(row, 1);
    u->email = row_str(row, 2);
    u->role = row_str(row, 3);
    u->profile_image_url = row_str(row, 4);
    u->username = row_str(row, 5);
    u->bio = row_str(row, 6);
    u->gender = row_str(row, 7);
    u->date_of_birth = row_str(row, 8);
    u->info = row_json(row, 9);
    u->settings = row_json(row, 10);
    u->api_key = row_str(row, 11);
    u->oauth_sub = row_str(row, 12);
    u->last_active_at = row_int(row, 13);
    u->updated_at = row_int(row, 14);
    u->created_at = row_int(row, 15);
    u->is_admin = str_is(u->role, "admin");
}

static void read_string(struct row *row, void *out)
{
    *(struct str *)out = row_str(row, 0);
}

static void read_number(struct row *row, void *out)
{
    *(int64_t *)out = row_int(row, 0);
}

/* ---- one user */

enum db_status user_by_id(struct db *db, struct arena *mem, struct str id, struct user *out)
{
    return db_one(db, mem, read_user, out, "SELECT " COLUMNS " FROM \"user\" WHERE id = $1", ARGS(id));
}

enum db_status user_by_email(struct db *db, struct arena *mem, struct str email, struct user *out)
{
    return db_one(db, mem, read_user, out,
                  "SELECT " COLUMNS " FROM \"user\" WHERE email = $1 ORDER BY created_at, id LIMIT 1", ARGS(email));
}

enum db_status user_by_api_key(struct db *db, struct arena *mem, struct str key, struct user *out)
{
    return db_one(db, mem, read_user, out, "SELECT " COLUMNS " FROM \"user\" WHERE api_key = $1", ARGS(key));
}

enum db_status user_by_oauth_sub(struct db *db, struct arena *mem, struct str sub, struct user *out)
{
    return db_one(db, mem, read_user, out, "SELECT " COLUMNS " FROM \"user\" WHERE oauth_sub = $1", ARGS(sub));
}

/* Accounts made within the same second: the admin was there first. */
enum db_status user_first(struct db *db, struct arena *mem, struct user *out)
{
    return db_one(db, mem, read_user, out,
                  DB_SQL(db,
                         "SELECT " COLUMNS
                         " FROM \"user\" ORDER BY created_at, CASE role WHEN 'admin' THEN 0 ELSE 1 END, rowid LIMIT 1",
                         "SELECT " COLUMNS
                         " FROM \"user\" ORDER BY created_at, CASE role WHEN 'admin' THEN 0 ELSE 1 END, id LIMIT 1"),
                  NO_ARGS);
}

enum db_status user_by_active_email(struct db *db, struct arena *mem, struct str email, struct user *out)
{
    return db_one(db, mem, read_user, out,
                  "SELECT " COLUMNS
                  " FROM \"user\" WHERE id IN (SELECT id FROM auth WHERE email = $1 AND active IS TRUE) "
                  "ORDER BY created_at, id LIMIT 1",
                  ARGS(email));
}

enum db_status user_password(struct db *db, struct arena *mem, struct str id, struct str *hash)
{
    return db_one(db, mem, read_string, hash, "SELECT password FROM auth WHERE id = $1 AND active IS TRUE", ARGS(id));
}

/* ---- many */

enum db_status user_count(struct db *db, struct arena *mem, int64_t *out)
{
    return db_one(db, mem, read_number, out, "SELECT count(*) FROM \"user\"", NO_ARGS);
}

enum db_status user_any(struct db *db, struct arena *mem, bool *out)
{
    int64_t one = 0;
    enum db_status st = db_one(db, mem, read_number, &one, "SELECT 1 FROM \"user\" LIMIT 1", NO_ARGS);

    if (st != DB_ERROR)
        *out = st == DB_ROW;
    return st;
}

static const struct {
    const char *name, *column;
} orders[] = {
    { "name", "name" },
    { "email", "email" },
    { "created_at", "created_at" },
    { "last_active_at", "last_active_at" },
    { "updated_at", "updated_at" },
    { "role", "role" },
};

static struct str order_clause(struct arena *mem, const struct user_query *q)
{
    for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
        if (str_is(q->order_by, orders[i].name))
            return str_f(mem, "%s %s, created_at, id", orders[i].column, str_is(q->direction, "asc") ? "ASC" : "DESC");
    }
    return q->text.n || q->order_by.n || q->direction.n ? S("created_at ASC, id") : S("created_at DESC, id");
}

/* The page is found first, from the index that has what lists are sorted and searched by (a row can hold a picture), then its rows are read. */
enum db_status user_list(struct db *db, struct arena *mem, const struct user_query *q, struct user **out, size_t *n)
{
    struct str order = order_clause(mem, q);
    const char *where = q->text.n
                            ? "WHERE lower(name) LIKE lower($1) ESCAPE '\\' OR lower(email) LIKE lower($1) ESCAPE '\\'"
                            : "WHERE $1 <> ''";
    struct str sql = str_f(mem,
                           "SELECT " COLUMNS " FROM \"user\" WHERE id IN (SELECT id FROM \"user\" %s "
                           "ORDER BY %.*s LIMIT $2 OFFSET $3) ORDER BY %.*s",
                           where, STR(order), STR(order));

    return db_all_dynamic(db, mem, read_user, sizeof(struct user), out, n, sql,
                          ARGS(db_like_pattern(mem, q->text), q->limit < 0 ? INT64_MAX : q->limit,
                               q->skip > 0 ? q->skip : (int64_t)0));
}

/* A JSON array of the ids is one argument, however many there are. */
static struct str ids_json(struct arena *mem, const struct str *ids, size_t n)
{
    struct buf b = BUF(mem, 64 * 1024 * 1024);

    buf_add_char(&b, '[');
    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_add_char(&b, ',');
        buf_add_json_string(&b, ids[i]);
    }
    buf_add_char(&b, ']');
    return buf_str(&b);
}

enum db_status user_ids_that_exist(struct db *db, struct arena *mem, const struct str *ids, size_t n, struct str **out,
                                   size_t *out_n)
{
    return db_all(db, mem, read_string, sizeof(struct str), out, out_n,
                  DB_SQL(db, "SELECT id FROM \"user\" WHERE id IN (SELECT value FROM json_each($1)) ORDER BY rowid",
                         "SELECT id FROM \"user\" WHERE id IN (SELECT json_array_elements_text(CAST($1 AS json))) "
                         "ORDER BY created_at, id"),
                  ARGS(ids_json(mem, ids, n)));
}

enum db_status user_by_ids(struct db *db, struct arena *mem, const struct str *ids, size_t n, struct user **out,
                           size_t *out_n)
{
    return db_all(db, mem, read_user, sizeof(struct user), out, out_n,
                  DB_SQL(db, "SELECT " COLUMNS " FROM \"user\" WHERE id IN (SELECT value FROM json_each($1))",
                         "SELECT " COLUMNS
                         " FROM \"user\" WHERE id IN (SELECT json_array_elements_text(CAST($1 AS json)))"),
                  ARGS(ids_json(mem, ids, n)));
}

static void read_settings(struct row *row, void *out)
{
    struct user_settings *s = out;

    s->user_id = row_str(row, 0);
    s->settings = row_json(row, 1);
}

enum db_status user_settings_with(struct db *db, struct arena *mem, const char *word, struct user_settings **out,
                                  size_t *n)
{
    return db_all(
        db, mem, read_settings, sizeof(**out), out, n,
        "SELECT id, settings FROM \"user\" WHERE role IN ('user', 'admin') AND CAST(settings AS text) LIKE $1",
        ARGS(str_f(mem, "%%%s%%", word)));
}

/* ---- making */

/* PostgreSQL lets two transactions see an empty table at once: the lock makes the second one wait. SQLite's write transaction is alone already. */
static enum db_status begin_alone(struct db *db)
{
    enum db_status st = db_begin(db);

    if (st != DB_ERROR && db_kind(db) == DB_POSTGRES)
        st = db_exec(db, "LOCK TABLE \"user\" IN SHARE ROW EXCLUSIVE MODE", NO_ARGS, NULL);
    if (st == DB_ERROR)
        db_rollback(db);
    return st;
}

struct who_is_there {
    bool anybody, same_email;
};

static void read_who(struct row *row, void *out)
{
    struct who_is_there *w = out;

    w->anybody = row_int(row, 0) > 0;
    w->same_email = row_int(row, 1) > 0;
}

static enum db_status insert_rows(struct db *db, const struct new_user *n, const struct user *u)
{
    static const char user_sql[] = "INSERT INTO \"user\" (id, name, email, role, profile_image_url, oauth_sub, info, "
                                   "settings, last_active_at, updated_at, created_at) "
                                   "VALUES ($1, $2, $3, $4, $5, $6, 'null', 'null', $7, $7, $7)";
    enum db_status st = db_exec(
        db, user_sql, ARGS(u->id, u->name, u->email, u->role, u->profile_image_url, u->oauth_sub, u->created_at), NULL);

    if (st == DB_ERROR)
        return st;
    return db_exec(db, "INSERT INTO auth (id, email, password, active) VALUES ($1, $2, $3, $4)",
                   ARGS(u->id, u->email, n->password_hash, true), NULL);
}

enum db_status user_create(struct db *db, struct arena *mem, const struct new_user *n, struct user *out,
                           enum user_made *made, bool *is_first)
{
    struct who_is_there there = { false, false };
    struct user u = { .name = n->name, .email = n->email, .oauth_sub = n->oauth_sub };

    if (begin_alone(db) == DB_ERROR)
        return DB_ERROR;
    if (db_one(db, mem, read_who, &there,
               "SELECT (SELECT count(*) FROM (SELECT 1 FROM \"user\" LIMIT 1) AS a), (SELECT count(*) FROM \"user\" "
               "WHERE email = $1)",
               ARGS(n->email)) == DB_ERROR)
        goto failed;
    *made = there.same_email ? USER_EMAIL_TAKEN : there.anybody && n->only_as_first ? USER_NOT_FIRST : USER_MADE;
    *is_first = !there.anybody;
    if (*made != USER_MADE) {
        db_rollback(db);
        return DB_ROW;
    }
    u.id = random_uuid(mem);
    u.role = there.anybody ? n->role : S("admin");
    u.is_admin = str_is(u.role, "admin");
    u.profile_image_url = n->profile_image_url.p ? n->profile_image_url : S("/user.png");
    u.created_at = u.updated_at = u.last_active_at = now_s();
    if (insert_rows(db, n, &u) == DB_ERROR || db_commit(db) == DB_ERROR)
        goto failed;
    counter_bump(COUNTER_USERS);
    *out = u;
    return DB_ROW;
failed:
    db_rollback(db);
    return DB_ERROR;
}

/* ---- changing */

static enum db_status changed(enum db_status st)
{
    if (st == DB_ROW)
        counter_bump(COUNTER_USERS);
    return st;
}

enum db_status user_set_role(struct db *db, struct str id, struct str role)
{
    return changed(db_exec(db, "UPDATE \"user\" SET role = $2 WHERE id = $1", ARGS(id, role), NULL));
}

enum db_status user_set_password(struct db *db, struct str id, struct str password_hash)
{
    return changed(db_exec(db, "UPDATE auth SET password = $2 WHERE id = $1", ARGS(id, password_hash), NULL));
}

enum db_status user_set_api_key(struct db *db, struct str id, struct str key)
{
    return changed(db_exec(db, "UPDATE \"user\" SET api_key = $2 WHERE id = $1", ARGS(id, key), NULL));
}

enum db_status user_set_oauth_sub(struct db *db, struct str id, struct str sub)
{
    return changed(db_exec(db, "UPDATE \"user\" SET oauth_sub = $2 WHERE id = $1", ARGS(id, sub), NULL));
}

enum db_status user_set_image(struct db *db, struct str id, struct str url)
{
    return changed(db_exec(db, "UPDATE \"user\" SET profile_image_url = $2 WHERE id = $1", ARGS(id, url), NULL));
}

enum db_status user_set_profile(struct db *db, struct str id, struct str name, struct str image_url, struct str bio,
                                struct str gender, struct str date_of_birth)
{
    static const char sqlite[] = "UPDATE \"user\" SET name = $2, profile_image_url = $3, bio = $4, gender = $5, "
                                 "date_of_birth = $6 WHERE id = $1";
    static const char postgres[] = "UPDATE \"user\" SET name = $2, profile_image_url = $3, bio = $4, gender = $5, "
                                   "date_of_birth = CAST($6 AS date) "
                                   "WHERE id = $1";

    return changed(
        db_exec(db, DB_SQL(db, sqlite, postgres), ARGS(id, name, image_url, bio, gender, date_of_birth), NULL));
}

static void read_json_column(struct row *row, void *out)
{
    *(struct str *)out = row_json(row, 0);
}

enum db_status user_change_json(struct db *db, struct arena *mem, struct str id, enum user_json which,
                                user_json_change *change, void *arg, struct str *out)
{
    static const char *const select_sqlite[] = { "SELECT settings FROM \"user\" WHERE id = $1",
                                                 "SELECT info FROM \"user\" WHERE id = $1" };
    static const char *const select_postgres[] = { "SELECT settings FROM \"user\" WHERE id = $1 FOR UPDATE",
                                                   "SELECT info FROM \"user\" WHERE id = $1 FOR UPDATE" };
    static const char *const update[] = { "UPDATE \"user\" SET settings = $2 WHERE id = $1",
                                          "UPDATE \"user\" SET info = $2 WHERE id = $1" };
    struct str text = STR_NONE, made = STR_NONE;
    enum db_status st = db_begin(db);

    if (st == DB_ERROR)
        return st;
    st = db_one(db, mem, read_json_column, &text, DB_SQL(db, select_sqlite[which], select_postgres[which]), ARGS(id));
    if (st == DB_ROW) {
        made = change(mem, text, arg);
        st = db_exec(db, update[which], ARGS(id, made.p ? made : S("null")), NULL);
    }
    if (st == DB_ROW && db_commit(db) == DB_ERROR)
        st = DB_ERROR;
    if (st != DB_ROW) {
        db_rollback(db);
        return st;
    }
    counter_bump(COUNTER_USERS);
    *out = made;
    return DB_ROW;
}

enum db_status user_update(struct db *db, struct arena *mem, struct str id, const struct user_update *u,
                           bool *email_taken)
{
    int64_t others = 0;
    enum db_status st = begin_alone(db);

    *email_taken = false;
    if (st == DB_ERROR)
        return st;
    st = db_one(db, mem, read_number, &others,
                "SELECT count(*) FROM \"user\" WHERE email = $2 AND id <> $1 AND "
                "NOT EXISTS (SELECT 1 FROM \"user\" WHERE id = $1 AND email = $2)",
                ARGS(id, u->email));
    if (st == DB_ERROR || others > 0) {
        db_rollback(db);
        *email_taken = others > 0;
        return st;
    }
    st = db_exec(
        db,
        "UPDATE \"user\" SET role = coalesce($2, role), name = coalesce($3, name), email = coalesce($4, email), "
        "profile_image_url = coalesce($5, profile_image_url), updated_at = $6 WHERE id = $1",
        ARGS(id, u->role, u->name, u->email, u->profile_image_url, now_s()), NULL);
    if (st == DB_ROW && u->email.p &&
        db_exec(db, "UPDATE auth SET email = $2 WHERE id = $1", ARGS(id, u->email), NULL) == DB_ERROR)
        st = DB_ERROR;
    if (st == DB_ROW && u->password_hash.p &&
        db_exec(db, "UPDATE auth SET password = $2 WHERE id = $1", ARGS(id, u->password_hash), NULL) == DB_ERROR)
        st = DB_ERROR;
    if (st == DB_ROW && db_commit(db) == DB_ERROR)
        st = DB_ERROR;
    if (st != DB_ROW)
        db_rollback(db);
    return changed(st);
}

enum db_status user_touch(struct db *db, struct str id, int64_t at_s)
{
    return db_exec(db, "UPDATE \"user\" SET last_active_at = $2 WHERE id = $1", ARGS(id, at_s), NULL);
}

/* ---- deleting */

static const char *const deletes[] = {
    "DELETE FROM chat WHERE user_id IN (SELECT 'shared-' || id FROM chat WHERE user_id = $1)",
    "DELETE FROM chatidtag WHERE user_id = $1",
    "DELETE FROM chat WHERE user_id = $1",
    "DELETE FROM folder WHERE user_id = $1",
    "DELETE FROM tag WHERE user_id = $1",
    "DELETE FROM memory WHERE user_id = $1",
    "DELETE FROM oauth_session WHERE user_id = $1",
    "DELETE FROM channel_member WHERE user_id = $1",
    "DELETE FROM auth WHERE id = $1",
    "DELETE FROM \"user\" WHERE id = $1",
};

enum db_status user_delete(struct db *db, struct str id)
{
    static const char sqlite[] =
        "UPDATE \"group\" SET updated_at = $2, user_ids = (SELECT json_group_array(value) FROM "
        "json_each(\"group\".user_ids) WHERE value <> $1) "
        "WHERE json_type(user_ids) = 'array' AND EXISTS (SELECT 1 FROM json_each(\"group\".user_ids) WHERE value = $1)";
    static const char postgres[] =
        "UPDATE \"group\" SET updated_at = $2, user_ids = (SELECT coalesce(json_agg(x), CAST('[]' AS json)) "
        "FROM json_array_elements_text(\"group\".user_ids) AS x WHERE x <> $1) "
        "WHERE CASE json_typeof(user_ids) WHEN 'array' THEN EXISTS (SELECT 1 FROM "
        "json_array_elements_text(\"group\".user_ids) AS x WHERE x = $1) "
        "ELSE false END";

    if (db_begin(db) == DB_ERROR)
        return DB_ERROR;
    if (db_exec(db, DB_SQL(db, sqlite, postgres), ARGS(id, now_s()), NULL) == DB_ERROR)
        goto failed;
    for (size_t i = 0; i < sizeof(deletes) / sizeof(deletes[0]); i++) {
        if (db_exec(db, deletes[i], ARGS(id), NULL) == DB_ERROR)
            goto failed;
    }
    if (db_commit(db) == DB_ERROR)
        goto failed;
    counter_bump(COUNTER_USERS);
    counter_bump(COUNTER_GROUPS);
    return DB_ROW;
failed:
    db_rollback(db);
    return DB_ERROR;
}
