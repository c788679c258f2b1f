/* nodes.h: the sidecars of other machines (docs/architecture.md, "Several machines"). Without Redis, or while it is away, there are none, and
 * all of this does nothing. */
#ifndef SIDECAR_NODES_H
#define SIDECAR_NODES_H

#include "sidecar/socketio.h"

struct map;

void nodes_start(void); /* asks a worker whether there are to be several */
void nodes_stop(void);
void nodes_tick(int64_t mono_now_ms);
unsigned nodes_count(void); /* others that are there now */

/* A tab has become a user's, or is gone. */
void nodes_here(const struct session *s);
void nodes_gone(const struct session *s);

/* Events to tabs elsewhere. */
bool nodes_know_user(struct str user_id);
void nodes_emit_user(struct str user_id, const struct packet *p);
void nodes_emit_room(struct str room, const struct packet *p, struct str except_sid);
bool nodes_emit_session(struct str sid, const struct packet *p); /* false: no such tab elsewhere */

/* What the control socket was asked, done elsewhere, too. */
void nodes_fill_room(struct str room, json_object *user_ids); /* NULL: everybody */
void nodes_rooms(struct str user_id, json_object *join, json_object *leave);
void nodes_disconnect(struct str user_id);

/* Adds who is elsewhere to lists that may have them already. */
void nodes_users(json_object *list,
                 struct map *seen); /* seen: ids that are in the list; those that are added are put there */
void nodes_sessions_of(struct str user_id, json_object *list);

/* Tasks. */
void nodes_task(json_object *task); /* {"task_id", "chat_id", "user_id", …}: it runs here now */
void nodes_task_ended(struct str task_id);
void nodes_tasks(struct arena *mem, json_object *list, struct str chat_id, struct str user_id); /* absent: any */
bool nodes_stop_task(struct str task_id, struct str user_id); /* false: nobody has such a task of his */
void nodes_show(struct str chat_id, struct str user_id);      /* absent chat_id: of all his chats */

/* Models in use. */
void nodes_usage(struct str model);
void nodes_usage_models(json_object *list);

/* A question to a tab elsewhere, as socketio_ask(). false: there is no such tab of his, and fn is not called. */
bool nodes_ask(struct str sid, struct str user_id, struct str event, struct str data, int64_t timeout_ms, ask_fn *fn,
               void *arg);
void nodes_ask_cancel(void *arg);

#endif
