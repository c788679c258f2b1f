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

enum db_status channel_by_id(struct db *db, struct arena *mem, struct str id, struct channel *out)
{
    return db_one(db, mem, read_channel, out, "SELECT " COLUMNS " FROM channel WHERE id = $1", ARGS(id));
}

enum db_status channel_insert(struct db *db, const struct channel *c)
{
    return db_exec(db,
                   "INSERT INTO channel (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, coalesce($6::json, 'null'), "
                   "coalesce($7::json, 'null'), coalesce($8::json, 'null'), $9, $10)",
                   ARGS(c->id, c->user_id, c->name, c->type, c->description, c->data, c->meta, c->access_control,
                        c->created_at, c->updated_at),
                   NULL);
}

enum db_status channel_update(struct db *db, const struct channel *c)
{
    return db_exec(
        db,
        "UPDATE channel SET name = $2, data = coalesce($3::json, 'null'), meta = coalesce($4::json, 'null'), "
        "access_control = coalesce($5::json, 'null'), updated_at = $6 WHERE id = $1",
        ARGS(c->id, c->name, c->data, c->meta, c->access_control, c->updated_at), NULL);
}

enum db_status channel_delete(struct db *db, struct str id)
{
    return db_exec(db, "DELETE FROM channel WHERE id = $1", ARGS(id), NULL);
}

void channel_json_open(struct buf *b, const struct channel *c)
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
}

void channel_json(struct buf *b, const struct channel *c)
{
    channel_json_open(b, c);
    buf_add_char(b, '}');
}
