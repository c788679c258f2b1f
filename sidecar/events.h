/* events.h: what a tab may say. */
#ifndef SIDECAR_EVENTS_H
#define SIDECAR_EVENTS_H

#include "sidecar/socketio.h"

/* list: [name, arguments…]; ack: -1 when no answer is wanted. */
void event_received(struct session *s, struct arena *mem, json_object *list, int64_t ack);

#endif
