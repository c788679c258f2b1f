/* providers.c: the model providers that the settings name. */
#include "lib/llm/providers.h"

#include "lib/base/encode.h"

static const struct {
    enum setting_id enable, urls, configs;
    const char *connection_type;
} kinds[] = {
    [PROVIDER_OPENAI] = { CFG_ENABLE_OPENAI_API, CFG_OPENAI_API_BASE_URLS, CFG_OPENAI_API_CONFIGS, "external" },
    [PROVIDER_OLLAMA] = { CFG_ENABLE_OLLAMA_API, CFG_OLLAMA_BASE_URLS, CFG_OLLAMA_API_CONFIGS, "local" },
};

static struct str or (struct str s, struct str otherwise)
{
    return s.n ? s : otherwise;
}

static void read_provider(struct arena *mem, struct config *c, enum provider_kind kind, int index, json_object *url,
                          struct provider *p)
{
    json_object *configs = config_json(c, kinds[kind].configs);
    struct str address = json_str_value(url);

    *p = (struct provider){ .kind = kind, .index = index };
    while (address.n && address.p[address.n - 1] == '/')
        address.n--;
    p->url = address.p ? address : S("");
    p->config = json_get(configs, str_f(mem, "%d", index).p);
    if (!p->config)
        p->config = json_get(configs, str_c(mem, p->url));
    p->key = kind == PROVIDER_OPENAI ? json_str_value(json_at(config_json(c, CFG_OPENAI_API_KEYS), (size_t)index))
                                     : json_str(p->config, "key");
    p->is_enabled = json_flag(p->config, "enable", true);
    p->is_azure = json_flag(p->config, "azure", false);
    p->prefix_id = json_str(p->config, "prefix_id");
    p->connection_type = or (json_str(p->config, "connection_type"), str_of(kinds[kind].connection_type));
    p->auth_type = kind == PROVIDER_OLLAMA ? S("bearer") : or (json_str(p->config, "auth_type"), S("bearer"));
}

struct providers providers_of(struct arena *mem, struct config *c, enum provider_kind kind)
{
    json_object *urls = config_json(c, kinds[kind].urls);
    struct providers all = { NULL, 0 };

    if (!config_bool(c, kinds[kind].enable))
        return all;
    all.v = arena_new_array(mem, struct provider, json_length(urls) + 1);
    JSON_EACH (urls, i, url)
        read_provider(mem, c, kind, (int)i, url, &all.v[all.n++]);
    return all;
}

enum status provider_by_index(struct arena *mem, struct config *c, enum provider_kind kind, int index,
                              struct provider *out)
{
    json_object *urls = config_json(c, kinds[kind].urls);

    if (!config_bool(c, kinds[kind].enable) || index < 0 || (size_t)index >= json_length(urls))
        return NOT_FOUND;
    read_provider(mem, c, kind, index, json_at(urls, (size_t)index), out);
    return OK;
}

/* As Python's quote(name, safe=" "): spaces stay. */
static struct str quoted_name(struct arena *mem, struct str name)
{
    return str_replace(mem, url_encode(mem, name), S("%20"), S(" "));
}

void provider_add_user(struct arena *mem, json_object *headers, const struct user *u, struct str chat_id)
{
    json_set_str(headers, "X-OpenWebUI-User-Name", quoted_name(mem, u->name));
    json_set_str(headers, "X-OpenWebUI-User-Id", u->id);
    json_set_str(headers, "X-OpenWebUI-User-Email", u->email);
    json_set_str(headers, "X-OpenWebUI-User-Role", u->role);
    if (chat_id.n)
        json_set_str(headers, "X-OpenWebUI-Chat-Id", chat_id);
}

struct str provider_api_version(const struct provider *p)
{
    return or (json_str(p->config, "api_version"), S("2023-03-15-preview"));
}

json_object *provider_headers(struct arena *mem, struct config *c, const struct provider *p, const struct user *u,
                              struct str session_token, struct str chat_id)
{
    json_object *headers = json_new_object(mem);
    struct str token = STR_NONE;

    json_set_c(headers, "Content-Type", "application/json");
    if (str_has(p->url, "openrouter.ai")) {
        json_set_c(headers, "HTTP-Referer", "https://openwebui.com/");
        json_set_c(headers, "X-Title", "Open WebUI");
    }
    if (u && config_bool(c, CFG_ENABLE_FORWARD_USER_INFO_HEADERS))
        provider_add_user(mem, headers, u, chat_id);
    if (str_is(p->auth_type, "session"))
        token = session_token;
    else if (str_is(p->auth_type, "bearer"))
        token = p->key;
    if (token.n)
        json_set_str(headers, "Authorization", str_f(mem, "Bearer %.*s", STR(token)));
    if (p->is_azure) {
        if (!str_is(p->auth_type, "azure_ad") && !str_is(p->auth_type, "microsoft_entra_id"))
            json_set_str(headers, "api-key", p->key);
        json_set_str(headers, "api-version", provider_api_version(p));
    }
    if (json_is(json_get(p->config, "headers"), json_type_object)) {
        json_object_object_foreach(json_get(p->config, "headers"), name, value) if (json_is(value, json_type_string))
            json_set(headers, name, value);
    }
    return headers;
}
