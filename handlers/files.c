/* files.c: /api/v1/files: uploads, lists, one file, its text, deleting. */
#include "handlers/files.h"

#include "handlers/chat_reply.h"
#include "handlers/list_reply.h"
#include "handlers/routes.h"
#include "lib/auth/file_access.h"
#include "lib/base/clock.h"
#include "lib/base/glob.h"
#include "lib/base/log.h"
#include "lib/base/random.h"
#include "lib/rag/collections.h"
#include "lib/rag/process.h"
#include "lib/storage/storage.h"

#define NO_MATCH "No files found matching the pattern."
#define NOT_UPLOADED "[ERROR: Error uploading file]"
#define BAD_METADATA "[ERROR: Invalid metadata format]"

/* ---- lists */

struct listing {
    struct request *r;
    struct list_reply reply;
    struct str pattern; /* in small letters; absent: all */
    bool with_content;
};

static void add_file(const struct file *f, void *arg)
{
    struct listing *l = arg;

    if (l->pattern.p && !glob_match(l->pattern, str_lower(l->r->mem, f->filename)))
        return;
    file_json(l->r->mem, list_item(&l->reply), f, l->with_content);
}

static int list_files(struct request *r, struct response *out, struct str pattern)
{
    struct listing l = {
        .r = r, .reply = list_start(r->mem), .pattern = pattern, .with_content = query_bool(r, "content", true)
    };

    if (files_each(r->db, r->mem, r->user->is_admin ? STR_NONE : r->user->id, add_file, &l) == DB_ERROR)
        return fail_db(out, r->db);
    if (pattern.p && l.reply.text.n == 1)
        return fail(out, 404, NO_MATCH);
    return list_end(&l.reply, out);
}

static int list(struct request *r, struct response *out)
{
    return list_files(r, out, STR_NONE);
}

static int search(struct request *r, struct response *out)
{
    struct str pattern = str_lower(r->mem, query_str(r, "filename"));

    return list_files(r, out, pattern.p ? pattern : S(""));
}

/* ---- uploading */

/* The part "metadata" is JSON; what is empty or nothing there counts as {}. */
static bool read_metadata(struct request *r, json_object **out)
{
    struct str text = form_str(r, "metadata");

    *out = NULL;
    if (text.n && json_parse(r->mem, text, out, NULL) != OK)
        return false;
    if (!json_truthy(*out))
        *out = json_new_object(r->mem);
    return true;
}

/* What follows the last dot, as Python's splitext: a name that begins with its dots has no ending. */
static struct str ending_of(struct str name)
{
    size_t dot = str_rfind_c(name, '.'), first = 0;

    while (first < name.n && name.p[first] == '.')
        first++;
    return dot == STR_NPOS || dot < first ? S("") : str_from(name, dot + 1);
}

static bool ending_is_allowed(struct request *r, struct str name)
{
    struct str ending = ending_of(name);
    bool any = false;

    JSON_EACH (config_json(r->config, CFG_RAG_ALLOWED_FILE_EXTENSIONS), i, one) {
        struct str allowed = json_str_value(one);

        if (allowed.n && str_eq(allowed, ending))
            return true;
        any |= allowed.n > 0;
    }
    return !any;
}

static struct str first_meta(struct request *r, const struct part *part, struct str name, json_object *metadata)
{
    json_object *meta = json_new_object(r->mem);

    json_set_str(meta, "name", name);
    json_set_str(meta, "content_type", part->content_type);
    json_set_int(meta, "size", (int64_t)part->body.n);
    json_set(meta, "data", metadata);
    return json_text(r->mem, meta);
}

/* Stores the bytes and the row; false: the answer is made. */
static bool keep(struct request *r, struct response *out, const struct part *part, struct str name,
                 json_object *metadata, struct file *f, int *status)
{
    bool process = query_bool(r, "process", true);
    struct error err = { "" };
    enum status st;

    *f = (struct file){ .id = random_uuid(r->mem),
                        .user_id = r->user->id,
                        .filename = name,
                        .data = process ? S("{\"status\":\"pending\"}") : S("{}"),
                        .meta = first_meta(r, part, name, metadata),
                        .created_at = now_s(),
                        .updated_at = now_s() };
    st = storage_create(r->mem, r->config, f->id, name, part->body, &f->path, &err);
    if (st != OK) {
        *status = st == INVALID ? fail(out, 400, NOT_UPLOADED) : fail_status(out, st, &err);
        return false;
    }
    if (file_insert(r->db, f) == DB_ERROR) {
        *status = fail_db(out, r->db);
        storage_delete(r->mem, r->config, f->path, NULL);
        return false;
    }
    return true;
}

static int reply_processed(struct response *out, const struct file *f)
{
    struct buf b = BUF(out->mem, LIST_MAX_BYTES);

    file_json_open(&b, f);
    buf_add_c(&b, ",\"status\":true}");
    return reply_json_text(out, buf_str(&b));
}

static int upload(struct request *r, struct response *out)
{
    const struct part *part = request_part(r, "file");
    bool process = query_bool(r, "process", true);
    struct error err = { "" };
    json_object *metadata;
    struct str name;
    struct file f;
    int status;

    if (storage_ready(r->config, &err) != OK)
        return fail(out, 501, "%s", err.text);
    if (!read_metadata(r, &metadata))
        return fail(out, 400, BAD_METADATA);
    if (!storage_base_name(part->filename, &name) || (process && !ending_is_allowed(r, name)) || part->body.n == 0)
        return fail(out, 400, NOT_UPLOADED);
    if (!keep(r, out, part, name, metadata, &f, &status))
        return status;
    if (!process) {
        struct buf b = BUF(r->mem, LIST_MAX_BYTES);

        file_json(r->mem, &b, &f, true);
        return reply_json_text(out, buf_str(&b));
    }
    if (!file_has_text(r, part->content_type) ||
        (query_bool(r, "process_in_background", true) && file_process_later(r, &f)))
        return reply_processed(out, &f);
    return file_process(r, r->user, &f) == DB_ERROR ? fail_db(out, r->db) : reply_processed(out, &f);
}

/* ---- one file */

bool file_find(struct request *r, struct response *out, const char *type, struct file *f, int *status)
{
    enum db_status st = file_by_id(r->db, r->mem, path_arg(r, "id"), f);

    if (st == DB_ROW)
        st = file_access(r->db, r->mem, r->user, f, type);
    if (st == DB_ROW)
        return true;
    *status = st == DB_ERROR ? fail_db(out, r->db) : fail(out, 404, NOT_FOUND_TEXT);
    return false;
}

struct str file_content(struct arena *mem, const struct file *f)
{
    struct str content = json_str(json_parse_or_null(mem, f->data), "content");

    return content.p ? content : S("");
}

static int get_file(struct request *r, struct response *out)
{
    struct buf b = BUF(r->mem, LIST_MAX_BYTES);
    struct file f;
    int status;

    if (!file_find(r, out, "read", &f, &status))
        return status;
    file_json_open(&b, &f);
    buf_add_char(&b, '}');
    return reply_json_text(out, buf_str(&b));
}

static int reply_content(struct response *out, const struct file *f)
{
    json_object *o = json_new_object(out->mem);

    json_set_str(o, "content", file_content(out->mem, f));
    return reply_json(out, o);
}

static int get_text(struct request *r, struct response *out)
{
    struct file f;
    int status;

    return file_find(r, out, "read", &f, &status) ? reply_content(out, &f) : status;
}

/* Takes the place of what was read out of the file. The answer is what holds afterwards, also when that went wrong, as with Python. */
static int set_text(struct request *r, struct response *out)
{
    struct rag rag = { r->mem, r->db, r->config, r->user };
    struct rag_file job = { .content = form_str(r, "content") };
    struct error err = { "" };
    struct file f;
    int status;

    if (!file_find(r, out, "write", &f, &status))
        return status;
    if (!r->user->is_admin && !str_eq(f.user_id, r->user->id))
        return reply_content(out, &f); /* whoever may write its collection only: nothing changes, as with Python */
    if (rag_process_file(&rag, &f, &job, &err) != OK)
        log_error("could not take the new text of file %.*s: %s", STR(f.id), err.text);
    switch (file_by_id(r->db, r->mem, f.id, &f)) {
    case DB_ROW: return reply_content(out, &f);
    case DB_DONE: return fail(out, 404, NOT_FOUND_TEXT);
    default: return fail_db(out, r->db);
    }
}

/* ---- deleting */

/* The row is gone: nobody can ask for the rest any more, so what goes wrong is only logged. */
static void forget(struct request *r, const struct file *f)
{
    struct str base = json_str(json_parse_or_null(r->mem, f->meta), "collection_name");
    struct error err = { "" };

    if (storage_delete(r->mem, r->config, f->path, &err) != OK)
        log_error("%s", err.text);
    if (rag_forget_file(r->config, r->mem, f->id, &err) != OK)
        log_error("%s", err.text);
    if (base.n && !str_starts(base, "file-") &&
        rag_remove_file_from(r->config, collection_of_knowledge(base), f->id, STR_NONE, &err) != OK)
        log_error("%s", err.text);
}

static int reply_message(struct response *out, const char *text)
{
    json_object *o = json_new_object(out->mem);

    json_set_c(o, "message", text);
    return reply_json(out, o);
}

static int delete_file(struct request *r, struct response *out)
{
    struct file f;
    int status;

    if (!file_find(r, out, "write", &f, &status))
        return status;
    if (file_delete(r->db, f.id) == DB_ERROR)
        return fail_db(out, r->db);
    forget(r, &f);
    return reply_message(out, "File deleted successfully");
}

static int delete_all(struct request *r, struct response *out)
{
    struct error err = { "" };

    if (file_delete_all(r->db) == DB_ERROR)
        return fail_db(out, r->db);
    if (storage_delete_all(r->mem, r->config, &err) != OK || vectors_reset(r->config, &err) != OK) {
        log_error("%s", err.text);
        return fail(out, 400, "[ERROR: Error deleting files]");
    }
    return reply_message(out, "All files deleted successfully");
}

static const struct field list_query[] = { FIELD(BOOLEAN, "content", NOT_NULL, .def = "true"), END };
static const struct field search_query[] = {
    FIELD(STRING, "filename", REQUIRED, .about = "Filename pattern to search for. Supports wildcards such as '*.txt'"),
    FIELD(BOOLEAN, "content", NOT_NULL, .def = "true"), END
};
static const struct field upload_form[] = { FIELD(FILE_PART, "file", REQUIRED), FIELD(STRING, "metadata", OPTIONAL),
                                            END };
static const struct field upload_query[] = { FIELD(BOOLEAN, "process", NOT_NULL, .def = "true"),
                                             FIELD(BOOLEAN, "process_in_background", NOT_NULL, .def = "true"), END };
static const struct field text_form[] = { FIELD(STRING, "content", REQUIRED), END };

const struct route files_routes[] = {
    { POST, "/api/v1/files/", VERIFIED, upload, .form = upload_form, .query = upload_query, .body = BODY_MULTIPART,
      .about = "Stores a file, and reads its text" },
    { GET, "/api/v1/files/", VERIFIED, list, .query = list_query,
      .about = "The caller's files; everybody's for admins" },
    { GET, "/api/v1/files/search", VERIFIED, search, .query = search_query,
      .about = "Files by a pattern of their name" },
    { DELETE, "/api/v1/files/all", ADMIN, delete_all, .about = "Deletes all files of everybody" },
    { GET, "/api/v1/files/{id}", VERIFIED, get_file, .about = "One file, with its text" },
    { GET, "/api/v1/files/{id}/data/content", VERIFIED, get_text, .about = "What was read out of a file" },
    { POST, "/api/v1/files/{id}/data/content/update", VERIFIED, set_text, .form = text_form, .server = SIDECAR,
      .about = "Puts a text in the place of what was read out of a file" },
    { DELETE, "/api/v1/files/{id}", VERIFIED, delete_file, .about = "Deletes a file" },
    END
};
