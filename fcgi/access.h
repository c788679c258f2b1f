/* access.h: may this caller have this route? Asked before anything of the request is validated. */
#ifndef FCGI_ACCESS_H
#define FCGI_ACCESS_H

#include "fcgi/route.h"

/* Sets r->token, r->user, r->by_api_key. 0: yes. Else the status of the refusal, which is in out. */
int access_admit(struct request *r, struct response *out);

#endif
