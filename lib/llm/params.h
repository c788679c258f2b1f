/* params.h: the parameters of a model and of a chat, put into a request to OpenAI-compatible providers and to Ollama. */
#ifndef LIB_LLM_PARAMS_H
#define LIB_LLM_PARAMS_H

#include "lib/json/json.h"

/* Parameters that are this program's own business are taken out, custom_params (values that are JSON are read as such) put in: the rest, a new object. */
json_object *params_plain(struct arena *mem, json_object *params);

/* The chat's own parameters ("params" of the request, as params_plain gives them): for Ollama into "options", else into the body. */
void params_of_chat(struct arena *mem, json_object *form, json_object *plain, bool for_ollama);

/* A workspace model's parameters, with each value as the provider's API wants it. */
void params_of_model_openai(struct arena *mem, json_object *body, json_object *plain);
void params_of_model_ollama(struct arena *mem, json_object *body, json_object *plain);

/* max_tokens and the system role as OpenAI's reasoning models want them, and logit_bias from "token:bias, …". */
void params_finish_openai(struct arena *mem, json_object *body, bool is_openai_itself);

/* What Azure's API takes of an OpenAI request; the model is in the address there. Changes body. */
json_object *params_for_azure(struct arena *mem, json_object *body, struct str api_version);

/* An OpenAI request as a request to Ollama's /api/chat. */
json_object *params_openai_to_ollama(struct arena *mem, json_object *form);

#endif
