/* model_file.h: a model's file on its way to an Ollama server: fetched from a public address, or uploaded by an administrator, then handed over. It is gigabytes, so
 * it goes by DATA_DIR/uploads/KEY.part, and how far it has come stands in RUN/model-KEY.json, for whoever watches. */
#ifndef LIB_LLM_MODEL_FILE_H
#define LIB_LLM_MODEL_FILE_H

#include "lib/json/json.h"
#include "lib/llm/providers.h"

/* true: the address begins with one of WEBUI_MODEL_SOURCES. */
bool model_file_source_allowed(const struct config *c, struct str url);
/* What the file is called: the last part of the address, without its query; empty: nothing. */
struct str model_file_name(struct str url);
/* The key of a transfer: hex digits, the same for the same address and server. */
struct str model_file_key(struct arena *mem, struct str url, int server);

/* Puts an uploaded file where model_file_deliver() finds it. */
enum status model_file_put(struct arena *mem, const struct config *c, struct str key, struct str bytes,
                           struct error *err);
/* {"progress", "completed", "total"}, or at the end {"done", "blob", "name", …} or {"error"}; NULL: nothing is known. */
json_object *model_file_state(struct arena *mem, const struct config *c, struct str key);
void model_file_forget(struct arena *mem, const struct config *c, struct str key);
void model_file_failed(struct arena *mem, const struct config *c, struct str key, struct str why);

/* All of it, for a long time: fetches url (absent: the file was put there), hands it to the server, and makes a model of it if `create` says so. What comes of it is the
 * state. Somebody else who is at it already: returns at once. */
void model_file_deliver(struct arena *mem, struct config *c, const struct provider *server, struct str key,
                        struct str url, struct str name, bool create);

#endif
