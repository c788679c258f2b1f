/* rerank.h: how well texts answer a question, said by a reranking server (RAG_RERANKING_ENGINE=external). */
#ifndef LIB_RAG_RERANK_H
#define LIB_RAG_RERANK_H

#include "lib/auth/user.h"
#include "lib/config/config.h"

/* A model is set and the engine is a server. (The engine "" is a model inside the Python backend: there is none here.) */
bool rerank_is_set(struct config *c);
/* scores: n values, one a text; any scale, more is better. */
enum status rerank_texts(struct config *c, struct arena *mem, const struct user *u, struct str question,
                         const struct str *texts, size_t n, double *scores, struct error *err);

#endif
