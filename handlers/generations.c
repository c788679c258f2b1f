/* generations.c: chat completions: who asks which model, and whether he may; what follows is the sidecar's (docs/plans.md). */
#include "handlers/chat_code.h"
#include "handlers/chat_filters.h"
#include "handlers/chat_files.h"
#include "handlers/chat_images.h"
#include "handlers/chat_pictures.h"
#include "handlers/chat_plan.h"
#include "handlers/chat_reply.h"
#include "handlers/chat_search.h"
#include "handlers/chat_steps.h"
#include "handlers/chat_tools.h"
#include "handlers/routes.h"
#include "lib/chat/document.h"
#include "lib/llm/filters.h"
#include "lib/llm/messages.h"
#include "lib/llm/params.h"
#include "lib/llm/prompt.h"
#include "lib/store/folders.h"

struct generation {
    struct str chat_id, message_id, session_id;
    bool is_local, in_chat, is_native, with_code, with_memory, with_search, with_image;
    json_object *tasks, *variables, *tool_ids, *tool_servers;
    json_object *items, *granted; /* what is attached to the chat and its folder; the knowledge of the model */
    json_object *filters;
    json_object *todo; /* what is to be prepared before the model is asked */
    json_object *options;
    const struct models *list;
    const struct model *model;
    struct str model_id;
    json_object *direct; /* the model, if only the browser can ask it */
    struct chat chat;    /* its row, when there is one */
    bool has_chat;
};

/* The parts of the request that are not the model's business are taken out of it; what is kept of them is copied, since they end there. */
static void read_request(struct request *r, struct generation *g)
{
    static const char *const ours[] = { "model_item", "background_tasks", "chat_id",   "id",       "session_id",
                                        "filter_ids", "tool_servers",     "variables", "features", "tool_ids",
                                        "files",      "params",           "metadata" };
    json_object *features = form_json(r, "features");

    g->chat_id = str_copy(r->mem, form_str(r, "chat_id")); /* what the form holds ends with json_del() */
    g->message_id = str_copy(r->mem, form_str(r, "id"));
    g->session_id = str_copy(r->mem, form_str(r, "session_id"));
    g->is_local = str_is(g->chat_id, "local") || str_starts(g->chat_id, "local:");
    g->in_chat = g->session_id.n && g->chat_id.n && g->message_id.n && r->task_id.n;
    g->tasks = json_clone(r->mem, form_json(r, "background_tasks"));
    g->variables = json_clone(r->mem, form_json(r, "variables"));
    g->tool_ids = json_clone(r->mem, form_json(r, "tool_ids"));
    g->tool_servers = json_clone(r->mem, form_json(r, "tool_servers"));
    g->items = json_is(form_json(r, "files"), json_type_array) ? json_clone(r->mem, form_json(r, "files"))
                                                               : json_new_array(r->mem);
    g->with_code = json_truthy(json_get(features, "code_interpreter"));
    g->with_memory = json_truthy(json_get(features, "memory"));
    g->with_image = json_truthy(json_get(features, "image_generation"));
    g->with_search = json_truthy(json_get(features, "web_search"));
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

/* The system prompts of the request and of the chat's folder, and the folder's files. */
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
    for (size_t i = json_length(json_get(data, "files")); i > 0; i--)
        json_push_front(g->items, json_at(json_get(data, "files"), i - 1));
    if (json_str(data, "system_prompt").n)
        messages_add_system(r->mem, messages,
                            prompt_fill(r->mem, json_str(data, "system_prompt"), r->user, g->variables));
    return DB_ROW;
}

/* An answer that is to be continued begins with what it has: the message as it is saved, or (temporary chats) as it was sent. */
static enum db_status begun_text(struct request *r, struct generation *g)
{
    json_object *messages = form_json(r, "messages"), *last = json_at(messages, json_length(messages) - 1);
    struct str text = STR_NONE;
    struct chat c;
    enum db_status st;

    if (!g->in_chat || json_length(messages) == 0 || !str_is(json_str(last, "role"), "assistant"))
        return DB_ROW;
    text = message_text(last);
    if (!g->is_local) {
        st = r->user->is_admin ? chat_by_id(r->db, r->mem, g->chat_id, &c)
                               : chat_of_user(r->db, r->mem, g->chat_id, r->user->id, &c);
        if (st == DB_ERROR)
            return st;
        if (st == DB_ROW)
            text = json_str(document_message(r->mem, c.document, g->message_id), "content");
    }
    if (text.n)
        json_set_str(g->options, "content", text);
    return DB_ROW;
}

/* The model that was asked for, if the user may ask it. Otherwise the answer is made: its status. */
static int find_model(struct request *r, struct response *out, struct generation *g)
{
    json_object *item = form_json(r, "model_item");
    struct error err = { "" };
    enum status st;

    g->model_id = str_copy(r->mem, form_str(r, "model"));
    if (json_flag(item, "direct", false)) {
        struct model *m = arena_new_one(r->mem, struct model);

        if (!config_bool(r->config, CFG_ENABLE_DIRECT_CONNECTIONS))
            return fail(out, 403, "Direct connections are disabled");
        if (!form_str(r, "session_id").n || !g->model_id.n)
            return fail(out, 400, "A direct connection needs a session and a model");
        g->direct = json_clone(r->mem, item);
        *m = (struct model){ .id = g->model_id, .owned_by = S("openai"), .json = g->direct };
        g->model = m;
        return 0;
    }
    st = models_all(r->mem, r->db, r->config, r->user, false, &g->list, &err);
    if (st != OK)
        return fail_status(out, st, &err);
    g->model = model_by_id(g->list, g->model_id);
    if (!g->model || !model_access(r->mem, r->db, r->config, r->user, g->model))
        return fail(out, 400, "Model not found");
    return 0;
}

/* ---- the plan */

static void set_names(struct request *r, const struct generation *g, json_object *plan)
{
    json_object *reply, *body;

    json_set_str(plan, "user_id", r->user->id);
    json_set_str(plan, "session_id", g->session_id);
    if (!g->in_chat)
        return;
    json_set_str(plan, "task_id", r->task_id);
    json_set_str(plan, "chat_id", g->chat_id);
    json_set_str(plan, "message_id", g->message_id);
    json_set_str(plan, "model", g->model_id);
    reply = json_set_object(plan, "reply");
    json_set_int(reply, "status", 200);
    body = json_set_object(reply, "body");
    json_set_bool(body, "status", true);
    json_set_str(body, "task_id", r->task_id);
}

/* The caller's token goes with the generation only where a connection of the settings hands it on. */
static bool token_is_used(struct config *c)
{
    static const enum setting_id ids[] = { CFG_TOOL_SERVER_CONNECTIONS, CFG_OPENAI_API_CONFIGS };

    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        json_object *v = config_json(c, ids[i]);

        JSON_EACH (v, k, one)
            if (str_is(json_str(one, "auth_type"), "session"))
                return true;
        if (json_is(v, json_type_object)) {
            json_object_object_foreach(v, key, one)
            {
                (void)key;
                if (str_is(json_str(one, "auth_type"), "session"))
                    return true;
            }
        }
    }
    return false;
}

static json_object *new_state(struct request *r, const struct generation *g)
{
    json_object *state = json_new_object(r->mem);

    json_set_str(state, "user_id", r->user->id);
    json_set_str(state, "chat_id", g->chat_id);
    json_set_str(state, "message_id", g->message_id);
    json_set_str(state, "session_id", g->session_id);
    json_set_str(state, "model", g->model_id);
    json_set_bool(state, "is_local", g->is_local);
    json_set_bool(state, "in_chat", g->in_chat);
    json_set(state, "tasks", g->tasks);
    if (token_is_used(r->config))
        json_set_str(state, "token", r->token);
    return state;
}

/* The usual one: the provider is called at once, and never again. */
static int reply_generation(struct request *r, struct response *out, const struct generation *g,
                            const struct chat_call *call)
{
    json_object *plan = json_new_object(r->mem), *state = new_state(r, g), *event;

    set_names(r, g, plan);
    json_set_bool(state, "is_ollama", call->is_ollama);
    if (call->selected_model_id.n) {
        json_set_str(state, "selected_model_id", call->selected_model_id);
        event = json_new_object(r->mem);
        json_set_c(event, "type", "chat:completion");
        json_set(event, "data", chat_selected(r->mem, call->selected_model_id));
        json_push(json_set_array(plan, "events"), event);
    }
    json_set(plan, "upstream", call->upstream);
    json_set_c(plan, "deliver", "socket");
    json_set(plan, "options", g->options);
    json_set_c(plan, "then", "finish");
    json_set(plan, "state", state);
    return reply_plan(out, plan);
}

/* Something has to be done first, or the model may have to be asked again. */
static int reply_steps(struct request *r, struct response *out, const struct generation *g)
{
    struct step s = { .r = r, .user = *r->user, .state = new_state(r, g), .plan = json_new_object(r->mem) };
    struct error err = { "" };

    json_set(s.state, "form", r->form);
    json_set(s.state, "variables", g->variables);
    json_set(s.state, "options", g->options);
    if (g->direct)
        json_set(s.state, "direct", g->direct);
    s.after = (struct after){ .mem = r->mem,
                              .db = r->db,
                              .config = r->config,
                              .user = &s.user,
                              .chat_id = g->chat_id,
                              .message_id = g->message_id,
                              .model = g->model_id,
                              .is_local = g->is_local,
                              .events = json_set_array(s.plan, "events") };
    set_names(r, g, s.plan);
    if (json_length(g->todo) == 0)
        return step_call_model(&s, NULL, &err) == OK ? reply_plan(out, s.plan) : reply_null(out);
    json_set(s.state, "todo", g->todo);
    json_set(s.state, "items", g->items);
    json_set(s.state, "granted", g->granted);
    if (json_length(g->granted))
        json_set_str(s.state, "granted_by", g->model->user_id);
    json_set_bool(s.state, "native", g->is_native);
    if (json_length(g->filters))
        json_set(s.state, "filters", g->filters);
    if (json_length(g->tool_ids)) {
        json_set(s.state, "tool_ids", g->tool_ids);
        if (request_cookie(r, "oauth_session_id").n)
            json_set_str(s.state, "oauth_session", request_cookie(r, "oauth_session_id"));
    }
    if (json_length(g->tool_servers))
        json_set(s.state, "tool_servers", g->tool_servers);
    json_set_c(s.plan, "prepare", "prepare");
    if (g->in_chat)
        json_set_c(s.plan, "then", "finish");
    json_set(s.plan, "state", s.state);
    return reply_plan(out, s.plan);
}

/* A model that nobody has: in a chat the tab is told, and the message keeps it. */
static int reply_no_provider(struct request *r, struct response *out, const struct generation *g)
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

    if (!g->in_chat)
        return reply_null(out); /* as the Python backend answers */
    changes = json_new_object(r->mem);
    error = json_set_object(changes, "error");
    json_set_c(error, "content", "404: Model not found");
    if (after_save(&a, changes, NULL) == DB_ERROR)
        return fail_db(out, r->db);
    after_event(&a, "chat:message:error", changes);
    after_event(&a, "chat:tasks:cancel", NULL);
    plan = json_new_object(r->mem);
    set_names(r, g, plan);
    json_del(plan, "task_id");
    json_set(plan, "events", a.events);
    return reply_plan(out, plan);
}

/* What is asked for beside the model's answer, and whether the user may. 0: fine; otherwise the answer is made. */
static int read_wishes(struct request *r, struct response *out, struct generation *g)
{
    json_object *chat_params = form_json(r, "params"), *model_params = json_get(g->model->info, "params");
    int status;

    g->is_native = str_is(json_str(chat_params, "function_calling"), "native") ||
                   str_is(json_str(model_params, "function_calling"), "native");
    g->options = transcript_options(r, chat_params, model_params);
    read_request(r, g);
    status = chat_tools_check(r, out, g->tool_ids);
    if (status)
        return status;
    if (g->with_code) {
        status = code_check(r, out);
        if (status)
            return status;
        json_set_bool(g->options, "code_interpreter", true);
    }
    status = g->with_search ? search_check(r, out) : 0;
    return status || !g->with_image ? status : images_check(r, out);
}

/* What is to be done before the model is asked, in its order. */
static void plan_stages(struct request *r, struct generation *g)
{
    json_object *knowledge = json_path(g->direct ? g->direct : g->model->info, g->direct ? "info.meta" : "meta");

    g->todo = json_new_array(r->mem);
    g->granted = files_of_model(r->mem, json_get(knowledge, "knowledge"));
    if (g->direct) { /* what the browser says of its model gives no rights */
        JSON_EACH (g->granted, i, item)
            json_push(g->items, item);
        g->granted = json_new_array(r->mem);
    } else {
        g->filters = filters_of(r->mem, g->list, g->model_id, FILTER_INLET);
    }
    if (json_length(g->filters))
        json_push_str(g->todo, S("inlet"));
    if (g->with_memory)
        json_push_str(g->todo, S("memory"));
    if (g->with_search)
        json_push_str(g->todo, S("web_search"));
    if (g->with_image)
        json_push_str(g->todo, S("image"));
    if (g->with_code)
        json_push_str(g->todo, S("code"));
    if (json_length(g->tool_ids) || json_length(g->tool_servers))
        json_push_str(g->todo, S("tools"));
    if (json_length(g->items) || json_length(g->granted) || g->with_search)
        json_push_str(g->todo, S("files"));
}

static int chat_completion(struct request *r, struct response *out)
{
    struct generation g = { .chat_id = STR_NONE };
    struct chat_call call = { .user = r->user, .token = r->token };
    json_object *chat_params;
    enum db_status found;
    int status = find_model(r, out, &g);

    if (status)
        return status;
    chat_params = params_plain(r->mem, form_json(r, "params"));
    status = read_wishes(r, out, &g);
    if (status)
        return status;
    if (g.chat_id.n && !g.is_local) {
        found = chat_row_of_user(r->db, r->mem, g.chat_id, r->user->id, &g.chat);
        if (found == DB_ERROR)
            return fail_db(out, r->db);
        if (found == DB_DONE && !r->user->is_admin)
            return fail(out, 400, "404: " WENT_WRONG);
        g.has_chat = found == DB_ROW;
    }
    if (!json_is(form_json(r, "messages"), json_type_array))
        json_set_array(r->form, "messages");
    params_of_chat(r->mem, r->form, chat_params, str_is(g.model->owned_by, "ollama"));
    if (system_prompts(r, &g) == DB_ERROR || begun_text(r, &g) == DB_ERROR ||
        pictures_inline(r, form_json(r, "messages")) == DB_ERROR)
        return fail_db(out, r->db);
    plan_stages(r, &g);
    if (json_length(g.todo) || g.direct)
        return reply_steps(r, out, &g);
    call.form = r->form;
    call.chat_id = g.chat_id;
    call.variables = g.variables;
    if (upstream_for_chat(r->mem, r->config, g.list, g.model, &call) != OK)
        return reply_no_provider(r, out, &g);
    return g.in_chat ? reply_generation(r, out, &g, &call) : reply_chat_call(out, &call);
}

#define COMPLETION(path_)                                                                                       \
    {                                                                                                           \
        POST, path_, VERIFIED, chat_completion, .body = BODY_JSON_ANY, .keep_unknown = true, .server = SIDECAR, \
                                                .type = "text/event-stream", .about = "An answer of a model"    \
    }

const struct route generations_routes[] = { COMPLETION("/api/chat/completions"), COMPLETION("/api/v1/chat/completions"),
                                            END };
