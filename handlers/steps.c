/* steps.c: a worker's part of a generation after the model has answered (docs/plans.md): saving, title, tags, follow-ups. */
#include "handlers/chat_reply.h"
#include "handlers/routes.h"
#include "lib/base/clock.h"
#include "lib/chat/after.h"
#include "lib/chat/ollama_convert.h"
#include "lib/chat/outcome.h"
#include "lib/llm/messages.h"
#include "lib/llm/task.h"
#include "lib/store/users.h"

/* ---- what a step is given */

struct step {
    struct after after;
    struct user user;
    json_object *state, *outcome;
    json_object *plan; /* the answer */
};

/* false: the answer is made. The user may be gone by now: then there is nobody to save for. */
static bool open_step(struct request *r, struct response *out, struct step *s, int *status)
{
    enum db_status st;

    s->state = form_json(r, "state");
    s->outcome = form_json(r, "outcome");
    s->plan = json_new_object(r->mem);
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

static bool is_ollama(const struct step *s)
{
    return json_flag(s->state, "is_ollama", false);
}

/* ---- finish: the answer is there, or what there will ever be of it */

static void add_done(struct step *s, struct str content, struct str title)
{
    json_object *data = json_new_object(s->after.mem);

    json_set_bool(data, "done", true);
    json_set_str(data, "content", content);
    json_set_str(data, "title", title);
    after_event(&s->after, "chat:completion", data);
}

static enum db_status save_error(struct request *r, struct step *s, json_object *body, bool was_streamed)
{
    json_object *changes = json_new_object(r->mem), *error = json_set_object(changes, "error"),
                *data = json_new_object(r->mem);
    struct str content = json_str(s->outcome, "content");
    bool by_provider = !was_streamed && body && !is_ollama(s);

    json_set(error, "content", outcome_error(r->mem, s->outcome, body, is_ollama(s)));
    json_set(data, "error", error);
    json_set_str(changes, "model", s->after.model);
    if (was_streamed && content.n)
        json_set_str(changes, "content", content);
    if (after_save(&s->after, changes, NULL) == DB_ERROR)
        return DB_ERROR;
    after_event(&s->after, "chat:message:error", data);
    if (!by_provider) /* an exception of the Python backend; an error that the provider words ends with the error alone */
        after_event(&s->after, "chat:tasks:cancel", NULL);
    return DB_ROW;
}

/* A small job as a call of the plan; NULL: it is switched off, or cannot be done. */
static json_object *job(struct request *r, struct step *s, const struct models *list, enum task_kind kind,
                        const char *then, json_object *messages)
{
    json_object *plan = json_new_object(r->mem), *form = json_new_object(r->mem), *state;
    const struct model *m = model_by_id(list, s->after.model);
    struct chat_call call = { .user = &s->user };

    if (!m || !task_is_enabled(r->config, kind))
        return NULL;
    json_set(form, "messages", messages);
    json_set_str(form, "chat_id", s->after.chat_id);
    if (task_call(r->mem, r->db, r->config, list, kind, m, form, &call) != OK)
        return NULL;
    json_set(plan, "upstream", call.upstream);
    json_set_c(plan, "deliver", "json");
    json_set_c(plan, "then", then);
    state = json_clone(r->mem, s->state);
    json_set_bool(state, "is_ollama", call.is_ollama);
    json_del(state, "tasks");
    json_set(plan, "state", state);
    return plan;
}

static enum db_status add_jobs(struct request *r, struct step *s)
{
    static const struct {
        const char *wanted, *then;
        enum task_kind kind;
    } jobs[] = {
        { "follow_up_generation", "follow_ups", TASK_FOLLOW_UPS },
        { "title_generation", "title", TASK_TITLE },
        { "tags_generation", "tags", TASK_TAGS },
    };
    json_object *wanted = json_get(s->state, "tasks"), *messages, *calls, *plan;
    const struct models *list;
    struct error err = { "" };
    enum db_status st;

    if (!json_is(wanted, json_type_object) || json_object_object_length(wanted) == 0)
        return DB_DONE;
    st = after_messages(&s->after, &messages);
    if (st != DB_ROW)
        return st;
    if (models_all(r->mem, r->db, r->config, &s->user, false, &list, &err) != OK)
        return DB_ERROR;
    calls = json_set_array(s->plan, "calls");
    for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++) {
        if (json_truthy(json_get(wanted, jobs[i].wanted))) {
            plan = job(r, s, list, jobs[i].kind, jobs[i].then, messages);
            if (plan)
                json_push(calls, plan);
        } else if (jobs[i].kind == TASK_TITLE && json_has(wanted, "title_generation") && json_length(messages) == 2) {
            if (after_set_title(&s->after, message_text(json_at(messages, 0))) == DB_ERROR)
                return DB_ERROR;
        }
    }
    return DB_ROW;
}

/* Saves the answer and tells the tabs that it is done. */
static enum db_status save_answer(struct request *r, struct step *s, struct str content)
{
    json_object *changes = json_new_object(r->mem);
    struct str title = STR_NONE, drawn = json_str(s->state, "selected_model_id");

    json_set_c(changes, "role", "assistant");
    json_set_str(changes, "content", content);
    json_set_str(changes, "model", s->after.model);
    if (drawn.n)
        json_set_str(changes, "selectedModelId", drawn);
    if (json_get(s->outcome, "usage"))
        json_set(changes, "usage", json_get(s->outcome, "usage"));
    if (after_save(&s->after, changes, &title) == DB_ERROR)
        return DB_ERROR;
    if (!str_is(json_str(s->outcome, "status"), "stopped"))
        add_done(s, content, title);
    return DB_ROW;
}

static int finish(struct request *r, struct response *out)
{
    json_object *body = NULL;
    enum db_status st = DB_ROW;
    struct step s;
    bool streamed;
    int status;

    if (!open_step(r, out, &s, &status))
        return status;
    streamed = json_flag(s.outcome, "streamed", false);
    if (!streamed)
        body = outcome_answer(r->mem, s.outcome, is_ollama(&s));
    if (outcome_failed(s.outcome) || (!streamed && json_has(body, "error"))) {
        st = save_error(r, &s, body, streamed);
    } else if (str_is(json_str(s.outcome, "status"), "stopped")) {
        if (streamed)
            st = save_answer(r, &s, json_str(s.outcome, "content"));
    } else if (streamed) {
        st = save_answer(r, &s, json_str(s.outcome, "content"));
        if (st == DB_ROW)
            st = add_jobs(r, &s);
    } else if (outcome_text(body).n) {
        if (json_str(s.state, "selected_model_id").n)
            json_set(body, "selected_model_id", json_get(s.state, "selected_model_id"));
        after_event(&s.after, "chat:completion", body);
        st = save_answer(r, &s, outcome_text(body));
        if (st == DB_ROW)
            st = add_jobs(r, &s);
    } else {
        st = save_error(r, &s, body, false);
    }
    return st == DB_ERROR ? fail_db(out, r->db) : reply_plan(out, s.plan);
}

/* ---- answers of the small jobs */

static int job_step(struct request *r, struct response *out, enum db_status (*use)(struct after *a, struct str text))
{
    struct step s;
    int status;

    if (!open_step(r, out, &s, &status))
        return status;
    if (!outcome_failed(s.outcome) &&
        use(&s.after, outcome_text(outcome_answer(r->mem, s.outcome, is_ollama(&s)))) == DB_ERROR)
        return fail_db(out, r->db);
    return reply_plan(out, s.plan);
}

static int step_follow_ups(struct request *r, struct response *out)
{
    return job_step(r, out, after_follow_ups);
}

static int step_title(struct request *r, struct response *out)
{
    return job_step(r, out, after_title);
}

static int step_tags(struct request *r, struct response *out)
{
    return job_step(r, out, after_tags);
}

/* ---- answer: a whole answer for the HTTP client, put into OpenAI's form (handlers/chat_plan.c) */

static int step_answer(struct request *r, struct response *out)
{
    json_object *state = form_json(r, "state"), *outcome = form_json(r, "outcome"), *body;
    int upstream = (int)json_int(outcome, "upstream_status", 0);

    if (upstream == 0)
        return fail_json(out, 502, json_get(outcome, "error"));
    body = json_parse_or_null(r->mem, json_str(outcome, "body"));
    if (upstream >= 400) {
        json_object *error = json_get(body, "error");

        return json_flag(state, "convert", false) && error
                   ? fail_json(out, upstream, error)
                   : reply_text(out, upstream, body ? "application/json" : "text/plain; charset=utf-8",
                                json_str(outcome, "body"));
    }
    if (!json_is(body, json_type_object))
        return fail(out, 502, "The provider's answer is not JSON");
    if (json_flag(state, "convert", false))
        body = ollama_convert_answer(r->mem, body, now_s());
    if (json_str(state, "selected_model_id").n)
        json_set(body, "selected_model_id", json_get(state, "selected_model_id"));
    return reply_json(out, body);
}

#define STEP(name, handler, about_)                                                                                   \
    {                                                                                                                 \
        POST, "/internal/step/" name, INTERNAL, handler, .body = BODY_JSON_ANY, .keep_unknown = true, .hidden = true, \
                                                         .about = about_                                              \
    }

const struct route steps_routes[] = { STEP("finish", finish, "An answer has ended: saves it"),
                                      STEP("follow_ups", step_follow_ups, "Follow-up questions are there"),
                                      STEP("title", step_title, "A title is there"),
                                      STEP("tags", step_tags, "Tags are there"),
                                      STEP("answer", step_answer, "An answer for the HTTP client"),
                                      END };
