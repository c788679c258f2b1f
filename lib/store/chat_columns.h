/* chat_columns.h: the columns of the chat table and their readers, shared by chats.c and chat_lists.c. */
#ifndef LIB_STORE_CHAT_COLUMNS_H
#define LIB_STORE_CHAT_COLUMNS_H

#include "lib/store/chats.h"

#define CHAT_COLUMNS "id, user_id, title, share_id, archived, created_at, updated_at, pinned, meta, folder_id"

void chat_read_row(struct row *row, void *out); /* CHAT_COLUMNS into a struct chat */
void chat_read(struct row *row, void *out);     /* CHAT_COLUMNS, chat */

#endif
