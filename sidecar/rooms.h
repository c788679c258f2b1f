/* rooms.h: who hears what is said in a room. A tab and a room know each other's places, so that coming and going costs the same in a crowd. */
#ifndef SIDECAR_ROOMS_H
#define SIDECAR_ROOMS_H

#include "lib/json/json.h"
#include "sidecar/engineio.h"

enum { ROOMS_PER_SESSION = 1000 };

struct map;
struct room;
struct session;

struct seat { /* of a session: a room, and its place there */
    struct room *room;
    size_t at;
};

void session_enter(struct session *s, struct str room); /* too many rooms: nothing */
void session_leave(struct session *s, struct str room);
void session_leave_all(struct session *s);
/* Of the rooms whose names begin with prefix the session is in those of names (array), and in no others. */
void session_set_rooms(struct session *s, const char *prefix, json_object *names);
bool session_is_in(const struct session *s, struct str room);

/* To the tabs in the room, here and on other machines; how many are here. */
unsigned emit_to_room(struct str room, struct packet *p, struct str except_sid);
unsigned emit_to_room_here(struct str room, struct packet *p, struct str except_sid);
/* The tabs of these users are in the room, and no others. user_ids: by id; NULL: of everybody who has a tab open. */
void room_fill(struct str room, const struct map *user_ids);
void room_fill_users(struct str room, json_object *user_ids); /* the same of an array; NULL: of everybody */
/* Adds the ids of those who have tabs in the room, each once; of those who have tabs on other machines alone it is not known in which rooms: all. */
void room_users(struct str room, json_object *list);

#endif
