/* functions.c: functions. */
#include "lib/store/functions.h"

#include "lib/json/json.h"
#include "lib/store/row_json.h"

#define COLUMNS "id, user_id, type, name, meta, is_active, is_global, updated_at, created_at"

static void read_function(struct row *row, void *out) /* in the order of COLUMNS */
{
    struct function *f = out;

    f->id = row_str(row, 0);
    f->user_id = row_str(row, 1);
    f->type = row_str(row, 2);
    f->name = row_str(row, 3);
    f->meta = row_json(row, 4);
    f->is_active = row_bool(row, 5);
    f->is_global = row_bool(row, 6);
    f->updated_at = row_int(row, 7);
    f->created_at = row_int(row, 8);
}

enum db_status function_list(struct db *db, struct arena *mem, struct function **out, size_t *n)
{
    return db_all(db, mem, read_function, sizeof **out, out, n,
                  "SELECT " COLUMNS " FROM function ORDER BY created_at, id", NO_ARGS);
}

/* Whatever stands in it, and description and manifest in any case. */
static void add_meta(struct arena *mem, struct buf *b, struct str text)
{
    json_object *from = json_parse_or_null(mem, text), *meta = json_new_object(mem);

    json_set(meta, "description", json_get(from, "description"));
    if (json_has(from, "manifest"))
        json_set(meta, "manifest", json_get(from, "manifest"));
    else
        json_set_object(meta, "manifest");
    if (json_is(from, json_type_object))
        json_merge(meta, from);
    json_add_to_buf(b, meta);
}

void function_json(struct arena *mem, struct buf *b, const struct function *f)
{
    member_text(b, "{\"id\":", f->id);
    member_text(b, ",\"user_id\":", f->user_id);
    member_text(b, ",\"type\":", f->type);
    member_text(b, ",\"name\":", f->name);
    buf_add_c(b, ",\"meta\":");
    add_meta(mem, b, f->meta);
    member_bool(b, ",\"is_active\":", f->is_active);
    member_bool(b, ",\"is_global\":", f->is_global);
    member_int(b, ",\"updated_at\":", f->updated_at);
    member_int(b, ",\"created_at\":", f->created_at);
    buf_add_char(b, '}');
}
