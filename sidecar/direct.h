/* direct.h: direct connections: a browser asks a provider that only it can reach, and hands the stream over as events of a name of its own, the "channel": strings
 * with lines of the stream, objects with a chunk each, {"done": true} at the end. */
#ifndef SIDECAR_DIRECT_H
#define SIDECAR_DIRECT_H

#include "lib/json/json.h"

struct session;

bool direct_event(struct session *s, struct str name, json_object *data); /* false: no channel of this tab */
bool direct_is_open(const struct session *s);                             /* the tab hands a stream over */
void direct_closed(struct session *s);                                    /* the tab has gone */
void direct_tick(int64_t mono_now_ms);

#endif
