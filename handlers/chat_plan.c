/* chat_plan.c: plans that hand a provider's answer to the client. */
#include "handlers/chat_plan.h"

int reply_chat_call(struct response *out, const struct chat_call *call)
{
    json_object *plan = json_new_object(out->mem), *state;

    json_set(plan, "upstream", call->upstream);
    if (call->is_stream) {
        json_set_c(plan, "deliver", "client");
        json_set_bool(plan, "convert", call->is_ollama);
        if (call->selected_model_id.n) {
            struct buf prefix = BUF(out->mem, 4096);

            buf_add_c(&prefix, "data: {\"selected_model_id\": ");
            buf_add_json_string(&prefix, call->selected_model_id);
            buf_add_c(&prefix, "}\n\n");
            json_set_str(plan, "prefix", buf_str(&prefix));
        }
    } else if (call->is_ollama || call->selected_model_id.n) {
        json_set_c(plan, "deliver", "json");
        json_set_c(plan, "then", "answer");
        state = json_set_object(plan, "state");
        json_set_bool(state, "convert", call->is_ollama);
        json_set_str(state, "selected_model_id", call->selected_model_id);
    } else {
        json_set_c(plan, "deliver", "client");
    }
    return reply_plan(out, plan);
}
