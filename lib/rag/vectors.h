/* vectors.h: texts with their vectors in named collections, and exact search for the nearest by cosine.
 *
 * All collections are in one SQLite file, DATA_DIR/vector_db/webui-fcgi.db, which any number of processes read and write: a change is one transaction, on disk
 * when the function returns, and a reader sees the collection before it or after it. Searching reads the vectors from the file as they lie there (mmap): memory
 * does not grow with the collection. Vectors are kept as float32, normalized. Whether somebody may see a collection is decided in collections.h, not here. */
#ifndef LIB_RAG_VECTORS_H
#define LIB_RAG_VECTORS_H

#include "lib/config/config.h"

struct collection { /* owner and name together are the key */
    struct str
        owner; /* a user's id: the collection is his alone; empty: its name says who may (file-…, a knowledge base, user-memory-…) */
    struct str name;
};

struct vector_item {
    struct str id; /* unique in the collection */
    struct str text;
    json_object *metadata; /* an object; its texts "file_id" and "hash" can be searched for and deleted by */
};

struct vector_hit { /* strings live in the arena */
    struct str id, text;
    struct str metadata; /* JSON object text */
    double
        cosine; /* of a search: from 1, the same direction, to -1; else 0. The API's "distance" is (1 + cosine) / 2 */
    int64_t number; /* its place in the collection, for vectors_fetch() */
};

struct vector_hits {
    struct vector_hit *v;
    size_t n;
};

enum vector_mode {
    VECTORS_ADD,     /* to what is there */
    VECTORS_REPLACE, /* the collection holds these items only afterwards */
    VECTORS_UPSERT   /* items whose id is there are replaced */
};

/* All functions: OK; NOT_FOUND: there is no such collection; UNAVAILABLE: locked by another process for too long; FAILED: the file cannot be used. err holds words for a
 * client; the cause is in the log. */

/* vectors: items_n rows of dim floats. INVALID: dim is not the collection's. The collection is made if it is missing. */
enum status vectors_put(struct config *c, struct collection to, enum vector_mode mode, const struct vector_item *items,
                        const float *vectors, size_t items_n, size_t dim, struct error *err);
/* The k nearest, best first. INVALID: dim is not the collection's. */
enum status vectors_search(struct config *c, struct arena *mem, struct collection in, const float *vector, size_t dim,
                           size_t k, struct vector_hits *out, struct error *err);
/* OK, NOT_FOUND. */
enum status vectors_exists(struct config *c, struct collection in, struct error *err);
/* Items in the order in which they came. member: "file_id" or "hash" of the metadata; NULL: all items. */
enum status vectors_get(struct config *c, struct arena *mem, struct collection in, const char *member, struct str value,
                        struct vector_hits *out, struct error *err);
/* All texts one after the other, each gone after the call: for collections of any size. The reader must not use vectors. */
typedef void vectors_reader(int64_t number, struct str text, void *arg);
enum status vectors_each(struct config *c, struct collection in, vectors_reader *each, void *arg, struct error *err);
/* Those of the numbers that are (still) there, in their order, each with its cosine to the vector. */
enum status vectors_fetch(struct config *c, struct arena *mem, struct collection in, const int64_t *numbers, size_t n,
                          const float *vector, size_t dim, struct vector_hits *out, struct error *err);

/* member: "id", "file_id" or "hash". Deleting nothing is OK. */
enum status vectors_delete(struct config *c, struct collection from, const char *member, struct str value,
                           struct error *err);
/* The same in every owner's collection of that name. *found: there is one. */
enum status vectors_delete_anywhere(struct config *c, struct str name, const char *member, struct str value,
                                    bool *found, struct error *err);
enum status vectors_drop(struct config *c, struct collection which, struct error *err);
enum status vectors_drop_owner(struct config *c, struct str owner, struct error *err); /* all of a user's own */
enum status vectors_reset(struct config *c, struct error *err);                        /* everything */

#endif
