/* notes.h: what the routes of notes and the steps of shared notes have in common. */
#ifndef HANDLERS_NOTES_H
#define HANDLERS_NOTES_H

#include "fcgi/request.h"
#include "lib/store/notes.h"

/* type: "read" or "write". Administrators may do either, and so may the owner. */
bool note_may(struct request *r, const struct user *u, const struct note *note, const char *type);

/* {**data, **changes} as JSON text; what is no object changes nothing. */
struct str note_data_with(struct request *r, struct str data, json_object *changes);

#endif
