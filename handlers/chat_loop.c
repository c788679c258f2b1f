/* chat_loop.c: a model that calls tools or writes code is asked again with what they gave. state.blocks is the answer so far; its last block is at work. */
#include "handlers/chat_loop.h"

#include "handlers/chat_calls.h"
#include "handlers/chat_code.h"
#include "lib/base/log.h"
#include "lib/chat/blocks.h"

enum { CODE_ROUNDS = 5 };

static json_object *last_of(json_object *list)
{
    return json_length(list) ? json_at(list, json_length(list) - 1) : NULL;
}

static bool is_code(json_object *block)
{
    return str_is(json_str(block, "type"), "code_interpreter");
}

static json_object *text_block(struct step *s)
{
    json_object *o = json_new_object(s->r->mem);

    json_set_c(o, "type", "text");
    json_set_c(o, "content", "");
    return o;
}

/* false: it has been asked often enough. */
static bool count(struct step *s, const char *name, int64_t most)
{
    int64_t n = json_int(s->state, name, 0) + 1;

    json_set_int(s->state, name, n);
    return n <= most;
}

/* ---- the model is asked again */

static void push_message(struct step *s, json_object *list, const char *role, struct str content)
{
    json_object *o = json_new_object(s->r->mem);

    json_set_c(o, "role", role);
    json_set_str(o, "content", content);
    json_push(list, o);
}

static json_object *assistant_calls(struct step *s, json_object *before, json_object *calls)
{
    json_object *o = json_new_object(s->r->mem);

    json_set_c(o, "role", "assistant");
    json_set_str(o, "content", blocks_text(s->r->mem, before, true));
    json_set(o, "tool_calls", calls);
    return o;
}

/* The blocks as messages: what was said, each round of calls, and what they gave. */
static json_object *as_messages(struct step *s)
{
    json_object *list = json_new_array(s->r->mem), *said = json_new_array(s->r->mem);
    struct str rest;

    JSON_EACH (json_get(s->state, "blocks"), i, block) {
        if (!str_is(json_str(block, "type"), "tool_calls")) {
            json_push(said, block);
            continue;
        }
        json_push(list, assistant_calls(s, said, json_get(block, "content")));
        JSON_EACH (json_get(block, "results"), k, result) {
            push_message(s, list, "tool", json_str(result, "content"));
            json_set(last_of(list), "tool_call_id", json_get(result, "tool_call_id"));
        }
        said = json_new_array(s->r->mem);
    }
    rest = blocks_text(s->r->mem, said, true);
    if (rest.n)
        push_message(s, list, "assistant", rest);
    return list;
}

static bool ask_again(struct step *s)
{
    json_object *blocks = json_get(s->state, "blocks");
    struct error err = { "" };

    json_push(blocks, text_block(s));
    step_show(s, blocks);
    json_set_bool(json_get(s->state, "form"), "stream", true);
    if (step_call_model(s, as_messages(s), &err) == OK)
        return true;
    log_warning("an answer ends with what its tools gave: %s", err.text);
    return false;
}

/* ---- tools */

static bool tools_done(struct step *s)
{
    json_set(last_of(json_get(s->state, "blocks")), "results", json_get(json_get(s->state, "exec"), "results"));
    json_del(s->state, "exec");
    return ask_again(s);
}

static bool begin_tools(struct step *s, json_object *tool_calls)
{
    json_object *block = json_new_object(s->r->mem), *calls = json_new_array(s->r->mem);

    JSON_EACH (tool_calls, i, call)
        json_push(calls, call_of_model(s, call));
    json_set_c(block, "type", "tool_calls");
    json_set(block, "content", tool_calls);
    json_push(json_get(s->state, "blocks"), block);
    step_show(s, json_get(s->state, "blocks"));
    calls_begin(s, calls, "loop");
    return calls_next(s) ? true : tools_done(s);
}

/* ---- code */

static bool code_done(struct step *s, json_object *output)
{
    json_set(last_of(json_get(s->state, "blocks")), "output", output);
    return ask_again(s);
}

static bool begin_code(struct step *s)
{
    json_object *output = NULL;

    step_show(s, json_get(s->state, "blocks"));
    if (!code_start(s, last_of(json_get(s->state, "blocks")), &output))
        return code_done(s, output);
    json_set_c(s->plan, "then", "loop");
    json_set(s->plan, "state", s->state);
    return true;
}

/* ---- both */

bool loop_goes_on(struct step *s, json_object *blocks, json_object *tool_calls)
{
    bool tools = json_length(tool_calls) && json_length(json_get(s->state, "tools")) &&
                 json_flag(s->state, "native", false),
         code = is_code(last_of(blocks)) && json_flag(json_get(s->state, "options"), "code_interpreter", false);

    if (!json_get(s->state, "form") || !(tools || code))
        return false;
    if (tools ? !count(s, "rounds", config_int(s->r->config, CFG_CHAT_RESPONSE_MAX_TOOL_CALL_RETRIES))
              : !count(s, "code_rounds", CODE_ROUNDS))
        return false;
    if (blocks)
        json_set(s->state, "blocks", blocks);
    else
        json_set_array(s->state, "blocks");
    return tools ? begin_tools(s, tool_calls) : begin_code(s);
}

bool loop_answered(struct step *s)
{
    if (json_get(s->state, "exec"))
        return calls_answered(s) ? true : tools_done(s);
    if (!code_waits(s))
        return code_done(s, code_output(s, last_of(json_get(s->state, "blocks"))));
    json_set_c(s->plan, "then", "loop");
    json_set(s->plan, "state", s->state);
    return true;
}
