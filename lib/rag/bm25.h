/* bm25.h: texts by how well they match a question's words: Okapi BM25 as the Python backend's rank_bm25 has it (k1 1.5, b 0.75, epsilon 0.25; words
 * are what stands between white space, as written). Texts are looked at once and not kept: memory grows with the vocabulary. */
#ifndef LIB_RAG_BM25_H
#define LIB_RAG_BM25_H

#include "lib/base/str.h"

struct bm25;

struct bm25 *bm25_new(struct str question); /* bm25_free() it; the question must live as long */
void bm25_free(struct bm25 *b);
void bm25_add(struct bm25 *b, int64_t number, struct str text);
/* The numbers of the k best, best first; of equals the later. Fewer if there are fewer. */
size_t bm25_best(struct bm25 *b, struct arena *mem, size_t k, int64_t **numbers);

#endif
