/* chat_plan.h: a call of a provider whose answer is the client's: shared by chat completions and small jobs. */
#ifndef HANDLERS_CHAT_PLAN_H
#define HANDLERS_CHAT_PLAN_H

#include "fcgi/response.h"
#include "lib/llm/upstream.h"

/* The plan that hands the provider's answer to the client: as it comes; an answer of Ollama turned into OpenAI's form; an arena's with the model that was drawn;
 * with sources (NULL: none) before it. */
json_object *chat_call_plan(struct arena *mem, const struct chat_call *call, json_object *sources);
int reply_chat_call(struct response *out, const struct chat_call *call);

/* What goes before a stream: absent: nothing. */
struct str chat_prefix(struct arena *mem, struct str selected_model_id, json_object *sources);
/* {"selected_model_id": …} */
json_object *chat_selected(struct arena *mem, struct str model_id);

#endif
