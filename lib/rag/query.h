/* query.h: what is found for questions: in collections, and in the things that are attached to a chat. */
#ifndef LIB_RAG_QUERY_H
#define LIB_RAG_QUERY_H

#include "lib/rag/process.h"

struct rag_query {
    const struct str *texts; /* the questions */
    size_t texts_n;
    int64_t k, k_reranker;  /* 0: as the settings say (RAG_TOP_K, RAG_TOP_K_RERANKER) */
    double relevance;       /* hits below are left out; 0: as the settings say */
    double bm25_weight;     /* of hybrid search; 0: as the settings say */
    enum { HYBRID_AS_SET, HYBRID_OFF } hybrid;
    bool full_context; /* all of a collection instead of the nearest */
};

/* {"distances": [[…]], "documents": [[…]], "metadatas": [[…]]} of the best k of all collections together, a text only once. Collections that are not there count as empty.
 * INVALID: err for the client. */
enum status rag_query_collections(const struct rag *rag, const struct rag_query *q, const struct collection *in,
                                  size_t in_n, json_object **out, struct error *err);

/* The sources of a chat completion: [{"source": item, "document": […], "metadata": […], "distances": […]}, …], one an item in which something was found.
 * items: as the frontend attaches them (type file, collection, text, note, chat, or docs, collection_name(s)). Each is only used as far as rag->user may read it;
 * items_granted: the same, but of the model or folder that the user may use: not checked again. Either may be NULL. What cannot be found is left out and logged. */
enum status rag_sources(const struct rag *rag, const struct rag_query *q, json_object *items, json_object *items_granted,
                        json_object **out, struct error *err);

#endif
