/* tokens_word.h: the first of the pieces that cl100k_base cuts a text into before its tokens are looked up. Only for lib/rag/tokens.c. */
#ifndef LIB_RAG_TOKENS_WORD_H
#define LIB_RAG_TOKENS_WORD_H

#include "lib/base/str.h"

/* Bytes of the first piece of valid UTF-8, at least 1 (text is not empty). */
size_t tokens_word(struct str text);

#endif
