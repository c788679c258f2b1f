/* folders.c: folders of chats: list, create, rename, move, delete. */
#include "handlers/chat_reply.h"
#include "handlers/routes.h"
#include "lib/auth/auth.h"
#include "lib/base/clock.h"
#include "lib/base/random.h"
#include "lib/store/folder_files.h"
#include "lib/store/folders.h"

#define EXISTS "[ERROR: Folder already exists]"

static json_object *folder_json(struct arena *mem, const struct folder *f)
{
    json_object *o = json_new_object(mem);

    json_set_str(o, "id", f->id);
    json_set_str(o, "parent_id", f->parent_id);
    json_set_str(o, "user_id", f->user_id);
    json_set_str(o, "name", f->name);
    json_set_raw(o, "items", f->items);
    json_set_raw(o, "meta", f->meta);
    json_set_raw(o, "data", f->data);
    json_set_bool(o, "is_expanded", f->is_expanded);
    json_set_int(o, "created_at", f->created_at);
    json_set_int(o, "updated_at", f->updated_at);
    return o;
}

/* A line of the list: of meta, only the icon. */
static json_object *folder_line(struct arena *mem, const struct folder *f)
{
    json_object *o = json_new_object(mem), *meta = json_parse_or_null(mem, f->meta);

    json_set_str(o, "id", f->id);
    json_set_str(o, "name", f->name);
    if (meta)
        json_set_str(json_set_object(o, "meta"), "icon", json_str(meta, "icon"));
    else
        json_set_null(o, "meta");
    json_set_str(o, "parent_id", f->parent_id);
    json_set_bool(o, "is_expanded", f->is_expanded);
    json_set_int(o, "created_at", f->created_at);
    json_set_int(o, "updated_at", f->updated_at);
    return o;
}

/* ---- files and collections that a folder names: those that are gone, or no longer the user's to read, are taken out when the list is read */

static void collect_ids(json_object *files, const char *type, json_object *ids)
{
    JSON_EACH (files, i, file)
        if (str_is(json_str(file, "type"), type) && json_str(file, "id").n)
            json_push(ids, json_get(file, "id"));
}

struct readable {
    struct owned *files, *knowledge;
    size_t files_n, knowledge_n;
};

static bool may_read(struct request *r, const struct readable *known, json_object *file)
{
    bool is_file = str_is(json_str(file, "type"), "file");
    const struct owned *v = is_file ? known->files : known->knowledge;
    size_t n = is_file ? known->files_n : known->knowledge_n;

    if (!is_file && !str_is(json_str(file, "type"), "collection"))
        return true;
    for (size_t i = 0; i < n; i++) {
        if (!str_eq(v[i].id, json_str(file, "id")))
            continue;
        return str_eq(v[i].user_id, r->user->id) ||
               (!is_file && auth_access(r->mem, r->db, r->user->id, "read", v[i].access_control));
    }
    return false;
}

static enum db_status drop_unreadable(struct request *r, struct folder *f, const struct readable *known)
{
    json_object *data = json_parse_or_null(r->mem, f->data), *files = json_get(data, "files"),
                *left = json_new_array(r->mem);

    JSON_EACH (files, i, file)
        if (may_read(r, known, file))
            json_push(left, file);
    if (json_length(left) == json_length(files))
        return DB_DONE;
    json_set(data, "files", left);
    f->data = json_text(r->mem, data);
    f->updated_at = now_s();
    return folder_update(r->db, f);
}

static enum db_status clean_files(struct request *r, struct folders *all)
{
    json_object *file_ids = json_new_array(r->mem), *knowledge_ids = json_new_array(r->mem);
    struct readable known = { 0 };

    for (size_t i = 0; i < all->n; i++) {
        json_object *files = all->v[i].data.n ? json_get(json_parse_or_null(r->mem, all->v[i].data), "files") : NULL;

        collect_ids(files, "file", file_ids);
        collect_ids(files, "collection", knowledge_ids);
    }
    if (json_length(file_ids) + json_length(knowledge_ids) == 0)
        return DB_DONE;
    if (files_owned(r->db, r->mem, json_text(r->mem, file_ids), &known.files, &known.files_n) == DB_ERROR ||
        knowledge_owned(r->db, r->mem, json_text(r->mem, knowledge_ids), &known.knowledge, &known.knowledge_n) ==
            DB_ERROR)
        return DB_ERROR;
    for (size_t i = 0; i < all->n; i++)
        if (drop_unreadable(r, &all->v[i], &known) == DB_ERROR)
            return DB_ERROR;
    return DB_DONE;
}

static int list_folders(struct request *r, struct response *out)
{
    json_object *list = json_new_array(r->mem);
    struct folders all;

    if (folders_of_user(r->db, r->mem, r->user->id, &all) == DB_ERROR || clean_files(r, &all) == DB_ERROR)
        return fail_db(out, r->db);
    for (size_t i = 0; i < all.n; i++)
        json_push(list, folder_line(r->mem, &all.v[i]));
    return reply_json(out, list);
}

/* ---- one folder */

/* The caller's folder {id}; otherwise the answer is made: *status. */
static bool find(struct request *r, struct response *out, struct folder *f, int *status)
{
    enum db_status st = folder_by_id(r->db, r->mem, path_arg(r, "id"), r->user->id, f);

    if (st == DB_ERROR)
        *status = fail_db(out, r->db);
    else if (st == DB_DONE)
        *status = fail(out, 404, NOT_FOUND_TEXT);
    return st == DB_ROW;
}

static int get_folder(struct request *r, struct response *out)
{
    struct folder f;
    int status;

    return find(r, out, &f, &status) ? reply_json(out, folder_json(r->mem, &f)) : status;
}

static int create_folder(struct request *r, struct response *out)
{
    struct folder f = { .id = random_uuid(r->mem),
                        .user_id = r->user->id,
                        .name = form_str(r, "name"),
                        .created_at = now_s(),
                        .is_expanded = form_bool(r, "is_expanded", false) },
                  same;

    switch (folder_by_name(r->db, r->mem, r->user->id, STR_NONE, f.name, &same)) {
    case DB_ROW: return fail(out, 400, EXISTS);
    case DB_ERROR: return fail_db(out, r->db);
    default: break;
    }
    f.updated_at = f.created_at;
    if (form_json(r, "data"))
        f.data = json_text(r->mem, form_json(r, "data"));
    if (form_json(r, "meta"))
        f.meta = json_text(r->mem, form_json(r, "meta"));
    if (folder_insert(r->db, &f) == DB_ERROR)
        return fail_db(out, r->db);
    return reply_json(out, folder_json(r->mem, &f));
}

static int save(struct request *r, struct response *out, struct folder *f)
{
    f->updated_at = now_s();
    if (folder_update(r->db, f) == DB_ERROR)
        return fail_db(out, r->db);
    return reply_json(out, folder_json(r->mem, f));
}

static int update_folder(struct request *r, struct response *out)
{
    struct folder f, same;
    int status;

    if (!find(r, out, &f, &status))
        return status;
    if (form_str(r, "name").p) {
        enum db_status st = folder_by_name(r->db, r->mem, r->user->id, f.parent_id, form_str(r, "name"), &same);

        if (st == DB_ERROR)
            return fail_db(out, r->db);
        if (st == DB_ROW && !str_eq(same.id, f.id))
            return fail(out, 400, EXISTS);
        f.name = form_str(r, "name");
    }
    /* A null where a value is expected changes nothing, and the Python backend's answer is null. */
    if ((form_has(r, "name") && !form_json(r, "name")) || (form_has(r, "data") && !form_json(r, "data")) ||
        (form_has(r, "meta") && !form_json(r, "meta")))
        return reply_null(out);
    if (form_json(r, "data"))
        f.data = json_text_merged(r->mem, f.data, form_json(r, "data"));
    if (form_json(r, "meta"))
        f.meta = json_text_merged(r->mem, f.meta, form_json(r, "meta"));
    return save(r, out, &f);
}

static int move_folder(struct request *r, struct response *out)
{
    struct str parent_id = form_str(r, "parent_id"), below;
    struct folder f, other;
    enum db_status st;
    int status;

    if (!find(r, out, &f, &status))
        return status;
    st = folder_by_name(r->db, r->mem, r->user->id, parent_id, f.name, &other);
    if (st == DB_ERROR)
        return fail_db(out, r->db);
    if (st == DB_ROW)
        return fail(out, 400, EXISTS);
    if (parent_id.p) {
        st = folder_by_id(r->db, r->mem, parent_id, r->user->id, &other);
        if (st == DB_ERROR || folder_ids_below(r->db, r->mem, f.id, r->user->id, &below) == DB_ERROR)
            return fail_db(out, r->db);
        if (st == DB_DONE)
            return fail(out, 404, NOT_FOUND_TEXT);
        JSON_EACH (json_parse_or_null(r->mem, below), i, id)
            if (str_eq(json_str_value(id), parent_id)) /* into itself: the branch would hang on nothing */
                return fail(out, 400, "[ERROR: Error updating folder]");
    }
    f.parent_id = parent_id;
    return save(r, out, &f);
}

static int expand_folder(struct request *r, struct response *out)
{
    struct folder f;
    int status;

    if (!find(r, out, &f, &status))
        return status;
    f.is_expanded = form_bool(r, "is_expanded", false);
    return save(r, out, &f);
}

static int delete_folder(struct request *r, struct response *out)
{
    struct folder f;
    struct str ids;
    int64_t chats = 0;
    int status;

    if (chat_count_in_folder(r->db, r->mem, r->user->id, path_arg(r, "id"), &chats) == DB_ERROR)
        return fail_db(out, r->db);
    if (chats && !r->user->is_admin && !auth_permission(r->mem, r->db, r->config, r->user, "chat.delete"))
        return fail(out, 403, PROHIBITED_TEXT);
    if (!find(r, out, &f, &status))
        return status;
    if (db_begin(r->db) == DB_ERROR || folder_ids_below(r->db, r->mem, f.id, r->user->id, &ids) == DB_ERROR ||
        chats_delete_in_folders(r->db, r->user->id, ids) == DB_ERROR ||
        folders_delete(r->db, r->user->id, ids) == DB_ERROR || db_commit(r->db) == DB_ERROR) {
        status = fail_db(out, r->db);
        db_rollback(r->db);
        return status;
    }
    return reply_bool(out, true);
}

/* ---- routes */

static const struct field create_form[] = { FIELD(STRING, "name", REQUIRED), FIELD(OBJECT, "data", OPTIONAL),
                                            FIELD(OBJECT, "meta", OPTIONAL), END };
static const struct field update_form[] = { FIELD(STRING, "name", OPTIONAL), FIELD(OBJECT, "data", OPTIONAL),
                                            FIELD(OBJECT, "meta", OPTIONAL), END };
static const struct field parent_form[] = { FIELD(STRING, "parent_id", OPTIONAL), END };
static const struct field expanded_form[] = { FIELD(BOOLEAN, "is_expanded", REQUIRED), END };

const struct route folders_routes[] = {
    { GET, "/api/v1/folders/", VERIFIED, list_folders, .about = "Folders of the caller" },
    { POST, "/api/v1/folders/", VERIFIED, create_folder, .form = create_form, .keep_unknown = true,
      .about = "A new folder at the top" },
    { GET, "/api/v1/folders/{id}", VERIFIED, get_folder, .about = "One folder" },
    { POST, "/api/v1/folders/{id}/update", VERIFIED, update_folder, .form = update_form, .keep_unknown = true,
      .about = "Renames a folder, or adds to its data" },
    { POST, "/api/v1/folders/{id}/update/parent", VERIFIED, move_folder, .form = parent_form,
      .about = "Moves a folder" },
    { POST, "/api/v1/folders/{id}/update/expanded", VERIFIED, expand_folder, .form = expanded_form,
      .about = "Whether a folder is shown open" },
    { DELETE, "/api/v1/folders/{id}", VERIFIED, delete_folder,
      .about = "Deletes a folder, those below it, and the chats in them" },
    END
};
