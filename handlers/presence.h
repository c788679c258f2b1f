/* presence.h: who has tabs open, as the sidecar knows. Without a sidecar nobody has. */
#ifndef HANDLERS_PRESENCE_H
#define HANDLERS_PRESENCE_H

#include "lib/config/config.h"

json_object *presence_user_ids(struct arena *mem, struct config *c); /* array of ids, owned by mem */
bool presence_is_active(struct arena *mem, struct config *c, struct str user_id);
void presence_disconnect(struct arena *mem, struct config *c,
                         struct str user_id); /* his sockets are closed; tabs with a good token come back */

#endif
