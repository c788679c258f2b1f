/* models.h: the list of all models: what the providers have, arena models, and the workspace's own (the model table), as GET /api/models shows it.
 *
 * A process keeps the list, parsed and as text, until a counter moves (settings, models, functions) or it is older than MODELS_CACHE_TTL. What the
 * providers answered is shared by all processes through RUN/models.json: one asks, the others take what it got, and while somebody asks they go on with
 * what they have. A dead provider costs its time-out (AIOHTTP_CLIENT_TIMEOUT_MODEL_LIST) once, and only to the one who asks. */
#ifndef LIB_LLM_MODELS_H
#define LIB_LLM_MODELS_H

#include "lib/auth/user.h"
#include "lib/config/config.h"
#include "lib/db/db.h"
#include "lib/llm/providers.h"

struct model { /* lives until the next call of models_all() */
    struct str id, name, owned_by;
    json_object *json;        /* as the list shows it */
    struct str text;          /* the same as text */
    json_object *info;        /* the row of the model table as JSON; NULL: none */
    struct str base_model_id; /* of a workspace model; absent: a provider's own */
    bool is_arena, is_preset;
    struct str user_id;        /* of the row; absent: no row */
    struct str access_control; /* of the row (of an arena model: of its meta), JSON text; absent: null */
};

struct models; /* the list */

/* refresh: ask the providers now. The list is the process's; never NULL with OK. FAILED, UNAVAILABLE: the database. */
enum status models_all(struct arena *mem, struct db *db, struct config *c, const struct user *caller, bool refresh,
                       const struct models **out, struct error *err);
const struct model *model_by_id(const struct models *list, struct str id); /* NULL: not in the list */
size_t models_count(const struct models *list);
const struct model *models_at(const struct models *list, size_t i);

/* May the user use it? Admins: everything, unless BYPASS_ADMIN_ACCESS_CONTROL is off. BYPASS_MODEL_ACCESS_CONTROL: everybody. */
bool model_access(struct arena *mem, struct db *db, struct config *c, const struct user *u, const struct model *m);

/* {"data": […]} as the user sees it, sorted by MODEL_ORDER_LIST; text that lives in the process for admins, else in mem. */
enum status models_text_for(struct arena *mem, struct db *db, struct config *c, const struct user *u, bool refresh,
                            struct str *out, struct error *err);

/* Only what the providers have (array): GET /api/models/base. */
enum status models_base(struct arena *mem, struct db *db, struct config *c, const struct user *caller,
                        json_object **out, struct error *err);

/* Which provider answers for a model: for a workspace model that of its base. OpenAI: by urlIdx. Ollama: one of its servers, drawn at random.
 * *upstream_id: the id there (without the provider's prefix). NOT_FOUND. */
enum status model_provider(struct arena *mem, struct config *c, const struct models *list, const struct model *m,
                           struct provider *out, struct str *upstream_id);

#endif
