/* speech.h: text to speech by an engine that the settings name. What was spoken once is kept in DATA_DIR/cache/audio/speech, under the digest that the Python
 * backend uses: NAME.mp3 with the sound, NAME.json with the request. */
#ifndef LIB_AUDIO_SPEECH_H
#define LIB_AUDIO_SPEECH_H

#include "lib/auth/user.h"
#include "lib/config/config.h"
#include "lib/json/json.h"
#include "lib/net/http.h"

enum speech_engine { SPEECH_OPENAI, SPEECH_ELEVENLABS, SPEECH_AZURE, SPEECH_TRANSFORMERS, SPEECH_BROWSER };

enum speech_engine speech_engine(const struct config *c);

/* Where a request's sound is kept: hex digits. For speech of the settings' engine; that of /openai/audio/speech is named by the digest of its body alone. */
struct str speech_name(struct arena *mem, const struct config *c, struct str body);
/* true: it is there; the descriptor is the caller's. */
bool speech_cached(struct arena *mem, const struct config *c, struct str name, int *fd, int64_t *bytes);
enum status speech_keep(struct arena *mem, const struct config *c, struct str name, struct str sound,
                        json_object *request, struct error *err);

/* The call that makes the sound of {"input", "voice", …}. INVALID: the request is at fault; FAILED: the engine is not available here. err is worded for a person.
 * ElevenLabs is asked for its voices first, and waited for, unless they are known. */
enum status speech_call(struct arena *mem, struct config *c, const struct user *u, json_object *request,
                        struct http_call *call, struct error *err);
/* What a person is told of an answer of 400 or more, or of none (status 0). */
struct str speech_failure(struct arena *mem, int status, struct str body);

/* [{"id"}, …] and [{"id", "name"}, …]; an engine that does not answer has the usual ones, or none. They wait. */
json_object *speech_models(struct arena *mem, struct config *c);
json_object *speech_voices(struct arena *mem, struct config *c);

#endif
