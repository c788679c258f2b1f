/* outcome.h: what a step reads out of the outcome of a call (docs/plans.md, "Outcomes"). */
#ifndef LIB_CHAT_OUTCOME_H
#define LIB_CHAT_OUTCOME_H

#include "lib/json/json.h"

/* The answer of a provider that was read whole (or that a browser has got from it), in OpenAI's form; NULL: no JSON. */
json_object *outcome_answer(struct arena *mem, json_object *outcome, bool is_ollama);
/* The text of the answer; absent: none. */
struct str outcome_text(json_object *answer);

bool outcome_failed(json_object *outcome);

/* What a person is told of a call that failed, text or JSON: the provider's own error where it gave one. answer: as outcome_answer() gave it. Never NULL. */
json_object *outcome_error(struct arena *mem, json_object *outcome, json_object *answer, bool is_ollama);

#endif
