/* messages.h: the message table: what is written in channels. */
#ifndef LIB_STORE_MESSAGES_H
#define LIB_STORE_MESSAGES_H

#include "lib/db/db.h"
#include "lib/json/json.h"

struct author { /* as messages show somebody; name absent: the account is gone */
    struct str id, name, role, image;
};

struct message { /* strings live in the arena they were read into */
    struct str id, user_id, channel_id;
    struct str reply_to_id; /* the message it quotes; absent: none */
    struct str parent_id;   /* the message in whose thread it stands; absent: none */
    struct str content;
    struct str data, meta;          /* JSON text; absent: null */
    int64_t created_at, updated_at; /* Unix time in nanoseconds */
    struct author author;
};

struct message_view {               /* a message with what is shown around it */
    struct message message, quoted; /* quoted.id absent: it quotes none, or none that is left in its channel */
    int64_t replies_n;              /* in its thread */
    int64_t latest_reply_at;        /* 0: no reply */
    struct str reactions;           /* JSON text of an array */
};

/* DB_DONE: no such message. */
enum db_status message_view(struct db *db, struct arena *mem, struct str id, struct message_view *out);
/* Messages of a channel outside of threads, and those of one thread (without the message that began it), newest first. limit < 0: all. */
enum db_status messages_of_channel(struct db *db, struct arena *mem, struct str channel_id, int64_t skip, int64_t limit,
                                   struct message_view **out, size_t *n);
enum db_status messages_of_thread(struct db *db, struct arena *mem, struct str channel_id, struct str parent_id,
                                  int64_t skip, int64_t limit, struct message_view **out, size_t *n);
/* The channel that a message is in. DB_DONE: no such message. */
enum db_status message_channel(struct db *db, struct arena *mem, struct str id, struct str *channel_id);

enum db_status message_insert(struct db *db, const struct message *m);
/* New text, and data and meta (objects; NULL: none) put over what is there. DB_DONE: it is gone. */
enum db_status message_update(struct db *db, struct arena *mem, struct str id, struct str content, json_object *data,
                              json_object *meta);
/* The message with its reactions. Replies stay, as with the Python backend. */
enum db_status message_delete(struct db *db, struct str id);

/* As the API shows it: alone, and with all of its view. Without replies: 0 and null stand there, as in a thread. The second leaves the brace open. */
void message_json(struct buf *b, const struct message *m);
void message_view_json_open(struct buf *b, const struct message_view *v, bool with_replies);
void author_json(struct buf *b, const struct author *a);

#endif
