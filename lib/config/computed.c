/* computed.c: settings that are worked out of others, in the way of the Python backend's config.py and env.py. */
#include "lib/config/internal.h"

#define OPENAI_URL "https://api.openai.com/v1"

static const struct {
    enum setting_id id;
    const char *group, *name;
} permissions[] = {
    { CFG_USER_PERMISSIONS_WORKSPACE_MODELS_ACCESS, "workspace", "models" },
    { CFG_USER_PERMISSIONS_WORKSPACE_KNOWLEDGE_ACCESS, "workspace", "knowledge" },
    { CFG_USER_PERMISSIONS_WORKSPACE_PROMPTS_ACCESS, "workspace", "prompts" },
    { CFG_USER_PERMISSIONS_WORKSPACE_TOOLS_ACCESS, "workspace", "tools" },
    { CFG_USER_PERMISSIONS_WORKSPACE_MODELS_ALLOW_PUBLIC_SHARING, "sharing", "public_models" },
    { CFG_USER_PERMISSIONS_WORKSPACE_KNOWLEDGE_ALLOW_PUBLIC_SHARING, "sharing", "public_knowledge" },
    { CFG_USER_PERMISSIONS_WORKSPACE_PROMPTS_ALLOW_PUBLIC_SHARING, "sharing", "public_prompts" },
    { CFG_USER_PERMISSIONS_WORKSPACE_TOOLS_ALLOW_PUBLIC_SHARING, "sharing", "public_tools" },
    { CFG_USER_PERMISSIONS_NOTES_ALLOW_PUBLIC_SHARING, "sharing", "public_notes" },
    { CFG_USER_PERMISSIONS_CHAT_CONTROLS, "chat", "controls" },
    { CFG_USER_PERMISSIONS_CHAT_VALVES, "chat", "valves" },
    { CFG_USER_PERMISSIONS_CHAT_SYSTEM_PROMPT, "chat", "system_prompt" },
    { CFG_USER_PERMISSIONS_CHAT_PARAMS, "chat", "params" },
    { CFG_USER_PERMISSIONS_CHAT_FILE_UPLOAD, "chat", "file_upload" },
    { CFG_USER_PERMISSIONS_CHAT_DELETE, "chat", "delete" },
    { CFG_USER_PERMISSIONS_CHAT_DELETE_MESSAGE, "chat", "delete_message" },
    { CFG_USER_PERMISSIONS_CHAT_CONTINUE_RESPONSE, "chat", "continue_response" },
    { CFG_USER_PERMISSIONS_CHAT_REGENERATE_RESPONSE, "chat", "regenerate_response" },
    { CFG_USER_PERMISSIONS_CHAT_RATE_RESPONSE, "chat", "rate_response" },
    { CFG_USER_PERMISSIONS_CHAT_EDIT, "chat", "edit" },
    { CFG_USER_PERMISSIONS_CHAT_SHARE, "chat", "share" },
    { CFG_USER_PERMISSIONS_CHAT_EXPORT, "chat", "export" },
    { CFG_USER_PERMISSIONS_CHAT_STT, "chat", "stt" },
    { CFG_USER_PERMISSIONS_CHAT_TTS, "chat", "tts" },
    { CFG_USER_PERMISSIONS_CHAT_CALL, "chat", "call" },
    { CFG_USER_PERMISSIONS_CHAT_MULTIPLE_MODELS, "chat", "multiple_models" },
    { CFG_USER_PERMISSIONS_CHAT_TEMPORARY, "chat", "temporary" },
    { CFG_USER_PERMISSIONS_CHAT_TEMPORARY_ENFORCED, "chat", "temporary_enforced" },
    { CFG_USER_PERMISSIONS_FEATURES_DIRECT_TOOL_SERVERS, "features", "direct_tool_servers" },
    { CFG_USER_PERMISSIONS_FEATURES_WEB_SEARCH, "features", "web_search" },
    { CFG_USER_PERMISSIONS_FEATURES_IMAGE_GENERATION, "features", "image_generation" },
    { CFG_USER_PERMISSIONS_FEATURES_CODE_INTERPRETER, "features", "code_interpreter" },
    { CFG_USER_PERMISSIONS_FEATURES_NOTES, "features", "notes" },
};
enum { PERMISSIONS = sizeof permissions / sizeof permissions[0] };

static struct str text_of(const struct config *c, enum setting_id id)
{
    return json_str_value(c->base[id].value);
}

static bool is_true(const struct config *c, enum setting_id id)
{
    return json_truthy(c->base[id].value);
}

static bool is_set(const struct config *c, enum setting_id id)
{
    return c->base[id].source != FROM_DEFAULT;
}

static void set(struct config *c, enum setting_id id, json_object *v, enum setting_source source)
{
    c->base[id] = (struct base){ v, source };
}

static void set_text(struct config *c, enum setting_id id, struct str text, enum setting_source source)
{
    set(c, id, json_new_str(c->mem, text), source);
}

static struct str without_end(struct str s, const char *end)
{
    if (str_ends(s, end))
        s.n -= strlen(end);
    return s;
}

static void compute_ollama(struct config *c)
{
    struct base from = c->base[CFG_OLLAMA_BASE_URL];
    struct str url = without_end(json_str_value(from.value), "/");

    if (url.n == 0) {
        from = c->base[CFG_OLLAMA_API_BASE_URL];
        url = without_end(json_str_value(from.value), "/api");
    }
    if (str_is(text_of(c, CFG_ENV), "prod")) {
        if (str_is(url, "/ollama") && text_of(c, CFG_K8S_FLAG).n == 0) {
            url = is_true(c, CFG_USE_OLLAMA_DOCKER) ? S("http://localhost:11434")
                                                    : S("http://host.docker.internal:11434");
        } else if (text_of(c, CFG_K8S_FLAG).n > 0) {
            url = S("http://ollama-service.open-webui.svc.cluster.local:11434");
            from.source = c->base[CFG_K8S_FLAG].source;
        }
    }
    set_text(c, CFG_OLLAMA_BASE_URL, url, from.source);
    if (!is_set(c, CFG_OLLAMA_BASE_URLS))
        set(c, CFG_OLLAMA_BASE_URLS, value_split(c->mem, url, ';', 0), from.source);
    if (!is_set(c, CFG_RAG_OLLAMA_BASE_URL))
        set_text(c, CFG_RAG_OLLAMA_BASE_URL, url, FROM_DEFAULT);
}

static void compute_openai(struct config *c)
{
    struct base *url = &c->base[CFG_OPENAI_API_BASE_URL], *urls = &c->base[CFG_OPENAI_API_BASE_URLS];
    struct base *key = &c->base[CFG_OPENAI_API_KEY], *keys = &c->base[CFG_OPENAI_API_KEYS];
    json_object *full = json_new_array(c->mem);

    url->value = json_new_str(c->mem, without_end(json_str_value(url->value), "/"));
    if (!is_set(c, CFG_OPENAI_API_BASE_URLS) && is_set(c, CFG_OPENAI_API_BASE_URL))
        *urls = (struct base){ value_split(c->mem, json_str_value(url->value), ';', 0), url->source };
    JSON_EACH (urls->value, i, one)
        json_push_str(full, json_str_value(one).n ? json_str_value(one) : S(OPENAI_URL));
    urls->value = full;
    if (!is_set(c, CFG_OPENAI_API_KEYS) && is_set(c, CFG_OPENAI_API_KEY))
        *keys = (struct base){ value_split(c->mem, json_str_value(key->value), ';', 0), key->source };
}

/* As the Python backend's model of a banner takes it: unknown members go, a missing title is null. NULL: not well formed. */
static json_object *banner(struct arena *mem, json_object *from)
{
    static const char *const texts[] = { "id", "type", "title", "content" };
    json_object *to = json_new_object(mem), *dismissible = json_get(from, "dismissible"),
                *timestamp = json_get(from, "timestamp");

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        json_object *v = json_get(from, texts[i]);

        if (!json_is(v, json_type_string) && !(!v && str_is(S("title"), texts[i])))
            return NULL;
        json_set(to, texts[i], v);
    }
    dismissible = value_convert(mem, SETTING_BOOL, dismissible);
    timestamp = value_convert(mem, SETTING_INT, timestamp);
    if (!json_is(dismissible, json_type_boolean) || !json_is(timestamp, json_type_int))
        return NULL;
    json_set(to, "dismissible", dismissible);
    json_set(to, "timestamp", timestamp);
    return to;
}

static void compute_banners(struct config *c)
{
    json_object *banners = json_new_array(c->mem);

    JSON_EACH (c->base[CFG_WEBUI_BANNERS].value, i, from) {
        json_object *to = banner(c->mem, from);

        if (!to) {
            banners = json_new_array(c->mem);
            break;
        }
        json_push(banners, to);
    }
    c->base[CFG_WEBUI_BANNERS].value = banners;
}

static void compute_interface(struct config *c)
{
    struct base *name = &c->base[CFG_WEBUI_NAME], *suggestions = &c->base[CFG_DEFAULT_PROMPT_SUGGESTIONS];

    if (!str_is(json_str_value(name->value), "Open WebUI"))
        name->value = json_new_str(c->mem, str_cat(c->mem, json_str_value(name->value), S(" (Open WebUI)")));
    if (json_length(suggestions->value) == 0)
        set(c, CFG_DEFAULT_PROMPT_SUGGESTIONS,
            json_parse_or_null(c->mem, str_of(settings[CFG_DEFAULT_PROMPT_SUGGESTIONS].def)), FROM_DEFAULT);
    if (!is_true(c, CFG_WEBUI_AUTH))
        set(c, CFG_ENABLE_SIGNUP, json_new_bool(c->mem, false), c->base[CFG_WEBUI_AUTH].source);
    if (is_true(c, CFG_OFFLINE_MODE))
        set(c, CFG_ENABLE_VERSION_UPDATE_CHECK, json_new_bool(c->mem, false), c->base[CFG_OFFLINE_MODE].source);
}

bool computed_fixes_part(const struct config *c, enum setting_id id)
{
    for (int i = 0; i < PERMISSIONS && id == CFG_USER_PERMISSIONS; i++)
        if (is_set(c, permissions[i].id))
            return true;
    return false;
}

json_object *computed_permissions(struct config *c, struct arena *mem, json_object *v)
{
    json_object *out;

    if (!computed_fixes_part(c, CFG_USER_PERMISSIONS))
        return v;
    out = json_is(v, json_type_object) ? json_clone(mem, v) : json_new_object(mem);
    for (int i = 0; i < PERMISSIONS; i++) {
        json_object *group = json_get(out, permissions[i].group);

        if (!is_set(c, permissions[i].id))
            continue;
        if (!json_is(group, json_type_object))
            group = json_set_object(out, permissions[i].group);
        json_set(group, permissions[i].name, c->base[permissions[i].id].value);
    }
    return out;
}

void computed_base(struct config *c)
{
    compute_ollama(c);
    compute_openai(c);
    compute_banners(c);
    compute_interface(c);
    c->base[CFG_USER_PERMISSIONS].value = computed_permissions(c, c->mem, c->base[CFG_USER_PERMISSIONS].value);
}

/* Keys that default to the one that belongs to OpenAI's own address, wherever that stands in the list. */
void computed_values(struct config *c)
{
    static const enum setting_id keys[] = { CFG_RAG_OPENAI_API_KEY, CFG_IMAGES_OPENAI_API_KEY,
                                            CFG_AUDIO_STT_OPENAI_API_KEY, CFG_AUDIO_TTS_OPENAI_API_KEY };
    json_object *urls = c->values[CFG_OPENAI_API_BASE_URLS].json, *key = NULL;

    JSON_EACH (urls, i, url) {
        if (!key && str_is(json_str_value(url), OPENAI_URL))
            key = json_at(c->values[CFG_OPENAI_API_KEYS].json, i);
    }
    for (size_t i = 0; key && i < sizeof keys / sizeof keys[0]; i++)
        if (c->values[keys[i]].source == FROM_DEFAULT)
            value_fill(c->row_mem, &c->values[keys[i]], key, NULL, FROM_DEFAULT);
}
