/* voices.c: models and voices of the speech engines. */
#include "lib/audio/voices.h"

#include "lib/base/clock.h"
#include "lib/base/log.h"

enum { LIST_MS = 5 * 1000, VOICES_KEPT_MS = 10 * 60 * 1000 };

static bool get_json(struct arena *mem, const struct config *c, struct http_call *call, json_object **out)
{
    call->timeout_ms = LIST_MS;
    call->insecure = !config_bool(c, CFG_AIOHTTP_CLIENT_SESSION_SSL);
    http_run(mem, call, 1);
    if (call->result == OK && call->status < 300 && json_parse(mem, call->response, out, NULL) == OK)
        return true;
    log_info("the speech engine gives no list: %s", call->result == OK ? "no good answer" : call->err.text);
    return false;
}

static void push_id(struct arena *mem, json_object *list, const char *id)
{
    json_object *one = json_new_object(mem);

    json_set_c(one, "id", id);
    json_push(list, one);
}

static void push_voice(struct arena *mem, json_object *list, struct str id, struct str name)
{
    json_object *one = json_new_object(mem);

    json_set_str(one, "id", id);
    json_set_str(one, "name", name);
    json_push(list, one);
}

static bool is_openai_itself(const struct config *c)
{
    return str_starts(config_str(c, CFG_AUDIO_TTS_OPENAI_API_BASE_URL), "https://api.openai.com");
}

static struct http_call openai_list(struct arena *mem, const struct config *c, const char *path)
{
    return (
        struct http_call){ .url = str_f(mem, "%.*s%s", STR(config_str(c, CFG_AUDIO_TTS_OPENAI_API_BASE_URL)), path) };
}

static struct http_call elevenlabs_list(struct arena *mem, const struct config *c, const char *path)
{
    struct http_call call = { .url = str_f(mem, ELEVENLABS_URL "%s", path) };

    http_add_call_header(mem, &call, "xi-api-key", config_str(c, CFG_AUDIO_TTS_API_KEY));
    return call;
}

/* ---- models */

static json_object *openai_models(struct arena *mem, const struct config *c)
{
    struct http_call call = openai_list(mem, c, "/audio/models");
    json_object *answer = NULL, *list = json_new_array(mem);

    if (!is_openai_itself(c) && get_json(mem, c, &call, &answer))
        return json_is(json_get(answer, "models"), json_type_array) ? json_get(answer, "models") : list;
    push_id(mem, list, "tts-1");
    push_id(mem, list, "tts-1-hd");
    return list;
}

json_object *speech_models(struct arena *mem, struct config *c)
{
    struct http_call call = elevenlabs_list(mem, c, "/v1/models");
    json_object *answer = NULL, *list = json_new_array(mem);

    if (speech_engine(c) == SPEECH_OPENAI)
        return openai_models(mem, c);
    if (speech_engine(c) != SPEECH_ELEVENLABS || !get_json(mem, c, &call, &answer))
        return list;
    JSON_EACH (answer, i, m) {
        json_object *one = json_new_object(mem);

        json_set(one, "name", json_get(m, "name"));
        json_set(one, "id", json_get(m, "model_id"));
        json_push(list, one);
    }
    return list;
}

/* ---- voices */

static json_object *openai_voices(struct arena *mem, const struct config *c)
{
    static const char *const usual[] = { "alloy", "echo", "fable", "onyx", "nova", "shimmer" };
    struct http_call call = openai_list(mem, c, "/audio/voices");
    json_object *answer = NULL, *list = json_new_array(mem);

    if (!is_openai_itself(c) && get_json(mem, c, &call, &answer)) {
        JSON_EACH (json_get(answer, "voices"), i, v)
            push_voice(mem, list, json_str(v, "id"), json_str(v, "name"));
        return list;
    }
    for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
        push_voice(mem, list, str_of(usual[i]), str_of(usual[i]));
    return list;
}

/* Each sentence that is read aloud asks whether its voice is there: the list is kept for a while. */
static json_object *elevenlabs_voices(struct arena *mem, const struct config *c)
{
    static struct arena *kept_mem;
    static struct str kept, key;
    static int64_t read_ms;
    json_object *answer = NULL, *list;
    struct http_call call;

    if (kept_mem && mono_ms() - read_ms < VOICES_KEPT_MS && str_eq(key, config_str(c, CFG_AUDIO_TTS_API_KEY)))
        return json_parse_or_null(mem, kept);
    list = json_new_array(mem);
    call = elevenlabs_list(mem, c, "/v1/voices");
    if (!get_json(mem, c, &call, &answer))
        return list;
    JSON_EACH (json_get(answer, "voices"), i, v)
        push_voice(mem, list, json_str(v, "voice_id"), json_str(v, "name"));
    if (!kept_mem)
        kept_mem = arena_new(16 * 1024);
    arena_reset(kept_mem);
    kept = str_copy(kept_mem, json_text(mem, list));
    key = str_copy(kept_mem, config_str(c, CFG_AUDIO_TTS_API_KEY));
    read_ms = mono_ms();
    return list;
}

struct str azure_speech_url(struct arena *mem, const struct config *c)
{
    struct str base = config_str(c, CFG_AUDIO_TTS_AZURE_SPEECH_BASE_URL),
               region = config_str(c, CFG_AUDIO_TTS_AZURE_SPEECH_REGION);

    return base.n ? base : str_f(mem, "https://%.*s.tts.speech.microsoft.com", STR(region.n ? region : S("eastus")));
}

static json_object *azure_voices(struct arena *mem, const struct config *c)
{
    struct http_call call = { .url = str_cat(mem, azure_speech_url(mem, c), S("/cognitiveservices/voices/list")) };
    json_object *answer = NULL, *list = json_new_array(mem);

    http_add_call_header(mem, &call, "Ocp-Apim-Subscription-Key", config_str(c, CFG_AUDIO_TTS_API_KEY));
    if (!get_json(mem, c, &call, &answer))
        return list;
    JSON_EACH (answer, i, v) {
        struct str id = json_str(v, "ShortName");

        push_voice(mem, list, id, str_f(mem, "%.*s (%.*s)", STR(json_str(v, "DisplayName")), STR(id)));
    }
    return list;
}

json_object *speech_voices(struct arena *mem, struct config *c)
{
    switch (speech_engine(c)) {
    case SPEECH_OPENAI: return openai_voices(mem, c);
    case SPEECH_ELEVENLABS: return elevenlabs_voices(mem, c);
    case SPEECH_AZURE: return azure_voices(mem, c);
    default: return json_new_array(mem);
    }
}

bool voices_has(struct arena *mem, struct config *c, struct str id)
{
    JSON_EACH (speech_voices(mem, c), i, v)
        if (str_eq(json_str(v, "id"), id))
            return true;
    return false;
}
