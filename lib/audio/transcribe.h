/* transcribe.h: speech to text by an engine that the settings name. */
#ifndef LIB_AUDIO_TRANSCRIBE_H
#define LIB_AUDIO_TRANSCRIBE_H

#include "lib/config/config.h"

struct recording {
    struct str bytes;
    struct str filename; /* "memo.wav": engines look at its ending */
    struct str content_type;
    struct str language; /* "de"; absent: the engine finds out. WHISPER_LANGUAGE goes before it */
};

/* Whether a file of that type is speech: STT_SUPPORTED_CONTENT_TYPES, by default audio/… and video/webm. */
bool transcribe_takes(const struct config *c, struct str content_type);

/* Waits for the engine. A recording of more than 20 MB is made smaller by ffmpeg first. NOT_FOUND: the engine (or ffmpeg, when it is needed) is not available in this
 * server; INVALID: the recording is at fault; FAILED, UNAVAILABLE, TIMED_OUT: the engine. err is worded for a person, and names no address and no key. */
enum status transcribe(struct arena *mem, const struct config *c, const struct recording *what, struct str *text,
                       struct error *err);

#endif
