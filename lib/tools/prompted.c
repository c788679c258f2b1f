/* prompted.c: tools for models that have none of their own. */
#include "lib/tools/prompted.h"

#include "lib/chat/blocks.h"
#include "lib/llm/messages.h"

enum { RECENT = 4, MAX_CALLS = 32, SPECS_BYTES = 16 * 1024 * 1024 };

static const char ours[] = "These tools can be called:\n{{TOOLS}}\n\nDecide which of them, if any, help to answer the "
                           "user's last message. Answer with JSON alone, of the form "
                           "{\"tool_calls\": [{\"name\": \"name of the tool\", \"parameters\": {\"name of a "
                           "parameter\": \"its value\"}}]}. Name only tools of the list, with values for "
                           "all parameters that they require; take the values from the chat and invent none. If no "
                           "tool helps, the list is empty: {\"tool_calls\": []}.";

static json_object *message(struct arena *mem, const char *role, struct str text)
{
    json_object *o = json_new_object(mem);

    json_set_c(o, "role", role);
    json_set_str(o, "content", text);
    return o;
}

json_object *prompted_messages(struct arena *mem, struct str template, json_object *specs, json_object *messages)
{
    json_object *list = json_new_array(mem);
    struct buf text = BUF(mem, SPECS_BYTES);
    size_t n = json_length(messages);

    buf_add_python_json(&text, specs, true);
    if (!str_trim(template).n)
        template = str_of(ours);
    json_push(list, message(mem, "system", str_replace(mem, template, S("{{TOOLS}}"), buf_str(&text))));
    json_push(list, message(mem, "user",
                            str_f(mem, "The chat so far:\n%.*s\n\nThe last message: %.*s",
                                  STR(messages_transcript(mem, messages, n > RECENT ? n - RECENT : 0, n)),
                                  STR(message_text(messages_last_user(messages))))));
    return list;
}

static void add_call(struct arena *mem, json_object *calls, json_object *given)
{
    json_object *o;

    if (!json_str(given, "name").n || json_length(calls) >= MAX_CALLS)
        return;
    o = json_new_object(mem);
    json_set_c(o, "id", "");
    json_set(o, "name", json_get(given, "name"));
    json_set(o, "params",
             json_is(json_get(given, "parameters"), json_type_object) ? json_get(given, "parameters")
                                                                      : json_new_object(mem));
    json_push(calls, o);
}

json_object *prompted_calls(struct arena *mem, json_object *answer)
{
    json_object *calls = json_new_array(mem);

    if (json_truthy(json_get(answer, "tool_calls")))
        JSON_EACH (json_get(answer, "tool_calls"), i, one)
            add_call(mem, calls, one);
    else
        add_call(mem, calls, answer);
    return json_length(calls) ? calls : NULL;
}
