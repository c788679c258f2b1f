/* upstream.h: the call to a provider that answers a chat completion: who, where, with which body. Made here, carried out by the sidecar. */
#ifndef LIB_LLM_UPSTREAM_H
#define LIB_LLM_UPSTREAM_H

#include "lib/auth/user.h"
#include "lib/llm/models.h"

struct chat_call {
    /* what is asked */
    const struct user *user;
    struct str token;       /* the caller's own, for providers with auth_type "session" */
    struct str chat_id;     /* absent: none */
    json_object *form;      /* the OpenAI request; is changed */
    json_object *variables; /* {"{{NAME}}": value} for system prompts; NULL: none */

    /* what comes of it */
    json_object *upstream; /* docs/plans.md, "upstream" */
    bool is_ollama;
    bool is_stream;
    struct str selected_model_id; /* of an arena: the model that was drawn; absent: none */
};

/* NOT_FOUND: nobody has the model (or its base). */
enum status upstream_for_chat(struct arena *mem, struct config *c, const struct models *list, const struct model *model,
                              struct chat_call *call);

/* A workspace model's own parameters and system prompt, put on the body (a request to OpenAI's API, or to Ollama's own). */
void upstream_apply_model(struct arena *mem, const struct model *m, const struct user *u, json_object *variables,
                          json_object *body, bool for_ollama);

/* "upstream" of a plan: any call of a provider. token and chat_id as for provider_headers(); body absent: none. */
json_object *upstream_call(struct arena *mem, struct config *c, const struct provider *p, const struct user *u,
                           struct str token, struct str chat_id, const char *method, struct str url, struct str body,
                           bool stream);

#endif
