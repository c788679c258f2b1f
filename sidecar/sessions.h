/* sessions.h: the tabs by user, and which models are in use. */
#ifndef SIDECAR_SESSIONS_H
#define SIDECAR_SESSIONS_H

#include "sidecar/rooms.h"
#include "sidecar/socketio.h"

enum { SESSIONS_PER_USER = 100 };

struct list {
    struct session **items;
    size_t n, room;
};

struct user {
    char *id, *json; /* json: as the worker gave it */
    struct list sessions;
};

void sessions_add(struct session *s);          /* known by its sid */
void sessions_remove(struct session *s);       /* leaves its user and rooms, too */
struct session *session_by_id(struct str sid); /* NULL: none */
struct user *user_by_id(struct str id);        /* NULL: no tab of his is open */

bool session_set_user(struct session *s, struct str id, struct str json); /* false: he has too many tabs */

/* To his tabs here and on other machines; how many are here. */
unsigned emit_to_user(struct str user_id, struct packet *p);
unsigned emit_to_user_here(struct str user_id, struct packet *p);
bool user_is_there(struct str id);                                          /* here or on another machine */
void user_rooms(struct str user_id, json_object *join, json_object *leave); /* his tabs here enter and leave rooms */
unsigned close_user(struct str user_id);
const struct map *all_users(void);
const struct map *all_sessions(void);

void usage_note(struct session *s, struct str model);
void usage_models(json_object *list); /* adds the models in use */
void usage_tick(int64_t mono_now_ms);

#endif
