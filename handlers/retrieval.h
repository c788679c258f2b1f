/* retrieval.h: what the files of the retrieval area and memories share. */
#ifndef HANDLERS_RETRIEVAL_H
#define HANDLERS_RETRIEVAL_H

#include "fcgi/request.h"
#include "fcgi/response.h"
#include "lib/rag/embed.h"
#include "lib/rag/process.h"

/* The answer to a failure of lib/rag: 501 for what these processes do not have, 503 for a locked vector file, else 400, the Python backend's. err goes to the client
 * as it is. */
int fail_retrieval(struct request *r, struct response *out, enum status st, const struct error *err);
/* The same where the Python backend wraps the text: "[ERROR: …]". */
int fail_retrieval_wrapped(struct request *r, struct response *out, enum status st, const struct error *err);

/* {"result": [numbers]} */
int reply_embedding(struct request *r, struct response *out, enum embed_kind kind, struct str text);

/* The collection of that name; otherwise the answer is made (403 for what is not there and for what is not his): *status. */
bool find_collection(struct request *r, struct response *out, struct str name, bool to_write, struct collection *c,
                     int *status);

/* The same for what is to be written: the collection that the form's collection_name says, or else `otherwise`; *name: as the client calls it. */
bool find_target(struct request *r, struct response *out, struct str otherwise, struct collection *to, struct str *name,
                 int *status);

struct rag rag_of(struct request *r);

#endif
