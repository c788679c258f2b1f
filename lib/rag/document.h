/* document.h: what is read out of a file, a page or a form: text, and what is known about it. */
#ifndef LIB_RAG_DOCUMENT_H
#define LIB_RAG_DOCUMENT_H

#include "lib/json/json.h"

struct rag_document { /* lives in the arena it was made in */
    struct str text;
    json_object *metadata; /* an object; NULL: {} */
};

struct rag_documents {
    struct rag_document *v;
    size_t n;
};

#endif
