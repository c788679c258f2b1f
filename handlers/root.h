/* root.h: handlers of root_routes that have files of their own, and what they share. */
#ifndef HANDLERS_ROOT_H
#define HANDLERS_ROOT_H

#include "fcgi/request.h"
#include "fcgi/response.h"

#define ROOT_VERSION "0.6.32" /* of the interface that is spoken here */

int app_config(struct request *r, struct response *out);    /* app_config.c: GET /api/config */
int app_changelog(struct request *r, struct response *out); /* changelog.c: GET /api/changelog */
int serve_static(struct request *r, struct response *out);  /* served_files.c: GET /static/{path} */
int serve_cache(struct request *r, struct response *out);   /* served_files.c: GET /cache/{path} */

/* The text of CHANGELOG.md as /api/changelog has it: the first `most` versions. */
json_object *changelog_parse(struct arena *mem, struct str markdown, size_t most);

#endif
