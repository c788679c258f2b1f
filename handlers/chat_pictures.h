/* chat_pictures.h: pictures in the messages of a chat: those that are files of ours go to the model with what is in them, those that come back are kept as files. */
#ifndef HANDLERS_CHAT_PICTURES_H
#define HANDLERS_CHAT_PICTURES_H

#include "handlers/chat_steps.h"

/* Parts of messages that name a picture of ours by its address become data: URLs; those that the user may not read, or that are no pictures, are left out. */
enum db_status pictures_inline(struct request *r, json_object *messages);

/* A picture that came as a data: URL, kept as a file of the user: its address. Absent: it is no picture, or cannot be kept. */
struct str picture_kept(struct step *s, struct str data_url);
/* Lines that are pictures become links to files: what code has printed. */
struct str picture_lines_kept(struct step *s, struct str text);

#endif
