/* chat_filters.h: pipelines that a chat's requests and answers go through (lib/llm/filters.h). */
#ifndef HANDLERS_CHAT_FILTERS_H
#define HANDLERS_CHAT_FILTERS_H

#include "handlers/chat_prepare.h"

/* state.filters: those that have not seen the request yet. */
enum stage stage_inlet(struct step *s, struct str waited_for);

/* The answer to a client who reports an answer: what its filters make of the form. ids: of all of them. */
int outlet_reply(struct request *r, struct response *out, json_object *form, json_object *ids);

#endif
