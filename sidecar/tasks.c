/* tasks.c: the generations that run. */
#include "sidecar/tasks.h"

#include "lib/base/clock.h"
#include "sidecar/plans.h"
#include "sidecar/sessions.h"
#include "sidecar/sidecar.h"

static struct run *runs;
static unsigned n;

void tasks_add(struct run *r)
{
    r->next = runs;
    r->prev = &runs;
    if (runs)
        runs->prev = &r->next;
    runs = r;
    n++;
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
}

static bool matches(const char *text, struct str wanted)
{
    return !wanted.p || (text && str_is(wanted, text));
}

void tasks_list(struct arena *mem, json_object *list, struct str chat_id, struct str user_id)
{
    for (struct run *r = runs; r; r = r->next) {
        json_object *o;

        if (!matches(r->chat_id, chat_id) || !matches(r->user_id, user_id))
            continue;
        o = json_new_object(mem);
        json_set_c(o, "task_id", r->task_id);
        json_set_c(o, "chat_id", r->chat_id);
        json_set_c(o, "user_id", r->user_id);
        json_set_c(o, "message_id", r->message_id);
        json_set_c(o, "model", r->model);
        json_set_int(o, "started_ms", r->started_ms);
        json_push(list, o);
    }
}

void tasks_show(struct str chat_id, struct str user_id)
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

        if (!r->transcript || !r->user_id || strcmp(r->user_id, s->user->id) != 0)
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
