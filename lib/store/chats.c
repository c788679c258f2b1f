/* chats.c: one chat: reading and changing rows of the chat table. Lists are in chat_lists.c. */
#include "lib/store/chats.h"

#include "lib/base/clock.h"
#include "lib/store/chat_columns.h"

static void read_row(struct row *row, struct chat *c)
{
    c->id = row_str(row, 0);
    c->user_id = row_str(row, 1);
    c->title = row_str(row, 2);
    c->share_id = row_str(row, 3);
    c->archived = row_bool(row, 4);
    c->created_at = row_int(row, 5);
    c->updated_at = row_int(row, 6);
    c->pinned = row_bool(row, 7);
    c->pinned_is_null = row_is_null(row, 7);
    c->meta = row_json(row, 8);
    if (c->meta.n == 0)
        c->meta = S("{}");
    c->folder_id = row_str(row, 9);
}

void chat_read_row(struct row *row, void *out)
{
    struct chat *c = out;

    read_row(row, c);
    c->document = STR_NONE;
}

void chat_read(struct row *row, void *out)
{
    struct chat *c = out;

    read_row(row, c);
    c->document = row_json(row, 10);
    if (c->document.n == 0)
        c->document = S("{}");
}

enum db_status chat_by_id(struct db *db, struct arena *mem, struct str id, struct chat *out)
{
    return db_one(db, mem, chat_read, out, "SELECT " CHAT_COLUMNS ", chat FROM chat WHERE id = $1", ARGS(id));
}

enum db_status chat_of_user(struct db *db, struct arena *mem, struct str id, struct str user_id, struct chat *out)
{
    return db_one(db, mem, chat_read, out, "SELECT " CHAT_COLUMNS ", chat FROM chat WHERE id = $1 AND user_id = $2",
                  ARGS(id, user_id));
}

enum db_status chat_row_by_id(struct db *db, struct arena *mem, struct str id, struct chat *out)
{
    return db_one(db, mem, chat_read_row, out, "SELECT " CHAT_COLUMNS " FROM chat WHERE id = $1", ARGS(id));
}

enum db_status chat_row_of_user(struct db *db, struct arena *mem, struct str id, struct str user_id, struct chat *out)
{
    return db_one(db, mem, chat_read_row, out, "SELECT " CHAT_COLUMNS " FROM chat WHERE id = $1 AND user_id = $2",
                  ARGS(id, user_id));
}

enum db_status chat_for_update(struct db *db, struct arena *mem, struct str id, struct str user_id, struct chat *out)
{
    if (user_id.p)
        return db_one(db, mem, chat_read, out,
                      DB_SQL(db, "SELECT " CHAT_COLUMNS ", chat FROM chat WHERE id = $1 AND user_id = $2",
                             "SELECT " CHAT_COLUMNS ", chat FROM chat WHERE id = $1 AND user_id = $2 FOR UPDATE"),
                      ARGS(id, user_id));
    return db_one(db, mem, chat_read, out,
                  DB_SQL(db, "SELECT " CHAT_COLUMNS ", chat FROM chat WHERE id = $1",
                         "SELECT " CHAT_COLUMNS ", chat FROM chat WHERE id = $1 FOR UPDATE"),
                  ARGS(id));
}

enum db_status chat_by_share_id(struct db *db, struct arena *mem, struct str share_id, struct chat *out)
{
    return db_one(
        db, mem, chat_read, out,
        "SELECT " CHAT_COLUMNS
        ", chat FROM chat WHERE id = $1 AND EXISTS (SELECT 1 FROM chat AS sharing WHERE sharing.share_id = $1)",
        ARGS(share_id));
}

/* ---- changes */

static void read_id(struct row *row, void *out)
{
    *(struct str *)out = row_str(row, 0);
}

enum db_status chat_ids_that_exist(struct db *db, struct arena *mem, struct str ids, struct str **out, size_t *n)
{
    return db_all(db, mem, read_id, sizeof(struct str), out, n,
                  DB_SQL(db, "SELECT id FROM chat WHERE id IN (SELECT value FROM json_each($1))",
                         "SELECT id FROM chat WHERE id IN (SELECT json_array_elements_text(CAST($1 AS json)))"),
                  ARGS(ids));
}

enum db_status chat_insert(struct db *db, const struct chat *c)
{
    return db_exec(db,
                   "INSERT INTO chat (id, user_id, title, share_id, archived, created_at, updated_at, pinned, meta, "
                   "folder_id, chat)"
                   " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
                   ARGS(c->id, c->user_id, c->title, c->share_id, c->archived, c->created_at, c->updated_at,
                        c->pinned_is_null ? arg_str(STR_NONE) : arg_bool(c->pinned), c->meta, c->folder_id,
                        c->document),
                   NULL);
}

enum db_status chat_set_document(struct db *db, struct str id, struct str title, struct str document, int64_t updated_s)
{
    return db_exec(db, "UPDATE chat SET chat = $2, title = $3, updated_at = $4 WHERE id = $1",
                   ARGS(id, document, title, updated_s), NULL);
}

enum db_status chat_set_meta(struct db *db, struct str id, struct str meta)
{
    return db_exec(db, "UPDATE chat SET meta = $2 WHERE id = $1", ARGS(id, meta), NULL);
}

enum db_status chat_toggle_pinned(struct db *db, struct str id, int64_t updated_s)
{
    return db_exec(db, "UPDATE chat SET pinned = NOT coalesce(pinned, false), updated_at = $2 WHERE id = $1",
                   ARGS(id, updated_s), NULL);
}

enum db_status chat_toggle_archived(struct db *db, struct str id, int64_t updated_s)
{
    return db_exec(db, "UPDATE chat SET archived = NOT archived, updated_at = $2 WHERE id = $1", ARGS(id, updated_s),
                   NULL);
}

enum db_status chat_set_folder(struct db *db, struct str id, struct str folder_id, int64_t updated_s)
{
    return db_exec(db, "UPDATE chat SET folder_id = $2, updated_at = $3, pinned = false WHERE id = $1",
                   ARGS(id, folder_id, updated_s), NULL);
}

enum db_status chat_set_share_id(struct db *db, struct str id, struct str share_id)
{
    return db_exec(db, "UPDATE chat SET share_id = $2 WHERE id = $1", ARGS(id, share_id), NULL);
}

enum db_status chats_set_archived(struct db *db, struct str user_id, bool archived)
{
    return db_exec(db, "UPDATE chat SET archived = $2 WHERE user_id = $1", ARGS(user_id, archived), NULL);
}

/* ---- changes of the document */

enum db_status chat_change_document(struct db *db, struct arena *mem, struct str id, struct str user_id,
                                    chat_change *change, void *arg, struct chat *c, bool *changed)
{
    enum db_status st = db_begin(db);

    *changed = false;
    if (st != DB_ERROR)
        st = chat_for_update(db, mem, id, user_id, c);
    *changed = st == DB_ROW && change(mem, c, arg);
    if (!*changed) {
        db_rollback(db);
        return st;
    }
    c->updated_at = now_s();
    return db_exec_commit(db, "UPDATE chat SET chat = $2, title = $3, updated_at = $4 WHERE id = $1",
                          ARGS(c->id, c->document, c->title, c->updated_at), NULL);
}

/* ---- shared copies: user_id "shared-<chat id>" */

enum db_status chat_shared_copy(struct db *db, struct arena *mem, struct str chat_id, struct chat *out)
{
    return db_one(db, mem, chat_read, out, "SELECT " CHAT_COLUMNS ", chat FROM chat WHERE user_id = 'shared-' || $1",
                  ARGS(chat_id));
}

enum db_status chat_shared_copy_update(struct db *db, struct str chat_id, const struct chat *from, int64_t updated_s)
{
    return db_exec(db,
                   "UPDATE chat SET title = $2, chat = $3, meta = $4, pinned = $5, folder_id = $6, updated_at = $7 "
                   "WHERE user_id = 'shared-' || $1",
                   ARGS(chat_id, from->title, from->document, from->meta,
                        from->pinned_is_null ? arg_str(STR_NONE) : arg_bool(from->pinned), from->folder_id, updated_s),
                   NULL);
}

enum db_status chat_shared_copy_delete(struct db *db, struct str chat_id)
{
    return db_exec(db, "DELETE FROM chat WHERE user_id = 'shared-' || $1", ARGS(chat_id), NULL);
}

enum db_status chat_delete(struct db *db, struct str id, struct str user_id)
{
    enum db_status st;

    if (user_id.p)
        st = db_exec(db, "DELETE FROM chat WHERE id = $1 AND user_id = $2", ARGS(id, user_id), NULL);
    else
        st = db_exec(db, "DELETE FROM chat WHERE id = $1", ARGS(id), NULL);
    if (st == DB_ROW && chat_shared_copy_delete(db, id) == DB_ERROR)
        return DB_ERROR;
    return st;
}

enum db_status chats_delete_of_user(struct db *db, struct str user_id)
{
    if (db_exec(
            db,
            "DELETE FROM chat WHERE user_id IN (SELECT 'shared-' || own.id FROM chat AS own WHERE own.user_id = $1)",
            ARGS(user_id), NULL) == DB_ERROR)
        return DB_ERROR;
    return db_exec(db, "DELETE FROM chat WHERE user_id = $1", ARGS(user_id), NULL);
}

enum db_status chats_delete_in_folders(struct db *db, struct str user_id, struct str folder_ids)
{
    if (db_exec(
            db,
            DB_SQL(
                db,
                "DELETE FROM chat WHERE user_id IN (SELECT 'shared-' || own.id FROM chat AS own WHERE own.user_id = $1"
                " AND own.folder_id IN (SELECT value FROM json_each($2)))",
                "DELETE FROM chat WHERE user_id IN (SELECT 'shared-' || own.id FROM chat AS own WHERE own.user_id = $1"
                " AND own.folder_id IN (SELECT json_array_elements_text($2::json)))"),
            ARGS(user_id, folder_ids), NULL) == DB_ERROR)
        return DB_ERROR;
    return db_exec(
        db,
        DB_SQL(db, "DELETE FROM chat WHERE user_id = $1 AND folder_id IN (SELECT value FROM json_each($2))",
               "DELETE FROM chat WHERE user_id = $1 AND folder_id IN (SELECT json_array_elements_text($2::json))"),
        ARGS(user_id, folder_ids), NULL);
}
