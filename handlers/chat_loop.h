/* chat_loop.h: a model that calls tools or writes code is asked again with what they gave, until it has no more questions. */
#ifndef HANDLERS_CHAT_LOOP_H
#define HANDLERS_CHAT_LOOP_H

#include "handlers/chat_steps.h"

/* A call of the model has ended with these blocks and calls (either may be NULL). true: the plan goes on with them; the answer is not complete. */
bool loop_goes_on(struct step *s, json_object *blocks, json_object *tool_calls);

/* What the plan waited for is there (step "loop"). false: the answer ends with state.blocks. */
bool loop_answered(struct step *s);

#endif
