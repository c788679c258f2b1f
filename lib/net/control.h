/* control.h: what responders and workers ask of the sidecar, over RUN/control.sock (docs/plans.md, "The control socket"). Blocking, with short timeouts.
 *
 * Everywhere: UNAVAILABLE: no sidecar runs, or it does not answer in time: nothing happens, and nothing runs. FAILED: it answers nonsense. */
#ifndef LIB_NET_CONTROL_H
#define LIB_NET_CONTROL_H

#include "lib/json/json.h"

/* To all tabs of a user, of a room, or to one tab. data may be NULL (null). */
enum status control_emit_user(struct arena *mem, const char *run_dir, struct str user_id, const char *event,
                              json_object *data);
enum status control_emit_room(struct arena *mem, const char *run_dir, struct str room, const char *event,
                              json_object *data, struct str except_session);
enum status control_emit_session(struct arena *mem, const char *run_dir, struct str session_id, const char *event,
                                 json_object *data);

/* The tabs of a user enter and leave rooms; absent: none. */
enum status control_rooms(struct arena *mem, const char *run_dir, struct str user_id, struct str join,
                          struct str leave);

/* The tabs of these users (array of ids; NULL: of everybody) are in the room, and no others. */
enum status control_fill_room(struct arena *mem, const char *run_dir, struct str room, json_object *user_ids);
/* The users who have tabs in the room, each once: an array. */
enum status control_room_users(struct arena *mem, const char *run_dir, struct str room, json_object **user_ids);
/* A note was changed, or deleted (note NULL): tabs that have it open and still may read it hear "note-events"; the others leave it. */
enum status control_note_changed(struct arena *mem, const char *run_dir, struct str note_id, json_object *note);

/* {"tasks": [{"task_id", "chat_id", "user_id", "message_id", "model", "started_ms"}]}; absent ids: of any. With both ids the user's tabs are sent the text so far. */
enum status control_tasks(struct arena *mem, const char *run_dir, struct str chat_id, struct str user_id,
                          json_object **out);
/* {"status": bool, "message"}; user_id absent: anybody's task. */
enum status control_stop(struct arena *mem, const char *run_dir, struct str task_id, struct str user_id,
                         json_object **out);

/* A step of the workers that goes on after this request: kept on disk until it is done. key: what it is about, for plans that "wait" for it. FAILED: not taken. */
enum status control_job(struct arena *mem, const char *run_dir, const char *step, struct str key, json_object *state);

/* {"keys": [those of the jobs of that step that are not done yet]} */
enum status control_jobs(struct arena *mem, const char *run_dir, const char *step, json_object **out);

/* {"users": [ids], "models": [ids in use], "sockets": n}; with user_id: users has it or is empty, and "sessions" lists its tabs. */
enum status control_sessions(struct arena *mem, const char *run_dir, struct str user_id, json_object **out);
enum status control_disconnect(struct arena *mem, const char *run_dir, struct str user_id);
enum status control_stats(struct arena *mem, const char *run_dir, json_object **out);

#endif
