/* voices.h: shared by the files of lib/audio. */
#ifndef LIB_AUDIO_VOICES_H
#define LIB_AUDIO_VOICES_H

#include "lib/audio/speech.h"

#define ELEVENLABS_URL "https://api.elevenlabs.io"

/* The settings' address of Azure's speech, or the region's. */
struct str azure_speech_url(struct arena *mem, const struct config *c);
/* Whether the engine has a voice of that id. */
bool voices_has(struct arena *mem, struct config *c, struct str id);

#endif
