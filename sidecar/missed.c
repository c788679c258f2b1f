/* missed.c: events for tabs that were away. */
#include "sidecar/missed.h"

#include <stdlib.h>

#include "lib/base/clock.h"
#include "sidecar/map.h"
#include "sidecar/sessions.h"
#include "sidecar/sidecar.h"

/* Several tabs of a user may come back one after the other; who comes later has read what is saved. */
enum { KEEP_MS = 60 * 1000, SENT_MS = 5 * 1000, TOLD_MS = 5 * 1000, MAX_BYTES = 16 * 1024 * 1024, MAX_EACH = 1000 };

struct event {
    struct event *next;
    struct packet *packet;
    int64_t until_ms;
    char sid[25]; /* of the tab that was sent it; "": none was */
    bool told;
};

struct kept { /* of a user, oldest first */
    char *user_id;
    struct event *events, **end;
    size_t n;
};

static struct map users;
static size_t bytes;

static void event_free(struct event *e)
{
    bytes -= e->packet->n;
    packet_drop(e->packet);
    free(e);
}

static void drop_first(struct kept *l)
{
    struct event *e = l->events;

    l->events = e->next;
    if (!l->events)
        l->end = &l->events;
    l->n--;
    event_free(e);
}

void missed_keep(struct str user_id, struct str sid, struct packet *p)
{
    struct kept *l = map_get(&users, user_id);
    struct event *e;

    if (bytes + p->n > MAX_BYTES)
        return;
    if (!l) {
        l = calloc(1, sizeof(*l));
        if (!l)
            abort();
        l->user_id = copy_str(user_id);
        l->end = &l->events;
        map_set(&users, user_id, l);
    }
    if (l->n == MAX_EACH)
        drop_first(l);
    e = calloc(1, sizeof(*e));
    if (!e)
        abort();
    *e = (struct event){ .packet = p, .until_ms = mono_ms() + (sid.n ? SENT_MS : KEEP_MS) };
    snprintf(e->sid, sizeof(e->sid), "%.*s", STR(sid));
    p->refs++;
    bytes += p->n;
    *l->end = e;
    l->end = &e->next;
    l->n++;
}

/* What was on its way when the connection broke may not have arrived. */
void missed_session_gone(const struct session *s)
{
    struct kept *l = s->user ? map_get(&users, str_of(s->user->id)) : NULL;
    int64_t now = mono_ms();

    for (struct event *e = l ? l->events : NULL; e && !s->goodbye; e = e->next) {
        if (strcmp(e->sid, s->sid) != 0 || now > e->until_ms)
            continue;
        e->sid[0] = '\0';
        e->until_ms = now + KEEP_MS;
    }
}

void missed_tell(struct session *s)
{
    struct kept *l = map_get(&users, str_of(s->user->id));
    int64_t now = mono_ms();

    for (struct event *e = l ? l->events : NULL; e; e = e->next) {
        if (now > e->until_ms || e->sid[0])
            continue;
        socketio_send(s, e->packet);
        if (!e->told)
            e->until_ms = now + TOLD_MS;
        e->told = true;
    }
}

static void drop_old(struct kept *l, int64_t now_ms)
{
    struct event **at = &l->events, *e;

    while ((e = *at)) {
        if (now_ms <= e->until_ms) {
            at = &e->next;
            continue;
        }
        *at = e->next;
        event_free(e);
        l->n--;
    }
    l->end = at;
}

void missed_tick(int64_t now_ms)
{
    MAP_EACH(&users, entry)
    {
        struct kept *l = entry->value;

        drop_old(l, now_ms);
        if (l->events)
            continue;
        map_take(&users, str_of(l->user_id));
        free(l->user_id);
        free(l);
    }
}
