/* channel_events.c: what a channel's room hears, and who is in it. */
#include "handlers/channel.h"
#include "lib/auth/auth.h"
#include "lib/base/log.h"
#include "lib/net/control.h"
#include "lib/store/row_json.h"

static struct str room_of(struct arena *mem, struct str channel_id)
{
    return str_cat(mem, S("channel:"), channel_id);
}

struct author channel_author(const struct user *u)
{
    return (struct author){ u->id, u->name, u->role, u->profile_image_url };
}

void channel_tell(const struct channel_scene *s, const char *type, const struct message_view *v, struct str reaction)
{
    struct buf b = BUF(s->mem, STR_NPOS);
    struct author by = channel_author(s->user);
    const struct channel *c = s->channel;

    member_text(&b, "{\"channel_id\":", c->id);
    member_text(&b, ",\"message_id\":", v->message.id);
    member_text(&b, ",\"data\":{\"type\":", str_of(type));
    buf_add_c(&b, ",\"data\":");
    message_view_json_open(&b, v, true);
    if (reaction.p)
        member_text(&b, ",\"name\":", reaction);
    buf_add_c(&b, "}},\"user\":");
    author_json(&b, &by);
    buf_add_c(&b, ",\"channel\":");
    channel_json(&b, c);
    buf_add_char(&b, '}');
    if (control_emit_room(s->mem, config_run_dir(s->config), room_of(s->mem, c->id), "channel-events",
                          json_new_raw(s->mem, buf_str(&b)), STR_NONE) == FAILED)
        log_warning("the sidecar did not take an event of channel %.*s", STR(c->id));
}

enum status channel_fill_room(struct arena *mem, struct db *db, struct config *c, const struct channel *channel,
                              bool gone)
{
    json_object *ids = json_new_array(mem);
    bool everybody = false;
    enum status st = OK;

    if (!gone) {
        st = auth_who(mem, db, "read", channel->access_control, &everybody, &ids);
        json_push_str(ids, channel->user_id);
    }
    if (st == OK)
        st = control_fill_room(mem, config_run_dir(c), room_of(mem, channel->id), everybody ? NULL : ids);
    return st;
}

static bool names_group(struct arena *mem, const struct channel *c, struct str group_id)
{
    json_object *ids = json_path(json_parse_or_null(mem, c->access_control), "read.group_ids");

    JSON_EACH (ids, i, id)
        if (str_eq(json_str_value(id), group_id))
            return true;
    return false;
}

enum status channel_fill_rooms_of_group(struct arena *mem, struct db *db, struct config *c, struct str group_id)
{
    struct channel *channels;
    enum status st = OK;
    size_t n;

    if (channel_list(db, mem, &channels, &n) == DB_ERROR)
        return UNAVAILABLE;
    for (size_t i = 0; i < n; i++)
        if (names_group(mem, &channels[i], group_id) && channel_fill_room(mem, db, c, &channels[i], false) != OK)
            st = UNAVAILABLE;
    return st;
}
