/* process.h: from documents to collections: split, embed, save. */
#ifndef LIB_RAG_PROCESS_H
#define LIB_RAG_PROCESS_H

#include "lib/auth/user.h"
#include "lib/rag/document.h"
#include "lib/rag/vectors.h"
#include "lib/store/files.h"

/* What everything here needs. The functions call servers and may take minutes: for workers, not for responders. */
struct rag {
    struct arena *mem;
    struct db *db;
    struct config *config;
    const struct user *user; /* who asked; his name goes to the embedding server if the settings say so */
};

struct rag_save {
    struct collection to;
    json_object *metadata; /* put over that of each document; its "hash" must be new in the collection. NULL: none */
    bool overwrite;        /* the collection holds nothing else afterwards; otherwise the pieces are added to it */
};

/* What the settings ask for and these processes do not have (a local embedding model, the token splitter), in words for a client; NULL: nothing. Handlers
 * answer 501 then. */
const char *rag_missing(struct config *c);

/* Splits, embeds, saves. Whatever it returns but OK: err holds the text that a client is shown (empty, duplicate content, a splitter that does not exist, the
 * embedding server's failure …). INVALID: the input is at fault; UNAVAILABLE, TIMED_OUT, FAILED: a server or the vector file. */
enum status rag_save_documents(const struct rag *rag, struct rag_documents docs, const struct rag_save *how,
                               struct error *err);

struct rag_file {
    struct str content; /* given: takes the place of what the file holds; absent: none */
    const struct collection *
        to; /* NULL: the file's own, file-{id}; else what was read out of the file before is added there (the knowledge base …), and the caller has
                                   checked that the user may write it */
    struct str collection_name; /* as the client calls it; ignored without `to` */

    /* the answer */
    struct str text;              /* all that was read */
    struct str result_collection; /* absent: BYPASS_EMBEDDING_AND_RETRIEVAL */
};

/* Reads the file, splits, embeds, saves; its row gets content, hash, meta.collection_name, and data.status "completed" or "failed". The caller has checked that the user
 * may. Whatever it returns but OK: err holds the text that a client is shown (the Python backend's status is 400). */
enum status rag_process_file(const struct rag *rag, const struct file *f, struct rag_file *job, struct error *err);

/* Several files at once, from what was read out of them before, into one collection that the caller may write. Each row gets its hash and meta.collection_name. The error of
 * all: err, and no file is in the collection. */
enum status rag_process_files(const struct rag *rag, const struct file *files, size_t n, struct collection to,
                              struct str collection_name, struct error *err);

/* When a file goes, or leaves a knowledge base. A collection that is not there is OK. */
enum status rag_forget_file(struct config *c, struct arena *mem, struct str file_id, struct error *err);
enum status rag_remove_file_from(struct config *c, struct collection from, struct str file_id, struct str hash,
                                 struct error *err);

#endif
