/* chat_context.h: what was found for a chat (state.sources), and how its model is told. */
#ifndef HANDLERS_CHAT_CONTEXT_H
#define HANDLERS_CHAT_CONTEXT_H

#include "handlers/chat_steps.h"

void context_add(struct step *s, json_object *source);

/* Puts the documents of all sources, by RAG_TEMPLATE, before the user's last message. */
void context_put_in(struct step *s);

/* The sources that have a name or an id: those are shown. */
json_object *context_named(struct step *s);

#endif
