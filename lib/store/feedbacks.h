/* feedbacks.h: the feedback table: what users think of answers. */
#ifndef LIB_STORE_FEEDBACKS_H
#define LIB_STORE_FEEDBACKS_H

#include "lib/db/db.h"

struct feedback { /* strings live in the arena they were read into */
    struct str id, user_id, type;
    struct str data, meta, snapshot; /* JSON text; absent: null. Lists do without snapshots unless told otherwise */
    int64_t version, updated_at, created_at; /* times: Unix */
};

/* Last changed first. user_id absent: everybody's. */
enum db_status feedback_list(struct db *db, struct arena *mem, struct str user_id, bool with_snapshots,
                             struct feedback **out, size_t *n);

/* In all of these user_id (absent: anybody) is whose it must be. DB_DONE: there is no such feedback. */
enum db_status feedback_by_id(struct db *db, struct arena *mem, struct str id, struct str user_id,
                              struct feedback *out);
enum db_status feedback_delete(struct db *db, struct str id, struct str user_id);
enum db_status feedback_delete_all(struct db *db, struct str user_id);

enum db_status feedback_insert(struct db *db, const struct feedback *f);
enum db_status feedback_update(struct db *db, const struct feedback *f); /* data, meta, snapshot, updated_at of f->id */

#endif
