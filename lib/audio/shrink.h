/* shrink.h: long recordings in pieces that speech engines take. */
#ifndef LIB_AUDIO_SHRINK_H
#define LIB_AUDIO_SHRINK_H

#include "lib/audio/transcribe.h"

/* Pieces of 32 kbit/s mono MP3, each smaller than max_bytes, made by ffmpeg. NOT_FOUND: there is no ffmpeg; FAILED. err is worded for a person. */
enum status shrink_recording(struct arena *mem, const struct config *c, const struct recording *what, size_t max_bytes,
                             struct recording **pieces, size_t *n, struct error *err);

#endif
