/* rooms.c: rooms and the tabs in them. */
#include "sidecar/rooms.h"

#include <stdlib.h>

#include "sidecar/map.h"
#include "sidecar/nodes.h"
#include "sidecar/sessions.h"
#include "sidecar/sidecar.h"

struct place { /* of a room: a session, and its seat there */
    struct session *session;
    size_t seat;
};

struct room {
    char *name;
    struct place *places;
    size_t n, capacity;
};

static struct map rooms;

static struct seat *seat_in(const struct session *s, const struct room *r)
{
    for (size_t i = 0; r && i < s->rooms_n; i++) {
        if (s->rooms[i].room == r)
            return &s->rooms[i];
    }
    return NULL;
}

static struct room *room_named(struct str name)
{
    struct room *r = map_get(&rooms, name);

    if (r)
        return r;
    r = calloc(1, sizeof(*r));
    if (!r)
        abort();
    r->name = copy_str(name);
    map_set(&rooms, name, r);
    return r;
}

void session_enter(struct session *s, struct str name)
{
    struct room *r = map_get(&rooms, name);

    if (name.n == 0 || seat_in(s, r) || s->rooms_n >= ROOMS_PER_SESSION)
        return;
    r = room_named(name);
    if (r->n == r->capacity) {
        r->capacity = r->capacity ? r->capacity * 2 : 2;
        r->places = realloc(r->places, r->capacity * sizeof(*r->places));
    }
    s->rooms = realloc(s->rooms, (s->rooms_n + 1) * sizeof(*s->rooms));
    if (!r->places || !s->rooms)
        abort();
    r->places[r->n] = (struct place){ s, s->rooms_n };
    s->rooms[s->rooms_n++] = (struct seat){ r, r->n++ };
}

/* The last ones take the places that become free. */
static void leave(struct session *s, size_t seat)
{
    struct room *r = s->rooms[seat].room;
    size_t at = s->rooms[seat].at;

    r->places[at] = r->places[--r->n];
    if (at < r->n)
        r->places[at].session->rooms[r->places[at].seat].at = at;
    s->rooms[seat] = s->rooms[--s->rooms_n];
    if (seat < s->rooms_n)
        s->rooms[seat].room->places[s->rooms[seat].at].seat = seat;
    if (r->n)
        return;
    map_take(&rooms, str_of(r->name));
    free(r->places);
    free(r->name);
    free(r);
}

void session_leave(struct session *s, struct str name)
{
    struct seat *seat = seat_in(s, map_get(&rooms, name));

    if (seat)
        leave(s, (size_t)(seat - s->rooms));
}

void session_leave_all(struct session *s)
{
    while (s->rooms_n)
        leave(s, s->rooms_n - 1);
    free(s->rooms);
    s->rooms = NULL;
}

static bool named(json_object *names, const char *name)
{
    JSON_EACH (names, i, item) {
        if (str_is(json_str_value(item), name))
            return true;
    }
    return false;
}

void session_set_rooms(struct session *s, const char *prefix, json_object *names)
{
    for (size_t i = s->rooms_n; i > 0; i--) {
        const char *name = s->rooms[i - 1].room->name;

        if (str_starts(str_of(name), prefix) && !named(names, name))
            leave(s, i - 1);
    }
    JSON_EACH (names, k, item)
        session_enter(s, json_str_value(item));
}

bool session_is_in(const struct session *s, struct str name)
{
    return seat_in(s, map_get(&rooms, name)) != NULL;
}

unsigned emit_to_room(struct str name, struct packet *p, struct str except_sid)
{
    nodes_emit_room(name, p, except_sid);
    return emit_to_room_here(name, p, except_sid);
}

unsigned emit_to_room_here(struct str name, struct packet *p, struct str except_sid)
{
    struct room *r = map_get(&rooms, name);
    unsigned sent = 0;

    for (size_t i = 0; r && i < r->n; i++) {
        if (str_eq(str_of(r->places[i].session->sid), except_sid))
            continue;
        socketio_send(r->places[i].session, p);
        sent++;
    }
    return sent;
}

/* ---- by users */

static void enter_all(const struct user *u, struct str name)
{
    for (size_t i = 0; i < u->sessions.n; i++)
        session_enter(u->sessions.items[i], name);
}

void room_fill(struct str name, const struct map *user_ids)
{
    struct room *r = map_get(&rooms, name);

    for (size_t i = r && user_ids ? r->n : 0; i > 0;
         i--) { /* from the end: who leaves is replaced by one that was looked at */
        struct session *s = r->places[i - 1].session;
        bool last = r->n == 1;

        if (s->user && map_get(user_ids, str_of(s->user->id)))
            continue;
        leave(s, r->places[i - 1].seat);
        if (last) /* and the room is gone */
            break;
    }
    if (!user_ids) {
        MAP_EACH(all_users(), entry)
        enter_all(entry->value, name);
        return;
    }
    MAP_EACH(user_ids, wanted)
    {
        const struct user *u = user_by_id(str_n(wanted->key, wanted->key_n));

        if (u)
            enter_all(u, name);
    }
}

void room_fill_users(struct str name, json_object *user_ids)
{
    struct map ids = { 0 };

    JSON_EACH (user_ids, i, id)
        map_set(&ids, json_str_value(id), user_ids);
    if (name.n)
        room_fill(name, user_ids ? &ids : NULL);
    map_free(&ids);
}

void room_users(struct str name, json_object *list)
{
    const struct room *r = map_get(&rooms, name);
    struct map seen = { 0 };

    for (size_t i = 0; r && i < r->n; i++) {
        struct user *u = r->places[i].session->user;

        if (!u || map_get(&seen, str_of(u->id)))
            continue;
        map_set(&seen, str_of(u->id), u);
        json_push_str(list, str_of(u->id));
    }
    nodes_users(list, &seen);
    map_free(&seen);
}
