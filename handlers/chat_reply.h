/* chat_reply.h: chats as answers; shared by the files of the chats area. */
#ifndef HANDLERS_CHAT_REPLY_H
#define HANDLERS_CHAT_REPLY_H

#include "fcgi/response.h"
#include "handlers/texts.h"
#include "lib/store/chats.h"
#include "lib/store/tags.h"

/* The stored document goes out as it is, unparsed. */
int reply_chat(struct response *out, const struct chat *c);
int reply_chat_titles(struct response *out, const struct chat_titles *titles);
int reply_tags(struct response *out, const struct tags *tags);

/* The same chat as JSON text at the end of b. */
void chat_add_json(struct buf *b, const struct chat *c);

/* The tags of a chat's meta: JSON array text of ids, "[]" when there are none. */
struct str chat_tag_ids(struct arena *mem, const struct chat *c);

#endif
