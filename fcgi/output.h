/* output.h: sends a finished answer: status line, headers, body; ranges and entity tags of files. */
#ifndef FCGI_OUTPUT_H
#define FCGI_OUTPUT_H

#include "fcgi/request.h"
#include "fcgi/response.h"
#include "fcgi/wire.h"

/* out->status, which becomes 304, 206 or 416 where the request's If-None-Match or Range say so. Closes out->fd. */
void output_send(struct wire *w, const struct request *r, struct response *out);
/* The head alone ("Status: 200 OK\r\n" … and the empty line), for bodies that follow by wire_write(). bytes < 0: no Content-Length. */
struct str output_head(struct response *out, int64_t bytes);
const char *status_reason(int status);

#endif
