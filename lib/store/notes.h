/* notes.h: the note table. */
#ifndef LIB_STORE_NOTES_H
#define LIB_STORE_NOTES_H

#include "lib/db/db.h"

struct note { /* strings live in the arena they were read into */
    struct str id, user_id, title;
    struct str data, meta;          /* JSON text; absent: null, or read without them */
    struct str access_control;      /* JSON text; absent: null */
    int64_t created_at, updated_at; /* Unix time in nanoseconds */
};

/* All notes, last changed first; with_contents: data and meta are read too. */
enum db_status note_list(struct db *db, struct arena *mem, bool with_contents, struct note **out, size_t *n);
/* DB_ROW: found. DB_DONE: no such note. */
enum db_status note_by_id(struct db *db, struct arena *mem, struct str id, struct note *out);
enum db_status note_head_by_id(struct db *db, struct arena *mem, struct str id,
                               struct note *out); /* without data and meta */
/* Inside a transaction that is going to change it. */
enum db_status note_for_update(struct db *db, struct arena *mem, struct str id, struct note *out);
enum db_status note_insert(struct db *db, const struct note *note);
/* All but id, owner and creation; ends the transaction. */
enum db_status note_update_commit(struct db *db, const struct note *note);
enum db_status note_delete(struct db *db, struct str id);
/* The members of a note as the API shows them, without the closing brace. */
void note_json_open(struct buf *b, const struct note *note);
/* {"id", "title", "updated_at", "created_at"} */
void note_json_title(struct buf *b, const struct note *note);

#endif
