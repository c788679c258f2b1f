/* channels.c: channels. */
#include "lib/store/channels.h"

#include "lib/store/row_json.h"

#define COLUMNS "id, user_id, name, type, description, data, meta, access_control, created_at, updated_at"

static void read_channel(struct row *row, void *out) /* in the order of COLUMNS */
{
    struct channel *c = out;

    c->id = row_str(row, 0);
    c->user_id = row_str(row, 1);
    c->name = row_str(row, 2);
    c->type = row_str(row, 3);
    c->description = row_str(row, 4);
    c->data = row_json(row, 5);
    c->meta = row_json(row, 6);
    c->access_control = row_json(row, 7);
    c->created_at = row_int(row, 8);
    c->updated_at = row_int(row, 9);
}

enum db_status channel_list(struct db *db, struct arena *mem, struct channel **out, size_t *n)
{
    return db_all(db, mem, read_channel, sizeof **out, out, n,
                  "SELECT " COLUMNS " FROM channel ORDER BY created_at, id", NO_ARGS);
}

void channel_json(struct buf *b, const struct channel *c)
{
    member_text(b, "{\"id\":", c->id);
    member_text(b, ",\"user_id\":", c->user_id);
    member_text(b, ",\"type\":", c->type);
    member_text(b, ",\"name\":", c->name);
    member_text(b, ",\"description\":", c->description);
    member_json(b, ",\"data\":", c->data);
    member_json(b, ",\"meta\":", c->meta);
    member_json(b, ",\"access_control\":", c->access_control);
    member_int(b, ",\"created_at\":", c->created_at);
    member_int(b, ",\"updated_at\":", c->updated_at);
    buf_add_char(b, '}');
}
