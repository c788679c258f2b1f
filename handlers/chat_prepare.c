/* chat_prepare.c: what is done before a chat's model is asked: one thing after the other, each in as many steps as it takes. state.todo lists what is left; the first
 * of it is at work. A stage that has to wait makes a plan, and says in state.waiting for what. */
#include "handlers/chat_calls.h"
#include "handlers/chat_code.h"
#include "handlers/chat_context.h"
#include "handlers/chat_files.h"
#include "handlers/chat_filters.h"
#include "handlers/chat_images.h"
#include "handlers/chat_prepare.h"
#include "handlers/chat_search.h"
#include "handlers/chat_tools.h"
#include "handlers/routes.h"
#include "lib/base/log.h"
#include "lib/llm/messages.h"
#include "lib/tools/prompted.h"

static json_object *messages_of(struct step *s)
{
    return json_path(s->state, "form.messages");
}

enum stage stage_wait(struct step *s, const char *what)
{
    json_set_c(s->state, "waiting", what);
    json_set_c(s->plan, "then", "prepare");
    json_set(s->plan, "state", s->state);
    return STAGE_WAITS;
}

/* ---- tools */

/* What a tool has said becomes a source, and is added to the user's message. */
static void use_result(struct step *s, json_object *call, json_object *result)
{
    struct arena *mem = s->r->mem;
    json_object *tool = chat_tool(s, json_str(call, "name")), *source, *o;
    struct str text = json_str(result, "content"), tool_id = json_str(tool, "tool_id"),
               name = tool_id.n ? str_f(mem, "%.*s/%.*s", STR(tool_id), STR(json_str(tool, "name")))
                                : json_str(tool, "name");

    if (json_get(result, "files")) {
        o = json_new_object(mem);
        json_set(o, "files", json_get(result, "files"));
        step_tell(s, "files", o);
    }
    if (json_get(result, "embeds")) {
        o = json_new_object(mem);
        json_set(o, "embeds", json_get(result, "embeds"));
        step_tell(s, "embeds", o);
    }
    if (!tool || !text.n)
        return;
    source = json_new_object(mem);
    json_set_str(json_set_object(source, "source"), "name", name);
    json_push_str(json_set_array(source, "document"), text);
    o = json_new_object(mem);
    json_set_str(o, "source", name);
    json_set(o, "parameters", json_get(call, "params"));
    json_push(json_set_array(source, "metadata"), o);
    json_set_bool(source, "tool_result", true);
    context_add(s, source);
    messages_add_user(mem, messages_of(s), str_f(mem, "\nTool `%.*s` Output: %.*s", STR(name), STR(text)), true);
}

static enum stage results_are_there(struct step *s)
{
    json_object *exec = json_get(s->state, "exec");

    JSON_EACH (json_get(exec, "results"), i, result)
        use_result(s, json_at(json_get(exec, "calls"), i), result);
    json_del(s->state, "exec");
    chat_mcp_close(s);
    return STAGE_DONE;
}

/* A model is asked which tools to call. */
static enum stage choose_tools(struct step *s)
{
    json_object *request = json_new_object(s->r->mem), *specs = json_new_array(s->r->mem);
    enum status st;

    JSON_EACH (json_get(s->state, "tools"), i, tool)
        json_push(specs, json_get(tool, "spec"));
    json_set(request, "messages",
             prompted_messages(s->r->mem, config_str(s->r->config, CFG_TOOLS_FUNCTION_CALLING_PROMPT_TEMPLATE), specs,
                               messages_of(s)));
    st = step_side_call(s, request, "prepare", s->state, s->plan);
    if (st == OK)
        return stage_wait(s, "choice");
    log_info("no model can be asked which tools to call");
    chat_mcp_close(s);
    return STAGE_DONE;
}

static enum stage choice_is_there(struct step *s)
{
    json_object *calls = step_failed(s) ? NULL
                                        : prompted_calls(s->r->mem, step_json_in(s, outcome_text(step_answer(s))));

    if (!calls) {
        chat_mcp_close(s);
        return STAGE_DONE;
    }
    calls_begin(s, calls, "prepare");
    return calls_next(s) ? stage_wait(s, "call") : results_are_there(s);
}

static enum stage stage_tools(struct step *s, struct str waited_for)
{
    if (str_is(waited_for, "list"))
        chat_tools_listed(s);
    else if (str_is(waited_for, "choice"))
        return choice_is_there(s);
    else if (str_is(waited_for, "call"))
        return calls_answered(s) ? stage_wait(s, "call") : results_are_there(s);
    if (json_get(s->plan, "upstream") || chat_tools_gather(s))
        return stage_wait(s, "list");
    if (json_length(json_get(s->state, "tools")) == 0)
        return STAGE_DONE;
    if (!json_flag(s->state, "native", false))
        return choose_tools(s);
    json_set(json_get(s->state, "form"), "tools", chat_tools_offered(s));
    return STAGE_DONE;
}

/* ---- all of it */

/* The program's rules stand behind what pictures and searches have added. */
static enum stage stage_code(struct step *s, struct str waited_for)
{
    (void)waited_for;
    code_explain(s->r->mem, s->r->config, messages_of(s));
    return STAGE_DONE;
}

static const struct {
    const char *name;
    enum stage (*run)(struct step *s, struct str waited_for);
} stages[] = { { "inlet", stage_inlet }, { "memory", stage_memory }, { "web_search", stage_web_search },
               { "image", stage_image }, { "code", stage_code },     { "tools", stage_tools },
               { "files", stage_files } };

static enum stage run_stage(struct step *s, struct str name, struct str waited_for)
{
    for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++)
        if (str_is(name, stages[i].name))
            return stages[i].run(s, waited_for);
    return STAGE_DONE;
}

/* What only the preparation needed is not carried on. A model that calls tools natively, or runs code, may be asked again. */
static void forget(struct step *s)
{
    static const char *const always[] = { "todo", "waiting", "items", "granted", "exec", "filters" };
    bool in_chat = json_flag(s->state, "in_chat", false),
         again = in_chat && ((json_flag(s->state, "native", false) && json_length(json_get(s->state, "tools"))) ||
                             json_flag(json_get(s->state, "options"), "code_interpreter", false));

    for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++)
        json_del(s->state, always[i]);
    json_del(s->state, "sources");
    if (!again) {
        json_del(s->state, "form");
        json_del(s->state, "tools");
        json_del(s->state, "variables");
    }
}

/* What a model knows is searched before it is asked, and the user sees that it is. */
static void tell_knowledge(struct step *s, bool done)
{
    json_object *o;

    if (json_length(json_get(s->state, "granted")) == 0)
        return;
    o = json_new_object(s->r->mem);
    json_set_c(o, "action", "knowledge_search");
    json_set_str(o, "query", message_text(messages_last_user(messages_of(s))));
    json_set_bool(o, "done", done);
    if (done)
        json_set_bool(o, "hidden", true);
    step_status(s, o);
}

/* Everything is there: the model is asked. */
static int ask_model(struct step *s, struct response *out)
{
    json_object *changes = NULL, *sources;
    struct error err = { "" };

    tell_knowledge(s, true);
    context_put_in(s);
    sources = context_named(s);
    json_set(s->state, "sources", sources);
    if (json_length(sources) && json_flag(s->state, "in_chat", false)) {
        changes = json_new_object(s->r->mem);
        json_set(changes, "sources", sources);
        after_event(&s->after, "chat:completion", changes);
    }
    if (after_keep(&s->after, changes) == DB_ERROR)
        return fail_db(out, s->r->db);
    if (step_call_model(s, NULL, &err) != OK) {
        log_warning("%s", err.text);
        return fail(out, 404, "Model not found");
    }
    forget(s);
    return reply_plan(out, s->plan);
}

static int refused(struct step *s, struct response *out)
{
    json_object *outcome = json_new_object(s->r->mem);

    if (!json_flag(s->state, "in_chat", false))
        return fail_json(out, 400, s->refusal);
    json_set(outcome, "error", s->refusal);
    s->outcome = outcome;
    return step_reply(out, s, step_save_error(s, NULL, false));
}

static int step_prepare(struct request *r, struct response *out)
{
    struct str waited_for;
    json_object *todo;
    struct step s;
    int status;

    if (!step_open(r, out, &s, &status))
        return status;
    if (step_is_lost(&s))
        return step_reply(out, &s, step_save_error(&s, NULL, true));
    if (step_stopped(&s))
        return reply_plan(out, s.plan);
    waited_for = str_copy(r->mem, json_str(s.state, "waiting"));
    json_del(s.state, "waiting");
    todo = json_get(s.state, "todo");
    if (!s.outcome)
        tell_knowledge(&s, false);
    while (json_length(todo)) {
        switch (run_stage(&s, json_str_value(json_at(todo, 0)), waited_for)) {
        case STAGE_WAITS: return step_reply(out, &s, after_keep(&s.after, NULL) == DB_ERROR ? DB_ERROR : DB_ROW);
        case STAGE_BROKEN: return fail_db(out, r->db);
        case STAGE_REFUSED: return refused(&s, out);
        case STAGE_DONE: json_object_array_del_idx(todo, 0, 1);
        }
        waited_for = STR_NONE;
    }
    return ask_model(&s, out);
}

const struct route chat_prepare_routes[] = { STEP_ROUTE("prepare", step_prepare, "Before the model is asked"), END };
