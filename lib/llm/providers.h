/* providers.h: the model providers that the settings name: OpenAI-compatible ones and Ollama servers. */
#ifndef LIB_LLM_PROVIDERS_H
#define LIB_LLM_PROVIDERS_H

#include "lib/auth/user.h"
#include "lib/config/config.h"

struct provider { /* strings and objects live as long as the settings (borrowed), or in the arena */
    enum provider_kind { PROVIDER_OPENAI, PROVIDER_OLLAMA } kind;
    int index;      /* its place in the list: urlIdx */
    struct str url; /* without a slash at the end */
    struct str key; /* empty: none */
    json_object *
        config; /* its entry in OPENAI_API_CONFIGS or OLLAMA_API_CONFIGS, by index or (legacy) by address; NULL: none */
    bool is_enabled; /* the entry does not switch it off */
    bool is_azure;
    struct str prefix_id;       /* empty: none */
    struct str connection_type; /* "external", "local" */
    struct str auth_type;       /* "bearer", "none", "session", "system_oauth", "azure_ad" … */
};

struct providers {
    struct provider *v;
    size_t n;
};

/* All of a kind, enabled or not; none when ENABLE_OPENAI_API (ENABLE_OLLAMA_API) is off. */
struct providers providers_of(struct arena *mem, struct config *c, enum provider_kind kind);
/* NOT_FOUND: no provider has that index. */
enum status provider_by_index(struct arena *mem, struct config *c, enum provider_kind kind, int index,
                              struct provider *out);

/* What a request to it carries, as {"name": value}: authorization, content type, and the caller's data with ENABLE_FORWARD_USER_INFO_HEADERS. session_token: the
 * caller's own token, for auth_type "session". chat_id may be absent. Tokens of other kinds ("system_oauth", "azure_ad", "microsoft_entra_id") are not to be had
 * here: nothing is sent then, never the key in their place. */
json_object *provider_headers(struct arena *mem, struct config *c, const struct provider *p, const struct user *u,
                              struct str session_token, struct str chat_id);

/* X-OpenWebUI-User-Name and its like, put on headers as above: for other servers that are told who asks. The caller has looked at ENABLE_FORWARD_USER_INFO_HEADERS. */
void provider_add_user(struct arena *mem, json_object *headers, const struct user *u, struct str chat_id);

/* Of an Azure provider: what its addresses end in ("?api-version="). */
struct str provider_api_version(const struct provider *p);

#endif
