/* nodes_relay.c: events, rooms, tasks and questions between machines, both ways. */
#include <stdlib.h>

#include "lib/base/clock.h"
#include "sidecar/bus.h"
#include "sidecar/nodes_internal.h"
#include "sidecar/sessions.h"
#include "sidecar/sidecar.h"
#include "sidecar/tasks.h"

/* ---- events */

static void emit(const char *to, struct str id, const struct packet *p, struct str except)
{
    struct buf b;

    nodes_head(&b, "emit");
    nodes_member(&b, to, id);
    nodes_member(&b, "except", except.n ? except : STR_NONE);
    nodes_send(&b, packet_str(p));
}

void nodes_emit_user(struct str user_id, const struct packet *p)
{
    if (bus_is_up() && nodes_know_user(user_id))
        emit("user_id", user_id, p, STR_NONE);
}

void nodes_emit_room(struct str room, const struct packet *p, struct str except_sid)
{
    if (bus_is_up() && nodes_count())
        emit("room", room, p, except_sid);
}

bool nodes_emit_session(struct str sid, const struct packet *p)
{
    if (!far_session(sid))
        return false;
    emit("sid", sid, p, STR_NONE);
    return true;
}

void nodes_on_emit(struct node *from, struct arena *mem, json_object *head, struct str body)
{
    struct packet *p = packet_new(body, false);
    struct session *s = session_by_id(json_str(head, "sid"));

    (void)from, (void)mem;
    if (json_str(head, "room").n)
        emit_to_room_here(json_str(head, "room"), p, json_str(head, "except"));
    else if (json_str(head, "user_id").n)
        emit_to_user_here(json_str(head, "user_id"), p);
    else if (s && s->user)
        socketio_send(s, p);
    packet_drop(p);
}

/* ---- rooms */

void nodes_fill_room(struct str room, json_object *user_ids)
{
    struct arena *mem;
    struct buf b;

    if (!bus_is_up() || !nodes_count())
        return;
    mem = arena_new(4096);
    nodes_head(&b, "fill");
    nodes_member(&b, "room", room);
    nodes_send(&b, json_text(mem, user_ids));
    arena_free(mem);
}

void nodes_on_fill(struct node *from, struct arena *mem, json_object *head, struct str body)
{
    (void)from;
    room_fill_users(json_str(head, "room"), json_parse_or_null(mem, body));
}

void nodes_rooms(struct str user_id, json_object *join, json_object *leave)
{
    struct arena *mem;
    struct buf b;

    if (!bus_is_up() || !nodes_know_user(user_id))
        return;
    mem = arena_new(1024);
    nodes_head(&b, "rooms");
    nodes_member(&b, "user_id", user_id);
    nodes_member_json(&b, "join", json_text(mem, join));
    nodes_member_json(&b, "leave", json_text(mem, leave));
    nodes_send(&b, STR_NONE);
    arena_free(mem);
}

void nodes_on_rooms(struct node *from, struct arena *mem, json_object *head, struct str body)
{
    (void)from, (void)mem, (void)body;
    user_rooms(json_str(head, "user_id"), json_get(head, "join"), json_get(head, "leave"));
}

void nodes_disconnect(struct str user_id)
{
    struct buf b;

    if (!bus_is_up() || !nodes_know_user(user_id))
        return;
    nodes_head(&b, "disconnect");
    nodes_member(&b, "user_id", user_id);
    nodes_send(&b, STR_NONE);
}

void nodes_on_disconnect(struct node *from, struct arena *mem, json_object *head, struct str body)
{
    (void)from, (void)mem, (void)body;
    close_user(json_str(head, "user_id"));
}

/* ---- tasks */

bool nodes_stop_task(struct str task_id, struct str user_id)
{
    struct arena *mem = arena_new(4096);
    json_object *all = json_new_array(mem);
    bool found = false;
    struct buf b;

    nodes_tasks(mem, all, STR_NONE, user_id);
    JSON_EACH (all, i, task)
        found |= str_eq(json_str(task, "task_id"), task_id);
    arena_free(mem);
    if (!found)
        return false;
    nodes_head(&b, "stop");
    nodes_member(&b, "task_id", task_id);
    nodes_member(&b, "user_id", user_id);
    nodes_send(&b, STR_NONE);
    return true;
}

void nodes_on_stop(struct node *from, struct arena *mem, json_object *head, struct str body)
{
    (void)from, (void)mem, (void)body;
    if (json_str(head, "task_id").n)
        tasks_stop(json_str(head, "task_id"), json_str(head, "user_id"));
}

void nodes_show(struct str chat_id, struct str user_id)
{
    struct buf b;

    if (!bus_is_up() || !nodes_count())
        return;
    nodes_head(&b, "show");
    nodes_member(&b, "chat_id", chat_id);
    nodes_member(&b, "user_id", user_id);
    nodes_send(&b, STR_NONE);
}

void nodes_on_show(struct node *from, struct arena *mem, json_object *head, struct str body)
{
    (void)from, (void)mem, (void)body;
    if (json_str(head, "user_id").n)
        tasks_show_here(json_str(head, "chat_id"), json_str(head, "user_id"));
}

/* ---- questions to a tab elsewhere */

struct far_ask {
    struct far_ask *next;
    int64_t id, until_ms;
    ask_fn *fn;
    void *arg;
};

enum { LATE_MS = 2000 }; /* the other machine counts the time-out itself */

static struct far_ask *asks;
static int64_t last_ask;

bool nodes_ask(struct str sid, struct str user_id, struct str event, struct str data, int64_t timeout_ms, ask_fn *fn,
               void *arg)
{
    const struct far_session *f = far_session(sid);
    struct far_ask *a;
    struct buf b;

    if (!f || !str_is(user_id, f->user_id) || !bus_is_up())
        return false;
    a = calloc(1, sizeof(*a));
    if (!a)
        abort();
    *a = (struct far_ask){ asks, ++last_ask, mono_ms() + timeout_ms + LATE_MS, fn, arg };
    asks = a;
    nodes_head(&b, "ask");
    nodes_member(&b, "to", str_of(f->node->id));
    nodes_member(&b, "sid", sid);
    nodes_member(&b, "user_id", user_id);
    nodes_member(&b, "event", event);
    nodes_member_int(&b, "ask", a->id);
    nodes_member_int(&b, "timeout_ms", timeout_ms);
    nodes_send(&b, data);
    return true;
}

static void answered(int64_t id, struct str answer)
{
    struct far_ask **at = &asks, *a;

    while (*at && (*at)->id != id)
        at = &(*at)->next;
    a = *at;
    if (!a)
        return;
    *at = a->next;
    a->fn(a->arg, answer);
    free(a);
}

void nodes_ask_cancel(void *arg)
{
    struct far_ask **at = &asks, *a;

    while ((a = *at)) {
        if (a->arg != arg) {
            at = &a->next;
            continue;
        }
        *at = a->next;
        free(a);
    }
}

void nodes_asks_tick(int64_t now_ms)
{
    for (struct far_ask *a = asks; a; a = a->next) {
        if (now_ms > a->until_ms) {
            answered(a->id, STR_NONE);
            return; /* the list may have changed: the others have another second */
        }
    }
}

void nodes_asks_lost(void)
{
    while (asks)
        answered(asks->id, STR_NONE);
}

void nodes_on_answer(struct node *from, struct arena *mem, json_object *head, struct str body)
{
    (void)from, (void)mem;
    if (str_eq(json_str(head, "to"), nodes_self()))
        answered(json_int(head, "ask", 0), json_flag(head, "answered", false) ? body : STR_NONE);
}

struct asked { /* a tab of ours was asked by another machine */
    char *node;
    int64_t id;
};

static void tab_answered(void *arg, struct str answer)
{
    struct asked *q = arg;
    struct buf b;

    nodes_head(&b, "answer");
    nodes_member(&b, "to", str_of(q->node));
    nodes_member_int(&b, "ask", q->id);
    nodes_member_json(&b, "answered", answer.p ? S("true") : S("false"));
    nodes_send(&b, answer);
    free(q->node);
    free(q);
}

void nodes_on_ask(struct node *from, struct arena *mem, json_object *head, struct str body)
{
    struct session *s = session_by_id(json_str(head, "sid"));
    struct asked *q;

    (void)mem;
    if (!str_eq(json_str(head, "to"), nodes_self()))
        return;
    q = calloc(1, sizeof(*q));
    if (!q)
        abort();
    *q = (struct asked){ copy_str(str_of(from->id)), json_int(head, "ask", 0) };
    if (s && s->user && str_is(json_str(head, "user_id"), s->user->id))
        socketio_ask(s, json_str(head, "event"), body, json_int(head, "timeout_ms", 60000), tab_answered, q);
    else
        tab_answered(q, STR_NONE);
}
