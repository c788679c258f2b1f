/* catalog.h: what models the providers say they have. Asked by one process at a time; the others take its answer from RUN/models.json. */
#ifndef LIB_LLM_CATALOG_H
#define LIB_LLM_CATALOG_H

#include "lib/auth/user.h"
#include "lib/config/config.h"

/* An array of models as GET /api/models/base shows them: OpenAI-compatible providers in their order, then Ollama. refresh: ask now.
 * *changed_at_ms (may be NULL): when this answer was got; the same value means the same list. Providers that do not answer have no models;
 * the call itself does not fail. */
json_object *catalog_get(struct arena *mem, struct config *c, const struct user *caller, bool refresh,
                         int64_t *changed_at_ms);

/* The same without the list: when the one that holds now was got. Cheap while nothing has changed. */
int64_t catalog_changed_at_ms(struct arena *mem, struct config *c, const struct user *caller, bool refresh);

/* When the list that these two spoke of last should be asked for again (Unix ms). */
int64_t catalog_good_until_ms(void);

/* OpenAI itself lists models that make pictures, sounds and vectors, too. */
bool catalog_is_for_chat(struct str id);

#endif
