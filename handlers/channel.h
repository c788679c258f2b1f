/* channel.h: what the files of the channels area share: who may do what, and what the channel's room is told. */
#ifndef HANDLERS_CHANNEL_H
#define HANDLERS_CHANNEL_H

#include "fcgi/request.h"
#include "fcgi/response.h"
#include "lib/store/channels.h"
#include "lib/store/messages.h"

/* The owner may do both; administrators, too. Without access_control every user may read and write. */
bool channel_may_read(struct arena *mem, struct db *db, const struct user *u, const struct channel *c);
bool channel_may_write(struct arena *mem, struct db *db, const struct user *u, const struct channel *c);

/* The channel {id}; to_write, to_read: and the caller may. false: the answer is made: *status. */
enum channel_need { CHANNEL_ANY, CHANNEL_READ, CHANNEL_WRITE };
bool channel_of_request(struct request *r, struct response *out, enum channel_need need, struct channel *c,
                        int *status);

/* ---- the room: all tabs of those who may read. Without a sidecar nobody listens: that is no error. */

struct channel_scene { /* what all events of a change have in common */
    struct arena *mem;
    struct config *config;
    const struct channel *channel;
    const struct user *user; /* who has done it */
};

struct author channel_author(const struct user *u);

/* A message was written, changed, deleted, answered, reacted to: type "message", "message:update" …; reaction absent: none. */
void channel_tell(const struct channel_scene *s, const char *type, const struct message_view *v, struct str reaction);

/* Those who may read are in the channel's room, and nobody else; gone: nobody is. */
enum status channel_fill_room(struct arena *mem, struct db *db, struct config *c, const struct channel *channel,
                              bool gone);
/* The same of all channels that a group may read, after its members have changed. */
enum status channel_fill_rooms_of_group(struct arena *mem, struct db *db, struct config *c, struct str group_id);

/* ---- answers of models, and webhooks: what is left to do after a message was posted */

/* The plan that answers with the message and goes on with what is left; NULL: nothing is. m: with the message that it quotes. */
json_object *channel_after_post(struct request *r, const struct channel *c, const struct message_view *v,
                                struct str reply);

/* Writes a message and tells the room. author: whose it is. DB_ROW: *v is the message as it is now shown. */
enum db_status channel_write(const struct channel_scene *s, struct db *db, struct message *m, struct message_view *v);

#endif
