/* web_search.h: searching the web, by the engine that WEB_SEARCH_ENGINE names (web_engines.c has the table of them). */
#ifndef LIB_RAG_WEB_SEARCH_H
#define LIB_RAG_WEB_SEARCH_H

#include "lib/rag/process.h"

struct web_result {
    struct str link;
    struct str title, snippet; /* absent: none */
};

struct web_results {
    struct web_result *v;
    size_t n;
};

/* What all queries (an array of texts) find, query by query, WEB_SEARCH_RESULT_COUNT each, only of the domains in WEB_SEARCH_DOMAIN_FILTER_LIST if there are any. Whatever it
 * returns but OK: err is for the client. NOT_FOUND: an engine of the Python backend that is not here (501). */
enum status web_search(const struct rag *rag, json_object *queries, struct web_results *out, struct error *err);

/* The pages that were found, or (BYPASS_WEB_SEARCH_WEB_LOADER) what the engine says of them. */
enum status web_load_results(const struct rag *rag, const struct web_results *found, struct rag_documents *out,
                             struct error *err);
/* [{"link", "title", "snippet"}] of the results whose link is among urls (an array of texts). */
json_object *web_results_json(struct arena *mem, const struct web_results *found, json_object *urls);
/* "web-search-…": what the collection of these queries is called. */
struct str web_search_collection(struct arena *mem, json_object *queries);

#endif
