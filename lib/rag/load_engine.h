/* load_engine.h: documents read by another server, as CONTENT_EXTRACTION_ENGINE says: external, tika, docling, datalab_marker, document_intelligence, mistral_ocr. */
#ifndef LIB_RAG_LOAD_ENGINE_H
#define LIB_RAG_LOAD_ENGINE_H

#include "lib/config/config.h"
#include "lib/rag/document.h"

/* Whether the engine is the one to read that file; otherwise it is read here. */
bool load_engine_takes(const struct config *c, struct str name, struct str content_type);

/* fd: the file, of so many bytes. UNAVAILABLE: the server does not answer; FAILED: it answers with an error, or not with a text. err is for the client. */
enum status load_engine_read(struct arena *mem, const struct config *c, int fd, int64_t bytes, struct str name,
                             struct str content_type, struct rag_documents *out, struct error *err);

#endif
