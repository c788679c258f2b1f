/* chroma.h: takes over what the Python backend keeps in Chroma (DATA_DIR/vector_db/chroma.sqlite3 and its index files), which is only read. */
#ifndef LIB_RAG_CHROMA_H
#define LIB_RAG_CHROMA_H

#include "lib/rag/vectors.h"

struct chroma_counts {
    size_t collections, items; /* taken over */
    size_t there_already;      /* collections of which there is one here: left alone */
    size_t without_owner;      /* collections whose user nobody knows (pages, web searches): left out */
    size_t without_vector;     /* items whose vector is not to be found: left out, to be embedded anew */
};

/* db: says which names are knowledge bases. NOT_FOUND: there is no Chroma. INVALID: its file is not as we know it. Called again after an interruption it goes on with the next
 * collection. */
enum status chroma_import(struct config *c, struct db *db, struct chroma_counts *counts, struct error *err);

#endif
