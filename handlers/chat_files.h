/* chat_files.h: what is attached to a chat: files, collections, texts, notes, chats; the knowledge of its model; what is remembered of the user. */
#ifndef HANDLERS_CHAT_FILES_H
#define HANDLERS_CHAT_FILES_H

#include "handlers/chat_prepare.h"

/* A model's knowledge (meta.knowledge) as items; an empty array: it has none. */
json_object *files_of_model(struct arena *mem, json_object *knowledge);

enum stage stage_files(struct step *s, struct str waited_for);
enum stage stage_memory(struct step *s, struct str waited_for);

/* The queries that a small job has thought of: its answer is in the step. An empty array: none. *raw: its text was not of the form, and is the query. */
json_object *queries_of_job(struct step *s);
/* Asks for them, for `type` "retrieval" or "web_search". false: nobody can be asked. */
bool queries_ask(struct step *s);

#endif
