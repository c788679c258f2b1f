/* ydoc_save.h: contents of notes that are being edited, saved by a worker half a second after the last change, and each three seconds while changes come. */
#ifndef SIDECAR_YDOC_SAVE_H
#define SIDECAR_YDOC_SAVE_H

#include "lib/base/str.h"

/* data: JSON object text that goes over what the note has; what was to be saved before is forgotten. false: too much is waiting. */
bool ydoc_save_later(struct str note_id, struct str user_id, struct str data);
void ydoc_save_now(void); /* all that waits */
bool ydoc_saving(void);

#endif
