/* chat_after.c: after an answer: it is reported, a button below it is pressed; generations that run, and stopping them. */
#include "handlers/chat_filters.h"
#include "handlers/routes.h"
#include "lib/llm/filters.h"
#include "lib/net/control.h"
#include "lib/store/functions.h"

/* ---- after an answer: it goes through the filters of pipelines, if there are any, and comes back */

static int chat_completed(struct request *r, struct response *out)
{
    static const char *const needed[] = { "chat_id", "id", "session_id" };
    const struct models *list;
    struct error err = { "" };
    bool is_direct = json_flag(form_json(r, "model_item"), "direct", false);
    enum status st;

    json_del(r->form, "model_item");
    if (!form_has(r, "model"))
        return fail(out, 400, "'model'");
    st = models_all(r->mem, r->db, r->config, r->user, false, &list, &err);
    if (st != OK)
        return fail_status(out, st, &err);
    if (!is_direct && !model_by_id(list, form_str(r, "model")))
        return fail(out, 400, "Model not found");
    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
        if (!form_has(r, needed[i]))
            return fail(out, 400, "'%s'", needed[i]);
    return is_direct ? reply_json(out, r->form)
                     : outlet_reply(r, out, r->form, filters_of(r->mem, list, form_str(r, "model"), FILTER_OUTLET));
}

/* An action is a function in Python, which never runs in our processes. */
static int chat_action(struct request *r, struct response *out)
{
    struct str id = path_arg(r, "action_id");
    struct function *v = NULL;
    size_t n = 0;

    id = str_sub(id, 0, str_find_c(id, '.'));
    if (function_list(r->db, r->mem, &v, &n) == DB_ERROR)
        return fail_db(out, r->db);
    for (size_t i = 0; i < n; i++)
        if (str_eq(v[i].id, id))
            return fail(out, 501, "The action %.*s is Python code, which this server does not run", STR(id));
    return fail(out, 400, "Action not found: %.*s", STR(id));
}

/* ---- running tasks */

static int list_tasks(struct request *r, struct response *out)
{
    json_object *o = json_new_object(r->mem), *ids = json_set_array(o, "tasks"), *running = NULL;

    /* Administrators see all, everybody else his own. Without a sidecar nothing runs. */
    if (control_tasks(r->mem, config_run_dir(r->config), STR_NONE, r->user->is_admin ? STR_NONE : r->user->id,
                      &running) == OK)
        JSON_EACH (json_get(running, "tasks"), i, task)
            json_push(ids, json_get(task, "task_id"));
    return reply_json(out, o);
}

static int list_chat_tasks(struct request *r, struct response *out)
{
    json_object *o = json_new_object(r->mem), *ids = json_set_array(o, "task_ids"), *running = NULL;

    if (control_tasks(r->mem, config_run_dir(r->config), path_arg(r, "chat_id"), r->user->id, &running) == OK)
        JSON_EACH (json_get(running, "tasks"), i, task)
            json_push(ids, json_get(task, "task_id"));
    return reply_json(out, o);
}

static int stop_task(struct request *r, struct response *out)
{
    json_object *o = json_new_object(r->mem), *answer = NULL;
    struct str id = path_arg(r, "task_id");
    bool stopped = control_stop(r->mem, config_run_dir(r->config), id, r->user->is_admin ? STR_NONE : r->user->id,
                                &answer) == OK &&
                   json_flag(answer, "status", false);

    json_set_bool(o, "status", stopped);
    if (stopped)
        json_set_str(o, "message", str_f(r->mem, "Task %.*s successfully stopped.", STR(id)));
    else
        json_set_str(o, "message", str_f(r->mem, "Task with ID %.*s not found.", STR(id)));
    return reply_json(out, o);
}

const struct route chat_after_routes[] = {
    { POST, "/api/chat/completed", VERIFIED, chat_completed, .body = BODY_JSON_ANY, .keep_unknown = true,
      .server = SIDECAR, .about = "An answer has been shown" },
    { POST, "/api/chat/actions/{action_id}", VERIFIED, chat_action, .body = BODY_JSON_ANY, .keep_unknown = true,
      .about = "A button below an answer" },
    { GET, "/api/tasks", VERIFIED, list_tasks, .about = "Ids of running tasks" },
    { GET, "/api/tasks/chat/{chat_id}", VERIFIED, list_chat_tasks, .about = "Ids of running tasks of a chat" },
    { POST, "/api/tasks/stop/{task_id}", VERIFIED, stop_task, .about = "Stops a task" },
    END
};
