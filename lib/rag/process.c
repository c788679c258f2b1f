/* process.c: documents into collections. */
#include "lib/rag/process.h"

#include "lib/base/encode.h"
#include "lib/base/log.h"
#include "lib/base/random.h"
#include "lib/rag/embed.h"
#include "lib/rag/pytext.h"
#include "lib/rag/split.h"

#define EMPTY_TEXT "The content provided is empty. Please ensure that there is text or data present before proceeding."
#define DUPLICATE_TEXT "Duplicate content detected. Please provide unique content to proceed."
#define TOKENS_TEXT "There is no token splitter here yet: choose another text splitter in the admin settings, Documents"

static bool wants_tokens(struct config *c)
{
    return str_is(config_str(c, CFG_RAG_TEXT_SPLITTER), "token");
}

const char *rag_missing(struct config *c)
{
    if (embed_is_local(c))
        return EMBED_LOCAL_TEXT;
    return wants_tokens(c) && !str_is(config_str(c, CFG_TIKTOKEN_ENCODING_NAME), TOKENS_ENCODING) ? TOKENS_TEXT : NULL;
}

/* ---- metadata */

/* What readers put there that would be as large as the text. */
static bool is_large(const char *key)
{
    static const char *const keys[] = { "content", "pages", "tables", "paragraphs", "sections", "figures" };

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (strcmp(key, keys[i]) == 0)
            return true;
    return false;
}

/* As the Python backend gives it to its vector database: lists and objects as Python prints them, no nulls. */
static json_object *flat(struct arena *mem, json_object *metadata)
{
    json_object *o = json_new_object(mem);

    json_object_object_foreach(metadata, key, value)
    {
        if (is_large(key) || !value)
            continue;
        if (json_is(value, json_type_object) || json_is(value, json_type_array))
            json_set_str(o, key, py_repr(mem, value));
        else
            json_set(o, key, value);
    }
    return o;
}

static json_object *item_metadata(const struct rag *rag, json_object *of_document, json_object *over)
{
    json_object *o = json_new_object(rag->mem), *with = json_new_object(rag->mem);

    if (of_document)
        json_merge(o, of_document);
    if (over)
        json_merge(o, over);
    json_set_str(with, "engine", config_str(rag->config, CFG_RAG_EMBEDDING_ENGINE));
    json_set_str(with, "model", config_str(rag->config, CFG_RAG_EMBEDDING_MODEL));
    json_set(o, "embedding_config", with);
    return flat(rag->mem, o);
}

/* ---- saving */

static enum status is_new(const struct rag *rag, const struct rag_save *how, struct error *err)
{
    struct str hash = json_str(how->metadata, "hash");
    struct vector_hits found;
    enum status st;

    if (!hash.p)
        return OK;
    st = vectors_get(rag->config, rag->mem, how->to, "hash", hash, &found, err);
    if (st == NOT_FOUND || (st == OK && found.n == 0))
        return OK;
    return st == OK ? error_set(err, INVALID, DUPLICATE_TEXT) : st;
}

static enum status split_by_tokens(const struct rag *rag, struct rag_documents docs, struct rag_documents *out,
                                   struct error *err)
{
    const struct token_table *table;
    enum status st;

    if (!str_is(config_str(rag->config, CFG_TIKTOKEN_ENCODING_NAME), TOKENS_ENCODING))
        return error_set(err, INVALID, TOKENS_TEXT);
    st = token_table_get(rag->config, &table, err);
    return st == OK ? split_documents_by_tokens(rag->mem, table, config_int(rag->config, CFG_CHUNK_SIZE),
                                                config_int(rag->config, CFG_CHUNK_OVERLAP), docs, out, err)
                    : st;
}

static enum status split(const struct rag *rag, struct rag_documents docs, struct rag_documents *out, struct error *err)
{
    struct str name = config_str(rag->config, CFG_RAG_TEXT_SPLITTER);
    bool markdown = str_is(name, "markdown_header");

    if (wants_tokens(rag->config))
        return split_by_tokens(rag, docs, out, err);
    if (name.n && !str_is(name, "character") && !markdown)
        return error_set(err, INVALID, "[ERROR: Invalid text splitter]");
    return split_documents(rag->mem, markdown ? SPLIT_MARKDOWN : SPLIT_CHARACTERS,
                           config_int(rag->config, CFG_CHUNK_SIZE), config_int(rag->config, CFG_CHUNK_OVERLAP), docs,
                           out, err);
}

static enum status embed(const struct rag *rag, struct rag_documents pieces, struct embeddings *out, struct error *err)
{
    struct str *texts = arena_new_array(rag->mem, struct str, pieces.n);

    for (size_t i = 0; i < pieces.n; i++)
        texts[i] = str_replace(rag->mem, pieces.v[i].text, S("\n"), S(" "));
    return embed_texts(rag->config, rag->mem, rag->user, EMBED_CONTENT, texts, pieces.n, out, err);
}

enum status rag_save_documents(const struct rag *rag, struct rag_documents docs, const struct rag_save *how,
                               struct error *err)
{
    struct rag_documents pieces = { NULL, 0 };
    struct embeddings vectors = { NULL, 0, 0 };
    struct vector_item *items;
    enum status st = is_new(rag, how, err);

    if (st == OK)
        st = split(rag, docs, &pieces, err);
    if (st == OK && pieces.n == 0)
        st = error_set(err, INVALID, EMPTY_TEXT);
    if (st == OK)
        st = embed(rag, pieces, &vectors, err);
    if (st != OK)
        return st;
    items = arena_new_array(rag->mem, struct vector_item, pieces.n);
    for (size_t i = 0; i < pieces.n; i++)
        items[i] = (struct vector_item){ .id = random_uuid(rag->mem),
                                         .text = pieces.v[i].text,
                                         .metadata = item_metadata(rag, pieces.v[i].metadata, how->metadata) };
    return vectors_put(rag->config, how->to, how->overwrite ? VECTORS_REPLACE : VECTORS_ADD, items, vectors.v, pieces.n,
                       vectors.dim, err);
}
