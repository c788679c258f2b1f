/* document.h: the JSON document of a chat, changed as text: a document is megabytes, a change is one message.
 *
 * {"title", "models", "history": {"messages": {id: {…}}, "currentId"}, "messages": […], …}, as the frontend writes it. */
#ifndef LIB_CHAT_DOCUMENT_H
#define LIB_CHAT_DOCUMENT_H

#include "lib/json/json.h"

/* The title member; "New Chat" when there is none. INVALID: it is there and no string. */
enum status document_title(struct arena *mem, struct str document, struct str *title);
struct str document_with_title(struct arena *mem, struct str document, struct str title);

/* One message of the history, parsed; NULL: not there. */
json_object *document_message(struct arena *mem, struct str document, struct str message_id);
/* {**message, **changes}, or changes alone where there was none; it becomes the current message. NUL characters in "content" are dropped. */
struct str document_with_message(struct arena *mem, struct str document, struct str message_id, json_object *changes);

/* The messages from the first to message_id, along parentId: a new array of parsed messages. Loops end. */
json_object *document_branch(struct arena *mem, struct str document, struct str message_id);

/* The document has a history of messages: without one no message can be added. */
bool document_has_messages(struct str document);

/* What an event leaves in the message it is for: "status" is added to its statusHistory, "message" to its content, "replace" replaces that,
 * "files", "embeds" and sources are collected. *changed: false for all other events, and then the answer is the document itself. */
struct str document_with_event(struct arena *mem, struct str document, struct str message_id, struct str type,
                               json_object *data, bool *changed);

#endif
