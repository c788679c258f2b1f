/* tokens.h: where tiktoken's encoding cl100k_base cuts a text into tokens. */
#ifndef LIB_RAG_TOKENS_H
#define LIB_RAG_TOKENS_H

#include "lib/config/config.h"

struct token_table;

#define TOKENS_ENCODING "cl100k_base"

/* The table of tokens, which the process keeps: the file where tiktoken keeps it (TIKTOKEN_CACHE_DIR, else DATA_DIR/cache/tiktoken); it is downloaded there when it is missing, and its checksum
 * must be right. FAILED: it is not to be had; err is for a client. */
enum status token_table_get(struct config *c, const struct token_table **out, struct error *err);

/* A table in tiktoken's form: lines of "BASE64 RANK". INVALID: it is none. It lives in mem. */
enum status token_table_read(struct arena *mem, struct str text, struct token_table **out, struct error *err);

/* The ends of the text's tokens, as places behind each; their number. Special tokens ("<|endoftext|>") are text like any other. The text is valid UTF-8. */
size_t tokens_of(const struct token_table *t, struct arena *mem, struct str text, size_t **ends);

#endif
