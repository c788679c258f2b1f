/* load_url.h: Python source from an address that an administrator names, GitHub's pages included. */
#ifndef HANDLERS_LOAD_URL_H
#define HANDLERS_LOAD_URL_H

#include "fcgi/route.h"

/* POST {"url"}: {"name", "content"}. what: "tool" or "function", for errors. */
int load_code(struct request *r, struct response *out, const char *what);

/* {"url": …}: checked by load_code(), in pydantic's words. */
extern const struct field load_url_form[];

#endif
