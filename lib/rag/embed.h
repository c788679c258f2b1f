/* embed.h: vectors of texts, made by the server that the settings name (RAG_EMBEDDING_ENGINE: openai, azure_openai, ollama). */
#ifndef LIB_RAG_EMBED_H
#define LIB_RAG_EMBED_H

#include "lib/auth/user.h"
#include "lib/config/config.h"

/* What the texts are: decides the prefix (RAG_EMBEDDING_QUERY_PREFIX, RAG_EMBEDDING_CONTENT_PREFIX). */
enum embed_kind { EMBED_PLAIN, EMBED_QUERY, EMBED_CONTENT };

struct embeddings {
    const float *
        v; /* n rows of dim floats, as the server gave them; in the arena, or (many) in a mapped temporary file that the arena unmaps */
    size_t n, dim;
};

/* The engine "" stands for a model inside the Python backend, which these processes do not have: embed_texts() is INVALID then, and handlers answer 501. */
bool embed_is_local(struct config *c);
#define EMBED_LOCAL_TEXT                                                                           \
    "There is no local embedding model here: choose an embedding engine (OpenAI, Azure OpenAI or " \
    "Ollama) in the admin settings, Documents"

/* Texts go out in batches of RAG_EMBEDDING_BATCH_SIZE, several at a time. u NULL: nobody's name is sent. INVALID: no such engine; FAILED: the
 * server does not answer, or not with vectors. err says so in words for a client. */
enum status embed_texts(struct config *c, struct arena *mem, const struct user *u, enum embed_kind kind,
                        const struct str *texts, size_t n, struct embeddings *out, struct error *err);
enum status embed_text(struct config *c, struct arena *mem, const struct user *u, enum embed_kind kind, struct str text,
                       struct embeddings *out, struct error *err);

#endif
