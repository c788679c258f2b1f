/* channels.c: /api/v1/channels: channels: list, create, show, change, delete. What is written in them is in channel_messages.c. */
#include "handlers/channel.h"
#include "handlers/chat_reply.h"
#include "handlers/list_reply.h"
#include "handlers/routes.h"
#include "lib/auth/auth.h"
#include "lib/base/clock.h"
#include "lib/base/random.h"

static int list(struct request *r, struct response *out, bool all)
{
    struct list_reply reply = list_start(r->mem);
    struct channel *channels;
    size_t n;

    if (channel_list(r->db, r->mem, &channels, &n) == DB_ERROR)
        return fail_db(out, r->db);
    for (size_t i = 0; i < n; i++)
        if (all || str_eq(channels[i].user_id, r->user->id) ||
            auth_access(r->mem, r->db, r->user->id, "read", channels[i].access_control))
            channel_json(list_item(&reply), &channels[i]);
    return list_end(&reply, out);
}

/* Those of the side bar: here an admin is a reader like others. */
static int list_readable(struct request *r, struct response *out)
{
    return list(r, out, false);
}

static int list_manageable(struct request *r, struct response *out)
{
    return list(r, out, r->user->is_admin);
}

static int reply_channel(struct response *out, const struct channel *c)
{
    struct buf b = BUF(out->mem, STR_NPOS);

    channel_json(&b, c);
    return reply_json_text(out, buf_str(&b));
}

static struct str form_text(struct request *r, const char *name) /* absent: null */
{
    return form_json(r, name) ? json_text(r->mem, form_json(r, name)) : STR_NONE;
}

static void take_form(struct request *r, struct channel *c)
{
    c->name = form_str(r, "name");
    c->data = form_text(r, "data");
    c->meta = form_text(r, "meta");
    c->access_control = form_text(r, "access_control");
    c->updated_at = now_ns();
}

static int create_channel(struct request *r, struct response *out)
{
    struct channel c = { .id = random_uuid(r->mem), .user_id = r->user->id };

    take_form(r, &c);
    c.name = str_lower(r->mem, c.name);
    c.description = form_str(r, "description");
    c.created_at = c.updated_at;
    if (channel_insert(r->db, &c) == DB_ERROR)
        return fail_db(out, r->db);
    channel_fill_room(r->mem, r->db, r->config, &c, false);
    return reply_channel(out, &c);
}

static int get_channel(struct request *r, struct response *out)
{
    struct buf b = BUF(r->mem, STR_NPOS);
    struct channel c;
    int status;

    if (!channel_of_request(r, out, CHANNEL_READ, &c, &status))
        return status;
    channel_json_open(&b, &c);
    buf_add_c(&b,
              channel_may_write(r->mem, r->db, r->user, &c) ? ",\"write_access\":true}" : ",\"write_access\":false}");
    return reply_json_text(out, buf_str(&b));
}

/* The description stays, as with the Python backend. */
static int update_channel(struct request *r, struct response *out)
{
    struct channel c;
    int status;

    if (!channel_of_request(r, out, CHANNEL_ANY, &c, &status))
        return status;
    take_form(r, &c);
    switch (channel_update(r->db, &c)) {
    case DB_ROW: break;
    case DB_DONE: return fail(out, 404, NOT_FOUND_TEXT);
    default: return fail_db(out, r->db);
    }
    channel_fill_room(r->mem, r->db, r->config, &c, false);
    return reply_channel(out, &c);
}

static int delete_channel(struct request *r, struct response *out)
{
    struct channel c;
    int status;

    if (!channel_of_request(r, out, CHANNEL_ANY, &c, &status))
        return status;
    if (channel_delete(r->db, c.id) == DB_ERROR)
        return fail_db(out, r->db);
    channel_fill_room(r->mem, r->db, r->config, &c, true);
    return reply_bool(out, true);
}

static const struct field channel_form[] = {
    FIELD(STRING, "name", REQUIRED), FIELD(STRING, "description", OPTIONAL),    FIELD(OBJECT, "data", OPTIONAL),
    FIELD(OBJECT, "meta", OPTIONAL), FIELD(OBJECT, "access_control", OPTIONAL), END
};

const struct route channels_routes[] = {
    { GET, "/api/v1/channels/", VERIFIED, list_readable, .about = "Channels the caller may read" },
    { GET, "/api/v1/channels/list", VERIFIED, list_manageable,
      .about = "Channels the caller may read; all of them for admins" },
    { POST, "/api/v1/channels/create", ADMIN, create_channel, .form = channel_form, .about = "A new channel" },
    { GET, "/api/v1/channels/{id}", VERIFIED, get_channel, .about = "One channel" },
    { POST, "/api/v1/channels/{id}/update", ADMIN, update_channel, .form = channel_form, .about = "Changes a channel" },
    { DELETE, "/api/v1/channels/{id}/delete", ADMIN, delete_channel, .about = "Deletes a channel" },
    END
};
