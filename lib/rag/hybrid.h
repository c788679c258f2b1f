/* hybrid.h: one question in one collection by words (BM25) and by vectors, put together by reciprocal rank, then ordered by a reranker or by cosine. */
#ifndef LIB_RAG_HYBRID_H
#define LIB_RAG_HYBRID_H

#include "lib/rag/query.h"

struct hybrid_hit {
    struct vector_hit item;
    double score; /* the reranker's, or the cosine */
};

struct hybrid_hits {
    struct hybrid_hit *v;
    size_t n;
};

/* q with its values filled in (rag_query's 0 means 0 here). vector: of the question. Best first, at most k. NOT_FOUND: no such collection. */
enum status hybrid_search(const struct rag *rag, const struct rag_query *q, struct str question, const float *vector,
                          size_t dim, struct collection in, struct hybrid_hits *out, struct error *err);

#endif
