/* wire.h: the two ends of one request: parameters and body in, the answer out. FastCGI or plain CGI. */
#ifndef FCGI_WIRE_H
#define FCGI_WIRE_H

#include <fcgiapp.h>

#include "lib/base/error.h"

struct wire {
    FCGX_Request *fcgi; /* NULL: plain CGI on descriptors 0 and 1 */
    char **params;      /* "NAME=value" */
    bool broken;        /* the web server is gone: writing is in vain */
};

/* n bytes of the body; fewer: that was all, or the web server is gone. */
size_t wire_read(struct wire *w, char *to, size_t n);
void wire_skip(struct wire *w, int64_t n); /* reads that much and forgets it */

/* Sends pieces in order. Small ones are collected until the request ends or wire_flush() is called; large ones go out uncopied. */
void wire_write(struct wire *w, const struct str *pieces, int n);
void wire_flush(struct wire *w);
/* The answer ends here, unfinished, and the other end can tell: the connection is cut. */
void wire_break(struct wire *w);
/* The last step: reads what is left of the body on a connection that stays open. libfcgi takes the end-of-body record of a request that nobody read for
 * a protocol error of the next one, and closes. */
void wire_end(struct wire *w);

#endif
