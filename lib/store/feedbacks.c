/* feedbacks.c: feedback on answers. */
#include "lib/store/feedbacks.h"

#include "lib/store/row_json.h"

#define SHORT "id, user_id, type, data, meta, version, updated_at, created_at"
#define COLUMNS SHORT ", snapshot"
#define OF_ANY_OR "($1::text IS NULL OR user_id = $1)" /* beside a key; lists of one user go by the index of user_id */
#define NEWEST_FIRST " ORDER BY updated_at DESC"

static void read_short(struct row *row, void *out) /* in the order of SHORT */
{
    struct feedback *f = out;

    f->id = row_str(row, 0);
    f->user_id = row_str(row, 1);
    f->type = row_str(row, 2);
    f->data = row_json(row, 3);
    f->meta = row_json(row, 4);
    f->version = row_int(row, 5);
    f->updated_at = row_int(row, 6);
    f->created_at = row_int(row, 7);
}

static void read_feedback(struct row *row, void *out) /* in the order of COLUMNS */
{
    struct feedback *f = out;

    read_short(row, out);
    f->snapshot = row_json(row, 8);
}

enum db_status feedback_list(struct db *db, struct arena *mem, struct str user_id, bool with_snapshots,
                             struct feedback **out, size_t *n)
{
    row_reader *read = with_snapshots ? read_feedback : read_short;

    if (user_id.p)
        return db_all(db, mem, read, sizeof **out, out, n,
                      with_snapshots ? "SELECT " COLUMNS " FROM feedback WHERE user_id = $1" NEWEST_FIRST
                                     : "SELECT " SHORT " FROM feedback WHERE user_id = $1" NEWEST_FIRST,
                      ARGS(user_id));
    return db_all(db, mem, read, sizeof **out, out, n,
                  with_snapshots ? "SELECT " COLUMNS " FROM feedback" NEWEST_FIRST
                                 : "SELECT " SHORT " FROM feedback" NEWEST_FIRST,
                  NO_ARGS);
}

enum db_status feedback_by_id(struct db *db, struct arena *mem, struct str id, struct str user_id, struct feedback *out)
{
    return db_one(db, mem, read_feedback, out, "SELECT " COLUMNS " FROM feedback WHERE " OF_ANY_OR " AND id = $2",
                  ARGS(user_id, id));
}

enum db_status feedback_delete(struct db *db, struct str id, struct str user_id)
{
    return db_exec(db, "DELETE FROM feedback WHERE " OF_ANY_OR " AND id = $2", ARGS(user_id, id), NULL);
}

enum db_status feedback_delete_all(struct db *db, struct str user_id)
{
    return user_id.p ? db_exec(db, "DELETE FROM feedback WHERE user_id = $1", ARGS(user_id), NULL)
                     : db_exec(db, "DELETE FROM feedback", NO_ARGS, NULL);
}

enum db_status feedback_insert(struct db *db, const struct feedback *f)
{
    return db_exec(db, "INSERT INTO feedback (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                   ARGS(f->id, f->user_id, f->type, json_or_null(f->data), json_or_null(f->meta), f->version,
                        f->updated_at, f->created_at, json_or_null(f->snapshot)),
                   NULL);
}

enum db_status feedback_update(struct db *db, const struct feedback *f)
{
    return db_exec(db, "UPDATE feedback SET data = $2, meta = $3, snapshot = $4, updated_at = $5 WHERE id = $1",
                   ARGS(f->id, json_or_null(f->data), json_or_null(f->meta), json_or_null(f->snapshot), f->updated_at),
                   NULL);
}
