/* webhook.h: tells another server that something happened: Slack, Google Chat, Discord, Teams, or plain JSON. */
#ifndef LIB_NET_WEBHOOK_H
#define LIB_NET_WEBHOOK_H

#include "lib/json/json.h"

struct webhook_event {
    const char *action; /* "signup" */
    struct str message; /* for people */
    json_object *data;  /* what plain JSON receivers get, "action" and "message" included */
    json_object *facts; /* for Teams: names and values; NULL: none */
    struct str name;    /* of this installation */
    const char *version;
};

/* Waits three seconds at most. The address is the administrator's. Else err says why. */
enum status webhook_post(struct arena *mem, struct str url, const struct webhook_event *e, struct error *err);

/* The body for that address; for tests. */
json_object *webhook_body(struct arena *mem, struct str url, const struct webhook_event *e);

#endif
