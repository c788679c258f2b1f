/* tools.c: tools. */
#include "lib/store/tools.h"

#include "lib/base/shared.h"
#include "lib/store/code_meta.h"
#include "lib/store/row_json.h"

#define SHORT "id, user_id, name, meta, access_control, updated_at, created_at"
#define COLUMNS SHORT ", content, specs"

static void read_tool(struct row *row, void *out) /* in the order of SHORT */
{
    struct tool *t = out;

    t->id = row_str(row, 0);
    t->user_id = row_str(row, 1);
    t->name = row_str(row, 2);
    t->meta = row_json(row, 3);
    t->access_control = row_json(row, 4);
    t->updated_at = row_int(row, 5);
    t->created_at = row_int(row, 6);
}

static void read_with_code(struct row *row, void *out) /* in the order of COLUMNS */
{
    struct tool *t = out;

    read_tool(row, out);
    t->content = row_str(row, 7);
    t->specs = row_json(row, 8);
}

static void read_text(struct row *row, void *out)
{
    *(struct str *)out = row_json(row, 0);
}

enum db_status tool_list(struct db *db, struct arena *mem, bool with_code, struct tool **out, size_t *n)
{
    if (with_code)
        return db_all(db, mem, read_with_code, sizeof **out, out, n,
                      "SELECT " COLUMNS " FROM tool ORDER BY updated_at DESC", NO_ARGS);
    return db_all(db, mem, read_tool, sizeof **out, out, n, "SELECT " SHORT " FROM tool ORDER BY updated_at DESC",
                  NO_ARGS);
}

enum db_status tool_by_id(struct db *db, struct arena *mem, struct str id, struct tool *out)
{
    return db_one(db, mem, read_with_code, out, "SELECT " COLUMNS " FROM tool WHERE id = $1", ARGS(id));
}

static enum db_status changed(enum db_status st)
{
    if (st == DB_ROW)
        counter_bump(COUNTER_FUNCTIONS);
    return st;
}

enum db_status tool_insert(struct db *db, const struct tool *t)
{
    return changed(db_exec(db,
                           "INSERT INTO tool (" COLUMNS ", valves) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'null')",
                           ARGS(t->id, t->user_id, t->name, json_or_null(t->meta), json_or_null(t->access_control),
                                t->updated_at, t->created_at, t->content, json_or_null(t->specs)),
                           NULL));
}

enum db_status tool_update(struct db *db, const struct tool *t)
{
    return changed(db_exec(db,
                           "UPDATE tool SET name = $2, meta = $3, access_control = $4, updated_at = $5, content = $6,"
                           " specs = $7 WHERE id = $1",
                           ARGS(t->id, t->name, json_or_null(t->meta), json_or_null(t->access_control), t->updated_at,
                                t->content, json_or_null(t->specs)),
                           NULL));
}

enum db_status tool_delete(struct db *db, struct str id)
{
    return changed(db_exec(db, "DELETE FROM tool WHERE id = $1", ARGS(id), NULL));
}

enum db_status tool_valves(struct db *db, struct arena *mem, struct str id, struct str *json)
{
    return db_one(db, mem, read_text, json, "SELECT valves FROM tool WHERE id = $1", ARGS(id));
}

enum db_status tool_set_valves(struct db *db, struct str id, struct str json, int64_t now_s)
{
    return changed(
        db_exec(db, "UPDATE tool SET valves = $2, updated_at = $3 WHERE id = $1", ARGS(id, json, now_s), NULL));
}

void tool_json_open(struct arena *mem, struct buf *b, const struct tool *t)
{
    member_text(b, "{\"id\":", t->id);
    member_text(b, ",\"user_id\":", t->user_id);
    member_text(b, ",\"name\":", t->name);
    member_code_meta(mem, b, ",\"meta\":", t->meta, false);
    member_json(b, ",\"access_control\":", t->access_control);
    member_int(b, ",\"updated_at\":", t->updated_at);
    member_int(b, ",\"created_at\":", t->created_at);
    if (t->content.p) {
        member_text(b, ",\"content\":", t->content);
        member_json(b, ",\"specs\":", t->specs);
    }
}
