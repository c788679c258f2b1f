/* transcribe.c: OpenAI and its like, Deepgram, Azure. */
#include "lib/audio/transcribe.h"

#include "lib/audio/shrink.h"
#include "lib/base/glob.h"
#include "lib/json/json.h"
#include "lib/net/form_data.h"
#include "lib/net/http.h"

enum { LISTEN_MS = 240 * 1000, PIECE_MAX = 20 * 1024 * 1024, AZURE_MAX = 200 * 1024 * 1024, FRAME = 64 * 1024 };

#define DEEPGRAM_URL "https://api.deepgram.com"

/* ---- which files */

bool transcribe_takes(const struct config *c, struct str content_type)
{
    json_object *types = config_json(c, CFG_AUDIO_STT_SUPPORTED_CONTENT_TYPES);
    bool any = false;

    JSON_EACH (types, i, type) {
        any |= str_trim(json_str_value(type)).n > 0;
        if (glob_match(json_str_value(type), content_type))
            return true;
    }
    return !any && (str_starts(content_type, "audio/") || str_is(content_type, "video/webm"));
}

/* ---- engines */

static struct str language_of(const struct config *c, const struct recording *what)
{
    struct str fixed = config_str(c, CFG_WHISPER_LANGUAGE);

    return fixed.n ? fixed : what->language;
}

static struct http_call call_to(const struct config *c, struct str url, struct str body)
{
    return (struct http_call){ .method = "POST",
                               .url = url,
                               .body = body,
                               .timeout_ms = LISTEN_MS,
                               .insecure = !config_bool(c, CFG_AIOHTTP_CLIENT_SESSION_SSL) };
}

static void openai_call(struct arena *mem, const struct config *c, const struct recording *what, struct str language,
                        struct http_call *call)
{
    struct form_data f = form_data_start(mem, what->bytes.n + FRAME);

    form_data_field(&f, "model", config_str(c, CFG_AUDIO_STT_MODEL));
    if (language.n)
        form_data_field(&f, "language", language);
    form_data_file(&f, "file", what->filename, what->content_type, what->bytes);
    *call = call_to(c, str_f(mem, "%.*s/audio/transcriptions", STR(config_str(c, CFG_AUDIO_STT_OPENAI_API_BASE_URL))),
                    form_data_end(&f));
    http_add_call_header(mem, call, "Content-Type", form_data_type(mem, &f));
    http_add_call_header(mem, call, "Authorization",
                         str_f(mem, "Bearer %.*s", STR(config_str(c, CFG_AUDIO_STT_OPENAI_API_KEY))));
}

static void deepgram_call(struct arena *mem, const struct config *c, const struct recording *what, struct str language,
                          struct http_call *call)
{
    struct str model = config_str(c, CFG_AUDIO_STT_MODEL);
    struct buf url = BUF(mem, 64 * 1024);

    buf_add_c(&url, DEEPGRAM_URL "/v1/listen?smart_format=true");
    if (model.n) {
        buf_add_c(&url, "&model=");
        buf_add_urlencoded(&url, model);
    }
    if (language.n) {
        buf_add_c(&url, "&language=");
        buf_add_urlencoded(&url, language);
    }
    *call = call_to(c, buf_str(&url), what->bytes);
    http_add_call_header(mem, call, "Authorization",
                         str_f(mem, "Token %.*s", STR(config_str(c, CFG_DEEPGRAM_API_KEY))));
    http_add_call_header(mem, call, "Content-Type", what->content_type.n ? what->content_type : S("audio/wav"));
}

static struct str azure_definition(struct arena *mem, const struct config *c)
{
    struct str locales = config_str(c, CFG_AUDIO_STT_AZURE_LOCALES), rest, one,
               speakers = config_str(c, CFG_AUDIO_STT_AZURE_MAX_SPEAKERS);
    json_object *o = json_new_object(mem), *list = json_set_array(o, "locales"), *diarization;
    int64_t n;

    rest = locales.n >= 2 ? locales
                          : S("en-US,es-ES,es-MX,fr-FR,hi-IN,it-IT,de-DE,en-GB,en-IN,ja-JP,ko-KR,pt-BR,zh-CN");
    while (str_split(&rest, ',', &one))
        json_push_str(list, one);
    diarization = json_set_object(o, "diarization");
    if (!speakers.n)
        json_set_int(diarization, "maxSpeakers", 3);
    else if (str_to_i64(speakers, &n))
        json_set_int(diarization, "maxSpeakers", n);
    else
        json_set_str(diarization, "maxSpeakers", speakers);
    json_set_bool(diarization, "enabled", true);
    return json_text(mem, o);
}

static void azure_call(struct arena *mem, const struct config *c, const struct recording *what, struct http_call *call)
{
    struct str region = config_str(c, CFG_AUDIO_STT_AZURE_REGION), base = config_str(c, CFG_AUDIO_STT_AZURE_BASE_URL);
    struct form_data f = form_data_start(mem, what->bytes.n + FRAME);

    if (!base.n)
        base = str_f(mem, "https://%.*s.api.cognitive.microsoft.com", STR(region.n ? region : S("eastus")));
    form_data_field(&f, "definition", azure_definition(mem, c));
    form_data_file(&f, "audio", what->filename, what->content_type, what->bytes);
    *call = call_to(c, str_cat(mem, base, S("/speechtotext/transcriptions:transcribe?api-version=2024-11-15")),
                    form_data_end(&f));
    http_add_call_header(mem, call, "Content-Type", form_data_type(mem, &f));
    http_add_call_header(mem, call, "Ocp-Apim-Subscription-Key", config_str(c, CFG_AUDIO_STT_AZURE_API_KEY));
}

/* ---- answers */

static enum status failure(struct arena *mem, const struct http_call *call, struct error *err)
{
    json_object *answer = call->result == OK ? json_parse_or_null(mem, call->response) : NULL,
                *error = json_get(answer, "error");
    struct str text = json_is(error, json_type_object) ? json_str(error, "message") : json_str_value(error);

    if (!text.n)
        text = json_str(answer, "err_msg"); /* Deepgram */
    if (text.n)
        return error_set(err, FAILED, "External: %.*s", STR(str_utf8_first(text, 300)));
    if (call->result == OK)
        return error_set(err, FAILED, "External: status %d", call->status);
    return error_set(err, call->result, "Open WebUI: Server Connection Error");
}

/* The transcript in an engine's answer; absent: there is none. */
static struct str transcript_of(json_object *answer, struct str engine)
{
    json_object *first;

    if (str_is(engine, "openai"))
        return json_str(answer, "text");
    if (str_is(engine, "azure"))
        return str_trim(json_str(json_at(json_get(answer, "combinedPhrases"), 0), "text"));
    first = json_at(json_get(json_at(json_path(answer, "results.channels"), 0), "alternatives"), 0);
    return str_trim(json_str(first, "transcript"));
}

static enum status one_piece(struct arena *mem, const struct config *c, const struct recording *what, struct str *text,
                             struct error *err)
{
    struct str engine = config_str(c, CFG_AUDIO_STT_ENGINE), language = language_of(c, what);
    struct http_call call;

    for (;;) {
        if (str_is(engine, "openai"))
            openai_call(mem, c, what, language, &call);
        else if (str_is(engine, "deepgram"))
            deepgram_call(mem, c, what, language, &call);
        else
            azure_call(mem, c, what, &call);
        http_run(mem, &call, 1);
        if ((call.result == OK && call.status == 200) || !language.n || str_is(engine, "azure"))
            break;
        language = STR_NONE; /* perhaps it does not know the language */
    }
    if (call.result != OK || call.status < 200 || call.status > 299)
        return failure(mem, &call, err);
    *text = transcript_of(json_parse_or_null(mem, call.response), engine);
    return text->p ? OK : error_set(err, FAILED, "the speech engine's answer has no transcript");
}

enum status transcribe(struct arena *mem, const struct config *c, const struct recording *what, struct str *text,
                       struct error *err)
{
    struct str engine = config_str(c, CFG_AUDIO_STT_ENGINE);
    bool is_azure = str_is(engine, "azure");
    struct recording *pieces;
    struct buf all = BUF(mem, 16 * 1024 * 1024);
    enum status st;
    size_t n;

    if (!str_is(engine, "openai") && !str_is(engine, "deepgram") && !is_azure)
        return error_set(err, NOT_FOUND,
                         engine.n && !str_is(engine, "web")
                             ? "This speech-to-text engine is not available in this server"
                             : "Speech-to-text by a local Whisper model is not available in this server: choose an "
                               "engine in the audio settings");
    if (is_azure && !config_str(c, CFG_AUDIO_STT_AZURE_API_KEY).n)
        return error_set(err, INVALID, "Azure API key is required for Azure STT");
    if (what->bytes.n <= (is_azure ? AZURE_MAX : PIECE_MAX))
        return one_piece(mem, c, what, text, err);
    st = shrink_recording(mem, c, what, PIECE_MAX, &pieces, &n, err);
    if (st != OK)
        return st;
    for (size_t i = 0; i < n; i++) {
        struct str part;

        st = one_piece(mem, c, &pieces[i], &part, err);
        if (st != OK)
            return st;
        if (i)
            buf_add_char(&all, ' ');
        buf_add_str(&all, part);
    }
    *text = buf_str(&all);
    return OK;
}
