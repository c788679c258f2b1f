/* sessions.c: the tabs by user and by room, and which models are in use. */
#include "sidecar/sessions.h"

#include <stdlib.h>

#include "lib/base/clock.h"
#include "sidecar/map.h"
#include "sidecar/sidecar.h"

enum { USAGE_MS = 5000, MAX_USAGES = 20000 };

static struct map sessions, users, rooms, usages;

struct usage {
    int64_t seen_ms;
    size_t model_at; /* in the key: sid, LF, model */
};

/* ---- lists */

static void list_add(struct list *l, struct session *s)
{
    if (l->n == l->room) {
        l->room = l->room ? l->room * 2 : 2;
        l->items = realloc(l->items, l->room * sizeof(*l->items));
        if (!l->items)
            abort();
    }
    l->items[l->n++] = s;
}

static bool list_has(const struct list *l, const struct session *s)
{
    for (size_t i = 0; i < l->n; i++) {
        if (l->items[i] == s)
            return true;
    }
    return false;
}

static void list_remove(struct list *l, const struct session *s)
{
    for (size_t i = 0; i < l->n; i++) {
        if (l->items[i] == s) {
            l->items[i] = l->items[--l->n];
            return;
        }
    }
}

/* ---- sessions and users */

void sessions_add(struct session *s)
{
    map_set(&sessions, str_of(s->sid), s);
}

struct session *session_by_id(struct str sid)
{
    return map_get(&sessions, sid);
}

struct user *user_by_id(struct str id)
{
    return map_get(&users, id);
}

static void leave_user(struct session *s)
{
    struct user *u = s->user;

    if (!u)
        return;
    s->user = NULL;
    list_remove(&u->sessions, s);
    if (u->sessions.n)
        return;
    map_take(&users, str_of(u->id));
    free(u->sessions.items);
    free(u->id);
    free(u->json);
    free(u);
}

static void leave_room(struct session *s, struct room *r)
{
    for (size_t i = 0; i < s->rooms_n; i++) {
        if (s->rooms[i] == r)
            s->rooms[i] = s->rooms[--s->rooms_n];
    }
    list_remove(&r->sessions, s);
    if (r->sessions.n)
        return;
    map_take(&rooms, str_of(r->name));
    free(r->sessions.items);
    free(r->name);
    free(r);
}

void sessions_remove(struct session *s)
{
    leave_user(s);
    while (s->rooms_n)
        leave_room(s, s->rooms[s->rooms_n - 1]);
    free(s->rooms);
    s->rooms = NULL;
    map_take(&sessions, str_of(s->sid));
}

bool session_set_user(struct session *s, struct str id, struct str json)
{
    struct user *u = map_get(&users, id);

    if (u && s->user != u && u->sessions.n >= SESSIONS_PER_USER)
        return false;
    if (s->user && s->user != u) { /* somebody else signs in on the same socket: his rooms are not the other's */
        leave_user(s);
        while (s->rooms_n)
            leave_room(s, s->rooms[s->rooms_n - 1]);
    }
    if (!u) {
        u = calloc(1, sizeof(*u));
        if (!u)
            abort();
        u->id = copy_str(id);
        map_set(&users, id, u);
    }
    free(u->json);
    u->json = copy_str(json);
    if (s->user != u)
        list_add(&u->sessions, s);
    s->user = u;
    return true;
}

void session_enter(struct session *s, struct str name)
{
    struct room *r = map_get(&rooms, name);

    if ((r && list_has(&r->sessions, s)) || s->rooms_n >= ROOMS_PER_SESSION)
        return;
    if (!r) {
        r = calloc(1, sizeof(*r));
        if (!r)
            abort();
        r->name = copy_str(name);
        map_set(&rooms, name, r);
    }
    list_add(&r->sessions, s);
    s->rooms = realloc(s->rooms, (s->rooms_n + 1) * sizeof(*s->rooms));
    if (!s->rooms)
        abort();
    s->rooms[s->rooms_n++] = r;
}

void session_leave(struct session *s, struct str name)
{
    struct room *r = map_get(&rooms, name);

    if (r && list_has(&r->sessions, s))
        leave_room(s, r);
}

/* ---- events to many */

static unsigned emit(const struct list *l, struct packet *p, struct str except)
{
    unsigned sent = 0;

    for (size_t i = 0; i < l->n; i++) {
        if (str_eq(str_of(l->items[i]->sid), except))
            continue;
        socketio_send(l->items[i], p);
        sent++;
    }
    return sent;
}

unsigned emit_to_user(struct str user_id, struct packet *p)
{
    struct user *u = map_get(&users, user_id);

    return u ? emit(&u->sessions, p, STR_NONE) : 0;
}

unsigned emit_to_room(struct str name, struct packet *p, struct str except)
{
    struct room *r = map_get(&rooms, name);

    return r ? emit(&r->sessions, p, except) : 0;
}

unsigned close_user(struct str user_id)
{
    struct user *u = map_get(&users, user_id);
    unsigned n = 0;

    for (; u && n < u->sessions.n; n++)
        socketio_disconnect(u->sessions.items[n]); /* takes effect later: the list stays as it is */
    return n;
}

const struct map *all_users(void)
{
    return &users;
}

const struct map *all_sessions(void)
{
    return &sessions;
}

/* ---- models in use */

void usage_note(struct session *s, struct str model)
{
    struct buf key = BUF(NULL, 1024);
    struct usage *u;

    if (usages.n >= MAX_USAGES || model.n == 0 || model.n > 512)
        return;
    buf_addf(&key, "%s\n%.*s", s->sid, STR(model));
    u = map_get(&usages, buf_str(&key));
    if (!u) {
        u = calloc(1, sizeof(*u));
        if (!u)
            abort();
        u->model_at = strlen(s->sid) + 1;
        map_set(&usages, buf_str(&key), u);
    }
    u->seen_ms = mono_ms();
    buf_free(&key);
}

static bool has(json_object *list, const char *text)
{
    JSON_EACH (list, i, item) {
        if (str_is(json_str_value(item), text))
            return true;
    }
    return false;
}

void usage_models(json_object *list)
{
    MAP_EACH(&usages, entry)
    {
        const struct usage *u = entry->value;

        if (!has(list, entry->key + u->model_at))
            json_push_str(list, str_of(entry->key + u->model_at));
    }
}

void usage_tick(int64_t now_ms)
{
    MAP_EACH(&usages, entry)
    {
        struct usage *u = entry->value;

        if (now_ms - u->seen_ms > USAGE_MS) {
            map_take(&usages, str_n(entry->key, entry->key_n));
            free(u);
        }
    }
}
