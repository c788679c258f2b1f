/* multipart.h: bodies of HTML forms: multipart/form-data (RFC 7578), and urlencoded ones as parts without a filename. */
#ifndef FCGI_MULTIPART_H
#define FCGI_MULTIPART_H

#include "fcgi/request.h"
#include "lib/base/error.h"

enum { MULTIPART_MAX_PARTS = 1000, MULTIPART_MAX_HEADER = 16 * 1024 };

/* Names and file names are copies in mem, bodies are views of body. INVALID: not such a body (err says why, in the reference's words where it has some);
 * TOO_BIG: more than MULTIPART_MAX_PARTS parts. */
enum status multipart_read(struct arena *mem, struct str content_type, struct str body, struct part **parts, size_t *n,
                           struct error *err);
enum status urlencoded_read(struct arena *mem, struct str body, struct part **parts, size_t *n, struct error *err);

#endif
