/* nodes.c: who else is there: other sidecars, their tabs, their tasks, the models in use. */
#include "sidecar/nodes_internal.h"

#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/random.h"
#include "sidecar/bus.h"
#include "sidecar/sessions.h"
#include "sidecar/sidecar.h"
#include "sidecar/steps.h"
#include "sidecar/tasks.h"

enum {
    DEAF_MS = 5000,
    DEAD_MS = 10 * 1000,
    USAGE_MS = 5000,
    USAGE_AGAIN_MS = 1000,
    AGAIN_MS = 1000,
    STATE_BYTES = 256 * 1024
};
#define MAX_HEAD (1024 * 1024)

static struct map nodes, far_sessions,
    far_users; /* by id; sid: struct far_session; user: size_t *, his tabs elsewhere */
static char self[33];
static int64_t self_heard_ms;
static struct step *starting;
static struct delay *again;

static void ask_settings(void *arg);

/* ---- messages */

void nodes_head(struct buf *b, const char *op)
{
    *b = BUF(NULL, MAX_HEAD);
    buf_addf(b, "{\"node\":\"%s\",\"op\":\"%s\"", self, op);
}

void nodes_member(struct buf *b, const char *name, struct str value)
{
    if (!value.p)
        return;
    buf_addf(b, ",\"%s\":", name);
    buf_add_json_string(b, value);
}

void nodes_member_json(struct buf *b, const char *name, struct str json)
{
    buf_addf(b, ",\"%s\":", name);
    buf_add_str(b, json.n ? json : S("null"));
}

void nodes_member_int(struct buf *b, const char *name, int64_t value)
{
    buf_addf(b, ",\"%s\":%lld", name, (long long)value);
}

void nodes_send(struct buf *b, struct str body)
{
    buf_add_char(b, '}');
    if (!buf_failed(b))
        bus_publish(buf_str(b), body);
    buf_free(b);
}

struct str nodes_self(void)
{
    return str_of(self);
}

const struct map *all_nodes(void)
{
    return &nodes;
}

unsigned nodes_count(void)
{
    return (unsigned)nodes.n;
}

/* ---- tabs elsewhere */

struct far_session *far_session(struct str sid)
{
    return map_get(&far_sessions, sid);
}

static void count_user(struct str user_id, bool more)
{
    size_t *n = map_get(&far_users, user_id);

    if (!n && more) {
        n = calloc(1, sizeof(*n));
        if (!n)
            abort();
        map_set(&far_users, user_id, n);
    }
    if (!n)
        return;
    *n = more ? *n + 1 : *n - 1;
    if (*n == 0) {
        map_take(&far_users, user_id);
        free(n);
    }
}

static void forget_session(struct node *from, struct str sid)
{
    struct far_session *f = map_take(&from->sessions, sid);

    if (!f)
        return;
    map_take(&far_sessions, sid);
    count_user(str_of(f->user_id), false);
    free(f->user_id);
    free(f);
}

static void know_session(struct node *from, struct str sid, struct str user_id)
{
    struct far_session *f = far_session(sid);

    if (!sid.n || !user_id.n)
        return;
    if (f)
        forget_session(f->node, sid);
    f = calloc(1, sizeof(*f));
    if (!f)
        abort();
    *f = (struct far_session){ from, copy_str(user_id) };
    map_set(&from->sessions, sid, f);
    map_set(&far_sessions, sid, f);
    count_user(user_id, true);
}

bool nodes_know_user(struct str user_id)
{
    return map_get(&far_users, user_id) != NULL;
}

void nodes_users(json_object *list, struct map *seen)
{
    MAP_EACH(&far_users, entry)
    {
        struct str id = str_n(entry->key, entry->key_n);

        if (map_get(seen, id))
            continue;
        map_set(seen, id, entry);
        json_push_str(list, id);
    }
}

void nodes_sessions_of(struct str user_id, json_object *list)
{
    if (!nodes_know_user(user_id))
        return;
    MAP_EACH(&far_sessions, entry)
    {
        const struct far_session *f = entry->value;

        if (str_is(user_id, f->user_id))
            json_push_str(list, str_n(entry->key, entry->key_n));
    }
}

/* ---- tasks elsewhere */

static void forget_task(struct node *from, struct str task_id)
{
    free(map_take(&from->tasks, task_id));
}

static void know_task(struct node *from, struct arena *mem, json_object *task)
{
    struct str id = json_str(task, "task_id");

    if (!id.n)
        return;
    forget_task(from, id);
    map_set(&from->tasks, id, copy_str(json_text(mem, task)));
}

static bool matches(json_object *task, const char *name, struct str wanted)
{
    return !wanted.p || str_eq(json_str(task, name), wanted);
}

void nodes_tasks(struct arena *mem, json_object *list, struct str chat_id, struct str user_id)
{
    MAP_EACH(&nodes, entry)
    {
        struct node *node = entry->value;

        MAP_EACH(&node->tasks, one)
        {
            json_object *task = json_parse_or_null(mem, str_of(one->value));

            if (matches(task, "chat_id", chat_id) && matches(task, "user_id", user_id))
                json_push(list, task);
        }
    }
}

/* ---- models in use elsewhere */

static void know_usage(struct node *from, struct str model)
{
    int64_t *seen = map_get(&from->usage, model);

    if (!model.n || model.n > 512)
        return;
    if (!seen) {
        seen = calloc(1, sizeof(*seen));
        if (!seen)
            abort();
        map_set(&from->usage, model, seen);
    }
    *seen = mono_ms();
}

static bool listed(json_object *list, struct str text)
{
    JSON_EACH (list, i, item) {
        if (str_eq(json_str_value(item), text))
            return true;
    }
    return false;
}

void nodes_usage_models(json_object *list)
{
    MAP_EACH(&nodes, entry)
    {
        struct node *node = entry->value;

        MAP_EACH(&node->usage, one)
        {
            if (!listed(list, str_n(one->key, one->key_n)))
                json_push_str(list, str_n(one->key, one->key_n));
        }
    }
}

/* Tabs say it again and again: once a second is enough for the others. */
void nodes_usage(struct str model)
{
    static struct map told; /* model: int64_t * */
    int64_t *when = map_get(&told, model), now = mono_ms();
    struct buf b;

    if (!bus_is_up() || (when && now - *when < USAGE_AGAIN_MS))
        return;
    if (told.n > 1000) {
        MAP_EACH(&told, entry)
        free(entry->value);
        map_free(&told);
        when = NULL;
    }
    if (!when) {
        when = calloc(1, sizeof(*when));
        if (!when)
            abort();
        map_set(&told, model, when);
    }
    *when = now;
    nodes_head(&b, "usage");
    nodes_member(&b, "model", model);
    nodes_send(&b, STR_NONE);
}

/* ---- nodes */

static void forget_all_of(struct node *node)
{
    MAP_EACH(&node->sessions, entry)
    {
        struct far_session *f = entry->value;

        map_take(&far_sessions, str_n(entry->key, entry->key_n));
        count_user(str_of(f->user_id), false);
        free(f->user_id);
        free(f);
    }
    map_free(&node->sessions);
    MAP_EACH(&node->tasks, task)
    free(task->value);
    map_free(&node->tasks);
    MAP_EACH(&node->usage, model)
    free(model->value);
    map_free(&node->usage);
}

static void forget_node(struct node *node)
{
    forget_all_of(node);
    map_take(&nodes, str_of(node->id));
    free(node->id);
    free(node);
}

static struct node *node_by_id(struct str id)
{
    struct node *node = map_get(&nodes, id);

    if (!node) {
        node = calloc(1, sizeof(*node));
        if (!node)
            abort();
        node->id = copy_str(id);
        map_set(&nodes, id, node);
        log_info("another machine is there: %s", node->id);
    }
    node->heard_ms = mono_ms();
    return node;
}

/* ---- what there is here, for somebody who asks; absent: for all */

static void say_state(struct str to, json_object *sessions, json_object *tasks, bool first)
{
    struct arena *mem = arena_new(4096);
    json_object *state = json_new_object(mem);
    struct buf b;

    json_set(state, "sessions", sessions);
    json_set(state, "tasks", tasks);
    nodes_head(&b, "state");
    nodes_member(&b, "to", to);
    nodes_member_json(&b, "first", first ? S("true") : S("false"));
    nodes_send(&b, json_text(mem, state));
    arena_free(mem);
}

static void tell_state(struct str to)
{
    struct arena *mem = arena_new(16 * 1024);
    json_object *tasks = json_new_array(mem), *sessions = json_new_array(mem);
    bool first = true;
    size_t bytes = 0;

    tasks_list_here(mem, tasks, STR_NONE, STR_NONE);
    MAP_EACH(all_sessions(), entry)
    {
        const struct session *s = entry->value;
        json_object *pair;

        if (!s->user)
            continue;
        pair = json_new_array(mem);
        json_push_str(pair, str_of(s->sid));
        json_push_str(pair, str_of(s->user->id));
        json_push(sessions, pair);
        bytes += sizeof(s->sid) + strlen(s->user->id) + 8;
        if (bytes > STATE_BYTES) {
            say_state(to, sessions, tasks, first);
            sessions = json_new_array(mem);
            tasks = NULL;
            first = false;
            bytes = 0;
        }
    }
    say_state(to, sessions, tasks, first);
    arena_free(mem);
}

void nodes_here(const struct session *s)
{
    struct buf b;

    if (!bus_is_up())
        return;
    nodes_head(&b, "here");
    nodes_member(&b, "sid", str_of(s->sid));
    nodes_member(&b, "user_id", str_of(s->user->id));
    nodes_send(&b, STR_NONE);
}

void nodes_gone(const struct session *s)
{
    struct buf b;

    if (!bus_is_up())
        return;
    nodes_head(&b, "gone");
    nodes_member(&b, "sid", str_of(s->sid));
    nodes_send(&b, STR_NONE);
}

void nodes_task(json_object *task)
{
    struct arena *mem;
    struct buf b;

    if (!bus_is_up())
        return;
    mem = arena_new(1024);
    nodes_head(&b, "task");
    nodes_send(&b, json_text(mem, task));
    arena_free(mem);
}

void nodes_task_ended(struct str task_id)
{
    struct buf b;

    if (!bus_is_up())
        return;
    nodes_head(&b, "task_end");
    nodes_member(&b, "task_id", task_id);
    nodes_send(&b, STR_NONE);
}

/* ---- messages that come */

static void on_beat(struct node *from, struct arena *mem, json_object *head, struct str body)
{
    (void)from, (void)mem, (void)head, (void)body; /* that it was heard is all */
}

static void on_bye(struct node *from, struct arena *mem, json_object *head, struct str body)
{
    (void)mem, (void)head, (void)body;
    forget_node(from);
}

static void on_hello(struct node *from, struct arena *mem, json_object *head, struct str body)
{
    (void)mem, (void)head, (void)body;
    tell_state(str_of(from->id));
    nodes_caches_tell();
}

static void on_state(struct node *from, struct arena *mem, json_object *head, struct str body)
{
    json_object *state = json_parse_or_null(mem, body);
    struct str to = json_str(head, "to");

    if (to.p && !str_eq(to, nodes_self()))
        return;
    if (json_flag(head, "first", false))
        forget_all_of(from);
    JSON_EACH (json_get(state, "sessions"), i, pair)
        know_session(from, json_str_value(json_at(pair, 0)), json_str_value(json_at(pair, 1)));
    JSON_EACH (json_get(state, "tasks"), k, task)
        know_task(from, mem, task);
}

static void on_here(struct node *from, struct arena *mem, json_object *head, struct str body)
{
    (void)mem, (void)body;
    know_session(from, json_str(head, "sid"), json_str(head, "user_id"));
}

static void on_gone(struct node *from, struct arena *mem, json_object *head, struct str body)
{
    (void)mem, (void)body;
    forget_session(from, json_str(head, "sid"));
}

static void on_task(struct node *from, struct arena *mem, json_object *head, struct str body)
{
    (void)head;
    know_task(from, mem, json_parse_or_null(mem, body));
}

static void on_task_end(struct node *from, struct arena *mem, json_object *head, struct str body)
{
    (void)mem, (void)body;
    forget_task(from, json_str(head, "task_id"));
}

static void on_usage(struct node *from, struct arena *mem, json_object *head, struct str body)
{
    (void)mem, (void)body;
    know_usage(from, json_str(head, "model"));
}

static const struct {
    const char *op;
    node_op *fn;
} table[] = {
    { "beat", on_beat },
    { "bye", on_bye },
    { "hello", on_hello },
    { "state", on_state },
    { "here", on_here },
    { "gone", on_gone },
    { "task", on_task },
    { "task_end", on_task_end },
    { "usage", on_usage },
    { "emit", nodes_on_emit },
    { "fill", nodes_on_fill },
    { "rooms", nodes_on_rooms },
    { "disconnect", nodes_on_disconnect },
    { "stop", nodes_on_stop },
    { "show", nodes_on_show },
    { "ask", nodes_on_ask },
    { "answer", nodes_on_answer },
    { "counters", nodes_on_counters },
    { "revoked", nodes_on_revoked },
};

/* A newer sidecar may say what we do not know: that is left alone. */
static void on_message(struct str text)
{
    size_t end = str_find_c(text, '\n');
    struct arena *mem = arena_new(4096);
    json_object *head = json_parse_or_null(mem, str_sub(text, 0, end));
    struct str id = json_str(head, "node"), op = json_str(head, "op"),
               body = end == STR_NPOS ? STR_NONE : str_from(text, end + 1);

    stats.node_messages++;
    if (str_eq(id, nodes_self())) {
        self_heard_ms = mono_ms();
    } else if (id.n && id.n < 100) {
        struct node *from = node_by_id(id);

        for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
            if (!str_is(op, table[i].op))
                continue;
            table[i].fn(from, mem, head, body);
            break;
        }
    }
    arena_free(mem);
}

/* ---- life */

static void say(const char *op)
{
    struct buf b;

    nodes_head(&b, op);
    nodes_send(&b, STR_NONE);
}

static void on_up(void)
{
    self_heard_ms = mono_ms();
    say("hello");
    tell_state(STR_NONE); /* the others have not been cut off, perhaps, and know what is no longer so */
    nodes_caches_up();
}

static void on_down(void)
{
    MAP_EACH(&nodes, entry)
    forget_node(entry->value);
    nodes_asks_lost();
}

static const struct bus_ops bus_ops = { on_up, on_down, on_message };

static void settings_known(void *arg, enum status st, int status, struct str content_type, struct str body)
{
    struct arena *mem;
    json_object *settings;

    (void)arg, (void)status, (void)content_type;
    starting = NULL;
    if (st != OK) { /* no worker yet */
        delay_start(&again, AGAIN_MS, ask_settings, NULL);
        return;
    }
    mem = arena_new(1024);
    settings = json_parse_or_null(mem, body);
    if (json_str(settings, "url").n && bus_start(settings, &bus_ops))
        nodes_caches_start(json_str(settings, "data_dir"));
    arena_free(mem);
}

static void ask_settings(void *arg)
{
    (void)arg;
    starting = step_call(S("/internal/nodes"), S("{}"), STR_NONE, STEP_PATIENCE_MS, settings_known, NULL);
}

void nodes_start(void)
{
    struct arena *mem = arena_new(256);

    memcpy(self, random_hex(mem, 16).p, 32);
    arena_free(mem);
    ask_settings(NULL);
}

void nodes_stop(void)
{
    step_cancel(starting);
    starting = NULL;
    delay_stop(&again);
    if (bus_is_up())
        say("bye");
    nodes_caches_stop();
    bus_stop();
}

static void drop_old_usage(struct node *node, int64_t now_ms)
{
    MAP_EACH(&node->usage, one)
    {
        int64_t *seen = one->value;

        if (now_ms - *seen <= USAGE_MS)
            continue;
        map_take(&node->usage, str_n(one->key, one->key_n));
        free(seen);
    }
}

void nodes_tick(int64_t now_ms)
{
    nodes_asks_tick(now_ms);
    if (!bus_is_up())
        return;
    if (now_ms - self_heard_ms > DEAF_MS) {
        bus_broken("it passes nothing on");
        return;
    }
    say("beat");
    MAP_EACH(&nodes, entry)
    {
        struct node *node = entry->value;

        drop_old_usage(node, now_ms);
        if (now_ms - node->heard_ms > DEAD_MS) {
            log_info("another machine is gone: %s", node->id);
            forget_node(node);
        }
    }
}
