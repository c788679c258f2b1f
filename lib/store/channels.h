/* channels.h: the channel table. */
#ifndef LIB_STORE_CHANNELS_H
#define LIB_STORE_CHANNELS_H

#include "lib/db/db.h"

struct channel { /* strings live in the arena they were read into */
    struct str id, user_id, name;
    struct str type, description;          /* absent: null */
    struct str data, meta, access_control; /* JSON text; absent: null */
    int64_t created_at, updated_at;        /* Unix time in nanoseconds */
};

/* All channels, oldest first. */
enum db_status channel_list(struct db *db, struct arena *mem, struct channel **out, size_t *n);
/* DB_DONE: no such channel, *out is untouched. */
enum db_status channel_by_id(struct db *db, struct arena *mem, struct str id, struct channel *out);
enum db_status channel_insert(struct db *db, const struct channel *c);
/* Name, data, meta, access_control and updated_at. DB_DONE: it is gone. */
enum db_status channel_update(struct db *db, const struct channel *c);
/* Its messages stay in their table, as with the Python backend: nobody can read them. */
enum db_status channel_delete(struct db *db, struct str id);

/* As the API shows it; channel_json_open() leaves the brace open for more members. */
void channel_json(struct buf *b, const struct channel *c);
void channel_json_open(struct buf *b, const struct channel *c);

#endif
