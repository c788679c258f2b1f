/* events.c: what a tab may say. A stranger may only say who he is. */
#include "sidecar/events.h"

#include "sidecar/sessions.h"
#include "sidecar/sidecar.h"

static void user_join(struct session *s, struct arena *mem, json_object *data, int64_t ack)
{
    (void)mem;
    socketio_identify(s, json_str(json_get(data, "auth"), "token"), true, ack);
}

static void usage(struct session *s, struct arena *mem, json_object *data, int64_t ack)
{
    (void)mem;
    usage_note(s, json_str(data, "model"));
    socketio_ack(s, ack, S("[]"));
}

/* The rooms of a user's channels are entered when he joins; he may have got new ones since. */
static void join_channels(struct session *s, struct arena *mem, json_object *data, int64_t ack)
{
    struct str token = json_str(json_get(data, "auth"), "token");

    (void)mem;
    socketio_ack(s, ack, S("[]"));
    if (token.n && !s->identifying)
        socketio_identify(s, token, false, -1);
}

static const struct {
    const char *name;
    bool strangers;
    void (*fn)(struct session *s, struct arena *mem, json_object *data, int64_t ack);
} table[] = {
    { "user-join", true, user_join },
    { "usage", false, usage },
    { "join-channels", false, join_channels },
};

void event_received(struct session *s, struct arena *mem, json_object *list, int64_t ack)
{
    struct str name = json_str_value(json_at(list, 0));

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (str_is(name, table[i].name)) {
            if (s->user || table[i].strangers)
                table[i].fn(s, mem, json_at(list, 1), ack);
            return;
        }
    }
    stats.events_unknown++;
}
