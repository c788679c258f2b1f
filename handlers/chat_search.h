/* chat_search.h: the web is searched for a chat. */
#ifndef HANDLERS_CHAT_SEARCH_H
#define HANDLERS_CHAT_SEARCH_H

#include "handlers/chat_prepare.h"

/* 0: the user may have it searched; otherwise the answer is made: its status. */
int search_check(struct request *r, struct response *out);

enum stage stage_web_search(struct step *s, struct str waited_for);

#endif
