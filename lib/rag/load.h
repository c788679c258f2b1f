/* load.h: what a stored file says: its text, in one or more documents (a page, a row of a table …), read in a child process with limits, or by the
 * engine that CONTENT_EXTRACTION_ENGINE names. */
#ifndef LIB_RAG_LOAD_H
#define LIB_RAG_LOAD_H

#include "lib/config/config.h"
#include "lib/rag/document.h"

/* path: the file row's path (only its last part counts: it is opened below DATA_DIR/uploads). name: as uploaded; its ending, and content_type (may be
 * absent), choose the reader. Everything in *out lives in mem: texts are UTF-8 without NUL, glitches mended, perhaps empty; metadata is what the reader knows, as
 * {"page": 0, "total_pages": 2, …}.
 *
 * err is worded for the person who uploaded the file. INVALID: the file cannot be read as what it says it is, or nobody here reads that kind;
 * NOT_FOUND: it is not stored any more; TOO_BIG, TIMED_OUT: the reader's limits; UNAVAILABLE: the engine is away; FAILED: all else. */
enum status rag_load_file(struct arena *mem, struct config *config, struct str path, struct str name,
                          struct str content_type, struct rag_documents *out, struct error *err);

/* The same of a page that was fetched, in one document: its text as it stands, with {"title", "description", "language"} as far as there are any. charset: as its server named
 * it; may be absent. */
enum status rag_load_page(struct arena *mem, struct str page, struct str charset, struct rag_documents *out,
                          struct error *err);

#endif
