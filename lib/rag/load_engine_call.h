/* load_engine_call.h: what the calls to engines share. */
#ifndef LIB_RAG_LOAD_ENGINE_CALL_H
#define LIB_RAG_LOAD_ENGINE_CALL_H

#include "lib/config/config.h"
#include "lib/net/http.h"
#include "lib/rag/document.h"

struct engine_file {
    struct arena *mem;
    const struct config *config;
    struct str bytes, name, content_type; /* content_type may be absent */
};

/* One call; its answer as JSON. FAILED: a status of 400 or more, or no JSON: err says what the server said. UNAVAILABLE. */
enum status engine_call(struct arena *mem, struct http_call *call, const char *engine, json_object **answer,
                        struct error *err);

/* A multipart/form-data body: fields one after the other, then the file, then multipart_end(). */
struct multipart {
    struct buf body;
    struct str content_type; /* with the boundary */
    struct str boundary;
};
struct multipart multipart_begin(struct arena *mem, size_t file_bytes);
void multipart_field(struct multipart *m, const char *name, struct str value);
void multipart_file(struct multipart *m, const char *name, struct str filename, struct str content_type,
                    struct str bytes);
void multipart_end(struct multipart *m);

enum status engine_one(struct arena *mem, struct str text, json_object *metadata, struct rag_documents *out);
struct str engine_url(struct arena *mem, struct str base, const char *path); /* with one slash between */

enum status engine_external(const struct engine_file *f, struct rag_documents *out, struct error *err);
enum status engine_tika(const struct engine_file *f, struct rag_documents *out, struct error *err);
enum status engine_docling(const struct engine_file *f, struct rag_documents *out, struct error *err);
enum status engine_datalab(const struct engine_file *f, struct rag_documents *out, struct error *err);
enum status engine_azure(const struct engine_file *f, struct rag_documents *out, struct error *err);
enum status engine_mistral(const struct engine_file *f, struct rag_documents *out, struct error *err);

#endif
