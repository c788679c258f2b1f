/* chat_plan.c: plans that hand a provider's answer to the client. */
#include "handlers/chat_plan.h"

enum { PREFIX_BYTES = 32 * 1024 * 1024 };

json_object *chat_selected(struct arena *mem, struct str model_id)
{
    json_object *o = json_new_object(mem);

    json_set_str(o, "selected_model_id", model_id);
    return o;
}

static void add_chunk(struct buf *b, json_object *chunk)
{
    buf_add_c(b, "data: ");
    json_add_to_buf(b, chunk);
    buf_add_c(b, "\n\n");
}

struct str chat_prefix(struct arena *mem, struct str selected_model_id, json_object *sources)
{
    struct buf b = BUF(mem, PREFIX_BYTES);

    if (json_length(sources)) {
        json_object *o = json_new_object(mem);

        json_set(o, "sources", sources);
        add_chunk(&b, o);
    }
    if (selected_model_id.n)
        add_chunk(&b, chat_selected(mem, selected_model_id));
    return b.n ? buf_str(&b) : STR_NONE;
}

json_object *chat_call_plan(struct arena *mem, const struct chat_call *call, json_object *sources)
{
    json_object *plan = json_new_object(mem), *state;
    struct str prefix;

    json_set(plan, "upstream", call->upstream);
    if (call->is_stream) {
        json_set_c(plan, "deliver", "client");
        json_set_bool(plan, "convert", call->is_ollama);
        prefix = chat_prefix(mem, call->selected_model_id, sources);
        if (prefix.n)
            json_set_str(plan, "prefix", prefix);
    } else if (call->is_ollama || call->selected_model_id.n || json_length(sources)) {
        json_set_c(plan, "deliver", "json");
        json_set_c(plan, "then", "answer");
        state = json_set_object(plan, "state");
        json_set_bool(state, "convert", call->is_ollama);
        json_set_str(state, "selected_model_id", call->selected_model_id);
        if (json_length(sources))
            json_set(state, "sources", sources);
    } else {
        json_set_c(plan, "deliver", "client");
    }
    return plan;
}

int reply_chat_call(struct response *out, const struct chat_call *call)
{
    return reply_plan(out, chat_call_plan(out->mem, call, NULL));
}
