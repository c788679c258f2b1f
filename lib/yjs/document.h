/* document.h: a shared document as the server keeps it: what its editors have sent, as one update and those that came since. */
#ifndef LIB_YJS_DOCUMENT_H
#define LIB_YJS_DOCUMENT_H

#include "lib/yjs/update.h"

enum { YJS_MAX_DOCUMENT = 4 * 1024 * 1024 }; /* bytes */

struct yjs_document {      /* starts zeroed; ends with yjs_document_free() */
    struct buf whole, log; /* log: updates, each behind its length */
    size_t log_n, structs;
    struct yjs_ranges known, deleted;
};

void yjs_document_free(struct yjs_document *d);
bool yjs_document_is_empty(const struct yjs_document *d);
size_t yjs_document_bytes(const struct yjs_document *d); /* of memory */

/* OK: it is part of the document; *is_new: it says something the document did not have. INVALID: not an update. TOO_BIG: the document would be; it stays as it was. */
enum status yjs_document_add(struct yjs_document *d, struct str update, bool *is_new, struct error *err);
/* Everything, as one update; "\0\0" of an empty document. Valid until the document changes. */
struct str yjs_document_state(struct yjs_document *d);
/* What the update inserts that the document has not got is added to the set, which is settled. */
enum status yjs_document_foreign(const struct yjs_document *d, struct str update, struct yjs_ranges *set,
                                 struct error *err);

#endif
