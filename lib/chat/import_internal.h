/* import_internal.h: what the readers of the kinds of exports share. */
#ifndef LIB_CHAT_IMPORT_INTERNAL_H
#define LIB_CHAT_IMPORT_INTERNAL_H

#include "lib/chat/import.h"

/* A conversation in the making: messages in the order in which they are added; parents may come later. */
struct import_chat {
    struct arena *mem;
    json_object *messages; /* id: message, as a chat's history has them */
    json_object *skipped;  /* id: id of its parent, of messages that are left out */
    const char *first_model;
    struct imported *out;
};

void import_begin(struct import_chat *c, struct arena *mem, struct imported *out);
/* model: of an answer; NULL: it is the person's. parent absent: none. Texts lose their NUL characters. */
void import_message(struct import_chat *c, struct str id, struct str parent, const char *model, struct str text,
                    int64_t at_s);
void import_skip(struct import_chat *c, struct str id, struct str parent, enum import_lost why);
/* Links parents and children and writes the document. current: the message that is shown; absent or left out: the nearest before it, or the last. INVALID: no message is left. */
enum status import_finish(struct import_chat *c, struct str title, struct str current);

struct str import_clean(struct arena *mem, struct str text); /* without NUL */
int64_t import_time(json_object *v); /* a number of seconds (or ms, µs, ns), or "2026-01-02T03:04:05.6Z"; 0: neither */

enum status import_chatgpt(struct arena *mem, json_object *item, struct imported *out, const char **why);
enum status import_claude(struct arena *mem, json_object *item, struct imported *out, const char **why);
enum status import_openwebui(struct arena *mem, json_object *item, struct imported *out, const char **why);

#endif
