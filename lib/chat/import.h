/* import.h: conversations that were exported elsewhere (ChatGPT, Claude, Open WebUI) as chats. */
#ifndef LIB_CHAT_IMPORT_H
#define LIB_CHAT_IMPORT_H

#include "lib/json/json.h"

enum import_kind { IMPORT_CHATGPT, IMPORT_CLAUDE, IMPORT_OPENWEBUI, IMPORT_KINDS };

/* What a conversation has that a chat has no place for. */
enum import_lost {
    LOST_HIDDEN,
    LOST_TOOLS,
    LOST_THOUGHTS,
    LOST_PICTURES,
    LOST_ATTACHMENTS,
    LOST_EMPTY,
    LOST_FOLDER,
    LOST_KINDS
};
extern const char *const import_lost_names[LOST_KINDS]; /* "messages that were hidden" … */

struct imported {
    struct str source_id;             /* what it is called there; absent: nothing */
    struct str title, document, meta; /* document and meta: JSON text of objects */
    json_object *tags;                /* array of ids; NULL: none */
    int64_t created_s, updated_s;
    bool archived, pinned;
    size_t messages;
    size_t lost[LOST_KINDS];
};

/* item: one object of the export. INVALID: *why says why it is left out ("without messages"). Branches are kept: messages that are left out are taken from between
 * those before and after them. */
enum status import_convert(struct arena *mem, enum import_kind kind, json_object *item, struct imported *out,
                           const char **why);

/* The id of the chat that a conversation becomes: the same each time it is imported for the same user. text: the item, for conversations without an id. */
struct str import_chat_id(struct arena *mem, struct str user_id, enum import_kind kind, struct str source_id,
                          struct str text);

#endif
