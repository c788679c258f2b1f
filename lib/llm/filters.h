/* filters.h: pipelines that are shown each request of a chat before its model, and each answer after it (Open WebUI Pipelines, at OpenAI connections). */
#ifndef LIB_LLM_FILTERS_H
#define LIB_LLM_FILTERS_H

#include "lib/llm/models.h"

enum filter_kind { FILTER_INLET, FILTER_OUTLET };

/* The ids of those that a model's requests (answers) go through, in their order: by priority, and the model itself, if it is a pipeline, nearest to itself. */
json_object *filters_of(struct arena *mem, const struct models *list, struct str model_id, enum filter_kind kind);

/* The call of one, as "upstream" of a plan (docs/plans.md). NOT_FOUND: it is not there, or its connection has no key: it is passed over. */
enum status filter_call(struct arena *mem, struct config *c, const struct models *list, struct str id,
                        enum filter_kind kind, const struct user *u, json_object *body, json_object **upstream);

#endif
