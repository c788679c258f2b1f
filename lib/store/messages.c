/* messages.c: the message table. A view is read with its author, the message it quotes, and what its thread counts, in one query; the reactions of
 * all views of a list come with a second one. */
#include "lib/store/messages.h"

#include "lib/base/clock.h"
#include "lib/store/reactions.h"
#include "lib/store/row_json.h"

#define COLUMNS "id, user_id, channel_id, reply_to_id, parent_id, content, data, meta, created_at, updated_at"
#define COLUMNS_OF(t)                                                                                           \
    t ".id, " t ".user_id, " t ".channel_id, " t ".reply_to_id, " t ".parent_id, " t ".content, " t ".data, " t \
      ".meta, " t ".created_at, " t ".updated_at"
#define AUTHOR_OF(t) t ".name, " t ".role, " t ".profile_image_url"

/* What is quoted or answered belongs to the same channel: others' ids may stand there in old rows. */
#define VIEW                                                                                                       \
    "SELECT " COLUMNS_OF("m") ", " AUTHOR_OF("u") ", " COLUMNS_OF("q") ", " AUTHOR_OF(                             \
        "v") ", "                                                                                                  \
             "(SELECT count(*) FROM message t WHERE t.channel_id = m.channel_id AND t.parent_id = m.id), "         \
             "(SELECT max(t.created_at) FROM message t WHERE t.channel_id = m.channel_id AND t.parent_id = m.id) " \
             "FROM message m LEFT JOIN \"user\" u ON u.id = m.user_id "                                            \
             "LEFT JOIN message q ON q.id = m.reply_to_id AND q.channel_id = m.channel_id "                        \
             "LEFT JOIN \"user\" v ON v.id = q.user_id "

enum { COLUMNS_N = 10, AUTHOR_N = 3 };

static void read_message(struct row *row, int at, struct message *m) /* in the order of COLUMNS */
{
    m->id = row_str(row, at);
    m->user_id = row_str(row, at + 1);
    m->channel_id = row_str(row, at + 2);
    m->reply_to_id = row_str(row, at + 3);
    m->parent_id = row_str(row, at + 4);
    m->content = row_str(row, at + 5);
    m->data = row_json(row, at + 6);
    m->meta = row_json(row, at + 7);
    m->created_at = row_int(row, at + 8);
    m->updated_at = row_int(row, at + 9);
    m->author.id = m->user_id;
    m->author.name = row_str(row, at + COLUMNS_N);
    m->author.role = row_str(row, at + COLUMNS_N + 1);
    m->author.image = row_str(row, at + COLUMNS_N + 2);
}

static void read_view(struct row *row, void *out)
{
    struct message_view *v = out;

    read_message(row, 0, &v->message);
    read_message(row, COLUMNS_N + AUTHOR_N, &v->quoted);
    v->replies_n = row_int(row, 2 * (COLUMNS_N + AUTHOR_N));
    v->latest_reply_at = row_int(row, 2 * (COLUMNS_N + AUTHOR_N) + 1);
}

/* ---- reading */

static enum db_status add_reactions(struct db *db, struct arena *mem, struct message_view *v, size_t n)
{
    json_object *ids = json_new_array(mem);
    struct reaction *all = NULL;
    size_t all_n = 0;

    for (size_t i = 0; i < n; i++)
        json_push_str(ids, v[i].message.id);
    if (n && reactions_of(db, mem, json_text(mem, ids), &all, &all_n) == DB_ERROR)
        return DB_ERROR;
    for (size_t i = 0; i < n; i++)
        v[i].reactions = reactions_text(mem, all, all_n, v[i].message.id);
    return n ? DB_ROW : DB_DONE;
}

enum db_status message_view(struct db *db, struct arena *mem, struct str id, struct message_view *out)
{
    struct message_view v = { 0 };
    enum db_status st = db_one(db, mem, read_view, &v, VIEW "WHERE m.id = $1", ARGS(id));

    if (st == DB_ROW)
        st = add_reactions(db, mem, &v, 1);
    if (st == DB_ROW)
        *out = v;
    return st;
}

static struct arg bounded(int64_t limit)
{
    return arg_i64(limit < 0 ? INT64_MAX : limit);
}

enum db_status messages_of_channel(struct db *db, struct arena *mem, struct str channel_id, int64_t skip, int64_t limit,
                                   struct message_view **out, size_t *n)
{
    enum db_status st = db_all(db, mem, read_view, sizeof(**out), out, n,
                               VIEW "WHERE m.channel_id = $1 AND m.parent_id IS NULL ORDER BY m.created_at DESC "
                                    "LIMIT $2 OFFSET $3",
                               ARGS(channel_id, bounded(limit), skip > 0 ? skip : (int64_t)0));

    return st == DB_ROW ? add_reactions(db, mem, *out, *n) : st;
}

enum db_status messages_of_thread(struct db *db, struct arena *mem, struct str channel_id, struct str parent_id,
                                  int64_t skip, int64_t limit, struct message_view **out, size_t *n)
{
    enum db_status st = db_all(db, mem, read_view, sizeof(**out), out, n,
                               VIEW "WHERE m.channel_id = $1 AND m.parent_id = $2 ORDER BY m.created_at DESC "
                                    "LIMIT $3 OFFSET $4",
                               ARGS(channel_id, parent_id, bounded(limit), skip > 0 ? skip : (int64_t)0));

    return st == DB_ROW ? add_reactions(db, mem, *out, *n) : st;
}

static void read_string(struct row *row, void *out)
{
    *(struct str *)out = row_str(row, 0);
}

enum db_status message_channel(struct db *db, struct arena *mem, struct str id, struct str *channel_id)
{
    return db_one(db, mem, read_string, channel_id, "SELECT channel_id FROM message WHERE id = $1", ARGS(id));
}

/* ---- writing */

enum db_status message_insert(struct db *db, const struct message *m)
{
    return db_exec(db,
                   "INSERT INTO message (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, coalesce($7::json, 'null'), "
                   "coalesce($8::json, 'null'), $9, $10)",
                   ARGS(m->id, m->user_id, m->channel_id, m->reply_to_id, m->parent_id, m->content, m->data, m->meta,
                        m->created_at, m->updated_at),
                   NULL);
}

static void read_texts(struct row *row, void *out)
{
    struct str *texts = out;

    texts[0] = row_json(row, 0);
    texts[1] = row_json(row, 1);
}

enum db_status message_update(struct db *db, struct arena *mem, struct str id, struct str content, json_object *data,
                              json_object *meta)
{
    json_object *nothing = json_new_object(mem);
    struct str old[2] = { STR_NONE, STR_NONE };
    enum db_status st;

    if (db_begin(db) == DB_ERROR)
        return DB_ERROR;
    st = db_one(db, mem, read_texts, old,
                DB_SQL(db, "SELECT data, meta FROM message WHERE id = $1",
                       "SELECT data, meta FROM message WHERE id = $1 FOR UPDATE"),
                ARGS(id));
    if (st == DB_ROW)
        st = db_exec_commit(db,
                            "UPDATE message SET content = $2, data = $3::json, meta = $4::json, updated_at = $5 "
                            "WHERE id = $1",
                            ARGS(id, content, json_text_merged(mem, old[0], data ? data : nothing),
                                 json_text_merged(mem, old[1], meta ? meta : nothing), now_ns()),
                            NULL);
    else
        db_rollback(db);
    return st;
}

enum db_status message_delete(struct db *db, struct str id)
{
    if (db_begin(db) == DB_ERROR)
        return DB_ERROR;
    if (reactions_delete(db, id) == DB_ERROR) {
        db_rollback(db);
        return DB_ERROR;
    }
    return db_exec_commit(db, "DELETE FROM message WHERE id = $1", ARGS(id), NULL);
}

/* ---- as JSON */

static void message_json_open(struct buf *b, const struct message *m)
{
    member_text(b, "{\"id\":", m->id);
    member_text(b, ",\"user_id\":", m->user_id);
    member_text(b, ",\"channel_id\":", m->channel_id);
    member_text(b, ",\"reply_to_id\":", m->reply_to_id);
    member_text(b, ",\"parent_id\":", m->parent_id);
    member_text(b, ",\"content\":", m->content);
    member_json(b, ",\"data\":", m->data);
    member_json(b, ",\"meta\":", m->meta);
    member_int(b, ",\"created_at\":", m->created_at);
    member_int(b, ",\"updated_at\":", m->updated_at);
}

void message_json(struct buf *b, const struct message *m)
{
    message_json_open(b, m);
    buf_add_char(b, '}');
}

void author_json(struct buf *b, const struct author *a)
{
    if (!a->name.p) {
        buf_add_c(b, "null");
        return;
    }
    member_text(b, "{\"id\":", a->id);
    member_text(b, ",\"name\":", a->name);
    member_text(b, ",\"role\":", a->role);
    member_text(b, ",\"profile_image_url\":", a->image);
    buf_add_char(b, '}');
}

void message_view_json_open(struct buf *b, const struct message_view *v, bool with_replies)
{
    message_json_open(b, &v->message);
    buf_add_c(b, ",\"user\":");
    author_json(b, &v->message.author);
    buf_add_c(b, ",\"reply_to_message\":");
    if (v->quoted.id.p) {
        message_json_open(b, &v->quoted);
        buf_add_c(b, ",\"user\":");
        author_json(b, &v->quoted.author);
        buf_add_char(b, '}');
    } else {
        buf_add_c(b, "null");
    }
    if (with_replies && v->replies_n)
        member_int(b, ",\"latest_reply_at\":", v->latest_reply_at);
    else
        buf_add_c(b, ",\"latest_reply_at\":null");
    member_int(b, ",\"reply_count\":", with_replies ? v->replies_n : 0);
    member_json(b, ",\"reactions\":", v->reactions);
}
