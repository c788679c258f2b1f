/* after.h: what is done with an answer when it is there: saved, named, tagged. Reads and writes the chat's row; gives the events for the tabs. */
#ifndef LIB_CHAT_AFTER_H
#define LIB_CHAT_AFTER_H

#include "lib/auth/user.h"
#include "lib/config/config.h"
#include "lib/db/db.h"
#include "lib/json/json.h"

struct after { /* of one answer; strings live in mem */
    struct arena *mem;
    struct db *db;
    struct config *config;
    const struct user *user; /* who asked */
    struct str chat_id, message_id, model;
    bool is_local;       /* a temporary chat: nothing is saved */
    json_object *events; /* for the tabs, in order: the functions below add to it */
    json_object *kept;   /* … and what the message keeps of them, until after_keep() */
};

/* Adds {"type", "data"}; data NULL: left out. */
void after_event(struct after *a, const char *type, json_object *data);

/* The same, and the message keeps it: "status", "files", "embeds", "source" (lib/chat/document.h). It is written by after_keep(). */
void after_tell(struct after *a, const char *type, json_object *data);
/* Writes what was told, and changes (NULL: none), in one go. DB_DONE: no such chat (or temporary). */
enum db_status after_keep(struct after *a, json_object *changes);

/* {**message, **changes} in the chat's document. *title (may be NULL): the chat's title, absent when there is no such chat of the user's.
 * DB_DONE: no such chat (or temporary). */
enum db_status after_save(struct after *a, json_object *changes, struct str *title);

/* The messages that lead to the answer, without <details> and pictures in their texts: what small jobs are asked about. NULL: no chat, or no such message. */
enum db_status after_messages(struct after *a, json_object **messages);

/* The answer of a small job (text with JSON in it), put to use; events are added. What is not of the form is ignored. */
enum db_status after_follow_ups(struct after *a, struct str text);
enum db_status after_title(struct after *a, struct str text);
enum db_status after_tags(struct after *a, struct str text);
enum db_status after_set_title(struct after *a, struct str title);

/* The part of a text that a person wrote: <details>…</details> and ![…](…) are left out. Linear in the text. */
struct str after_plain_text(struct arena *mem, struct str text);

#endif
