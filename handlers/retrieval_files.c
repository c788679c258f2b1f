/* retrieval_files.c: /api/v1/retrieval: uploaded files into collections. */
#include "handlers/chat_reply.h"
#include "handlers/retrieval.h"
#include "handlers/routes.h"
#include "lib/base/log.h"
#include "lib/storage/storage.h"
#include "lib/store/files.h"

/* ---- a file */

static int reply_processed(struct request *r, struct response *out, const struct file *f, const struct rag_file *job)
{
    json_object *o = json_new_object(r->mem);

    json_set_bool(o, "status", true);
    json_set_str(o, "collection_name", job->result_collection);
    json_set_str(o, "filename", f->filename);
    json_set_str(o, "content", job->text);
    return reply_json(out, o);
}

static int process_file(struct request *r, struct response *out)
{
    struct rag rag = rag_of(r);
    struct rag_file job = { .content = form_str(r, "content"), .collection_name = form_str(r, "collection_name") };
    struct collection to;
    struct file f;
    struct error err = { "" };
    enum status st;
    int status;

    switch (file_by_id(r->db, r->mem, form_str(r, "file_id"), &f)) {
    case DB_ERROR: return fail_db(out, r->db);
    case DB_DONE: return fail(out, 404, NOT_FOUND_TEXT);
    case DB_ROW: break;
    }
    if (!r->user->is_admin && !str_eq(f.user_id, r->user->id))
        return fail(out, 404, NOT_FOUND_TEXT);
    if (job.collection_name.n) {
        if (!find_target(r, out, STR_NONE, &to, &job.collection_name, &status))
            return status;
        job.to = &to;
    }
    st = rag_process_file(&rag, &f, &job, &err);
    return st == OK ? reply_processed(r, out, &f, &job) : fail_retrieval(r, out, st, &err);
}

static const struct field file_form[] = { FIELD(STRING, "file_id", REQUIRED), FIELD(STRING, "content", OPTIONAL),
                                          FIELD(STRING, "collection_name", OPTIONAL), END };

/* ---- several */

static void add_result(struct request *r, json_object *list, struct str id, const char *status, struct str error)
{
    json_object *o = json_new_object(r->mem);

    json_set_str(o, "file_id", id);
    json_set_c(o, "status", status);
    json_set_str(o, "error", error);
    json_push(list, o);
}

static const struct file *file_of(const struct file *v, size_t n, struct str id)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(v[i].id, id))
            return &v[i];
    return NULL;
}

/* What is in the form of a file counts only as its id: the text is that of the row, and the file must be the caller's. */
static int process_files(struct request *r, struct response *out)
{
    json_object *list = form_json(r, "files"), *o = json_new_object(r->mem), *results = json_set_array(o, "results"),
                *errors = json_set_array(o, "errors"), *ids = json_new_array(r->mem);
    struct file *files = arena_new_array(r->mem, struct file, json_length(list) + 1), *known;
    struct rag rag = rag_of(r);
    struct collection to;
    struct error err = { "" };
    struct str name;
    enum status st = OK;
    size_t n = 0, known_n;
    int status;

    if (!find_target(r, out, STR_NONE, &to, &name, &status))
        return status;
    JSON_EACH (list, i, one)
        json_push(ids, json_get(one, "id"));
    if (files_by_ids(r->db, r->mem, json_text(r->mem, ids), &known, &known_n) == DB_ERROR)
        return fail_db(out, r->db);
    JSON_EACH (ids, i, id) {
        const struct file *f = file_of(known, known_n, json_str_value(id));

        if (f && (r->user->is_admin || str_eq(f->user_id, r->user->id)))
            files[n++] = *f;
        else
            add_result(r, errors, json_str_value(id), "failed", S(NOT_FOUND_TEXT));
    }
    if (n)
        st = rag_process_files(&rag, files, n, to, name, &err);
    if (st != OK && rag_missing(r->config))
        return fail_retrieval(r, out, st, &err);
    for (size_t i = 0; i < n; i++) {
        add_result(r, results, files[i].id, st == OK ? "completed" : "failed", STR_NONE);
        if (st != OK)
            add_result(r, errors, files[i].id, "failed", str_of(err.text));
    }
    return reply_json(out, o);
}

static const struct field one_file_form[] = {
    FIELD(STRING, "id", REQUIRED),
    FIELD(STRING, "user_id", REQUIRED),
    FIELD(STRING, "hash", OPTIONAL),
    FIELD(STRING, "filename", REQUIRED),
    FIELD(STRING, "path", OPTIONAL),
    FIELD(OBJECT, "data", OPTIONAL),
    FIELD(OBJECT, "meta", OPTIONAL),
    FIELD(OBJECT, "access_control", OPTIONAL),
    FIELD(INTEGER, "created_at", REQUIRED | NULLABLE),
    FIELD(INTEGER, "updated_at", REQUIRED | NULLABLE),
    END,
};
static const struct field files_form[] = { FIELD(LIST_OF_FORMS, "files", REQUIRED, .form = one_file_form),
                                           FIELD(STRING, "collection_name", REQUIRED), END };

static int reset_uploads(struct request *r, struct response *out)
{
    struct error err = { "" };

    if (storage_delete_all(r->mem, r->config, &err) != OK)
        log_error("not all uploads are deleted: %s", err.text);
    return reply_bool(out, true);
}

const struct route retrieval_files_routes[] = {
    { POST, "/api/v1/retrieval/process/file", VERIFIED, process_file, .form = file_form, .server = SIDECAR,
      .about = "Reads a file into a collection" },
    { POST, "/api/v1/retrieval/process/files/batch", VERIFIED, process_files, .form = files_form, .server = SIDECAR,
      .about = "Puts files that were read before into a collection" },
    { POST, "/api/v1/retrieval/reset/uploads", ADMIN, reset_uploads, .about = "Deletes all uploaded files" },
    END
};
