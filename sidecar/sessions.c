/* sessions.c: the tabs by user, and which models are in use. */
#include "sidecar/sessions.h"

#include <stdlib.h>

#include "lib/base/clock.h"
#include "sidecar/map.h"
#include "sidecar/nodes.h"
#include "sidecar/sidecar.h"

enum { USAGE_MS = 5000, MAX_USAGES = 20000 };

static struct map sessions, users, usages;

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
    nodes_gone(s);
    if (u->sessions.n)
        return;
    map_take(&users, str_of(u->id));
    free(u->sessions.items);
    free(u->id);
    free(u->json);
    free(u);
}

void sessions_remove(struct session *s)
{
    leave_user(s);
    session_leave_all(s);
    map_take(&sessions, str_of(s->sid));
}

bool session_set_user(struct session *s, struct str id, struct str json)
{
    struct user *u = map_get(&users, id);

    if (u && s->user != u && u->sessions.n >= SESSIONS_PER_USER)
        return false;
    if (s->user && s->user != u) { /* somebody else signs in on the same socket: his rooms are not the other's */
        leave_user(s);
        session_leave_all(s);
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
    if (s->user == u)
        return true;
    list_add(&u->sessions, s);
    s->user = u;
    nodes_here(s);
    return true;
}

/* ---- events to many */

unsigned emit_to_user(struct str user_id, struct packet *p)
{
    nodes_emit_user(user_id, p);
    return emit_to_user_here(user_id, p);
}

unsigned emit_to_user_here(struct str user_id, struct packet *p)
{
    struct user *u = map_get(&users, user_id);
    unsigned n = 0;

    for (; u && n < u->sessions.n; n++)
        socketio_send(u->sessions.items[n], p);
    return n;
}

unsigned close_user(struct str user_id)
{
    struct user *u = map_get(&users, user_id);
    unsigned n = 0;

    for (; u && n < u->sessions.n; n++)
        socketio_disconnect(u->sessions.items[n]); /* takes effect later: the list stays as it is */
    return n;
}

void user_rooms(struct str user_id, json_object *join, json_object *leave)
{
    struct user *u = map_get(&users, user_id);

    for (size_t i = 0; u && i < u->sessions.n; i++) {
        JSON_EACH (join, j, room)
            session_enter(u->sessions.items[i], json_str_value(room));
        JSON_EACH (leave, l, room_left)
            session_leave(u->sessions.items[i], json_str_value(room_left));
    }
}

bool user_is_there(struct str id)
{
    return map_get(&users, id) || nodes_know_user(id);
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
    nodes_usage(model);
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
    nodes_usage_models(list);
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
