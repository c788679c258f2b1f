/* web_answer.h: a web search from the queries to what can be asked about it: shared by the API and chats. */
#ifndef LIB_RAG_WEB_ANSWER_H
#define LIB_RAG_WEB_ANSWER_H

#include "lib/rag/process.h"

enum web_answer_stage { WEB_SEARCHES, WEB_LOADS, WEB_SAVES };

/* Searches, loads the pages and saves them in a collection of the user's: {"status", "collection_names": […] or "collection_name": null and "docs": [{"content", "metadata"}]
 * (BYPASS_WEB_SEARCH_EMBEDDING_AND_RETRIEVAL), "filenames": [addresses], "items": [{"link", "title", "snippet"}], "loaded_count"}. Whatever it returns but OK: err is for the
 * client, and *at says where it happened. What cannot be saved is answered all the same, unless these processes cannot save at all. */
enum status web_answer(const struct rag *rag, json_object *queries, json_object **out, enum web_answer_stage *at,
                       struct error *err);

#endif
