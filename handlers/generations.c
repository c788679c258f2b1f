/* generations.c: chat completions: who asks which model, and whether he may; what follows is the sidecar's (docs/plans.md). Running tasks. */
#include "handlers/chat_plan.h"
#include "handlers/chat_reply.h"
#include "handlers/routes.h"
#include "lib/chat/after.h"
#include "lib/llm/messages.h"
#include "lib/llm/params.h"
#include "lib/llm/prompt.h"
#include "lib/net/control.h"
#include "lib/store/folders.h"
#include "lib/store/functions.h"

/* What a request asks for that this server cannot do yet; NULL: nothing. */
static const char *not_yet(json_object *form)
{
    static const struct {
        const char *member, *text;
    } features[] = {
        { "web_search", "Web search is not available yet" },
        { "image_generation", "Pictures are not available yet" },
        { "code_interpreter", "The code interpreter is not available yet" },
        { "memory", "Memories are not available yet" },
    };

    for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++)
        if (json_truthy(json_get(json_get(form, "features"), features[i].member)))
            return features[i].text;
    if (json_flag(json_get(form, "model_item"), "direct", false))
        return "Direct connections are not available yet";
    if (json_truthy(json_get(form, "tool_ids")) || json_truthy(json_get(form, "tool_servers")))
        return "Tools are not available yet";
    if (json_truthy(json_get(form, "files")))
        return "Files in a chat are not available yet";
    return NULL;
}

struct generation {
    struct str chat_id, message_id, session_id;
    bool is_local;
    json_object *tasks, *variables;
    struct chat chat; /* its row, when there is one */
    bool has_chat;
};

/* The parts of the request that are not the model's business are taken out of it; what is kept of them is copied, since they end there. */
static void read_request(struct request *r, struct generation *g)
{
    static const char *const ours[] = { "model_item", "background_tasks", "chat_id",   "id",       "session_id",
                                        "filter_ids", "tool_servers",     "variables", "features", "tool_ids",
                                        "files",      "params",           "metadata" };

    g->chat_id = str_copy(r->mem, form_str(r, "chat_id")); /* what the form holds ends with json_del() */
    g->message_id = str_copy(r->mem, form_str(r, "id"));
    g->session_id = str_copy(r->mem, form_str(r, "session_id"));
    g->is_local = str_is(g->chat_id, "local") || str_starts(g->chat_id, "local:");
    g->tasks = json_clone(r->mem, form_json(r, "background_tasks"));
    g->variables = json_clone(r->mem, form_json(r, "variables"));
    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
        json_del(r->form, ours[i]);
}

/* The transcript's options, from the chat's parameters, over which the model's go. */
static json_object *transcript_options(struct request *r, json_object *chat_params, json_object *model_params)
{
    json_object *options = json_new_object(r->mem), *tags = json_get(chat_params, "reasoning_tags");
    int64_t size = json_int(model_params, "stream_delta_chunk_size", 0),
            least = config_int(r->config, CFG_CHAT_RESPONSE_STREAM_DELTA_CHUNK_SIZE);

    if (size <= 0)
        size = json_int(chat_params, "stream_delta_chunk_size", 1);
    json_set_int(options, "delta_chunk_size", size > least ? size : least);
    if (json_get(model_params, "reasoning_tags"))
        tags = json_get(model_params, "reasoning_tags");
    if (json_is(tags, json_type_boolean) && !json_object_get_boolean(tags))
        json_set_bool(options, "reasoning_tags", false);
    else if (json_length(tags) == 2)
        json_push(json_set_array(options, "reasoning_tags"), tags);
    return options;
}

/* The system prompts of the request and of the chat's folder. DB_DONE: the folder has files, which is more than we can. */
static enum db_status system_prompts(struct request *r, struct generation *g)
{
    json_object *messages = form_json(r, "messages"), *system = messages_system(messages), *data;
    struct folder f;
    enum db_status st;

    if (system)
        messages_set_text(r->mem, system, prompt_fill(r->mem, message_text(system), r->user, g->variables));
    if (!g->has_chat || !g->chat.folder_id.n)
        return DB_ROW;
    st = folder_by_id(r->db, r->mem, g->chat.folder_id, r->user->id, &f);
    if (st != DB_ROW)
        return st == DB_ERROR ? st : DB_ROW;
    data = json_parse_or_null(r->mem, f.data);
    if (json_length(json_get(data, "files")))
        return DB_DONE;
    if (json_str(data, "system_prompt").n)
        messages_add_system(r->mem, messages,
                            prompt_fill(r->mem, json_str(data, "system_prompt"), r->user, g->variables));
    return DB_ROW;
}

static int reply_generation(struct request *r, struct response *out, const struct generation *g,
                            const struct chat_call *call, struct str model_id, json_object *options)
{
    json_object *plan = json_new_object(r->mem), *reply = json_set_object(plan, "reply"), *body, *state;

    json_set_str(plan, "task_id", r->task_id);
    json_set_str(plan, "user_id", r->user->id);
    json_set_str(plan, "chat_id", g->chat_id);
    json_set_str(plan, "message_id", g->message_id);
    json_set_str(plan, "session_id", g->session_id);
    json_set_str(plan, "model", model_id);
    json_set_int(reply, "status", 200);
    body = json_set_object(reply, "body");
    json_set_bool(body, "status", true);
    json_set_str(body, "task_id", r->task_id);
    json_set(plan, "upstream", call->upstream);
    json_set_c(plan, "deliver", "socket");
    json_set(plan, "options", options);
    json_set_c(plan, "then", "finish");
    state = json_set_object(plan, "state");
    json_set_str(state, "user_id", r->user->id);
    json_set_str(state, "chat_id", g->chat_id);
    json_set_str(state, "message_id", g->message_id);
    json_set_str(state, "model", model_id);
    json_set_bool(state, "is_local", g->is_local);
    json_set_bool(state, "is_ollama", call->is_ollama);
    json_set_str(state, "selected_model_id", call->selected_model_id);
    json_set(state, "tasks", g->tasks);
    return reply_plan(out, plan);
}

/* A model that nobody has: in a chat the tab is told, and the message keeps it. */
static int reply_no_provider(struct request *r, struct response *out, const struct generation *g, bool in_chat)
{
    json_object *plan, *changes, *error;
    struct after a = { .mem = r->mem,
                       .db = r->db,
                       .config = r->config,
                       .user = r->user,
                       .chat_id = g->chat_id,
                       .message_id = g->message_id,
                       .is_local = g->is_local,
                       .events = json_new_array(r->mem) };

    if (!in_chat)
        return reply_null(out); /* as the Python backend answers */
    changes = json_new_object(r->mem);
    error = json_set_object(changes, "error");
    json_set_c(error, "content", "404: Model not found");
    if (after_save(&a, changes, NULL) == DB_ERROR)
        return fail_db(out, r->db);
    after_event(&a, "chat:message:error", changes);
    after_event(&a, "chat:tasks:cancel", NULL);
    plan = json_new_object(r->mem);
    json_set_str(plan, "user_id", r->user->id);
    json_set_str(plan, "chat_id", g->chat_id);
    json_set_str(plan, "message_id", g->message_id);
    json_set(plan, "events", a.events);
    json_set_int(json_set_object(plan, "reply"), "status", 200);
    json_set_bool(json_set_object(json_get(plan, "reply"), "body"), "status", true);
    json_set_str(json_path(plan, "reply.body"), "task_id", r->task_id);
    return reply_plan(out, plan);
}

static int chat_completion(struct request *r, struct response *out)
{
    struct generation g = { .chat_id = STR_NONE };
    struct chat_call call = { .user = r->user, .token = r->token };
    const char *missing = not_yet(r->form);
    json_object *chat_params, *options;
    const struct models *list;
    const struct model *m;
    struct error err = { "" };
    enum db_status found;
    bool in_chat;
    enum status st = models_all(r->mem, r->db, r->config, r->user, false, &list, &err);

    if (st != OK)
        return fail_status(out, st, &err);
    m = model_by_id(list, form_str(r, "model"));
    if (!m || !model_access(r->mem, r->db, r->config, r->user, m))
        return fail(out, 400, missing && !m ? missing : "Model not found");
    if (missing)
        return fail(out, 501, "%s", missing);
    chat_params = params_plain(r->mem, form_json(r, "params"));
    options = transcript_options(r, form_json(r, "params"), json_get(m->info, "params"));
    read_request(r, &g);
    if (g.chat_id.n && !g.is_local) {
        found = chat_row_of_user(r->db, r->mem, g.chat_id, r->user->id, &g.chat);
        if (found == DB_ERROR)
            return fail_db(out, r->db);
        if (found == DB_DONE && !r->user->is_admin)
            return fail(out, 400, "404: " WENT_WRONG);
        g.has_chat = found == DB_ROW;
    }
    params_of_chat(r->mem, r->form, chat_params, str_is(m->owned_by, "ollama"));
    found = system_prompts(r, &g);
    if (found != DB_ROW)
        return found == DB_ERROR ? fail_db(out, r->db) : fail(out, 501, "Files in a folder are not available yet");
    call.form = r->form;
    call.chat_id = g.chat_id;
    call.variables = g.variables;
    in_chat = g.session_id.n && g.chat_id.n && g.message_id.n && r->task_id.n;
    if (upstream_for_chat(r->mem, r->config, list, m, &call) != OK)
        return reply_no_provider(r, out, &g, in_chat);
    return in_chat ? reply_generation(r, out, &g, &call, m->id, options) : reply_chat_call(out, &call);
}

/* ---- after an answer: filters of plugins would run here; there are none, and the request comes back as it is */

static int chat_completed(struct request *r, struct response *out)
{
    static const char *const needed[] = { "chat_id", "id", "session_id" };
    const struct models *list;
    struct error err = { "" };
    enum status st;

    json_del(r->form, "model_item");
    if (!form_has(r, "model"))
        return fail(out, 400, "'model'");
    st = models_all(r->mem, r->db, r->config, r->user, false, &list, &err);
    if (st != OK)
        return fail_status(out, st, &err);
    if (!model_by_id(list, form_str(r, "model")))
        return fail(out, 400, "Model not found");
    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
        if (!form_has(r, needed[i]))
            return fail(out, 400, "'%s'", needed[i]);
    return reply_json(out, r->form);
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

#define COMPLETION(path_)                                                                                       \
    {                                                                                                           \
        POST, path_, VERIFIED, chat_completion, .body = BODY_JSON_ANY, .keep_unknown = true, .server = SIDECAR, \
                                                .about = "An answer of a model"                                 \
    }

const struct route generations_routes[] = {
    COMPLETION("/api/chat/completions"),
    COMPLETION("/api/v1/chat/completions"),
    { POST, "/api/chat/completed", VERIFIED, chat_completed, .body = BODY_JSON_ANY, .keep_unknown = true,
      .about = "An answer has been shown" },
    { POST, "/api/chat/actions/{action_id}", VERIFIED, chat_action, .body = BODY_JSON_ANY, .keep_unknown = true,
      .about = "A button below an answer" },
    { GET, "/api/tasks", VERIFIED, list_tasks, .about = "Ids of running tasks" },
    { GET, "/api/tasks/chat/{chat_id}", VERIFIED, list_chat_tasks, .about = "Ids of running tasks of a chat" },
    { POST, "/api/tasks/stop/{task_id}", VERIFIED, stop_task, .about = "Stops a task" },
    END
};
