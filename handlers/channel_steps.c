/* channel_steps.c: what follows a message in a channel: the models that it mentions answer in its thread, and those who have no tab open are told. */
#include "handlers/channel.h"
#include "handlers/root.h"
#include "handlers/routes.h"
#include "handlers/user_webhooks.h"
#include "lib/auth/auth.h"
#include "lib/base/log.h"
#include "lib/chat/mentions.h"
#include "lib/chat/outcome.h"
#include "lib/llm/upstream.h"
#include "lib/net/control.h"
#include "lib/store/users.h"

enum { MAX_ANSWERS = 10, HISTORY = 50 };

#define STEP "channel_models"

/* ---- whom a message asks */

static void add_model(json_object *ids, struct str id)
{
    JSON_EACH (ids, i, known)
        if (str_eq(json_str_value(known), id))
            return;
    if (id.n && json_length(ids) < MAX_ANSWERS)
        json_push_str(ids, id);
}

static struct str model_of(struct arena *mem, const struct message *m)
{
    return json_str(json_parse_or_null(mem, m->meta), "model_id");
}

/* The model whose message it quotes, and those it mentions, each once. */
static json_object *models_asked(struct arena *mem, const struct message_view *v)
{
    json_object *ids = json_new_array(mem);
    struct str rest = v->message.content;
    struct mention m;

    if (v->quoted.id.p)
        add_model(ids, model_of(mem, &v->quoted));
    while (mention_next(&rest, &m))
        if (m.type == 'M')
            add_model(ids, m.id);
    return ids;
}

/* ---- webhooks */

static bool has(json_object *ids, struct str id)
{
    JSON_EACH (ids, i, known)
        if (str_eq(json_str_value(known), id))
            return true;
    return false;
}

static json_object *webhook_calls(struct request *r, const struct channel *c, const struct message *m)
{
    struct str url = str_f(r->mem, "%.*s/channels/%.*s", STR(config_str(r->config, CFG_WEBUI_URL)), STR(c->id));
    struct webhook_event e = { .action = "channel",
                               .name = config_str(r->config, CFG_WEBUI_NAME),
                               .version = ROOT_VERSION,
                               .data = json_new_object(r->mem) };
    json_object *calls = json_new_array(r->mem), *readers, *active = NULL;
    const struct user_webhook *hooks;
    bool everybody;
    size_t n;

    if (user_webhooks(r->db, r->config, &hooks, &n) != DB_ROW ||
        auth_who(r->mem, r->db, "read", c->access_control, &everybody, &readers) != OK)
        return calls;
    if (control_room_users(r->mem, config_run_dir(r->config), str_cat(r->mem, S("channel:"), c->id), &active) != OK)
        active = NULL; /* nobody is there */
    e.message = str_f(r->mem, "#%.*s - %.*s\n\n%.*s", STR(c->name), STR(url), STR(m->content));
    json_set_c(e.data, "action", e.action);
    json_set_str(e.data, "message", m->content);
    json_set_str(e.data, "title", c->name);
    json_set_str(e.data, "url", url);
    for (size_t i = 0; i < n; i++)
        if ((everybody || has(readers, hooks[i].user_id)) && !has(active, hooks[i].user_id))
            json_push(calls, user_webhook_call(r->mem, r->config, hooks[i].url, &e));
    return calls;
}

json_object *channel_after_post(struct request *r, const struct channel *c, const struct message_view *v,
                                struct str reply)
{
    json_object *models = models_asked(r->mem, v), *calls = webhook_calls(r, c, &v->message), *plan, *state;

    if (json_length(models) + json_length(calls) == 0)
        return NULL;
    plan = json_new_object(r->mem);
    json_set_int(json_set_object(plan, "reply"), "status", 200);
    json_set_raw(json_get(plan, "reply"), "body", reply);
    json_set(plan, "calls", calls);
    if (json_length(models) == 0)
        return plan;
    json_set_c(plan, "then", STEP);
    state = json_set_object(plan, "state");
    json_set_str(state, "user_id", r->user->id);
    json_set_str(state, "token", r->token);
    json_set_str(state, "channel_id", c->id);
    json_set_str(state, "message_id", v->message.id);
    json_set(state, "models", models);
    return plan;
}

/* ---- what a model is told */

static struct str speaker(struct arena *mem, const struct models *list, const struct message *m)
{
    struct str model_id = model_of(mem, m);
    const struct model *model = model_id.n ? model_by_id(list, model_id) : NULL;

    if (model_id.n)
        return model && model->name.n ? model->name : model_id;
    return m->author.name.n ? m->author.name : S("Unknown");
}

static void add_pictures(struct arena *mem, json_object *parts, const struct message *m)
{
    json_object *files = json_get(json_parse_or_null(mem, m->data), "files");

    JSON_EACH (files, i, file) {
        json_object *part;

        if (!str_is(json_str(file, "type"), "image"))
            continue;
        part = json_new_object(mem);
        json_set_c(part, "type", "image_url");
        json_set_str(json_set_object(part, "image_url"), "url", json_str(file, "url"));
        json_push(parts, part);
    }
}

static json_object *chat_message(struct arena *mem, const char *role, json_object *content)
{
    json_object *o = json_new_object(mem);

    json_set_c(o, "role", role);
    json_set(o, "content", content);
    return o;
}

/* The thread so far is told as a record of who said what; the question itself comes as the user's message, with all pictures of the thread. */
static json_object *request_of(struct arena *mem, const struct models *list, const struct model *model,
                               const struct user *u, const struct message *asked, const struct message_view *thread,
                               size_t n)
{
    struct buf system = BUF(mem, STR_NPOS);
    json_object *form = json_new_object(mem), *messages = json_set_array(form, "messages"),
                *parts = json_new_array(mem), *text = json_new_object(mem);
    struct str question = str_f(mem, "%.*s: %.*s", STR(u->name), STR(mentions_as_text(mem, asked->content)));

    buf_addf(&system,
             "You take part in a conversation of several people under the name %.*s. Keep it short, and talk as one of "
             "them.",
             STR(model->name));
    if (n)
        buf_add_c(&system, " This was said so far, by whom stands before the colon:\n");
    json_set_c(text, "type", "text");
    json_set_str(text, "text", question);
    json_push(parts, text);
    for (size_t i = n; i > 0; i--) { /* from the oldest */
        const struct message *m = &thread[i - 1].message;

        buf_addf(&system, "\n%.*s: %.*s", STR(speaker(mem, list, m)), STR(mentions_as_text(mem, m->content)));
        add_pictures(mem, parts, m);
    }
    if (n)
        buf_addf(&system, "\n\nAnswer the latest message, as %.*s.", STR(model->name));
    json_set_str(form, "model", model->id);
    json_push(messages, chat_message(mem, "system", json_new_str(mem, buf_str(&system))));
    json_push(messages, chat_message(mem, "user", json_length(parts) > 1 ? parts : json_new_str(mem, question)));
    json_set_bool(form, "stream", false);
    return form;
}

/* ---- the step: an answer is saved, the next model is asked */

struct step {
    struct request *r;
    json_object *state, *plan;
    struct user user;
    struct channel channel;
    struct channel_scene scene;
    struct message_view asked;
    struct str thread_id;
};

/* DB_DONE: somebody or something is gone, or he may no longer write here: nothing is left to do. */
static enum db_status open_step(struct request *r, struct step *s)
{
    enum db_status st;

    *s = (struct step){ .r = r, .state = form_json(r, "state"), .plan = json_new_object(r->mem) };
    st = user_by_id(r->db, r->mem, json_str(s->state, "user_id"), &s->user);
    if (st == DB_ROW)
        st = channel_by_id(r->db, r->mem, json_str(s->state, "channel_id"), &s->channel);
    if (st == DB_ROW)
        st = message_view(r->db, r->mem, json_str(s->state, "message_id"), &s->asked);
    if (st != DB_ROW)
        return st;
    s->user.is_admin = str_is(s->user.role, "admin");
    if ((!s->user.is_admin && !str_is(s->user.role, "user")) ||
        !channel_may_write(r->mem, r->db, &s->user, &s->channel))
        return DB_DONE;
    s->scene = (struct channel_scene){ r->mem, r->config, &s->channel, &s->user };
    s->thread_id = s->asked.message.parent_id.n ? s->asked.message.parent_id : s->asked.message.id;
    return DB_ROW;
}

/* The answer, or why there is none, becomes the text of the model's message. It may have been deleted meanwhile. */
static enum db_status save_answer(struct step *s, struct str answer_id, struct str text)
{
    struct request *r = s->r;
    json_object *meta = json_new_object(r->mem);
    struct message_view v;
    enum db_status st;

    json_set_bool(meta, "done", true);
    st = message_update(r->db, r->mem, answer_id, text, NULL, meta);
    if (st == DB_ROW)
        st = message_view(r->db, r->mem, answer_id, &v);
    if (st == DB_ROW)
        channel_tell(&s->scene, "message:update", &v, STR_NONE);
    return st;
}

static enum db_status take_outcome(struct step *s)
{
    json_object *outcome = form_json(s->r, "outcome"), *answer, *error;
    bool is_ollama = json_flag(s->state, "is_ollama", false);
    struct str answer_id = json_str(s->state, "answer_id"), text;

    if (!answer_id.n)
        return DB_ROW;
    answer = outcome_answer(s->r->mem, outcome, is_ollama);
    text = outcome_text(answer);
    if (outcome_failed(outcome) || !text.p) {
        error = outcome_error(s->r->mem, outcome, answer, is_ollama);
        log_info("a model did not answer in a channel: %.*s", STR(json_text(s->r->mem, error)));
        if (json_str(error, "message").n)
            text = json_str(error, "message");
        else
            text = json_is(error, json_type_string) ? json_str_value(error) : json_text(s->r->mem, error);
    }
    return save_answer(s, answer_id, text);
}

/* The thread as it is before the model's own message: its newest messages, and the one that began it where there is room. */
static enum db_status read_thread(struct step *s, struct message_view **thread, size_t *n)
{
    struct request *r = s->r;
    struct message_view first, *replies;
    enum db_status st = messages_of_thread(r->db, r->mem, s->channel.id, s->thread_id, 0, HISTORY, &replies, n);

    if (st == DB_ERROR)
        return st;
    *thread = arena_new_array(r->mem, struct message_view, *n + 1);
    for (size_t i = 0; i < *n; i++)
        (*thread)[i] = replies[i];
    if (*n >= HISTORY)
        return DB_ROW;
    st = message_view(r->db, r->mem, s->thread_id, &first);
    if (st == DB_ROW && str_eq(first.message.channel_id, s->channel.id))
        (*thread)[(*n)++] = first;
    return st;
}

/* The model's message, still empty, and the call that will fill it. DB_DONE: it could not be called, which the message says. */
static enum db_status ask(struct step *s, const struct models *list, const struct model *model)
{
    struct request *r = s->r;
    json_object *meta = json_new_object(r->mem);
    struct chat_call call = { .user = &s->user, .token = json_str(s->state, "token") };
    struct message_view *thread, v;
    struct message m;
    size_t n;

    if (read_thread(s, &thread, &n) == DB_ERROR)
        return DB_ERROR;
    json_set_str(meta, "model_id", model->id);
    json_set_str(meta, "model_name", model->name);
    m = (struct message){
        .parent_id = s->thread_id, .content = S(""), .data = S("{}"), .meta = json_text(r->mem, meta)
    };
    if (channel_write(&s->scene, r->db, &m, &v) == DB_ERROR)
        return DB_ERROR;
    call.form = request_of(r->mem, list, model, &s->user, &s->asked.message, thread, n);
    if (upstream_for_chat(r->mem, r->config, list, model, &call) != OK)
        return save_answer(s, m.id, S("Model not found")) == DB_ERROR ? DB_ERROR : DB_DONE;
    json_set(s->plan, "upstream", call.upstream);
    json_set_c(s->plan, "deliver", "json");
    json_set_c(s->plan, "then", STEP);
    json_set(s->plan, "state", s->state);
    json_set_str(s->state, "answer_id", m.id);
    json_set_bool(s->state, "is_ollama", call.is_ollama);
    return DB_ROW;
}

static json_object *without_first(struct arena *mem, json_object *list)
{
    json_object *rest = json_new_array(mem);

    for (size_t i = 1; i < json_length(list); i++)
        json_push(rest, json_at(list, i));
    return rest;
}

/* Asks the first of the models that are left which the user may use. */
static enum db_status ask_next(struct step *s)
{
    struct request *r = s->r;
    json_object *left = json_get(s->state, "models");
    const struct models *list;
    struct error err = { "" };
    enum db_status st = DB_DONE;

    if (models_all(r->mem, r->db, r->config, &s->user, false, &list, &err) != OK) {
        log_error("models could not be asked in a channel: %s", err.text);
        return DB_ERROR;
    }
    while (st == DB_DONE && json_length(left) > 0) {
        const struct model *m = model_by_id(list, json_str_value(json_at(left, 0)));

        left = without_first(r->mem, left);
        json_set(s->state, "models", left);
        if (m && model_access(r->mem, r->db, r->config, &s->user, m))
            st = ask(s, list, m);
    }
    return st;
}

static int step_models(struct request *r, struct response *out)
{
    struct step s;
    enum db_status st = open_step(r, &s);

    if (st == DB_ROW)
        st = take_outcome(&s) == DB_ERROR ? DB_ERROR : ask_next(&s);
    return st == DB_ERROR ? fail_db(out, r->db) : reply_plan(out, s.plan);
}

const struct route channel_steps_routes[] = { { POST, "/internal/step/" STEP, INTERNAL, step_models,
                                                .body = BODY_JSON_ANY, .keep_unknown = true, .hidden = true,
                                                .about = "Models answer a message in a channel" },
                                              END };
