/* chat_images.h: a picture is made for a chat. */
#ifndef HANDLERS_CHAT_IMAGES_H
#define HANDLERS_CHAT_IMAGES_H

#include "handlers/chat_prepare.h"

/* 0: the user may have pictures made; otherwise the answer is made: its status. */
int images_check(struct request *r, struct response *out);

enum stage stage_image(struct step *s, struct str waited_for);

#endif
