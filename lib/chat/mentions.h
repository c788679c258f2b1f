/* mentions.h: mentions in the text of a channel's message, as the frontend writes them: <@M:model-id|Label>. The letter says what is mentioned: M a model,
 * U a user, C a channel. */
#ifndef LIB_CHAT_MENTIONS_H
#define LIB_CHAT_MENTIONS_H

#include "lib/base/str.h"

struct mention {
    char type;
    struct str id; /* a view into the text */
};

/* The next mention of *rest, which is moved behind its id. false: none is left. An id ends at | or >, or with the text. */
bool mention_next(struct str *rest, struct mention *out);

/* The text with each whole mention replaced by its label, or by its id where it has none. */
struct str mentions_as_text(struct arena *mem, struct str text);

#endif
