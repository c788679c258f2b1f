/* messages.h: the messages of a request to a model, as OpenAI's API has them: {"role", "content": text or [{"type": "text", "text"}, …]}. */
#ifndef LIB_LLM_MESSAGES_H
#define LIB_LLM_MESSAGES_H

#include "lib/json/json.h"

/* The text of a message: its content, or that of its first text part. Absent: none. Borrowed. */
struct str message_text(json_object *message);
json_object *messages_last_user(json_object *messages); /* NULL: none */
json_object *messages_system(json_object *messages);    /* the first one; NULL: none */

/* Put before what the system message at the beginning says; or a new one. */
void messages_add_system(struct arena *mem, json_object *messages, struct str text);
/* Put before (append: behind) what the user's message at the end says, on a line of its own; or a new one. */
void messages_add_user(struct arena *mem, json_object *messages, struct str text, bool append);
void messages_append_system(struct arena *mem, json_object *messages, struct str text); /* behind, or a new one */
void messages_set_text(struct arena *mem, json_object *message, struct str text);

/* "USER: …\nASSISTANT: …" of the messages from first up to (not including) end. */
struct str messages_transcript(struct arena *mem, json_object *messages, size_t first, size_t end);

#endif
