/* knowledge.c: /api/v1/knowledge: the lists, each collection with what is known of its files; making, changing, deleting one. */
#include "handlers/knowledge.h"

#include "handlers/chat_reply.h"
#include "handlers/list_reply.h"
#include "handlers/routes.h"
#include "lib/auth/auth.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/random.h"
#include "lib/rag/collections.h"
#include "lib/store/files.h"
#include "lib/store/folder_files.h"
#include "lib/store/models.h"
#include "lib/store/owners.h"

struct shown {
    struct knowledge row;
    json_object *data;   /* parsed; NULL: null */
    json_object *wanted; /* an object with the file ids as names, to look them up */
};

static bool may(struct request *r, const char *type, const struct knowledge *k)
{
    if (r->user->is_admin && config_bool(r->config, CFG_BYPASS_ADMIN_ACCESS_CONTROL))
        return true;
    return str_eq(k->user_id, r->user->id) || auth_access(r->mem, r->db, r->user->id, type, k->access_control);
}

/* The ids of all files of all collections, JSON array text: one query reads them all. */
static struct str all_file_ids(struct arena *mem, struct shown *c, size_t n)
{
    json_object *ids = json_new_array(mem);

    for (size_t i = 0; i < n; i++) {
        c[i].data = json_parse_or_null(mem, c[i].row.data);
        c[i].wanted = json_new_object(mem);
        JSON_EACH (json_get(c[i].data, "file_ids"), k, id) {
            if (json_str_value(id).n == 0)
                continue;
            json_push(ids, id);
            json_set_bool(c[i].wanted, json_str_value(id).p, false);
        }
    }
    return json_text(mem, ids);
}

/* Files that are gone are not shown in data.file_ids either. */
static void drop_missing(struct arena *mem, struct shown *c)
{
    json_object *there = json_new_array(mem), *ids = json_get(c->data, "file_ids");

    JSON_EACH (ids, i, id)
        if (json_flag(c->wanted, json_str_value(id).n ? json_str_value(id).p : "", false))
            json_push(there, id);
    if (json_length(there) == json_length(ids))
        return;
    json_set(c->data, "file_ids", there);
    c->row.data = json_text(mem, c->data);
}

static void add_collection(struct arena *mem, struct buf *b, struct shown *c, const struct file_metadata *files,
                           size_t files_n, const struct owners *owners)
{
    const struct file_metadata **there = arena_new_array(mem, const struct file_metadata *, files_n);
    size_t n = 0;

    for (size_t i = 0; i < files_n; i++) {
        if (!json_has(c->wanted, files[i].id.p))
            continue;
        json_set_bool(c->wanted, files[i].id.p, true);
        there[n++] = &files[i];
    }
    drop_missing(mem, c);
    knowledge_json_open(b, &c->row);
    member_owner(b, ",\"user\":", owners, c->row.user_id);
    buf_add_c(b, ",\"files\":[");
    for (size_t i = 0; i < n; i++) {
        buf_add_c(b, i ? "," : "");
        file_metadata_json(b, there[i]);
    }
    buf_add_c(b, "]}");
}

static int list(struct request *r, struct response *out, const char *type)
{
    struct list_reply reply = list_start(r->mem);
    struct knowledge *rows;
    struct shown *c;
    struct file_metadata *files;
    struct owners owners;
    size_t all, n = 0, files_n;

    if (knowledge_list(r->db, r->mem, &rows, &all) == DB_ERROR)
        return fail_db(out, r->db);
    c = arena_new_array(r->mem, struct shown, all);
    for (size_t i = 0; i < all; i++)
        if (may(r, type, &rows[i]))
            c[n++].row = rows[i];
    if (file_metadata_of(r->db, r->mem, all_file_ids(r->mem, c, n), &files, &files_n) == DB_ERROR ||
        owners_read(r->db, r->mem, c, n, sizeof *c, offsetof(struct shown, row.user_id), &owners) == DB_ERROR)
        return fail_db(out, r->db);
    for (size_t i = 0; i < n; i++)
        add_collection(r->mem, list_item(&reply), &c[i], files, files_n, &owners);
    return list_end(&reply, out);
}

static int list_readable(struct request *r, struct response *out)
{
    return list(r, out, "read");
}

static int list_writable(struct request *r, struct response *out)
{
    return list(r, out, "write");
}

/* ---- one collection */

int knowledge_reply(struct request *r, struct response *out, const struct knowledge *k, bool with_files)
{
    struct buf b = BUF(r->mem, LIST_MAX_BYTES);
    struct file_metadata *files = NULL;
    json_object *ids = with_files ? knowledge_file_ids(r->mem, k) : NULL;
    size_t n = 0;

    if (json_length(ids) > 0 && file_metadata_of(r->db, r->mem, json_text(r->mem, ids), &files, &n) == DB_ERROR)
        return fail_db(out, r->db);
    knowledge_json_open(&b, k);
    buf_add_c(&b, with_files ? ",\"files\":[" : ",\"files\":null");
    for (size_t i = 0; i < n; i++) {
        buf_add_c(&b, i ? "," : "");
        file_metadata_json(&b, &files[i]);
    }
    buf_add_c(&b, with_files ? "]}" : "}");
    return reply_json_text(out, buf_str(&b));
}

static bool may_also(struct request *r, const char *type, const struct knowledge *k)
{
    return r->user->is_admin || str_eq(k->user_id, r->user->id) ||
           auth_access(r->mem, r->db, r->user->id, type, k->access_control);
}

bool knowledge_find_to_change(struct request *r, struct response *out, struct knowledge *k, int *status)
{
    enum db_status st = knowledge_by_id(r->db, r->mem, path_arg(r, "id"), k);

    if (st == DB_ROW && may_also(r, "write", k))
        return true;
    *status = st == DB_ERROR ? fail_db(out, r->db) : fail(out, 400, st == DB_ROW ? PROHIBITED_TEXT : NOT_FOUND_TEXT);
    return false;
}

static int get_one(struct request *r, struct response *out)
{
    struct knowledge k;

    switch (knowledge_by_id(r->db, r->mem, path_arg(r, "id"), &k)) {
    case DB_ROW: return may_also(r, "read", &k) ? knowledge_reply(r, out, &k, true) : reply_null(out);
    case DB_DONE: return fail(out, 401, NOT_FOUND_TEXT);
    default: return fail_db(out, r->db);
    }
}

/* Only who may share with everybody can. */
static struct str access_of_form(struct request *r)
{
    json_object *access = form_json(r, "access_control");

    if (access)
        return json_text(r->mem, access);
    if (r->user->is_admin || auth_permission(r->mem, r->db, r->config, r->user, "sharing.public_knowledge"))
        return STR_NONE;
    return S("{}");
}

static bool is_own(const struct request *r, const struct owned *files, size_t n, struct str id)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(files[i].id, id))
            return r->user->is_admin || str_eq(files[i].user_id, r->user->id);
    return false;
}

/* data of the form. Of its file_ids only those stay that are in the collection already (k NULL: a new one) or are the caller's: a file must not come into
 * reach by being named. */
static enum db_status data_of_form(struct request *r, const struct knowledge *k, struct str *out)
{
    json_object *data = form_json(r, "data"), *ids = json_get(data, "file_ids"), *good;
    struct owned *files = NULL;
    size_t n = 0;

    *out = data ? json_text(r->mem, data) : STR_NONE;
    if (!json_is(ids, json_type_array) || json_length(ids) == 0)
        return DB_ROW;
    if (files_owned(r->db, r->mem, json_text(r->mem, ids), &files, &n) == DB_ERROR)
        return DB_ERROR;
    good = json_new_array(r->mem);
    JSON_EACH (ids, i, id) {
        struct str one = json_str_value(id);

        if (one.n && ((k && knowledge_has_file(r->mem, k, one)) || is_own(r, files, n, one)))
            json_push(good, id);
    }
    data = json_clone(r->mem, data);
    json_set(data, "file_ids", good);
    *out = json_text(r->mem, data);
    return DB_ROW;
}

static int create(struct request *r, struct response *out)
{
    struct knowledge k = { .id = random_uuid(r->mem),
                           .user_id = r->user->id,
                           .name = form_str(r, "name"),
                           .description = form_str(r, "description"),
                           .access_control = access_of_form(r),
                           .created_at = now_s(),
                           .updated_at = now_s() };

    if (data_of_form(r, NULL, &k.data) == DB_ERROR || knowledge_insert(r->db, &k) == DB_ERROR)
        return fail_db(out, r->db);
    return knowledge_reply(r, out, &k, false);
}

static int update(struct request *r, struct response *out)
{
    struct knowledge k;
    struct str data;
    int status;

    if (!knowledge_find_to_change(r, out, &k, &status))
        return status;
    if (data_of_form(r, &k, &data) == DB_ERROR)
        return fail_db(out, r->db);
    k.data = data;
    k.name = form_str(r, "name");
    k.description = form_str(r, "description");
    k.access_control = access_of_form(r);
    k.updated_at = now_s();
    switch (knowledge_update(r->db, &k)) {
    case DB_ROW: return knowledge_reply(r, out, &k, true);
    case DB_DONE: return fail(out, 400, NOT_FOUND_TEXT);
    default: return fail_db(out, r->db);
    }
}

/* ---- deleting */

/* Its vectors. What goes wrong there is no reason to keep the row. */
static void drop_vectors(struct request *r, struct str id)
{
    struct error err = { "" };
    enum status st = vectors_drop(r->config, collection_of_knowledge(id), &err);

    if (st != OK && st != NOT_FOUND)
        log_error("could not drop the vectors of knowledge %.*s: %s", STR(id), err.text);
}

/* Models that use the collection forget it. */
static enum db_status leave_models(struct request *r, struct str id)
{
    struct model_row *rows = NULL;
    size_t n = 0;

    if (model_rows(r->db, r->mem, &rows, &n) == DB_ERROR)
        return DB_ERROR;
    for (size_t i = 0; i < n; i++) {
        json_object *meta, *used, *left = json_new_array(r->mem);

        if (!str_has(rows[i].meta, "\"knowledge\""))
            continue;
        meta = json_parse_or_null(r->mem, rows[i].meta);
        used = json_get(meta, "knowledge");
        JSON_EACH (used, k, one)
            if (!str_eq(json_str(one, "id"), id))
                json_push(left, one);
        if (json_length(left) == json_length(used))
            continue;
        json_set(meta, "knowledge", left);
        rows[i].meta = json_text(r->mem, meta);
        rows[i].updated_at = now_s();
        if (model_row_update(r->db, &rows[i]) == DB_ERROR)
            return DB_ERROR;
    }
    return DB_ROW;
}

static int delete_one(struct request *r, struct response *out)
{
    struct knowledge k;
    int status;

    if (!knowledge_find_to_change(r, out, &k, &status))
        return status;
    if (leave_models(r, k.id) == DB_ERROR || knowledge_delete(r->db, k.id) == DB_ERROR)
        return fail_db(out, r->db);
    drop_vectors(r, k.id);
    return reply_bool(out, true);
}

/* No file is in it afterwards; the files stay. */
static int reset(struct request *r, struct response *out)
{
    struct knowledge k;
    int status;

    if (!knowledge_find_to_change(r, out, &k, &status))
        return status;
    drop_vectors(r, k.id);
    switch (knowledge_change_files(r->db, r->mem, k.id, KNOWLEDGE_CLEAR, NULL, 0, now_s(), &k)) {
    case DB_ROW: return knowledge_reply(r, out, &k, false);
    case DB_DONE: return fail(out, 400, NOT_FOUND_TEXT);
    default: return fail_db(out, r->db);
    }
}

static const struct field form[] = { FIELD(STRING, "name", REQUIRED), FIELD(STRING, "description", REQUIRED),
                                     FIELD(OBJECT, "data", OPTIONAL), FIELD(OBJECT, "access_control", OPTIONAL), END };

const struct route knowledge_routes[] = {
    { GET, "/api/v1/knowledge/", VERIFIED, list_readable, .about = "Knowledge the caller may read" },
    { GET, "/api/v1/knowledge/list", VERIFIED, list_writable, .about = "Knowledge the caller may change" },
    { POST, "/api/v1/knowledge/create", VERIFIED, create, .form = form, .needs = "workspace.knowledge",
      .about = "A new collection" },
    { GET, "/api/v1/knowledge/{id}", VERIFIED, get_one, .about = "One collection and its files" },
    { POST, "/api/v1/knowledge/{id}/update", VERIFIED, update, .form = form,
      .about = "Changes a collection's name, files and access" },
    { DELETE, "/api/v1/knowledge/{id}/delete", VERIFIED, delete_one, .about = "Deletes a collection; its files stay" },
    { POST, "/api/v1/knowledge/{id}/reset", VERIFIED, reset, .about = "Takes all files out of a collection" },
    END
};
