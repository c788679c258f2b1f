/* events.c: what a tab may say. A stranger may only say who he is. */
#include "sidecar/events.h"

#include "sidecar/direct.h"
#include "sidecar/sessions.h"
#include "sidecar/sidecar.h"
#include "sidecar/ydoc.h"

static void refuse(struct session *s, const char *why, struct str event)
{
    stats.events_refused++;
    socketio_complain(s, why, event);
}

static void user_join(struct session *s, struct arena *mem, json_object *data, int64_t ack)
{
    struct str token = json_str(json_get(data, "auth"), "token");

    (void)mem;
    if (!token.n)
        refuse(s, "no token in", S("user-join"));
    socketio_identify(s, token, true, ack);
}

static void usage(struct session *s, struct arena *mem, json_object *data, int64_t ack)
{
    (void)mem;
    if (json_str(data, "model").n)
        usage_note(s, json_str(data, "model"));
    else
        refuse(s, "no model in", S("usage"));
    socketio_ack(s, ack, S("[]"));
}

/* The rooms of a user's channels are entered when he joins; he may have got new ones since. */
static void join_channels(struct session *s, struct arena *mem, json_object *data, int64_t ack)
{
    struct str token = json_str(json_get(data, "auth"), "token");

    (void)mem;
    socketio_ack(s, ack, S("[]"));
    if (!token.n)
        refuse(s, "no token in", S("join-channels"));
    else if (!s->identifying)
        socketio_identify(s, token, false, -1);
}

/* Only typing passes from tab to tab: whatever else a room hears comes from the server. */
static bool is_typing(json_object *data)
{
    return str_is(json_str(json_get(data, "data"), "type"), "typing");
}

static void channel_events(struct session *s, struct arena *mem, json_object *data, int64_t ack)
{
    struct str channel_id = json_str(data, "channel_id"), room = str_cat(mem, S("channel:"), channel_id);
    json_object *out, *what, *user;
    struct packet *p;

    if (!channel_id.n || !is_typing(data) || !session_is_in(s, room)) {
        refuse(s, "refused", S("channel-events"));
        return;
    }
    out = json_new_object(mem);
    json_set_str(out, "channel_id", channel_id);
    json_set_str(out, "message_id", json_str(data, "message_id"));
    what = json_set_object(out, "data");
    json_set_c(what, "type", "typing");
    json_set_bool(json_set_object(what, "data"), "typing", json_flag(json_path(data, "data.data"), "typing", false));
    user = json_parse_or_null(mem, str_of(s->user->json));
    json_del(user, "email");
    json_set(out, "user", user);
    p = event_packet(S("channel-events"), json_text(mem, out));
    emit_to_room(room, p, STR_NONE);
    packet_drop(p);
    socketio_ack(s, ack, S("[]"));
}

static const struct {
    const char *name;
    bool strangers;
    void (*fn)(struct session *s, struct arena *mem, json_object *data, int64_t ack);
} table[] = {
    { "user-join", true, user_join },
    { "usage", false, usage },
    { "join-channels", false, join_channels },
    { "channel-events", false, channel_events },
    { "join-note", false, ydoc_join_note },
    { "ydoc:document:join", false, ydoc_join },
    { "ydoc:document:state", false, ydoc_state },
    { "ydoc:document:update", false, ydoc_update },
    { "ydoc:document:leave", false, ydoc_leave },
    { "ydoc:awareness:update", false, ydoc_awareness },
};

void event_received(struct session *s, struct arena *mem, json_object *list, int64_t ack)
{
    struct str name = json_str_value(json_at(list, 0));

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (str_is(name, table[i].name)) {
            if (s->user || table[i].strangers)
                table[i].fn(s, mem, json_at(list, 1), ack);
            else
                refuse(s, "a stranger's", name);
            return;
        }
    }
    if (s->user && direct_event(s, name, json_at(list, 1)))
        return;
    stats.events_unknown++;
    socketio_complain(s, "unknown event", name);
}
