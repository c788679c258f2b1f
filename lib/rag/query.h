/* query.h: what is found for questions: in collections, and in the things that are attached to a chat. */
#ifndef LIB_RAG_QUERY_H
#define LIB_RAG_QUERY_H

#include "lib/rag/process.h"

struct rag_query {
    const struct str *texts; /* the questions */
    size_t texts_n;
    int64_t k, k_reranker; /* 0: as the settings say (RAG_TOP_K, RAG_TOP_K_RERANKER) */
    double relevance;      /* hits below are left out; 0: as the settings say */
    double bm25_weight;    /* of hybrid search; 0: as the settings say */
    enum { HYBRID_AS_SET, HYBRID_OFF } hybrid;
    bool plain; /* of memories: they are embedded without a prefix, and so is the question */
};

/* {"ids": [[…]], "distances": [[…]], "documents": [[…]], "metadatas": [[…]]} of what a search gave. */
json_object *rag_hits_json(struct arena *mem, const struct vector_hits *hits);

/* {"ids": [[…]], "distances": [[…]], "documents": [[…]], "metadatas": [[…]]} of one collection, for the first text; hybrid: without "ids". *out NULL: there is no such
 * collection (the API answers null). err as for rag_query_collections(). */
enum status rag_query_collection(const struct rag *rag, const struct rag_query *q, struct collection in,
                                 json_object **out, struct error *err);

/* {"distances": [[…]], "documents": [[…]], "metadatas": [[…]]} of the best k of all collections together, a text only once. Collections that are not there, or whose vectors
 * come from another model, count as empty. Whatever it returns but OK: err holds words for a client. */
enum status rag_query_collections(const struct rag *rag, const struct rag_query *q, const struct collection *in,
                                  size_t in_n, json_object **out, struct error *err);

/* Whether a question goes by BM25 and vectors together: ENABLE_RAG_HYBRID_SEARCH, unless the caller says no. */
bool rag_is_hybrid(const struct rag *rag, const struct rag_query *q);

/* The sources of a chat completion: [{"source": item, "document": […], "metadata": […], "distances": […]}, …], one an item in which something was found.
 * items: as the frontend attaches them (type file, collection, text, note, chat, or docs, collection_name(s)). Each is only used as far as rag->user may read it
 * (a folder's, too). items_of_model: the knowledge of the model that is asked: its users reach what its owner may read (NULL: nobody's rights but the user's own). Either
 * may be NULL. full_context: whole collections instead of the nearest pieces (RAG_FULL_CONTEXT
 * does that, too). What cannot be found, or not searched in, is left out and logged; only the database makes it fail. */
enum status rag_sources(const struct rag *rag, const struct rag_query *q, bool full_context, json_object *items,
                        json_object *items_of_model, const struct user *owner, json_object **out, struct error *err);

#endif
