/* groups.h: groups as answers. */
#ifndef HANDLERS_GROUPS_H
#define HANDLERS_GROUPS_H

#include "fcgi/request.h"
#include "fcgi/response.h"
#include "lib/store/groups.h"

/* A list of groups, of which st says whether it could be read. */
int reply_groups(struct request *r, struct response *out, enum db_status st, const struct group *groups, size_t n);

#endif
