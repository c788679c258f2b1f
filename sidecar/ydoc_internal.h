/* ydoc_internal.h: notes and the tabs that have them open; for ydoc*.c only. */
#ifndef SIDECAR_YDOC_INTERNAL_H
#define SIDECAR_YDOC_INTERNAL_H

#include "lib/yjs/document.h"
#include "sidecar/ydoc.h"

struct step;

struct note {
    char *document_id, *id; /* "note:ID", and ID in it */
    struct member *members; /* newest first */
    size_t members_n;
    bool pinned; /* stays when its last member goes */
    struct yjs_document document;
    struct step *checking; /* a worker says who may what */
    bool check_again;
    char *news, *news_after_check; /* JSON text of the note, to be told when it is known who may hear it */
    int64_t checked_ms;
};

struct held { /* an event that came before it was known whether the tab may */
    struct held *next;
    bool is_update;
    char *json;
};

struct member { /* a tab that has a note open */
    struct note *note;
    struct session *session;
    struct member *next;            /* of the note */
    struct member *next_of_session; /* newest first */
    bool wants_events, wants_document, in_document;
    enum { UNKNOWN, READS, WRITES } access;
    bool asked;                /* the check that runs is about it, too */
    char *joined;              /* data of the event that tells others that it has come */
    struct held *held;         /* oldest first */
    size_t held_n, held_bytes; /* of JSON */
    struct yjs_ranges foreign; /* what it has put into its own copy although it may only read */
};

struct member *ydoc_member(struct session *s, struct str note_id);     /* NULL: it has not come */
struct member *ydoc_member_new(struct session *s, struct str note_id); /* NULL: too many. ydoc_check() lets it in */
void ydoc_member_gone(struct member *m);                               /* leaves document and note; frees it */
void ydoc_left_document(struct member *m);                             /* and nothing else */
void ydoc_check(struct note *note); /* asks a worker; members come in, and go, when it has answered */
void ydoc_send_state(struct member *m);
void ydoc_perform_held(struct member *m); /* it may be gone afterwards */
void ydoc_drop_held(struct member *m);
/* To those in the document. except: NULL for none. */
void ydoc_emit(struct note *note, const struct member *except, const char *event, struct str data);
void ydoc_tell(struct member *m, const char *event, struct str data);
void ydoc_tell_error(struct session *s, const char *message);
/* {"document_id":…,"user_id":… without the closing brace. */
void ydoc_event_open(struct buf *b, const struct member *m, json_object *said);
void ydoc_add_bytes(struct buf *b, struct str bytes); /* as a list of numbers */
void ydoc_recount(size_t before, size_t after);       /* bytes of a document that has changed */
bool ydoc_has_room(void);

/* ydoc_edit.c */
void ydoc_edit_update(struct member *m, struct arena *mem, json_object *data);
void ydoc_edit_awareness(struct member *m, struct arena *mem, json_object *data);

#endif
