/* ydoc.h: notes that tabs have open: a tab hears of changes to the note ("join-note"), and edits its document together with others ("ydoc:…", a document of
 * Yjs). Who may do so a worker says (docs/plans.md, "Other steps"). A document lasts as long as somebody is in it. */
#ifndef SIDECAR_YDOC_H
#define SIDECAR_YDOC_H

#include "sidecar/socketio.h"

/* Events of a tab that has joined as a user. */
void ydoc_join_note(struct session *s, struct arena *mem, json_object *data, int64_t ack);
void ydoc_join(struct session *s, struct arena *mem, json_object *data, int64_t ack);
void ydoc_state(struct session *s, struct arena *mem, json_object *data, int64_t ack);
void ydoc_update(struct session *s, struct arena *mem, json_object *data, int64_t ack);
void ydoc_awareness(struct session *s, struct arena *mem, json_object *data, int64_t ack);
void ydoc_leave(struct session *s, struct arena *mem, json_object *data, int64_t ack);

void ydoc_session_gone(struct session *s); /* leaves all */
/* The note was changed, or deleted (absent): those who may still read it hear "note-events" with note, the others leave. */
void ydoc_note_changed(struct str note_id, struct str note);
void ydoc_tick(int64_t mono_now_ms);
void ydoc_counts(unsigned *notes, size_t *bytes);

#endif
