/* upstream.h: the call to a provider that answers a chat completion: who, where, with which body. Made here, carried out by the sidecar. */
#ifndef LIB_LLM_UPSTREAM_H
#define LIB_LLM_UPSTREAM_H

#include "lib/auth/user.h"
#include "lib/llm/models.h"

struct chat_call {
    /* what is asked */
    const struct user *user;
    struct str token;                /* the caller's own, for providers with auth_type "session" */
    struct str chat_id;              /* absent: none */
    json_object *form;               /* the OpenAI request; is changed */
    json_object *variables;          /* {"{{NAME}}": value} for system prompts; NULL: none */

    /* what comes of it */
    json_object *upstream;           /* docs/plans.md, "upstream" */
    bool is_ollama;
    bool is_stream;
    struct str selected_model_id;    /* of an arena: the model that was drawn; absent: none */
};

/* NOT_FOUND: nobody has the model (or its base). */
enum status upstream_for_chat(struct arena *mem, struct config *c, const struct models *list, const struct model *model, struct chat_call *call);

#endif
