/* steps.c: a worker's part of a generation after the model has answered (docs/plans.md): saving, title, tags, follow-ups. */
#include "handlers/chat_loop.h"
#include "handlers/chat_steps.h"
#include "handlers/chat_tools.h"
#include "handlers/presence.h"
#include "handlers/root.h"
#include "handlers/routes.h"
#include "handlers/user_webhooks.h"
#include "lib/base/clock.h"
#include "lib/chat/blocks.h"
#include "lib/chat/ollama_convert.h"
#include "lib/llm/messages.h"

/* ---- finish: the answer is there, or what there will ever be of it */

static void add_done(struct step *s, struct str content, struct str title)
{
    json_object *data = json_new_object(s->after.mem);

    json_set_bool(data, "done", true);
    json_set_str(data, "content", content);
    json_set_str(data, "title", title);
    after_event(&s->after, "chat:completion", data);
}

enum db_status step_save_error(struct step *s, json_object *body, bool was_streamed)
{
    struct request *r = s->r;
    json_object *changes = json_new_object(r->mem), *error = json_set_object(changes, "error"),
                *data = json_new_object(r->mem);
    struct str content = json_str(s->outcome, "content");
    bool by_provider = !was_streamed && body && !json_flag(s->state, "is_ollama", false);

    json_set(error, "content", outcome_error(r->mem, s->outcome, body, json_flag(s->state, "is_ollama", false)));
    json_set(data, "error", error);
    json_set_str(changes, "model", s->after.model);
    if (!content.n && json_get(s->state, "blocks")) /* of the calls of the model before this one */
        content = blocks_text(r->mem, json_get(s->state, "blocks"), false);
    if (content.n)
        json_set_str(changes, "content", content);
    if (after_save(&s->after, changes, NULL) == DB_ERROR)
        return DB_ERROR;
    after_event(&s->after, "chat:message:error", data);
    if (!by_provider) /* an exception of the Python backend; an error that the provider words ends with the error alone */
        after_event(&s->after, "chat:tasks:cancel", NULL);
    return DB_ROW;
}

/* A small job as a call of the plan; NULL: it is switched off, or cannot be done. */
static json_object *job(struct request *r, struct step *s, enum task_kind kind, const char *then, json_object *messages)
{
    static const char *const of_jobs[] = { "user_id", "chat_id",  "message_id", "session_id",
                                           "model",   "is_local", "token",      "direct" };
    json_object *plan = json_new_object(r->mem), *form = json_new_object(r->mem), *state = json_new_object(r->mem);

    if (!task_is_enabled(r->config, kind))
        return NULL;
    for (size_t i = 0; i < sizeof(of_jobs) / sizeof(of_jobs[0]); i++)
        if (json_has(s->state, of_jobs[i]))
            json_set(state, of_jobs[i], json_get(s->state, of_jobs[i]));
    json_set(form, "messages", messages);
    json_set_str(form, "chat_id", s->after.chat_id);
    return step_job(s, kind, form, then, state, plan) == OK ? plan : NULL;
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
    enum db_status st;

    if (!json_is(wanted, json_type_object) || json_object_object_length(wanted) == 0)
        return DB_DONE;
    st = after_messages(&s->after, &messages);
    if (st != DB_ROW)
        return st;
    calls = json_get(s->plan, "calls") ? json_get(s->plan, "calls") : json_set_array(s->plan, "calls");
    for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++) {
        if (json_truthy(json_get(wanted, jobs[i].wanted))) {
            plan = job(r, s, jobs[i].kind, jobs[i].then, messages);
            if (plan)
                json_push(calls, plan);
        } else if (jobs[i].kind == TASK_TITLE && json_has(wanted, "title_generation") && json_length(messages) == 2) {
            if (after_set_title(&s->after, message_text(json_at(messages, 0))) == DB_ERROR)
                return DB_ERROR;
        }
    }
    return DB_ROW;
}

/* Who has no tab open is told at the address that he has given. */
static void notify(struct request *r, struct step *s, struct str content, struct str title)
{
    struct webhook_event e = { .action = "chat",
                               .name = config_str(r->config, CFG_WEBUI_NAME),
                               .version = ROOT_VERSION,
                               .data = json_new_object(r->mem) };
    json_object *calls = json_get(s->plan, "calls");
    struct str link, url;

    if (!config_bool(r->config, CFG_ENABLE_USER_WEBHOOKS) || !str_has(s->user.settings, "webhook_url"))
        return;
    url = json_str(json_path(json_parse_or_null(r->mem, s->user.settings), "ui.notifications"), "webhook_url");
    if (!url.n || presence_is_active(r->mem, r->config, s->user.id))
        return;
    link = str_f(r->mem, "%.*s/c/%.*s", STR(config_str(r->config, CFG_WEBUI_URL)), STR(s->after.chat_id));
    e.message = str_f(r->mem, "%.*s - %.*s\n\n%.*s", STR(title), STR(link), STR(content));
    json_set_c(e.data, "action", e.action);
    json_set_str(e.data, "message", content);
    json_set_str(e.data, "title", title);
    json_set_str(e.data, "url", link);
    if (!calls)
        calls = json_set_array(s->plan, "calls");
    json_push(calls, user_webhook_call(r->mem, r->config, url, &e));
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
    if (!step_stopped(s)) {
        add_done(s, content, title);
        notify(r, s, content, title);
    }
    return DB_ROW;
}

/* The answer is complete: saved, shown as done, and the small jobs follow. */
static enum db_status conclude(struct request *r, struct step *s, struct str content)
{
    enum db_status st = save_answer(r, s, content);

    if (st == DB_ERROR || step_stopped(s))
        return st;
    st = add_jobs(r, s);
    chat_mcp_close(s);
    return st;
}

/* An answer that came whole: as one that was streamed, if it asks for more. */
static bool whole_goes_on(struct step *s, json_object *body)
{
    json_object *message = json_get(json_at(json_get(body, "choices"), 0), "message"), *blocks;

    if (!json_length(json_get(message, "tool_calls")))
        return false;
    blocks = json_get(s->state, "blocks") ? json_clone(s->r->mem, json_get(s->state, "blocks"))
                                          : json_new_array(s->r->mem);
    if (message_text(message).n) {
        json_object *text = json_new_object(s->r->mem);

        json_set_c(text, "type", "text");
        json_set_str(text, "content", message_text(message));
        json_push(blocks, text);
    }
    return loop_goes_on(s, blocks, json_get(message, "tool_calls"));
}

static enum db_status finish_whole(struct request *r, struct step *s, json_object *body)
{
    struct str text = outcome_text(body);

    if (whole_goes_on(s, body))
        return DB_ROW;
    if (!text.n)
        return step_save_error(s, body, false);
    if (json_str(s->state, "selected_model_id").n)
        json_set(body, "selected_model_id", json_get(s->state, "selected_model_id"));
    after_event(&s->after, "chat:completion", body);
    return conclude(r, s, text);
}

static int finish(struct request *r, struct response *out)
{
    json_object *body = NULL;
    enum db_status st = DB_ROW;
    struct step s;
    bool streamed;
    int status;

    if (!step_open(r, out, &s, &status))
        return status;
    streamed = json_flag(s.outcome, "streamed", false);
    if (!streamed)
        body = step_answer(&s);
    if (step_failed(&s) || (!streamed && json_has(body, "error"))) {
        st = step_save_error(&s, body, streamed);
    } else if (step_stopped(&s)) {
        if (streamed)
            st = save_answer(r, &s, json_str(s.outcome, "content"));
        else if (json_get(s.state, "blocks"))
            st = save_answer(r, &s, blocks_text(r->mem, json_get(s.state, "blocks"), false));
    } else if (streamed) {
        if (!loop_goes_on(&s, json_get(s.outcome, "blocks"), json_get(s.outcome, "tool_calls")))
            st = conclude(r, &s, json_str(s.outcome, "content"));
    } else {
        st = finish_whole(r, &s, body);
    }
    return step_reply(out, &s, st);
}

/* ---- what the loop of tools and code waits for */

static int step_loop(struct request *r, struct response *out)
{
    enum db_status st = DB_ROW;
    struct step s;
    int status;

    if (!step_open(r, out, &s, &status))
        return status;
    if (step_is_lost(&s))
        st = step_save_error(&s, NULL, true);
    else if (step_stopped(&s))
        st = save_answer(r, &s, blocks_text(r->mem, json_get(s.state, "blocks"), false));
    else if (!loop_answered(&s))
        st = conclude(r, &s, blocks_text(r->mem, json_get(s.state, "blocks"), false));
    return step_reply(out, &s, st);
}

/* ---- answers of the small jobs */

static int job_step(struct request *r, struct response *out, enum db_status (*use)(struct after *a, struct str text))
{
    struct step s;
    int status;

    if (!step_open(r, out, &s, &status))
        return status;
    return step_reply(out, &s, step_failed(&s) ? DB_ROW : use(&s.after, outcome_text(step_answer(&s))));
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

static int step_to_client(struct request *r, struct response *out)
{
    json_object *state = form_json(r, "state"), *outcome = form_json(r, "outcome"), *body;
    int upstream = (int)json_int(outcome, "upstream_status", 0);

    if (upstream == 0 && !json_has(outcome, "answer"))
        return fail_json(out, 502, json_get(outcome, "error"));
    body = json_has(outcome, "answer") ? json_get(outcome, "answer")
                                       : json_parse_or_null(r->mem, json_str(outcome, "body"));
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
    if (json_length(json_get(state, "sources")))
        json_set(body, "sources", json_get(state, "sources"));
    return reply_json(out, body);
}

const struct route steps_routes[] = { STEP_ROUTE("finish", finish, "An answer has ended: saves it, or goes on"),
                                      STEP_ROUTE("loop", step_loop, "A tool or code has answered"),
                                      STEP_ROUTE("follow_ups", step_follow_ups, "Follow-up questions are there"),
                                      STEP_ROUTE("title", step_title, "A title is there"),
                                      STEP_ROUTE("tags", step_tags, "Tags are there"),
                                      STEP_ROUTE("answer", step_to_client, "An answer for the HTTP client"),
                                      END };
