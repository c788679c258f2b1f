/* chat_calls.h: calls of tools: one after the other, whoever carries them out. While they run, state.exec is
 *   {"calls": [{"id", "name", "params": object or text that cannot be read}], "results": [{"tool_call_id", "content", "files", "embeds"}], "then": a step's name} */
#ifndef HANDLERS_CHAT_CALLS_H
#define HANDLERS_CHAT_CALLS_H

#include "handlers/chat_steps.h"

void calls_begin(struct step *s, json_object *calls, const char *then);

/* Goes on with the next call. true: the plan waits for what it gives, then `then` calls calls_answered(). false: each has its result (state.exec.results). */
bool calls_next(struct step *s);
/* Takes the outcome of the call that ran, and goes on as calls_next(). */
bool calls_answered(struct step *s);

/* {"id", "name", "params"} of a call as OpenAI's API has it; its arguments become the JSON that is sent back to the model. */
json_object *call_of_model(struct step *s, json_object *tool_call);

#endif
