/* chroma_index.h: the vectors of one collection of Chroma: its index files (hnswlib's) and the queue of what is not in them yet. Only for lib/rag/chroma.c. */
#ifndef LIB_RAG_CHROMA_INDEX_H
#define LIB_RAG_CHROMA_INDEX_H

#include <sqlite3.h>

#include "lib/base/error.h"

struct chroma_index;

/* folder: of the vector segment; without one (or with files that are broken) only the queue counts. topic_end: the collection's id, with which its topic in the queue ends. The result lives in
 * mem. */
enum status chroma_index_open(struct arena *mem, sqlite3 *db, const char *folder, struct str topic_end, size_t dim,
                              struct chroma_index **out, struct error *err);
/* dim floats into out; false: there is no vector of that id. */
bool chroma_index_find(const struct chroma_index *x, struct str id, float *out);

/* ---- for tests: from index_metadata.pickle, a pickled dictionary: calls add(id, label) for each entry of id_to_label. */
typedef void chroma_label_reader(struct str id, int64_t label, void *arg);
void chroma_read_labels(struct str pickle, chroma_label_reader *add, void *arg);

#endif
