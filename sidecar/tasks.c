/* tasks.c: the generations that run. */
#include "sidecar/tasks.h"

#include "lib/base/clock.h"
#include "sidecar/nodes.h"
#include "sidecar/plans.h"
#include "sidecar/sessions.h"
#include "sidecar/sidecar.h"

static struct run *runs;
static unsigned n;

static json_object *task_of(struct arena *mem, const struct run *r)
{
    json_object *o = json_new_object(mem);

    json_set_c(o, "task_id", r->task_id);
    json_set_c(o, "chat_id", r->chat_id);
    json_set_c(o, "user_id", r->user_id);
    json_set_c(o, "message_id", r->message_id);
    json_set_c(o, "model", r->model);
    json_set_int(o, "started_ms", r->started_ms);
    return o;
}

void tasks_add(struct run *r)
{
    struct arena *mem = arena_new(1024);

    r->next = runs;
    r->prev = &runs;
    if (runs)
        runs->prev = &r->next;
    runs = r;
    n++;
    nodes_task(task_of(mem, r));
    arena_free(mem);
}

void tasks_remove(struct run *r)
{
    if (!r->prev)
        return;
    *r->prev = r->next;
    if (r->next)
        r->next->prev = r->prev;
    r->prev = NULL;
    n--;
    nodes_task_ended(str_of(r->task_id));
}

static bool matches(const char *text, struct str wanted)
{
    return !wanted.p || (text && str_is(wanted, text));
}

void tasks_list_here(struct arena *mem, json_object *list, struct str chat_id, struct str user_id)
{
    for (struct run *r = runs; r; r = r->next) {
        if (matches(r->chat_id, chat_id) && matches(r->user_id, user_id))
            json_push(list, task_of(mem, r));
    }
}

void tasks_list(struct arena *mem, json_object *list, struct str chat_id, struct str user_id)
{
    tasks_list_here(mem, list, chat_id, user_id);
    nodes_tasks(mem, list, chat_id, user_id);
}

void tasks_show(struct str chat_id, struct str user_id)
{
    tasks_show_here(chat_id, user_id);
    nodes_show(chat_id, user_id);
}

void tasks_show_here(struct str chat_id, struct str user_id)
{
    struct buf events = BUF(NULL, TRANSCRIPT_MAX_BYTES * 4);

    for (struct run *r = runs; r; r = r->next) {
        if (!r->transcript || !matches(r->chat_id, chat_id) || !matches(r->user_id, user_id))
            continue;
        buf_reset(&events);
        transcript_snapshot(r->transcript, &events);
        run_emit_lines(r, buf_str(&events));
    }
    buf_free(&events);
}

void tasks_show_all(struct session *s)
{
    struct buf events = BUF(NULL, TRANSCRIPT_MAX_BYTES * 4);

    for (struct run *r = runs; r; r = r->next) {
        struct packet *p;

        if (!r->user_id || strcmp(r->user_id, s->user->id) != 0)
            continue;
        r->tab_away = false; /* it may be that tab */
        if (!r->transcript)
            continue;
        buf_reset(&events);
        transcript_snapshot(r->transcript, &events);
        if (events.n == 0)
            continue;
        p = packet_of(buf_str(&r->event_head), str_trim(buf_str(&events)), S("}]"));
        socketio_send(s, p);
        packet_drop(p);
    }
    buf_free(&events);
    nodes_show(STR_NONE, str_of(s->user->id));
}

bool tasks_stop(struct str task_id, struct str user_id)
{
    for (struct run *r = runs; r; r = r->next) {
        if (!matches(r->task_id, task_id) || !matches(r->user_id, user_id))
            continue;
        run_stop(r, "user");
        return true;
    }
    return false;
}

unsigned tasks_count(void)
{
    return n;
}

void tasks_drain(void)
{
    struct run *r, *next;

    for (r = runs; r; r = next) {
        next = r->next;
        run_stop(r, "shutdown");
    }
}
