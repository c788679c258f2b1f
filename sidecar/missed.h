/* missed.h: how an answer ended whose tab was away just then (its connection was lost, or the sidecar was): it is told when it comes back, and does not
 * wait for ever. */
#ifndef SIDECAR_MISSED_H
#define SIDECAR_MISSED_H

#include "sidecar/socketio.h"

/* For a minute; takes a reference of its own. sid: of a tab that was sent it, which matters only if its connection breaks just then; absent: it was away. */
void missed_keep(struct str user_id, struct str sid, struct packet *p);
void missed_session_gone(const struct session *s);
void missed_tell(struct session *s); /* a tab of a user is there */
void missed_tick(int64_t mono_now_ms);

#endif
