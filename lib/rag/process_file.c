/* process_file.c: an uploaded file into its collection, and into knowledge bases. */
#include "lib/base/encode.h"
#include "lib/base/log.h"
#include "lib/rag/collections.h"
#include "lib/rag/load.h"
#include "lib/rag/process.h"

static void add_file(json_object *metadata, const struct file *f)
{
    json_set_str(metadata, "name", f->filename);
    json_set_str(metadata, "created_by", f->user_id);
    json_set_str(metadata, "file_id", f->id);
    json_set_str(metadata, "source", f->filename);
}

/* A text that was read out of the file before, or is given. */
static struct rag_documents one_document(const struct rag *rag, const struct file *f, struct str text)
{
    struct rag_document *doc = arena_new_one(rag->mem, struct rag_document);
    json_object *meta = json_parse_or_null(rag->mem, f->meta);

    doc->text = text;
    doc->metadata = json_new_object(rag->mem);
    if (json_is(meta, json_type_object))
        json_merge(doc->metadata, meta);
    add_file(doc->metadata, f);
    return (struct rag_documents){ doc, 1 };
}

static struct str stored_text(const struct rag *rag, const struct file *f)
{
    struct str text = json_str(json_parse_or_null(rag->mem, f->data), "content");

    return text.p ? text : S("");
}

/* The pieces of the file's own collection, which are split again; without one, what was read. */
static enum status pieces_of_file(const struct rag *rag, const struct file *f, struct rag_file *job,
                                  struct rag_documents *out, struct error *err)
{
    struct vector_hits found = { NULL, 0 };
    enum status st = vectors_get(rag->config, rag->mem, collection_of_file(rag->mem, f->id), "file_id", f->id, &found,
                                 err);

    if (st != OK && st != NOT_FOUND)
        return st;
    job->text = stored_text(rag, f);
    if (st == NOT_FOUND || found.n == 0) {
        *out = one_document(rag, f, job->text);
        return OK;
    }
    out->v = arena_new_array(rag->mem, struct rag_document, found.n);
    out->n = found.n;
    for (size_t i = 0; i < found.n; i++)
        out->v[i] = (struct rag_document){ found.v[i].text, json_parse_or_null(rag->mem, found.v[i].metadata) };
    return OK;
}

static enum status load(const struct rag *rag, const struct file *f, struct rag_file *job, struct rag_documents *out,
                        struct error *err)
{
    json_object *meta = json_parse_or_null(rag->mem, f->meta);
    struct buf text = BUF(rag->mem, STR_NPOS);
    enum status st = rag_load_file(rag->mem, rag->config, f->path, f->filename, json_str(meta, "content_type"), out,
                                   err);

    if (st != OK)
        return st;
    for (size_t i = 0; i < out->n; i++) {
        json_object *metadata = json_new_object(rag->mem);

        if (out->v[i].metadata)
            json_merge(metadata, out->v[i].metadata);
        add_file(metadata, f);
        out->v[i].metadata = metadata;
        buf_add_c(&text, i ? " " : "");
        buf_add_str(&text, out->v[i].text);
    }
    job->text = buf_str(&text);
    return OK;
}

static enum status read_file(const struct rag *rag, const struct file *f, struct rag_file *job,
                             struct rag_documents *out, struct error *err)
{
    if (job->content.n) {
        enum status st = vectors_drop(rag->config, collection_of_file(rag->mem, f->id), err);

        job->text = job->content;
        *out = one_document(rag, f, str_replace(rag->mem, job->content, S("<br/>"), S("\n")));
        return st == NOT_FOUND ? OK : st;
    }
    if (job->to)
        return pieces_of_file(rag, f, job, out, err);
    if (f->path.n)
        return load(rag, f, job, out, err);
    job->text = stored_text(rag, f);
    *out = one_document(rag, f, job->text);
    return OK;
}

static enum status record(const struct rag *rag, const struct file *f, json_object *data, json_object *meta,
                          struct str hash, struct error *err)
{
    if (file_record(rag->db, rag->mem, f->id, data, meta, hash) != DB_ERROR)
        return OK;
    log_error("%s", db_error(rag->db));
    return error_set(err, db_unavailable(rag->db) ? UNAVAILABLE : FAILED, "The file could not be changed");
}

static json_object *one_member(const struct rag *rag, const char *name, struct str value)
{
    json_object *o = json_new_object(rag->mem);

    json_set_str(o, name, value);
    return o;
}

static enum status save(const struct rag *rag, const struct file *f, struct rag_file *job, struct rag_documents docs,
                        struct str hash, struct error *err)
{
    struct rag_save how = { .to = job->to ? *job->to : collection_of_file(rag->mem, f->id),
                            .metadata = json_new_object(rag->mem) };

    json_set_str(how.metadata, "file_id", f->id);
    json_set_str(how.metadata, "name", f->filename);
    json_set_str(how.metadata, "hash", hash);
    job->result_collection = job->to ? job->collection_name : how.to.name;
    return rag_save_documents(rag, docs, &how, err);
}

static enum status process(const struct rag *rag, const struct file *f, struct rag_file *job, struct error *err)
{
    struct rag_documents docs = { NULL, 0 };
    enum status st = read_file(rag, f, job, &docs, err);
    struct str hash;

    if (st != OK)
        return st;
    hash = sha256_hex(rag->mem, job->text);
    st = record(rag, f, one_member(rag, "content", job->text), NULL, hash, err);
    if (st != OK || config_bool(rag->config, CFG_BYPASS_EMBEDDING_AND_RETRIEVAL))
        return st;
    return save(rag, f, job, docs, hash, err);
}

enum status rag_process_file(const struct rag *rag, const struct file *f, struct rag_file *job, struct error *err)
{
    json_object *meta = NULL;
    enum status st;

    job->result_collection = STR_NONE;
    st = process(rag, f, job, err);
    if (st != OK) {
        record(rag, f, one_member(rag, "status", S("failed")), NULL, STR_NONE, NULL);
        return st;
    }
    if (job->result_collection.p)
        meta = one_member(rag, "collection_name", job->result_collection);
    return record(rag, f, one_member(rag, "status", S("completed")), meta, STR_NONE, err);
}

/* ---- several */

enum status rag_process_files(const struct rag *rag, const struct file *files, size_t n, struct collection to,
                              struct str collection_name, struct error *err)
{
    struct rag_documents docs = { arena_new_array(rag->mem, struct rag_document, n + 1), n };
    struct rag_save how = { .to = to };
    enum status st = OK;

    for (size_t i = 0; i < n && st == OK; i++) {
        struct str text = stored_text(rag, &files[i]);

        docs.v[i] = one_document(rag, &files[i], str_replace(rag->mem, text, S("<br/>"), S("\n"))).v[0];
        st = record(rag, &files[i], one_member(rag, "content", text), NULL, sha256_hex(rag->mem, text), err);
    }
    if (st == OK && n)
        st = rag_save_documents(rag, docs, &how, err);
    for (size_t i = 0; i < n && st == OK; i++)
        st = record(rag, &files[i], NULL, one_member(rag, "collection_name", collection_name), STR_NONE, err);
    return st;
}

/* ---- forgetting */

enum status rag_forget_file(struct config *c, struct arena *mem, struct str file_id, struct error *err)
{
    enum status st = vectors_drop(c, collection_of_file(mem, file_id), err);

    return st == NOT_FOUND ? OK : st;
}

enum status rag_remove_file_from(struct config *c, struct collection from, struct str file_id, struct str hash,
                                 struct error *err)
{
    enum status st = vectors_delete(c, from, "file_id", file_id, err);

    if (st == OK && hash.n)
        st = vectors_delete(c, from, "hash", hash, err);
    return st == NOT_FOUND ? OK : st;
}
