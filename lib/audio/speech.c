/* speech.c: the engines' calls, and what is kept of them. */
#include "lib/audio/speech.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/audio/voices.h"
#include "lib/base/encode.h"
#include "lib/base/file.h"
#include "lib/llm/providers.h"

enum { SPEAK_MS = 120 * 1000, SOUND_MAX = 32 * 1024 * 1024 };

enum speech_engine speech_engine(const struct config *c)
{
    struct str name = config_str(c, CFG_AUDIO_TTS_ENGINE);

    if (str_is(name, "openai"))
        return SPEECH_OPENAI;
    if (str_is(name, "elevenlabs"))
        return SPEECH_ELEVENLABS;
    if (str_is(name, "azure"))
        return SPEECH_AZURE;
    return str_is(name, "transformers") ? SPEECH_TRANSFORMERS : SPEECH_BROWSER;
}

/* ---- what is kept */

struct str speech_name(struct arena *mem, const struct config *c, struct str body)
{
    return sha256_hex(mem, str_cat(mem, str_cat(mem, body, config_str(c, CFG_AUDIO_TTS_ENGINE)),
                                   config_str(c, CFG_AUDIO_TTS_MODEL)));
}

static struct str path_of(struct arena *mem, const struct config *c, struct str name, const char *ending)
{
    return str_f(mem, "%s/cache/audio/speech/%.*s%s", config_data_dir(c), STR(name), ending);
}

bool speech_cached(struct arena *mem, const struct config *c, struct str name, int *fd, int64_t *bytes)
{
    int f = open(path_of(mem, c, name, ".mp3").p, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat st;

    if (f >= 0 && fstat(f, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0) {
        *fd = f;
        *bytes = st.st_size;
        return true;
    }
    if (f >= 0)
        close(f);
    return false;
}

enum status speech_keep(struct arena *mem, const struct config *c, struct str name, struct str sound,
                        json_object *request, struct error *err)
{
    enum status st = dir_make(str_f(mem, "%s/cache/audio/speech", config_data_dir(c)).p, 0700, err);

    if (st == OK)
        st = file_write(path_of(mem, c, name, ".json").p, json_text(mem, request), 0600, err);
    if (st == OK)
        st = file_write(path_of(mem, c, name, ".mp3").p, sound, 0600, err);
    return error_add(err, st, "could not keep speech");
}

/* ---- calls */

static struct http_call call_to(const struct config *c, struct str url, struct str body)
{
    int64_t limit_s = config_int(c, CFG_AIOHTTP_CLIENT_TIMEOUT);

    return (struct http_call){ .method = "POST",
                               .url = url,
                               .body = body,
                               .timeout_ms = limit_s > 0 && limit_s < 3600 ? (int)limit_s * 1000 : SPEAK_MS,
                               .max_bytes = SOUND_MAX,
                               .insecure = !config_bool(c, CFG_AIOHTTP_CLIENT_SESSION_SSL) };
}

static void openai_call(struct arena *mem, struct config *c, const struct user *u, json_object *request,
                        struct http_call *call)
{
    json_object *body = json_clone(mem, request), *headers = json_new_object(mem);

    json_set_str(body, "model", config_str(c, CFG_AUDIO_TTS_MODEL));
    *call = call_to(c, str_f(mem, "%.*s/audio/speech", STR(config_str(c, CFG_AUDIO_TTS_OPENAI_API_BASE_URL))),
                    json_text(mem, body));
    http_add_call_header(mem, call, "Authorization",
                         str_f(mem, "Bearer %.*s", STR(config_str(c, CFG_AUDIO_TTS_OPENAI_API_KEY))));
    if (u && config_bool(c, CFG_ENABLE_FORWARD_USER_INFO_HEADERS))
        provider_add_user(mem, headers, u, STR_NONE);
    json_object_object_foreach(headers, name, value) http_add_call_header(mem, call, name, json_str_value(value));
}

static enum status elevenlabs_call(struct arena *mem, struct config *c, json_object *request, struct http_call *call,
                                   struct error *err)
{
    struct str voice = json_str(request, "voice");
    json_object *body = json_new_object(mem), *tuning;

    if (!voice.n || !voices_has(mem, c, voice))
        return error_set(err, INVALID, "Invalid voice id");
    json_set(body, "text", json_get(request, "input"));
    json_set_str(body, "model_id", config_str(c, CFG_AUDIO_TTS_MODEL));
    tuning = json_set_object(body, "voice_settings");
    json_set_double(tuning, "stability", 0.5);
    json_set_double(tuning, "similarity_boost", 0.5);
    *call = call_to(c, str_f(mem, "%s/v1/text-to-speech/%.*s", ELEVENLABS_URL, STR(url_encode(mem, voice))),
                    json_text(mem, body));
    http_add_call_header(mem, call, "Accept", S("audio/mpeg"));
    http_add_call_header(mem, call, "xi-api-key", config_str(c, CFG_AUDIO_TTS_API_KEY));
    return OK;
}

static void azure_call(struct arena *mem, struct config *c, json_object *request, struct http_call *call)
{
    struct str voice = config_str(c, CFG_AUDIO_TTS_VOICE);
    struct buf body = BUF(mem, 1024 * 1024);

    buf_add_c(&body, "<speak version=\"1.0\" xmlns=\"http://www.w3.org/2001/10/synthesis\" xml:lang=\"");
    buf_add_html(&body, str_sub(voice, 0, str_find_c(voice, '-')));
    buf_add_c(&body, "\"><voice name=\"");
    buf_add_html(&body, voice);
    buf_add_c(&body, "\">");
    buf_add_html(&body, json_str(request, "input"));
    buf_add_c(&body, "</voice></speak>");
    *call = call_to(c, str_cat(mem, azure_speech_url(mem, c), S("/cognitiveservices/v1")), buf_str(&body));
    http_add_call_header(mem, call, "Content-Type", S("application/ssml+xml"));
    http_add_call_header(mem, call, "Ocp-Apim-Subscription-Key", config_str(c, CFG_AUDIO_TTS_API_KEY));
    http_add_call_header(mem, call, "X-Microsoft-OutputFormat",
                         config_str(c, CFG_AUDIO_TTS_AZURE_SPEECH_OUTPUT_FORMAT));
}

enum status speech_call(struct arena *mem, struct config *c, const struct user *u, json_object *request,
                        struct http_call *call, struct error *err)
{
    if (!json_is(request, json_type_object))
        return error_set(err, INVALID, "Invalid JSON payload");
    if (!json_is(json_get(request, "input"), json_type_string))
        return error_set(err, INVALID, "The input is missing");
    switch (speech_engine(c)) {
    case SPEECH_OPENAI: openai_call(mem, c, u, request, call); return OK;
    case SPEECH_ELEVENLABS: return elevenlabs_call(mem, c, request, call, err);
    case SPEECH_AZURE: azure_call(mem, c, request, call); return OK;
    case SPEECH_TRANSFORMERS:
        return error_set(err, FAILED, "Speech by a local model (transformers) is not available in this server");
    case SPEECH_BROWSER: break;
    }
    return error_set(err, FAILED, "No speech engine is set: browsers speak by themselves");
}

struct str speech_failure(struct arena *mem, int status, struct str body)
{
    json_object *answer = status ? json_parse_or_null(mem, body) : NULL, *error = json_get(answer, "error");
    struct str text = json_is(error, json_type_object) ? json_str(error, "message") : json_str_value(error);

    if (!text.n) /* ElevenLabs: {"detail": {"message"}} */
        text = json_str(json_get(answer, "detail"), "message");
    if (text.n)
        return str_f(mem, "External: %.*s", STR(str_utf8_first(text, 300)));
    if (status)
        return str_f(mem, "External: status %d", status);
    return S("Open WebUI: Server Connection Error");
}
