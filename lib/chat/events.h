/* events.h: what a person's tabs are told from outside a generation: through the sidecar's control socket. */
#ifndef LIB_CHAT_EVENTS_H
#define LIB_CHAT_EVENTS_H

#include "lib/config/config.h"

/* {"chat_id", "message_id", "data": {"type", "data"}} as "chat-events" to all tabs of the user. Without a sidecar nobody listens: that is no error.
 * true: handed to the sidecar. */
bool chat_event(struct arena *mem, struct config *c, struct str user_id, struct str chat_id, struct str message_id,
                const char *type, json_object *data);

#endif
