/* tasks.h: the generations that run. */
#ifndef SIDECAR_TASKS_H
#define SIDECAR_TASKS_H

#include "lib/json/json.h"

struct run;
struct session;

void tasks_add(struct run *run);
void tasks_remove(struct run *run); /* not being listed is fine */
/* Adds {"task_id", "chat_id", …} of those that match; absent: any. */
void tasks_list(struct arena *mem, json_object *list, struct str chat_id, struct str user_id);
void tasks_list_here(struct arena *mem, json_object *list, struct str chat_id,
                     struct str user_id);                     /* not those of other machines */
void tasks_show(struct str chat_id, struct str user_id);      /* their text so far, to the user's tabs */
void tasks_show_here(struct str chat_id, struct str user_id); /* absent chat_id: of all his chats */
void tasks_show_all(struct session *s);                       /* all of its user's, to a tab that has joined */
bool tasks_stop(struct str task_id, struct str user_id);      /* user_id absent: anybody's. false: no such task */
unsigned tasks_count(void);
void tasks_drain(void); /* ends them all as "shutdown" */

#endif
