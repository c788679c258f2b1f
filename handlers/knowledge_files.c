/* knowledge_files.c: files come into a collection and leave it; all collections are indexed anew. */
#include "handlers/chat_reply.h"
#include "handlers/knowledge.h"
#include "handlers/routes.h"
#include "lib/base/clock.h"
#include "lib/base/encode.h"
#include "lib/base/log.h"
#include "lib/net/control.h"
#include "lib/rag/collections.h"
#include "lib/rag/process.h"
#include "lib/storage/storage.h"
#include "lib/store/users.h"

#define NOT_PROCESSED \
    "Extracted content is not available for this file. Please ensure that the file is processed before proceeding."
#define NOT_IN_IT "[ERROR: file_id]"

enum { REINDEX_WAIT_MS = 5000 };

static int refuse(struct request *r, struct response *out, enum db_status st)
{
    return st == DB_ERROR ? fail_db(out, r->db) : fail(out, 400, NOT_FOUND_TEXT);
}

/* Only its owner and administrators put a file somewhere. */
static bool owns(const struct request *r, const struct file *f)
{
    return r->user->is_admin || str_eq(f->user_id, r->user->id);
}

/* What was read out of the file goes into the collection. 0, or the status of the answer. Details of errors begin with a status, as Python's do. */
static int index_file(struct request *r, struct response *out, const struct knowledge *k, const struct file *f)
{
    struct rag rag = { r->mem, r->db, r->config, r->user };
    struct collection to = collection_of_knowledge(k->id);
    struct rag_file job = { .content = STR_NONE, .to = &to, .collection_name = k->id };
    struct error err = { "" };

    if (!owns(r, f))
        return fail(out, 400, "404: " NOT_FOUND_TEXT);
    if (rag_missing(r->config))
        return fail(out, 501, "%s", rag_missing(r->config));
    return rag_process_file(&rag, f, &job, &err) == OK ? 0 : fail(out, 400, "400: %s", err.text);
}

static void leave_vectors(struct request *r, const struct knowledge *k, struct str file_id)
{
    struct error err = { "" };
    enum status st = rag_remove_file_from(r->config, collection_of_knowledge(k->id), file_id, STR_NONE, &err);

    if (st != OK && st != NOT_FOUND)
        log_error("could not take file %.*s out of the vectors: %s", STR(file_id), err.text);
}

static int reply_changed(struct request *r, struct response *out, struct knowledge *k, enum knowledge_files what,
                         const struct str *ids, size_t n)
{
    enum db_status st = knowledge_change_files(r->db, r->mem, k->id, what, ids, n, now_s(), k);

    return st == DB_ROW ? knowledge_reply(r, out, k, true) : refuse(r, out, st);
}

/* ---- one file */

/* The collection and the file that the form names; otherwise the answer is made. */
static bool find_both(struct request *r, struct response *out, struct knowledge *k, struct file *f, int *status)
{
    enum db_status st;

    if (!knowledge_find_to_change(r, out, k, status))
        return false;
    st = file_by_id(r->db, r->mem, form_str(r, "file_id"), f);
    if (st == DB_ROW)
        return true;
    *status = refuse(r, out, st);
    return false;
}

static int add_file(struct request *r, struct response *out)
{
    struct knowledge k;
    struct file f;
    int status;

    if (!find_both(r, out, &k, &f, &status))
        return status;
    if (!json_truthy(json_parse_or_null(r->mem, f.data)))
        return fail(out, 400, NOT_PROCESSED);
    if (owns(r, &f) && !knowledge_has_file(r->mem, &k, f.id))
        leave_vectors(r, &k, f.id); /* of an earlier attempt that died before the file was listed */
    status = index_file(r, out, &k, &f);
    if (status)
        return status;
    if (knowledge_has_file(r->mem, &k, f.id))
        return fail(out, 400, NOT_IN_IT);
    return reply_changed(r, out, &k, KNOWLEDGE_ADD, &f.id, 1);
}

static int update_file(struct request *r, struct response *out)
{
    struct knowledge k;
    struct file f;
    int status;

    if (!find_both(r, out, &k, &f, &status))
        return status;
    if (owns(r, &f))
        leave_vectors(r, &k, f.id);
    status = index_file(r, out, &k, &f);
    return status ? status : knowledge_reply(r, out, &k, true);
}

static enum db_status delete_file(struct request *r, const struct file *f)
{
    struct error err = { "" };
    enum db_status st = file_delete(r->db, f->id);

    if (st == DB_ERROR)
        return st;
    if (rag_forget_file(r->config, r->mem, f->id, &err) != OK)
        log_error("%s", err.text);
    if (storage_delete(r->mem, r->config, f->path, &err) != OK)
        log_error("%s", err.text);
    return DB_ROW;
}

/* Only what is in the collection can be taken out of it, and so be deleted by whoever may write the collection. */
static int remove_file(struct request *r, struct response *out)
{
    struct knowledge k;
    struct file f;
    int status;

    if (!find_both(r, out, &k, &f, &status))
        return status;
    if (!knowledge_has_file(r->mem, &k, f.id))
        return fail(out, 400, NOT_IN_IT);
    leave_vectors(r, &k, f.id);
    if (query_bool(r, "delete_file", true) && delete_file(r, &f) == DB_ERROR)
        return fail_db(out, r->db);
    return reply_changed(r, out, &k, KNOWLEDGE_REMOVE, &f.id, 1);
}

/* ---- many files at once */

static bool is_there(const struct file *files, size_t n, struct str id, const struct file **out)
{
    for (size_t i = 0; i < n; i++) {
        if (str_eq(files[i].id, id)) {
            *out = &files[i];
            return true;
        }
    }
    return false;
}

static struct rag_document document_of(struct request *r, const struct file *f, struct str content)
{
    json_object *metadata = json_parse_or_null(r->mem, f->meta);

    if (!json_is(metadata, json_type_object))
        metadata = json_new_object(r->mem);
    json_set_str(metadata, "name", f->filename);
    json_set_str(metadata, "created_by", f->user_id);
    json_set_str(metadata, "file_id", f->id);
    json_set_str(metadata, "source", f->filename);
    return (struct rag_document){ .text = str_replace(r->mem, content, S("<br/>"), S("\n")), .metadata = metadata };
}

/* Notes what was taken, and where it went (collection absent: nowhere yet). */
static enum db_status note(struct request *r, const struct file *f, struct str content, struct str collection)
{
    json_object *data = json_new_object(r->mem), *meta = collection.p ? json_new_object(r->mem) : NULL;

    json_set_str(data, "content", content);
    if (meta)
        json_set_str(meta, "collection_name", collection);
    return file_record(r->db, r->mem, f->id, data, meta, sha256_hex(r->mem, content));
}

/* One transaction of vectors for all: either all files are in the collection afterwards, or none has come. */
static int save_batch(struct request *r, struct response *out, struct knowledge *k, const struct file **files,
                      const struct str *ids, size_t n)
{
    struct rag rag = { r->mem, r->db, r->config, r->user };
    struct rag_save how = { .to = collection_of_knowledge(k->id) };
    struct rag_documents docs = { arena_new_array(r->mem, struct rag_document, n), n };
    struct str *texts = arena_new_array(r->mem, struct str, n);
    struct error err = { "" };
    enum status st;

    for (size_t i = 0; i < n; i++) {
        texts[i] = json_str(json_parse_or_null(r->mem, files[i]->data), "content");
        texts[i] = texts[i].p ? texts[i] : S("");
        docs.v[i] = document_of(r, files[i], texts[i]);
    }
    if (rag_missing(r->config))
        return fail(out, 501, "%s", rag_missing(r->config));
    st = rag_save_documents(&rag, docs, &how, &err);
    if (st != OK)
        log_warning("a batch of files was not taken into knowledge %.*s: %s", STR(k->id), err.text);
    for (size_t i = 0; i < n; i++)
        if (note(r, files[i], texts[i], st == OK ? k->id : STR_NONE) == DB_ERROR)
            return fail_db(out, r->db);
    return reply_changed(r, out, k, KNOWLEDGE_ADD, ids, st == OK ? n : 0);
}

static int add_batch(struct request *r, struct response *out)
{
    size_t n = json_length(r->form), rows_n = 0;
    json_object *wanted = json_new_array(r->mem);
    const struct file **files = arena_new_array(r->mem, const struct file *, n);
    struct str *ids = arena_new_array(r->mem, struct str, n);
    struct knowledge k;
    struct file *rows = NULL;
    int status;

    if (!knowledge_find_to_change(r, out, &k, &status))
        return status;
    for (size_t i = 0; i < n; i++) {
        ids[i] = json_str(json_at(r->form, i), "file_id");
        json_push_str(wanted, ids[i]);
    }
    if (n > 0 && files_by_ids(r->db, r->mem, json_text(r->mem, wanted), &rows, &rows_n) == DB_ERROR)
        return fail_db(out, r->db);
    for (size_t i = 0; i < n; i++)
        if (!is_there(rows, rows_n, ids[i], &files[i]) || !owns(r, files[i]))
            return fail(out, 400, "File %.*s not found", STR(ids[i]));
    return n ? save_batch(r, out, &k, files, ids, n) : reply_changed(r, out, &k, KNOWLEDGE_ADD, NULL, 0);
}

/* ---- all collections anew: a job each, so that it goes on when the page is left */

static int reindex(struct request *r, struct response *out)
{
    json_object *plan = json_new_object(r->mem), *wait;
    struct knowledge *rows = NULL;
    size_t n = 0;

    if (!r->user->is_admin)
        return fail(out, 401, UNAUTHORIZED_TEXT);
    if (knowledge_list(r->db, r->mem, &rows, &n) == DB_ERROR)
        return fail_db(out, r->db);
    for (size_t i = 0; i < n; i++) {
        json_object *state = json_new_object(r->mem);

        json_set_str(state, "knowledge_id", rows[i].id);
        json_set_str(state, "user_id", r->user->id);
        if (control_job(r->mem, config_run_dir(r->config), "reindex_knowledge", rows[i].id, state) != OK)
            return fail(out, 503, "The server is busy. Please try again.");
    }
    if (n == 0)
        return reply_bool(out, true);
    wait = json_set_object(plan, "wait");
    json_set_int(wait, "ms", REINDEX_WAIT_MS);
    json_set_str(wait, "job", rows[n - 1].id);
    json_set_c(plan, "then", "reindex_wait");
    return reply_plan(out, plan);
}

static int step_wait(struct request *r, struct response *out)
{
    json_object *plan = json_new_object(r->mem), *jobs = NULL, *to = json_new_object(r->mem);

    if (control_jobs(r->mem, config_run_dir(r->config), "reindex_knowledge", &jobs) != OK)
        return fail(out, 503, "The server is busy. Please try again.");
    if (json_length(json_get(jobs, "keys")) == 0) {
        json_set_int(to, "status", 200);
        json_set_bool(to, "body", true);
        json_set(plan, "reply", to);
        return reply_plan(out, plan);
    }
    json_set_int(to, "ms", REINDEX_WAIT_MS);
    json_set(to, "job", json_at(json_get(jobs, "keys"), 0));
    json_set(plan, "wait", to);
    json_set_c(plan, "then", "reindex_wait");
    return reply_plan(out, plan);
}

static enum db_status index_again(struct request *r, const struct user *u, const struct knowledge *k)
{
    struct rag rag = { r->mem, r->db, r->config, u };
    struct collection to = collection_of_knowledge(k->id);
    json_object *ids = knowledge_file_ids(r->mem, k);
    struct error err = { "" };
    enum status st;

    st = vectors_drop(r->config, to, &err);
    if (st != OK && st != NOT_FOUND)
        log_error("could not drop the vectors of knowledge %.*s: %s", STR(k->id), err.text);
    JSON_EACH (ids, i, id) { /* one at a time: together they may be more than fits into memory */
        struct arena_mark mark = arena_mark(r->mem);
        struct rag_file job = { .content = STR_NONE, .to = &to, .collection_name = k->id };
        struct file f;
        enum db_status found = file_by_id(r->db, r->mem, json_str_value(id), &f);

        if (found == DB_ERROR)
            return DB_ERROR;
        if (found == DB_ROW && rag_process_file(&rag, &f, &job, &err) != OK)
            log_warning("could not index file %.*s again: %s", STR(f.id), err.text);
        arena_rewind(r->mem, mark);
    }
    return DB_ROW;
}

static int step_reindex(struct request *r, struct response *out)
{
    json_object *state = form_json(r, "state");
    struct user user;
    struct knowledge k;
    enum db_status st = DB_DONE;

    if (!form_has(r, "failed"))
        st = user_by_id(r->db, r->mem, json_str(state, "user_id"), &user);
    if (st == DB_ROW)
        st = knowledge_by_id(r->db, r->mem, json_str(state, "knowledge_id"), &k);
    if (st == DB_ROW) {
        user.is_admin = str_is(user.role, "admin");
        st = user.is_admin ? index_again(r, &user, &k) : DB_DONE;
    }
    return st == DB_ERROR ? fail_db(out, r->db) : reply_json(out, json_new_object(r->mem));
}

static const struct field file_form[] = { FIELD(STRING, "file_id", REQUIRED), END };
static const struct field remove_query[] = { FIELD(BOOLEAN, "delete_file", NOT_NULL, .def = "true"), END };

const struct route knowledge_files_routes[] = {
    { POST, "/api/v1/knowledge/reindex", VERIFIED, reindex, .server = SIDECAR,
      .about = "Indexes the files of all collections anew" },
    { POST, "/api/v1/knowledge/{id}/file/add", VERIFIED, add_file, .form = file_form, .server = SIDECAR,
      .about = "Takes a file into a collection" },
    { POST, "/api/v1/knowledge/{id}/file/update", VERIFIED, update_file, .form = file_form, .server = SIDECAR,
      .about = "Indexes a file of a collection anew" },
    { POST, "/api/v1/knowledge/{id}/file/remove", VERIFIED, remove_file, .form = file_form, .query = remove_query,
      .about = "Takes a file out of a collection, and deletes it" },
    { POST, "/api/v1/knowledge/{id}/files/batch/add", VERIFIED, add_batch, .form = file_form, .body = BODY_JSON_LIST,
      .server = SIDECAR, .about = "Takes several files into a collection" },
    { POST, "/internal/step/reindex_knowledge", INTERNAL, step_reindex, .body = BODY_JSON_ANY, .keep_unknown = true,
      .hidden = true, .about = "Indexes the files of one collection anew" },
    { POST, "/internal/step/reindex_wait", INTERNAL, step_wait, .body = BODY_JSON_ANY, .keep_unknown = true,
      .hidden = true, .about = "Whether collections are still being indexed" },
    END
};
