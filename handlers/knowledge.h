/* knowledge.h: what the files of the knowledge area share. */
#ifndef HANDLERS_KNOWLEDGE_H
#define HANDLERS_KNOWLEDGE_H

#include "fcgi/request.h"
#include "fcgi/response.h"
#include "lib/store/knowledge.h"

/* The collection as an answer; with_files: and what is known of its files. */
int knowledge_reply(struct request *r, struct response *out, const struct knowledge *k, bool with_files);

/* The collection of {id}, if the caller may write it; otherwise the answer is made (400): *status. */
bool knowledge_find_to_change(struct request *r, struct response *out, struct knowledge *k, int *status);

#endif
