/* reactions.h: the message_reaction table: emojis at messages. */
#ifndef LIB_STORE_REACTIONS_H
#define LIB_STORE_REACTIONS_H

#include "lib/db/db.h"

struct reaction { /* strings live in the arena they were read into */
    struct str message_id, name, user_id;
};

/* Those of all the messages, by message (bytewise), oldest first. message_ids: JSON text of an array. */
enum db_status reactions_of(struct db *db, struct arena *mem, struct str message_ids, struct reaction **out, size_t *n);
/* DB_DONE: he has reacted so already. */
enum db_status reaction_add(struct db *db, struct arena *mem, struct str message_id, struct str user_id,
                            struct str name);
enum db_status reaction_remove(struct db *db, struct str message_id, struct str user_id, struct str name);
enum db_status reactions_delete(struct db *db, struct str message_id); /* of everybody */

/* [{"name", "user_ids": […], "count"}, …]: those of one message, in the order in which each name came first. all: as reactions_of() gave it. */
struct str reactions_text(struct arena *mem, const struct reaction *all, size_t n, struct str message_id);

#endif
