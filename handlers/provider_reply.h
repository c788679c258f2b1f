/* provider_reply.h: requests that go on to a provider, and how its answer is handed to the client: JSON as JSON, everything else as text, never
 * what a browser would run in our origin. */
#ifndef HANDLERS_PROVIDER_REPLY_H
#define HANDLERS_PROVIDER_REPLY_H

#include "fcgi/route.h"
#include "lib/llm/models.h"
#include "lib/llm/providers.h"
#include "lib/net/http.h"

#define CONNECTION_ERROR "Open WebUI: Server Connection Error"
#define MODEL_NOT_FOUND "Model not found"

/* How an answer is read. */
enum provider_answer {
    ANSWER_OPENAI,         /* as it is, with its status */
    ANSWER_OPENAI_MODELS,  /* a list of models; errors become {"detail"} with 500 */
    ANSWER_OLLAMA,         /* as it is; {"error"} becomes {"detail"} with its status */
    ANSWER_OLLAMA_MANAGED, /* the same, but errors are "Ollama: …" with 500 */
    ANSWER_OLLAMA_DONE,    /* as that, and success is true */
    ANSWER_EMBEDDINGS,     /* Ollama's embeddings in OpenAI's form */
    ANSWER_VERSION,        /* of Ollama, to see whether it is there */
    ANSWER_PIPELINE,       /* an object as it is; errors with their status and detail */
    ANSWER_SPEECH          /* kept in the cache, and answered from there */
};

struct provider_outcome {
    enum status result; /* OK: the provider answered */
    int status;
    struct str content_type, body;
};

/* Answers with what came back. state: what the plan was given; NULL: nothing. */
int reply_provider_outcome(struct request *r, struct response *out, enum provider_answer kind,
                           const struct provider_outcome *o, json_object *state);
/* The same of a call that was made here. */
int reply_http_call(struct request *r, struct response *out, enum provider_answer kind, const struct http_call *call);

/* The plan for a call (lib/llm/upstream.h: upstream_call): a stream goes to the client as it comes, anything else whole. state may be NULL. */
int reply_provider_plan(struct response *out, json_object *upstream, bool is_stream, enum provider_answer kind,
                        json_object *state);

/* The provider with that index, which must exist, and be switched on unless an administrator asks. false: *status is the answer. */
bool provider_for(struct request *r, struct response *out, enum provider_kind kind, int64_t index, struct provider *p,
                  int *status);

/* May the caller use the model of that id? Administrators: any. */
bool may_use_model(struct request *r, const struct models *list, struct str id);

/* A blocking call with the provider's headers; time limit that of model lists. */
struct http_call provider_call(struct request *r, const struct provider *p, const char *method, struct str url,
                               struct str body);

/* A value as Python's str() prints it: the text of errors that providers word as objects. */
struct str python_text(struct arena *mem, json_object *v);

#endif
