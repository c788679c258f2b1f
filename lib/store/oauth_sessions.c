/* oauth_sessions.c: one row a user and provider. */
#include "lib/store/oauth_sessions.h"

#include "lib/base/clock.h"
#include "lib/base/random.h"

#define COLUMNS "id, user_id, provider, token, expires_at, created_at, updated_at"

static void read_session(struct row *row, void *out) /* in the order of COLUMNS */
{
    struct oauth_session *s = out;

    s->id = row_str(row, 0);
    s->user_id = row_str(row, 1);
    s->provider = row_str(row, 2);
    s->token = row_str(row, 3);
    s->expires_at = row_int(row, 4);
    s->created_at = row_int(row, 5);
    s->updated_at = row_int(row, 6);
}

enum db_status oauth_session_of(struct db *db, struct arena *mem, struct str id, struct str user_id,
                                struct oauth_session *out)
{
    return db_one(db, mem, read_session, out, "SELECT " COLUMNS " FROM oauth_session WHERE id = $1 AND user_id = $2",
                  ARGS(id, user_id));
}

enum db_status oauth_session_by_id(struct db *db, struct arena *mem, struct str id, struct oauth_session *out)
{
    return db_one(db, mem, read_session, out, "SELECT " COLUMNS " FROM oauth_session WHERE id = $1", ARGS(id));
}

enum db_status oauth_session_at(struct db *db, struct arena *mem, struct str user_id, struct str provider,
                                struct oauth_session *out)
{
    return db_one(db, mem, read_session, out,
                  "SELECT " COLUMNS
                  " FROM oauth_session WHERE user_id = $1 AND provider = $2 ORDER BY created_at DESC, id LIMIT 1",
                  ARGS(user_id, provider));
}

enum db_status oauth_session_replace(struct db *db, struct arena *mem, struct str user_id, struct str provider,
                                     struct str token, int64_t expires_at, struct str *id)
{
    int64_t at = now_s();

    *id = random_uuid(mem);
    if (db_begin(db) == DB_ERROR)
        return DB_ERROR;
    if (db_exec(db, "DELETE FROM oauth_session WHERE user_id = $1 AND provider = $2", ARGS(user_id, provider), NULL) ==
            DB_ERROR ||
        db_exec_commit(db, "INSERT INTO oauth_session (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $6)",
                       ARGS(*id, user_id, provider, token, expires_at, at), NULL) == DB_ERROR) {
        db_rollback(db);
        return DB_ERROR;
    }
    return DB_ROW;
}

enum db_status oauth_session_set_token(struct db *db, struct str id, struct str token, int64_t expires_at)
{
    return db_exec(db, "UPDATE oauth_session SET token = $2, expires_at = $3, updated_at = $4 WHERE id = $1",
                   ARGS(id, token, expires_at, now_s()), NULL);
}

enum db_status oauth_session_delete(struct db *db, struct str id)
{
    return db_exec(db, "DELETE FROM oauth_session WHERE id = $1", ARGS(id), NULL);
}

/* ---- as the API shows them */

struct session_list {
    struct buf text;
    size_t n;
};

static void add_session(struct row *row, void *out)
{
    struct session_list *l = out;
    struct buf *b = &l->text;

    buf_add_c(b, l->n++ ? ",{\"id\":" : "{\"id\":");
    buf_add_json_string(b, row_str(row, 0));
    buf_add_c(b, ",\"user_id\":");
    buf_add_json_string(b, row_str(row, 1));
    buf_add_c(b, ",\"provider\":");
    buf_add_json_string(b, row_str(row, 2));
    buf_addf(b, ",\"expires_at\":%lld,\"created_at\":%lld,\"updated_at\":%lld}", (long long)row_int(row, 3),
             (long long)row_int(row, 4), (long long)row_int(row, 5));
}

enum db_status oauth_sessions_json(struct db *db, struct arena *mem, struct str user_id, struct str *json, size_t *n)
{
    struct session_list list = { BUF(mem, 1024 * 1024), 0 };
    enum db_status st;

    buf_add_char(&list.text, '[');
    st = db_each(db, mem, add_session, &list,
                 "SELECT id, user_id, provider, expires_at, created_at, updated_at FROM oauth_session WHERE user_id = "
                 "$1 ORDER BY created_at, id",
                 ARGS(user_id));
    buf_add_char(&list.text, ']');
    *json = buf_str(&list.text);
    *n = list.n;
    return st;
}
