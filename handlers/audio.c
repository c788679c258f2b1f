/* audio.c: /api/v1/audio: settings of the speech engines, text to speech and back. */
#include "fcgi/route.h"
#include "handlers/plan_call.h"
#include "handlers/routes.h"
#include "handlers/settings_form.h"
#include "lib/audio/speech.h"
#include "lib/audio/transcribe.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/random.h"

/* ---- settings */

static const struct form_setting tts[] = { { "OPENAI_API_BASE_URL", CFG_AUDIO_TTS_OPENAI_API_BASE_URL },
                                           { "OPENAI_API_KEY", CFG_AUDIO_TTS_OPENAI_API_KEY },
                                           { "API_KEY", CFG_AUDIO_TTS_API_KEY },
                                           { "ENGINE", CFG_AUDIO_TTS_ENGINE },
                                           { "MODEL", CFG_AUDIO_TTS_MODEL },
                                           { "VOICE", CFG_AUDIO_TTS_VOICE },
                                           { "SPLIT_ON", CFG_AUDIO_TTS_SPLIT_ON },
                                           { "AZURE_SPEECH_REGION", CFG_AUDIO_TTS_AZURE_SPEECH_REGION },
                                           { "AZURE_SPEECH_BASE_URL", CFG_AUDIO_TTS_AZURE_SPEECH_BASE_URL },
                                           { "AZURE_SPEECH_OUTPUT_FORMAT", CFG_AUDIO_TTS_AZURE_SPEECH_OUTPUT_FORMAT },
                                           { NULL, 0 } };
static const struct form_setting stt[] = { { "OPENAI_API_BASE_URL", CFG_AUDIO_STT_OPENAI_API_BASE_URL },
                                           { "OPENAI_API_KEY", CFG_AUDIO_STT_OPENAI_API_KEY },
                                           { "ENGINE", CFG_AUDIO_STT_ENGINE },
                                           { "MODEL", CFG_AUDIO_STT_MODEL },
                                           { "SUPPORTED_CONTENT_TYPES", CFG_AUDIO_STT_SUPPORTED_CONTENT_TYPES },
                                           { "WHISPER_MODEL", CFG_WHISPER_MODEL },
                                           { "DEEPGRAM_API_KEY", CFG_DEEPGRAM_API_KEY },
                                           { "AZURE_API_KEY", CFG_AUDIO_STT_AZURE_API_KEY },
                                           { "AZURE_REGION", CFG_AUDIO_STT_AZURE_REGION },
                                           { "AZURE_LOCALES", CFG_AUDIO_STT_AZURE_LOCALES },
                                           { "AZURE_BASE_URL", CFG_AUDIO_STT_AZURE_BASE_URL },
                                           { "AZURE_MAX_SPEAKERS", CFG_AUDIO_STT_AZURE_MAX_SPEAKERS },
                                           { NULL, 0 } };

static const struct field tts_form[] = { FIELD(STRING, "OPENAI_API_BASE_URL", REQUIRED),
                                         FIELD(STRING, "OPENAI_API_KEY", REQUIRED),
                                         FIELD(STRING, "API_KEY", REQUIRED),
                                         FIELD(STRING, "ENGINE", REQUIRED),
                                         FIELD(STRING, "MODEL", REQUIRED),
                                         FIELD(STRING, "VOICE", REQUIRED),
                                         FIELD(STRING, "SPLIT_ON", REQUIRED),
                                         FIELD(STRING, "AZURE_SPEECH_REGION", REQUIRED),
                                         FIELD(STRING, "AZURE_SPEECH_BASE_URL", REQUIRED),
                                         FIELD(STRING, "AZURE_SPEECH_OUTPUT_FORMAT", REQUIRED),
                                         END };
static const struct field stt_form[] = { FIELD(STRING, "OPENAI_API_BASE_URL", REQUIRED),
                                         FIELD(STRING, "OPENAI_API_KEY", REQUIRED),
                                         FIELD(STRING, "ENGINE", REQUIRED),
                                         FIELD(STRING, "MODEL", REQUIRED),
                                         FIELD(LIST_OF_STRINGS, "SUPPORTED_CONTENT_TYPES", NOT_NULL, .def = "[]"),
                                         FIELD(STRING, "WHISPER_MODEL", REQUIRED),
                                         FIELD(STRING, "DEEPGRAM_API_KEY", REQUIRED),
                                         FIELD(STRING, "AZURE_API_KEY", REQUIRED),
                                         FIELD(STRING, "AZURE_REGION", REQUIRED),
                                         FIELD(STRING, "AZURE_LOCALES", REQUIRED),
                                         FIELD(STRING, "AZURE_BASE_URL", REQUIRED),
                                         FIELD(STRING, "AZURE_MAX_SPEAKERS", REQUIRED),
                                         END };
static const struct field config_form[] = { FIELD(FORM, "tts", REQUIRED, .form = tts_form),
                                            FIELD(FORM, "stt", REQUIRED, .form = stt_form), END };

static int show_config(struct request *r, struct response *out)
{
    json_object *o = json_new_object(r->mem);

    json_set(o, "tts", form_settings_object(r, tts));
    json_set(o, "stt", form_settings_object(r, stt));
    return reply_json(out, o);
}

static int save_config(struct request *r, struct response *out)
{
    struct config_change *change = config_change_begin(r->config, r->mem);
    struct error err = { "" };
    enum status st;

    for (const struct form_setting *s = tts; s->name; s++)
        config_change_set(change, s->id, json_get(form_json(r, "tts"), s->name));
    for (const struct form_setting *s = stt; s->name; s++)
        config_change_set(change, s->id, json_get(form_json(r, "stt"), s->name));
    st = config_change_commit(change, r->db, &err);
    return st == OK ? show_config(r, out) : fail_status(out, st, &err);
}

/* ---- text to speech */

static int speak(struct request *r, struct response *out)
{
    struct str name = speech_name(r->mem, r->config, r->body);
    json_object *request = NULL, *state;
    struct error err = { "" };
    struct http_call call;
    int64_t bytes;
    int fd;

    if (speech_cached(r->mem, r->config, name, &fd, &bytes))
        return reply_file(out, fd, bytes, "audio/mpeg");
    if (json_parse(r->mem, r->body, &request, NULL) != OK)
        return fail(out, 400, "Invalid JSON payload");
    switch (speech_call(r->mem, r->config, r->user, request, &call, &err)) {
    case OK: break;
    case INVALID: return fail(out, 400, "%s", err.text);
    default: return fail(out, speech_engine(r->config) == SPEECH_TRANSFORMERS ? 501 : 400, "%s", err.text);
    }
    state = json_new_object(r->mem);
    json_set_str(state, "name", name);
    json_set(state, "request", request);
    return reply_call_plan(r, out, &call, "audio_spoken", state);
}

/* The engine's answer: what is spoken is kept, and answered. */
static int spoken(struct request *r, struct response *out)
{
    json_object *state = form_json(r, "state");
    struct error err = { "" };
    struct http_call call;

    plan_call_outcome(r, &call);
    if (call.result != OK || call.status >= 300 || !call.response.n) {
        struct str why = speech_failure(r->mem, call.result == OK ? call.status : 0, call.response);

        log_warning("speech: %.*s", STR(why));
        fail(out, call.result == OK && call.status >= 400 && call.status < 500 ? call.status : 500, "%.*s", STR(why));
        return reply_step(r, out);
    }
    if (speech_keep(r->mem, r->config, json_str(state, "name"), call.response, json_get(state, "request"), &err) != OK)
        log_warning("%s", err.text);
    return reply_text(out, 200, "audio/mpeg", call.response);
}

static int list_models(struct request *r, struct response *out)
{
    json_object *o = json_new_object(r->mem);

    json_set(o, "models", speech_models(r->mem, r->config));
    return reply_json(out, o);
}

static int list_voices(struct request *r, struct response *out)
{
    json_object *o = json_new_object(r->mem);

    json_set(o, "voices", speech_voices(r->mem, r->config));
    return reply_json(out, o);
}

/* ---- speech to text */

/* The cache serves what is kept, by its ending: one that we know, whatever the client called the file. */
static const char *ending_of(struct str filename)
{
    static const char *const endings[] = { "wav",  "mp3", "m4a", "mp4",  "mpeg", "mpga",
                                           "webm", "ogg", "oga", "opus", "flac", "aac" };
    size_t dot = str_rfind_c(filename, '.');

    for (size_t i = 0; dot != STR_NPOS && i < sizeof(endings) / sizeof(endings[0]); i++)
        if (str_ieq(str_from(filename, dot + 1), endings[i]))
            return endings[i];
    return "bin";
}

static void keep_recording(struct request *r, struct str id, struct str name, struct str bytes, json_object *transcript)
{
    const char *folder = str_f(r->mem, "%s/cache/audio/transcriptions", config_data_dir(r->config)).p;
    struct error err = { "" };

    if (dir_make(folder, 0700, &err) != OK ||
        file_write(str_f(r->mem, "%s/%.*s", folder, STR(name)).p, bytes, 0600, &err) != OK ||
        file_write(str_f(r->mem, "%s/%.*s.json", folder, STR(id)).p, json_text(r->mem, transcript), 0600, &err) != OK)
        log_warning("a recording is not kept: %s", err.text);
}

static int transcription(struct request *r, struct response *out)
{
    const struct part *file = request_part(r, "file");
    struct str id = random_uuid(r->mem), text, name = str_f(r->mem, "%.*s.%s", STR(id), ending_of(file->filename));
    struct recording what = { file->body, name, file->content_type, form_str(r, "language") };
    json_object *answer = json_new_object(r->mem);
    struct error err = { "" };
    enum status st;

    if (!transcribe_takes(r->config, file->content_type))
        return fail(out, 400,
                    "Oops! It seems like the file format you're trying to upload is not supported. Please "
                    "upload a file with a supported format and try again.");
    st = transcribe(r->mem, r->config, &what, &text, &err);
    if (st != OK) {
        log_warning("a recording was not recognised: %s", err.text);
        return st == NOT_FOUND ? fail(out, 501, "%s", err.text)
                               : fail(out, 400, "[ERROR: Error transcribing chunk: %s]", err.text);
    }
    json_set_str(answer, "text", text);
    keep_recording(r, id, name, file->body, answer);
    json_set_str(answer, "filename", name);
    return reply_json(out, answer);
}

static const struct field transcription_form[] = { FIELD(FILE_PART, "file", REQUIRED),
                                                   FIELD(STRING, "language", OPTIONAL), END };

const struct route audio_routes[] = {
    { GET, "/api/v1/audio/config", ADMIN, show_config, .about = "Settings of the speech engines" },
    { POST, "/api/v1/audio/config/update", ADMIN, save_config, .form = config_form,
      .about = "Changes the settings of the speech engines" },
    { POST, "/api/v1/audio/speech", VERIFIED, speak, .type = "audio/mpeg", .body = BODY_RAW, .server = SIDECAR,
      .about = "Speaks a text" },
    { POST, "/api/v1/audio/transcriptions", VERIFIED, transcription, .form = transcription_form, .body = BODY_MULTIPART,
      .server = SIDECAR, .about = "Writes down what a recording says" },
    { GET, "/api/v1/audio/models", VERIFIED, list_models, .server = SIDECAR, .about = "Models of the speech engine" },
    { GET, "/api/v1/audio/voices", VERIFIED, list_voices, .server = SIDECAR, .about = "Voices of the speech engine" },
    { POST, "/internal/step/audio_spoken", INTERNAL, spoken, .body = BODY_JSON_ANY, .keep_unknown = true,
      .hidden = true, .about = "The answer of a speech engine" },
    END
};
