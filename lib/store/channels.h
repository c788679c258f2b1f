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
/* As the API shows it. */
void channel_json(struct buf *b, const struct channel *c);

#endif
