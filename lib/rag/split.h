/* split.h: cuts documents into pieces that are embedded one by one, exactly as LangChain's splitters of the Python backend do (sizes are code points). */
#ifndef LIB_RAG_SPLIT_H
#define LIB_RAG_SPLIT_H

#include "lib/rag/document.h"
#include "lib/rag/tokens.h"

enum splitter {
    SPLIT_CHARACTERS, /* at blank lines, lines, spaces, anywhere: the first that gives pieces short enough. Metadata: start_index */
    SPLIT_MARKDOWN /* at Markdown headers first. Metadata: headings (a list of texts), no start_index */
};

/* Pieces of all documents, in order; texts may be views of theirs, metadata are copies of theirs with more in it. INVALID: err says what is wrong with size or
 * overlap (0 ≤ overlap ≤ size, size > 0), in the words of the Python backend. */
enum status split_documents(struct arena *mem, enum splitter how, int64_t size, int64_t overlap,
                            struct rag_documents docs, struct rag_documents *out, struct error *err);

/* The same by tokens: size and overlap are numbers of them; metadata: start_index. A character that lies on a cut is U+FFFD on both sides, and start_index then -1. */
enum status split_documents_by_tokens(struct arena *mem, const struct token_table *table, int64_t size, int64_t overlap,
                                      struct rag_documents docs, struct rag_documents *out, struct error *err);

#endif
