/* chat_steps.c: what the steps of a generation share. */
#include "handlers/chat_steps.h"

#include "handlers/chat_plan.h"
#include "handlers/chat_reply.h"
#include "lib/base/random.h"
#include "lib/chat/blocks.h"
#include "lib/store/users.h"

bool step_open(struct request *r, struct response *out, struct step *s, int *status)
{
    enum db_status st;

    *s = (struct step){
        .r = r, .state = form_json(r, "state"), .outcome = form_json(r, "outcome"), .plan = json_new_object(r->mem)
    };
    st = user_by_id(r->db, r->mem, json_str(s->state, "user_id"), &s->user);
    if (st != DB_ROW) {
        *status = st == DB_ERROR ? fail_db(out, r->db) : fail(out, 404, NOT_FOUND_TEXT);
        return false;
    }
    s->user.is_admin = str_is(s->user.role, "admin");
    s->after = (struct after){ .mem = r->mem,
                               .db = r->db,
                               .config = r->config,
                               .user = &s->user,
                               .chat_id = json_str(s->state, "chat_id"),
                               .message_id = json_str(s->state, "message_id"),
                               .model = json_str(s->state, "model"),
                               .is_local = json_flag(s->state, "is_local", false),
                               .events = json_set_array(s->plan, "events") };
    return true;
}

int step_reply(struct response *out, struct step *s, enum db_status st)
{
    return st == DB_ERROR ? fail_db(out, s->r->db) : reply_plan(out, s->plan);
}

bool step_failed(const struct step *s)
{
    return outcome_failed(s->outcome);
}

bool step_stopped(const struct step *s)
{
    return str_is(json_str(s->outcome, "status"), "stopped");
}

bool step_is_lost(const struct step *s)
{
    return str_is(json_str(s->outcome, "reason"), "restart");
}

json_object *step_answer(const struct step *s)
{
    return outcome_answer(s->r->mem, s->outcome, json_flag(s->state, "is_ollama", false));
}

json_object *step_json_in(struct step *s, struct str text)
{
    size_t open = str_find_c(text, '{'), close = str_rfind_c(text, '}');

    return open == STR_NPOS || close == STR_NPOS || close < open
               ? NULL
               : json_parse_or_null(s->r->mem, str_sub(text, open, close - open + 1));
}

void step_tell(struct step *s, const char *type, json_object *data)
{
    if (json_flag(s->state, "in_chat", false))
        after_tell(&s->after, type, data);
}

void step_status(struct step *s, json_object *data)
{
    step_tell(s, "status", data);
}

void step_show(struct step *s, json_object *blocks)
{
    json_object *data = json_new_object(s->r->mem);

    json_set_str(data, "content", blocks_text(s->r->mem, blocks, false));
    after_event(&s->after, "chat:completion", data);
}

/* ---- a model that only the browser can ask */

static json_object *direct_ask(struct step *s, json_object *request, struct str channel)
{
    struct arena *mem = s->r->mem;
    json_object *ask = json_new_object(mem), *event = json_set_object(ask, "data"),
                *data = json_set_object(event, "data");

    json_set(ask, "session_id", json_get(s->state, "session_id"));
    json_set_int(ask, "timeout_ms", 300 * 1000);
    json_set_c(event, "type", "request:chat:completion");
    json_set(data, "form_data", request);
    json_set(data, "model", json_get(s->state, "direct"));
    json_set_str(data, "channel", channel);
    json_set(data, "session_id", json_get(s->state, "session_id"));
    return ask;
}

static struct str new_channel(struct step *s)
{
    return str_f(s->r->mem, "%.*s:%.*s:%.*s", STR(s->user.id), STR(json_str(s->state, "session_id")),
                 STR(random_uuid(s->r->mem)));
}

static void call_direct(struct step *s, json_object *form)
{
    bool stream = json_flag(form, "stream", false);
    struct str channel = new_channel(s);
    json_object *ask = direct_ask(s, form, channel);

    if (stream)
        json_set_str(ask, "channel", channel);
    json_set(s->plan, "ask", ask);
}

/* ---- the chat's model */

static void to_tabs(struct step *s, json_object *options)
{
    json_set_c(s->plan, "deliver", "socket");
    json_set(s->plan, "options", options);
    json_set_c(s->plan, "then", "finish");
    json_set(s->plan, "state", s->state);
}

/* The answer of a direct connection for an HTTP client. */
static void direct_to_client(struct step *s, json_object *form)
{
    json_object *state = json_new_object(s->r->mem);

    call_direct(s, form);
    json_set_c(s->plan, "deliver", "client");
    if (json_flag(form, "stream", false)) {
        json_set_str(s->plan, "prefix", chat_prefix(s->r->mem, STR_NONE, json_get(s->state, "sources")));
        return;
    }
    json_set(state, "sources", json_get(s->state, "sources"));
    json_set_c(s->plan, "then", "answer");
    json_set(s->plan, "state", state);
}

enum status step_call_model(struct step *s, json_object *more, struct error *err)
{
    struct arena *mem = s->r->mem;
    json_object *form = json_clone(mem, json_get(s->state, "form")), *options;
    struct str drawn = json_str(s->state, "selected_model_id");
    struct chat_call call = { .user = &s->user,
                              .token = json_str(s->state, "token"),
                              .chat_id = s->after.chat_id,
                              .form = form,
                              .variables = json_get(s->state, "variables") };
    bool in_chat = json_flag(s->state, "in_chat", false);
    const struct models *list;
    const struct model *m;

    JSON_EACH (more, i, message)
        json_push(json_get(form, "messages"), message);
    options = json_clone(mem, json_get(s->state, "options"));
    if (json_get(s->state, "blocks") && options)
        json_set(options, "blocks", json_get(s->state, "blocks"));
    if (json_get(s->state, "direct")) {
        json_set_bool(s->state, "is_ollama", false);
        if (!in_chat) {
            direct_to_client(s, form);
            return OK;
        }
        call_direct(s, form);
        to_tabs(s, options);
        return OK;
    }
    if (models_all(mem, s->r->db, s->r->config, &s->user, false, &list, err) != OK)
        return UNAVAILABLE;
    m = model_by_id(list, drawn.n ? drawn : s->after.model);
    if (!m || upstream_for_chat(mem, s->r->config, list, m, &call) != OK)
        return error_set(err, NOT_FOUND, "nobody has the model %.*s", STR(drawn.n ? drawn : s->after.model));
    if (!in_chat) {
        json_merge(s->plan, chat_call_plan(mem, &call, json_get(s->state, "sources")));
        return OK;
    }
    json_set_bool(s->state, "is_ollama", call.is_ollama);
    if (call.selected_model_id.n) {
        json_set_str(s->state, "selected_model_id", call.selected_model_id);
        after_event(&s->after, "chat:completion", chat_selected(mem, call.selected_model_id));
    }
    json_set(s->plan, "upstream", call.upstream);
    to_tabs(s, options);
    return OK;
}

/* ---- small jobs */

enum status step_side_call(struct step *s, json_object *request, const char *then, json_object *state,
                           json_object *plan)
{
    struct chat_call call = {
        .user = &s->user, .token = json_str(s->state, "token"), .chat_id = s->after.chat_id, .form = request
    };
    struct error err = { "" };
    const struct models *list;
    const struct model *m;

    json_set_bool(request, "stream", false);
    json_set_c(plan, "then", then);
    json_set(plan, "state", state);
    if (json_get(s->state, "direct")) {
        json_set_str(request, "model", s->after.model);
        json_set(plan, "ask", direct_ask(s, request, new_channel(s)));
        return OK;
    }
    if (models_all(s->r->mem, s->r->db, s->r->config, &s->user, false, &list, &err) != OK)
        return UNAVAILABLE;
    m = model_by_id(list, s->after.model);
    if (m)
        m = task_model(s->r->config, list, m);
    if (!m)
        return NOT_FOUND;
    if (!model_access(s->r->mem, s->r->db, s->r->config, &s->user, m))
        return INVALID;
    json_set_str(request, "model", m->id);
    if (upstream_for_chat(s->r->mem, s->r->config, list, m, &call) != OK)
        return NOT_FOUND;
    json_set_bool(state, "is_ollama", call.is_ollama);
    json_set(plan, "upstream", call.upstream);
    json_set_c(plan, "deliver", "json");
    return OK;
}

enum status step_job(struct step *s, enum task_kind kind, json_object *form, const char *then, json_object *state,
                     json_object *plan)
{
    json_object *request = json_new_object(s->r->mem), *message = json_new_object(s->r->mem);
    struct str model = s->after.model;
    const struct models *list;
    const struct model *m = NULL;
    struct error err = { "" };

    if (!json_get(s->state, "direct") &&
        models_all(s->r->mem, s->r->db, s->r->config, &s->user, false, &list, &err) == OK)
        m = model_by_id(list, model);
    json_set_c(message, "role", "user");
    json_set_str(message, "content", task_prompt(s->r->mem, s->r->config, kind, &s->user, form));
    json_push(json_set_array(request, "messages"), message);
    if (m)
        task_limit(request, kind, task_model(s->r->config, list, m));
    return step_side_call(s, request, then, state, plan);
}
