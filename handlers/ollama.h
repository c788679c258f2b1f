/* ollama.h: shared by the files of the Ollama area. */
#ifndef HANDLERS_OLLAMA_H
#define HANDLERS_OLLAMA_H

#include "handlers/provider_reply.h"

/* The entry of a model, by the name our list has for it, as /ollama/api/tags shows it, with "urls"; NULL: no server has it. */
json_object *ollama_model(struct request *r, struct str id);

/* "{url_idx}" of the path, or "?url_idx="; -1: neither; INT32_MAX: what can be the index of no server. */
int64_t ollama_index(const struct request *r);

#endif
