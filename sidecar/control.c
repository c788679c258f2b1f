/* control.c: what responders and workers ask of the sidecar. */
#include "sidecar/control.h"

#include "lib/base/encode.h"
#include "sidecar/fcgi_client.h"
#include "sidecar/jobs.h"
#include "sidecar/map.h"
#include "sidecar/nodes.h"
#include "sidecar/plans.h"
#include "sidecar/sessions.h"
#include "sidecar/sidecar.h"
#include "sidecar/tasks.h"
#include "sidecar/ydoc.h"

/* A parameter of the query, decoded; absent. */
static struct str parameter(struct arena *mem, struct str query, const char *name)
{
    struct str piece, value;

    while (query.n && str_split(&query, '&', &piece)) {
        size_t eq = str_find_c(piece, '=');

        if (eq != STR_NPOS && str_is(str_sub(piece, 0, eq), name) &&
            url_decode(mem, str_from(piece, eq + 1), true, &value))
            return value;
    }
    return STR_NONE;
}

static void emit(struct arena *mem, json_object *in, struct str query, json_object *out)
{
    struct str data = json_text(mem, json_get(in, "data")), event = json_str(in, "event"),
               sid = json_str(in, "session_id");
    struct packet *p = event_packet(event, data);
    struct session *s;
    unsigned sent = 0;

    (void)query;
    if (json_str(in, "room").n) {
        sent = emit_to_room(json_str(in, "room"), p, json_str(in, "except"));
    } else if (json_str(in, "user_id").n) {
        sent = emit_to_user(json_str(in, "user_id"), p);
    } else if (sid.n && (s = session_by_id(sid)) && s->user) {
        socketio_send(s, p);
        sent = 1;
    } else if (sid.n) {
        sent = nodes_emit_session(sid, p);
    }
    packet_drop(p);
    json_set_int(out, "sent", sent);
}

static void rooms(struct arena *mem, json_object *in, struct str query, json_object *out)
{
    struct str user_id = json_str(in, "user_id");
    struct user *u = user_by_id(user_id);

    (void)mem, (void)query;
    user_rooms(user_id, json_get(in, "join"), json_get(in, "leave"));
    nodes_rooms(user_id, json_get(in, "join"), json_get(in, "leave"));
    json_set_int(out, "sockets", (int64_t)(u ? u->sessions.n : 0));
}

static void fill_room(struct arena *mem, json_object *in, struct str query, json_object *out)
{
    struct str room = json_str(in, "room");
    json_object *now = json_new_array(mem);

    (void)query;
    room_fill_users(room, json_get(in, "users"));
    nodes_fill_room(room, json_get(in, "users"));
    room_users(room, now);
    json_set_int(out, "users", (int64_t)json_length(now));
}

static void show_room(struct arena *mem, json_object *in, struct str query, json_object *out)
{
    (void)in;
    room_users(parameter(mem, query, "room"), json_set_array(out, "users"));
}

static void list_tasks(struct arena *mem, json_object *in, struct str query, json_object *out)
{
    struct str chat_id = parameter(mem, query, "chat_id"), user_id = parameter(mem, query, "user_id");

    (void)in;
    tasks_list(mem, json_set_array(out, "tasks"), chat_id, user_id);
    if (chat_id.n && user_id.n)
        tasks_show(chat_id, user_id);
}

static void stop_task(struct arena *mem, json_object *in, struct str query, json_object *out)
{
    struct str task_id = json_str(in, "task_id");
    bool found = task_id.n &&
                 (tasks_stop(task_id, json_str(in, "user_id")) || nodes_stop_task(task_id, json_str(in, "user_id")));

    (void)query;
    json_set_bool(out, "status", found);
    json_set_str(out, "message",
                 found ? str_f(mem, "Task %.*s successfully stopped.", STR(task_id))
                       : str_f(mem, "Task with ID %.*s not found.", STR(task_id)));
}

static void add_job(struct arena *mem, json_object *in, struct str query, json_object *out)
{
    (void)query;
    json_set_bool(out, "status", job_add(mem, json_str(in, "step"), json_str(in, "key"), json_get(in, "state")));
}

static void list_jobs(struct arena *mem, json_object *in, struct str query, json_object *out)
{
    (void)in;
    jobs_keys(parameter(mem, query, "step"), json_set_array(out, "keys"));
}

static void sessions(struct arena *mem, json_object *in, struct str query, json_object *out)
{
    struct str wanted = parameter(mem, query, "user_id");
    json_object *users = json_set_array(out, "users"), *list;
    struct map seen = { 0 };

    (void)in;
    if (!wanted.p) {
        MAP_EACH(all_users(), entry)
        {
            map_set(&seen, str_n(entry->key, entry->key_n), entry->value);
            json_push_str(users, str_n(entry->key, entry->key_n));
        }
        nodes_users(users, &seen);
        map_free(&seen);
    } else {
        struct user *u = user_by_id(wanted);

        list = json_set_array(out, "sessions");
        if (user_is_there(wanted))
            json_push_str(users, wanted);
        for (size_t i = 0; u && i < u->sessions.n; i++)
            json_push_str(list, str_of(u->sessions.items[i]->sid));
        nodes_sessions_of(wanted, list);
    }
    usage_models(json_set_array(out, "models"));
    json_set_int(out, "sockets", (int64_t)all_sessions()->n);
}

static void disconnect(struct arena *mem, json_object *in, struct str query, json_object *out)
{
    (void)mem, (void)query;
    nodes_disconnect(json_str(in, "user_id"));
    json_set_int(out, "sockets", close_user(json_str(in, "user_id")));
}

static void note_changed(struct arena *mem, json_object *in, struct str query, json_object *out)
{
    json_object *note = json_get(in, "note");

    (void)query, (void)out;
    ydoc_note_changed(json_str(in, "note_id"), note ? json_text(mem, note) : STR_NONE);
}

static int64_t resident_bytes(void)
{
    char text[128];
    FILE *f = fopen("/proc/self/statm", "r");
    struct str all = STR_NONE, piece;
    int64_t pages = 0;

    if (f && fgets(text, sizeof(text), f))
        all = str_of(text);
    if (f)
        fclose(f);
    if (!all.p || !str_split(&all, ' ', &piece) || !str_split(&all, ' ', &piece) || !str_to_i64(piece, &pages))
        return 0;
    return pages * (int64_t)sysconf(_SC_PAGESIZE);
}

static void counts(struct arena *mem, json_object *in, struct str query, json_object *out)
{
    unsigned connections, busy, waiting, notes;
    size_t notes_bytes;

    (void)mem, (void)in, (void)query;
    worker_counts(&connections, &busy, &waiting);
    json_set_int(out, "resident_bytes", resident_bytes());
    json_set_int(out, "http_connections", stats.connections);
    json_set_int(out, "requests", (int64_t)stats.requests);
    json_set_int(out, "sockets", engineio_count());
    json_set_int(out, "users", (int64_t)all_users()->n);
    json_set_int(out, "runs", runs_count());
    json_set_int(out, "tasks", tasks_count());
    json_set_int(out, "jobs", jobs_count());
    json_set_int(out, "generations", (int64_t)stats.generations);
    json_set_int(out, "upstreams", stats.upstreams_now);
    json_set_int(out, "upstream_calls", (int64_t)stats.upstreams);
    json_set_int(out, "upstream_failures", (int64_t)stats.upstream_failures);
    json_set_int(out, "upstream_bytes", (int64_t)stats.bytes_up);
    json_set_int(out, "chunks", (int64_t)stats.chunks);
    json_set_int(out, "events_out", (int64_t)stats.events_out);
    json_set_int(out, "events_in", (int64_t)stats.events_in);
    json_set_int(out, "events_unknown", (int64_t)stats.events_unknown);
    json_set_int(out, "events_refused", (int64_t)stats.events_refused);
    json_set_int(out, "sockets_refused", (int64_t)stats.sockets_refused);
    json_set_int(out, "plans", (int64_t)stats.plans);
    json_set_int(out, "steps", (int64_t)stats.steps);
    json_set_int(out, "step_failures", (int64_t)stats.step_failures);
    json_set_int(out, "workers_started", (int64_t)stats.workers_started);
    json_set_int(out, "worker_connections", connections);
    json_set_int(out, "worker_busy", busy);
    json_set_int(out, "worker_waiting", waiting);
    ydoc_counts(&notes, &notes_bytes);
    json_set_int(out, "notes", notes);
    json_set_int(out, "notes_bytes", (int64_t)notes_bytes);
    json_set_int(out, "nodes", nodes_count());
    json_set_int(out, "node_messages", (int64_t)stats.node_messages);
    json_set_bool(out, "draining", sidecar.draining);
}

static const struct {
    const char *method, *path;
    void (*fn)(struct arena *mem, json_object *in, struct str query, json_object *out);
} table[] = {
    { "POST", "/emit", emit },        { "POST", "/rooms", rooms },
    { "GET", "/rooms", show_room },   { "POST", "/rooms/fill", fill_room },
    { "GET", "/tasks", list_tasks },  { "POST", "/tasks/stop", stop_task },
    { "GET", "/sessions", sessions }, { "POST", "/disconnect", disconnect },
    { "GET", "/stats", counts },      { "POST", "/jobs", add_job },
    { "GET", "/jobs", list_jobs },    { "POST", "/notes/changed", note_changed },
};

void control_request(struct http_request *r)
{
    struct arena *mem = arena_new(r->body.n + 4096);
    json_object *in = NULL, *out = json_new_object(mem);
    struct error err;
    bool known = false;

    if (r->body.n && json_parse(mem, buf_str(&r->body), &in, &err) != OK) {
        http_reply_detail(r, 400, err.text);
        arena_free(mem);
        return;
    }
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]) && !known; i++) {
        if (!str_is(r->head.path, table[i].path) || !str_is(r->head.method, table[i].method))
            continue;
        known = true;
        table[i].fn(mem, in, r->head.query, out);
    }
    if (known)
        http_reply_json(r, 200, json_text(mem, out));
    else
        http_reply_detail(r, 404, "Not Found");
    arena_free(mem);
}
