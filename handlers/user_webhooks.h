/* user_webhooks.h: the addresses that people have asked to be told at while they have no tab open (settings.ui.notifications.webhook_url). */
#ifndef HANDLERS_USER_WEBHOOKS_H
#define HANDLERS_USER_WEBHOOKS_H

#include "lib/config/config.h"
#include "lib/net/webhook.h"

struct user_webhook {
    struct str user_id, url;
};

/* Of all who may sign in. Kept in the process until COUNTER_USERS moves: valid for the request. ENABLE_USER_WEBHOOKS off: nobody's. */
enum db_status user_webhooks(struct db *db, struct config *c, const struct user_webhook **out, size_t *n);

/* One of a plan's "calls" (docs/plans.md): the address is a user's, so private ones are refused. */
json_object *user_webhook_call(struct arena *mem, struct config *c, struct str url, const struct webhook_event *e);

#endif
