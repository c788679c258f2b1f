/* task.h: small jobs for a model beside the chat: a title, tags, follow-up questions, search queries … */
#ifndef LIB_LLM_TASK_H
#define LIB_LLM_TASK_H

#include "lib/llm/upstream.h"

enum task_kind {
    TASK_TITLE,
    TASK_FOLLOW_UPS,
    TASK_TAGS,
    TASK_IMAGE_PROMPT,
    TASK_QUERIES,
    TASK_AUTOCOMPLETE,
    TASK_EMOJI,
    TASK_MOA,
    TASK_KINDS
};

struct task {
    const char *route;            /* the part of the path: "title" */
    int enable, template;         /* settings; -1: none */
    const char *default_template; /* our own words, where the setting is empty */
    int max_tokens;               /* 0: no limit; -1: of the model's own parameters, else 1000 */
    int failure_status;           /* when the model may not be used or has no provider */
    const char *failure;          /* its detail; NULL: what went wrong */
};
extern const struct task tasks[TASK_KINDS];

bool task_is_enabled(const struct config *c, enum task_kind kind);

/* What the model is asked. form: the request: "messages", or "prompt" and "responses", "type". */
struct str task_prompt(struct arena *mem, const struct config *c, enum task_kind kind, const struct user *u,
                       json_object *form);

/* The model that does it: TASK_MODEL for local models, TASK_MODEL_EXTERNAL for others, else the chat's own. */
const struct model *task_model(const struct config *c, const struct models *list, const struct model *of_chat);

/* As long an answer as the job may have. */
void task_limit(json_object *request, enum task_kind kind, const struct model *model);

/* The call of the provider. NOT_FOUND: nobody has the model. INVALID: the user may not use it. */
enum status task_call(struct arena *mem, struct db *db, struct config *c, const struct models *list,
                      enum task_kind kind, const struct model *model, json_object *form, struct chat_call *call);

#endif
