/* web.h: web pages as documents, by the loader that WEB_LOADER_ENGINE names. */
#ifndef LIB_RAG_WEB_H
#define LIB_RAG_WEB_H

#include "lib/rag/process.h"

/* What the settings ask for and is not here (the loader "playwright"), in words for a client; NULL: nothing. */
const char *web_missing(struct config *c);

/* One document a page, in the order of urls, with {"source", "title", "description", "language"}. Pages that cannot be had are left out and logged: perhaps none comes.
 * INVALID: there is no such loader; err is for the client. */
enum status web_load(const struct rag *rag, const struct str *urls, size_t n, struct rag_documents *out,
                     struct error *err);

#endif
