/* tools.c: tools. */
#include "lib/store/tools.h"

#include <ctype.h>

#include "lib/json/json.h"
#include "lib/store/row_json.h"

static void read_tool(struct row *row, void *out) /* id, user_id, name, meta, access_control, updated_at, created_at */
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

static void read_with_code(struct row *row, void *out) /* the same, content, specs */
{
    struct tool *t = out;

    read_tool(row, out);
    t->content = row_str(row, 7);
    t->specs = row_json(row, 8);
}

enum db_status tool_list(struct db *db, struct arena *mem, bool with_code, struct tool **out, size_t *n)
{
    if (with_code)
        return db_all(db, mem, read_with_code, sizeof **out, out, n,
                      "SELECT id, user_id, name, meta, access_control, updated_at, created_at, content, specs FROM "
                      "tool ORDER BY updated_at DESC",
                      NO_ARGS);
    return db_all(
        db, mem, read_tool, sizeof **out, out, n,
        "SELECT id, user_id, name, meta, access_control, updated_at, created_at FROM tool ORDER BY updated_at DESC",
        NO_ARGS);
}

/* Of a tool's meta only description and manifest are shown. */
static void add_meta(struct arena *mem, struct buf *b, struct str text)
{
    json_object *from = json_parse_or_null(mem, text), *meta = json_new_object(mem);

    json_set(meta, "description", json_get(from, "description"));
    if (json_has(from, "manifest"))
        json_set(meta, "manifest", json_get(from, "manifest"));
    else
        json_set_object(meta, "manifest");
    json_add_to_buf(b, meta);
}

void tool_json_open(struct arena *mem, struct buf *b, const struct tool *t)
{
    member_text(b, "{\"id\":", t->id);
    member_text(b, ",\"user_id\":", t->user_id);
    member_text(b, ",\"name\":", t->name);
    buf_add_c(b, ",\"meta\":");
    add_meta(mem, b, t->meta);
    member_json(b, ",\"access_control\":", t->access_control);
    member_int(b, ",\"updated_at\":", t->updated_at);
    member_int(b, ",\"created_at\":", t->created_at);
    if (t->content.p) {
        member_text(b, ",\"content\":", t->content);
        member_json(b, ",\"specs\":", t->specs);
    }
}

bool tool_has_user_valves(const struct tool *t)
{
    static const char word[] = "class UserValves";
    struct str rest = t->content, line;

    while (str_split(&rest, '\n', &line)) {
        struct str code = str_trim(line);

        if (code.p != line.p && str_starts(code, word) &&
            (code.n == sizeof word - 1 ||
             !(isalnum((unsigned char)code.p[sizeof word - 1]) || code.p[sizeof word - 1] == '_')))
            return true;
    }
    return false;
}
