/* models.c: the workspace's models: settings of providers' models, and models made of them. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "handlers/chat_reply.h"
#include "handlers/list_reply.h"
#include "handlers/routes.h"
#include "handlers/user_image.h"
#include "lib/auth/auth.h"
#include "lib/base/clock.h"
#include "lib/store/models.h"
#include "lib/store/user_json.h"
#include "lib/store/users.h"

#define ID_TAKEN "Uh-oh! This model id is already registered. Please choose another model id string."

static int reply_model(struct request *r, struct response *out, const struct model_row *m)
{
    return reply_json(out, model_row_json(r->mem, m));
}

static bool may(struct request *r, const struct model_row *m, const char *type)
{
    return str_eq(m->user_id, r->user->id) || auth_access(r->mem, r->db, r->user->id, type, m->access_control);
}

static bool sees_all(const struct request *r)
{
    return r->user->is_admin && config_bool(r->config, CFG_BYPASS_ADMIN_ACCESS_CONTROL);
}

/* ---- lists */

struct owners { /* of the models of a list */
    struct user *v;
    size_t n;
};

static enum db_status read_owners(struct request *r, const struct model_row *rows, size_t n, struct owners *out)
{
    struct str *ids = arena_new_array(r->mem, struct str, n + 1);
    size_t ids_n = 0;

    for (size_t i = 0; i < n; i++) {
        bool there = false;

        for (size_t k = 0; k < ids_n && !there; k++)
            there = str_eq(ids[k], rows[i].user_id);
        if (!there && rows[i].user_id.n)
            ids[ids_n++] = rows[i].user_id;
    }
    return ids_n ? user_by_ids(r->db, r->mem, ids, ids_n, &out->v, &out->n) : DB_DONE;
}

static void add_owner(struct buf *b, const struct owners *owners, struct str id)
{
    for (size_t i = 0; i < owners->n; i++) {
        if (str_eq(owners->v[i].id, id)) {
            user_json_public(b, &owners->v[i]);
            return;
        }
    }
    buf_add_c(b, "null");
}

/* Adds a row as JSON, and its owner if owners are given. */
static void add_model(struct request *r, struct list_reply *list, const struct model_row *m,
                      const struct owners *owners)
{
    struct buf *b = list_item(list);

    json_add_to_buf(b, model_row_json(r->mem, m));
    if (!owners)
        return;
    b->n--; /* the closing brace */
    buf_add_c(b, ",\"user\":");
    add_owner(b, owners, m->user_id);
    buf_add_char(b, '}');
}

static int list_models(struct request *r, struct response *out)
{
    struct list_reply list = list_start(r->mem);
    struct owners owners = { NULL, 0 };
    struct model_row *rows = NULL;
    size_t n = 0;
    bool all = sees_all(r);

    if (model_rows(r->db, r->mem, &rows, &n) == DB_ERROR || read_owners(r, rows, n, &owners) == DB_ERROR)
        return fail_db(out, r->db);
    for (size_t i = 0; i < n; i++)
        if (rows[i].base_model_id.p && (all || may(r, &rows[i], "write")))
            add_model(r, &list, &rows[i], &owners);
    return list_end(&list, out);
}

/* All rows, or those with a base model, or those without one. */
static int list_rows(struct request *r, struct response *out, bool own, bool of_providers)
{
    struct list_reply list = list_start(r->mem);
    struct model_row *rows = NULL;
    size_t n = 0;

    if (model_rows(r->db, r->mem, &rows, &n) == DB_ERROR)
        return fail_db(out, r->db);
    for (size_t i = 0; i < n; i++)
        if (rows[i].base_model_id.p ? own : of_providers)
            add_model(r, &list, &rows[i], NULL);
    return list_end(&list, out);
}

static int list_base(struct request *r, struct response *out)
{
    return list_rows(r, out, false, true);
}

static int export_models(struct request *r, struct response *out)
{
    return list_rows(r, out, true, false);
}

/* ---- one model */

/* The row of "?id="; otherwise the answer is made: *status. */
static bool find_by(struct request *r, struct response *out, struct str id, struct model_row *m, int *status)
{
    enum db_status st = model_row_by_id(r->db, r->mem, id, m);

    if (st == DB_ROW)
        return true;
    *status = st == DB_DONE ? fail(out, 401, NOT_FOUND_TEXT) : fail_db(out, r->db);
    return false;
}

static bool find(struct request *r, struct response *out, struct model_row *m, int *status)
{
    return find_by(r, out, query_str(r, "id"), m, status);
}

static int show_model(struct request *r, struct response *out, struct str id)
{
    struct model_row m;
    int status;

    if (!find_by(r, out, id, &m, &status))
        return status;
    return sees_all(r) || may(r, &m, "read") ? reply_model(r, out, &m) : reply_null(out);
}

static int get_model(struct request *r, struct response *out)
{
    return show_model(r, out, query_str(r, "id"));
}

/* The same for clients that expect the id in the path. */
static int get_model_by_path(struct request *r, struct response *out)
{
    return show_model(r, out, path_arg(r, "id"));
}

static struct str text_or_none(struct request *r, json_object *v)
{
    return v ? json_text(r->mem, v) : STR_NONE;
}

/* From a form that was validated: meta has its defaults. */
static void take_form(struct request *r, json_object *form, struct model_row *m)
{
    m->base_model_id = json_str(form, "base_model_id");
    m->name = json_str(form, "name");
    m->meta = json_text(r->mem, json_get(form, "meta"));
    m->params = json_text(r->mem, json_get(form, "params"));
    m->access_control = text_or_none(r, json_get(form, "access_control"));
    m->is_active = json_flag(form, "is_active", true);
}

/* A row without a base is the settings of a provider's model, which are an administrator's business: with one, anybody who may make models
 * could open a provider's model to himself, or switch it off for all. */
static bool may_be_base(const struct request *r, const struct model_row *was)
{
    return r->user->is_admin || form_str(r, "base_model_id").p || (was && !was->base_model_id.p);
}

static int create_model(struct request *r, struct response *out)
{
    struct model_row m = { .id = form_str(r, "id"),
                           .user_id = r->user->id,
                           .created_at = now_s(),
                           .updated_at = now_s() },
                     taken;

    if (!may_be_base(r, NULL))
        return fail(out, 401, UNAUTHORIZED_TEXT);
    switch (model_row_by_id(r->db, r->mem, m.id, &taken)) {
    case DB_ROW: return fail(out, 401, ID_TAKEN);
    case DB_ERROR: return fail_db(out, r->db);
    default: break;
    }
    take_form(r, r->form, &m);
    if (model_row_insert(r->db, &m) == DB_ERROR) /* two at once: the second finds the id taken */
        return db_unique_violation(r->db) ? fail(out, 401, ID_TAKEN) : fail_db(out, r->db);
    return reply_model(r, out, &m);
}

static int toggle_model(struct request *r, struct response *out)
{
    struct model_row m;
    int status;

    if (!find(r, out, &m, &status))
        return status;
    if (!r->user->is_admin && !may(r, &m, "write"))
        return fail(out, 401, UNAUTHORIZED_TEXT);
    if (model_row_toggle(r->db, m.id, now_s()) == DB_ERROR)
        return fail_db(out, r->db);
    return find(r, out, &m, &status) ? reply_model(r, out, &m) : status;
}

static int update_model(struct request *r, struct response *out)
{
    struct model_row m;
    int status;

    if (!find(r, out, &m, &status))
        return status;
    if (!r->user->is_admin && !may(r, &m, "write"))
        return fail(out, 400, PROHIBITED_TEXT);
    if (!may_be_base(r, &m))
        return fail(out, 401, UNAUTHORIZED_TEXT);
    take_form(r, r->form, &m);
    return model_row_update(r->db, &m) == DB_ERROR ? fail_db(out, r->db) : reply_model(r, out, &m);
}

static int delete_model(struct request *r, struct response *out)
{
    struct model_row m;
    int status;

    if (!find(r, out, &m, &status))
        return status;
    if (!r->user->is_admin && !may(r, &m, "write"))
        return fail(out, 401, UNAUTHORIZED_TEXT);
    return model_row_delete(r->db, m.id) == DB_ERROR ? fail_db(out, r->db) : reply_bool(out, true);
}

static int delete_all(struct request *r, struct response *out)
{
    return model_rows_delete_all(r->db) == DB_ERROR ? fail_db(out, r->db) : reply_bool(out, true);
}

/* ---- pictures */

static int reply_favicon(struct request *r, struct response *out)
{
    struct str places[] = { config_str(r->config, CFG_STATIC_DIR), config_str(r->config, CFG_WEBUI_FRONTEND_DIR),
                            config_str(r->config, CFG_FRONTEND_BUILD_DIR) };

    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        struct str path = str_f(r->mem, i == 0 ? "%.*s/favicon.png" : "%.*s/static/favicon.png", STR(places[i]));
        int fd = places[i].n ? open(path.p, O_RDONLY | O_CLOEXEC) : -1;
        struct stat st;

        if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
            return reply_file(out, fd, st.st_size, "image/png");
        if (fd >= 0)
            close(fd);
    }
    return user_image_reply(r, out, STR_NONE);
}

static int profile_image(struct request *r, struct response *out)
{
    struct model_row m;
    struct str url = STR_NONE;
    enum db_status st = model_row_by_id(r->db, r->mem, query_str(r, "id"), &m);

    if (st == DB_ERROR)
        return fail_db(out, r->db);
    if (st == DB_ROW)
        url = json_str(json_parse_or_null(r->mem, m.meta), "profile_image_url");
    if (str_starts(url, "http://") || str_starts(url, "https://") || str_starts(url, "data:image/"))
        return user_image_reply(r, out, url);
    return reply_favicon(r, out);
}

/* ---- many at once */

static const char *const default_meta =
    "{\"profile_image_url\":\"/static/favicon.png\",\"description\":null,\"capabilities\":null}";

static bool text_or_null(json_object *v)
{
    return !v || json_is(v, json_type_string);
}

/* What is wrong with an entry (with everything in it that its form needs); NULL: nothing. */
static const char *wrong_member(json_object *entry)
{
    json_object *meta = json_get(entry, "meta"), *active = json_get(entry, "is_active"),
                *access = json_get(entry, "access_control");

    if (!json_is(json_get(entry, "id"), json_type_string))
        return "id";
    if (!text_or_null(json_get(entry, "base_model_id")))
        return "base_model_id";
    if (!json_is(json_get(entry, "name"), json_type_string))
        return "name";
    if (!json_is(meta, json_type_object) || !text_or_null(json_get(meta, "profile_image_url")) ||
        !text_or_null(json_get(meta, "description")) ||
        (json_get(meta, "capabilities") && !json_is(json_get(meta, "capabilities"), json_type_object)))
        return "meta";
    if (!json_is(json_get(entry, "params"), json_type_object))
        return "params";
    if (access && !json_is(access, json_type_object))
        return "access_control";
    return json_has(entry, "is_active") && !json_is(active, json_type_boolean) ? "is_active" : NULL;
}

/* The entry over what its row says already. Meta and parameters are always the entry's. */
static json_object *completed_entry(struct request *r, json_object *entry, const struct model_row *row)
{
    json_object *o = row ? model_row_json(r->mem, row) : json_new_object(r->mem),
                *meta = json_parse_or_null(r->mem, str_of(default_meta));

    json_set_object(o, "meta");
    json_set_object(o, "params");
    json_merge(o, entry);
    if (json_is(json_get(o, "meta"), json_type_object)) {
        json_merge(meta, json_get(o, "meta"));
        json_set(o, "meta", meta);
    }
    return o;
}

/* All entries are looked at before the first is saved. */
static int import_models(struct request *r, struct response *out)
{
    size_t n = json_length(form_json(r, "models")), entries_n = 0;
    struct model_row *rows = arena_new_array(r->mem, struct model_row, n + 1);
    json_object **entries = arena_new_array(r->mem, json_object *, n + 1);
    bool *known = arena_new_array(r->mem, bool, n + 1);

    JSON_EACH (form_json(r, "models"), i, entry) {
        struct model_row *row = &rows[entries_n];
        const char *wrong;
        enum db_status st;

        if (!json_truthy(json_get(entry, "id")))
            continue;
        st = model_row_by_id(r->db, r->mem, json_str(entry, "id"), row);
        if (st == DB_ERROR)
            return fail_db(out, r->db);
        known[entries_n] = st == DB_ROW;
        entries[entries_n] = completed_entry(r, entry, st == DB_ROW ? row : NULL);
        wrong = wrong_member(entries[entries_n]);
        if (wrong)
            return fail(out, 500, "1 validation error for ModelForm\n%s\n  %s", wrong,
                        json_has(entries[entries_n], wrong) ? "Input is of the wrong type" : "Field required");
        entries_n++;
    }
    for (size_t i = 0; i < entries_n; i++) {
        enum db_status st;

        if (!known[i])
            rows[i] = (struct model_row){
                .id = json_str(entries[i], "id"), .user_id = r->user->id, .created_at = now_s(), .updated_at = now_s()
            };
        take_form(r, entries[i], &rows[i]);
        st = known[i] ? model_row_update(r->db, &rows[i]) : model_row_insert(r->db, &rows[i]);
        if (st == DB_ERROR && db_unique_violation(r->db)) /* twice in the list: the later one counts */
            st = model_row_update(r->db, &rows[i]);
        if (st == DB_ERROR)
            return fail_db(out, r->db);
    }
    return reply_bool(out, true);
}

static int sync_models(struct request *r, struct response *out)
{
    size_t n = 0;
    struct model_row *rows = arena_new_array(r->mem, struct model_row, json_length(form_json(r, "models")) + 1);

    JSON_EACH (form_json(r, "models"), i, entry) {
        rows[n] = (struct model_row){ .id = json_str(entry, "id"),
                                      .user_id = r->user->id,
                                      .created_at = json_int(entry, "created_at", 0),
                                      .updated_at = now_s() };
        take_form(r, entry, &rows[n++]);
    }
    return model_rows_replace_all(r->db, r->mem, rows, n) == DB_ERROR ? fail_db(out, r->db)
                                                                      : list_rows(r, out, true, true);
}

/* ---- routes */

static const struct field meta_form[] = {
    FIELD(STRING, "profile_image_url", OPTIONAL, .def = "\"/static/favicon.png\""),
    FIELD(STRING, "description", OPTIONAL, .def = "null"), FIELD(OBJECT, "capabilities", OPTIONAL, .def = "null"), END
};
static const struct field params_form[] = { END };
static const struct field model_form[] = { FIELD(STRING, "id", REQUIRED),
                                           FIELD(STRING, "base_model_id", OPTIONAL),
                                           FIELD(STRING, "name", REQUIRED),
                                           FIELD(FORM, "meta", REQUIRED, .form = meta_form),
                                           FIELD(FORM, "params", REQUIRED, .form = params_form),
                                           FIELD(OBJECT, "access_control", OPTIONAL),
                                           FIELD(BOOLEAN, "is_active", NOT_NULL, .def = "true"),
                                           END };
static const struct field row_form[] = { FIELD(STRING, "id", REQUIRED),
                                         FIELD(STRING, "user_id", REQUIRED),
                                         FIELD(STRING, "base_model_id", OPTIONAL),
                                         FIELD(STRING, "name", REQUIRED),
                                         FIELD(FORM, "params", REQUIRED, .form = params_form),
                                         FIELD(FORM, "meta", REQUIRED, .form = meta_form),
                                         FIELD(OBJECT, "access_control", OPTIONAL),
                                         FIELD(BOOLEAN, "is_active", REQUIRED),
                                         FIELD(INTEGER, "updated_at", REQUIRED),
                                         FIELD(INTEGER, "created_at", REQUIRED),
                                         END };
static const struct field entry_form[] = { END };
static const struct field import_form[] = { FIELD(LIST_OF_FORMS, "models", REQUIRED, .form = entry_form), END };
static const struct field sync_form[] = { FIELD(LIST_OF_FORMS, "models", NOT_NULL, .form = row_form, .def = "[]"),
                                          END };
static const struct field id_query[] = { FIELD(STRING, "id", REQUIRED), END };
static const struct field unused_query[] = { FIELD(STRING, "id", OPTIONAL), END };

const struct route models_routes[] = {
    { GET, "/api/v1/models/", VERIFIED, list_models, .query = unused_query,
      .about = "Workspace models that the caller may change" },
    { GET, "/api/v1/models/base", ADMIN, list_base, .about = "Settings of providers' models" },
    { POST, "/api/v1/models/create", VERIFIED, create_model, .form = model_form, .keep_unknown = true,
      .needs = "workspace.models", .about = "A new model" },
    { GET, "/api/v1/models/export", ADMIN, export_models, .about = "All workspace models" },
    { POST, "/api/v1/models/import", ADMIN, import_models, .form = import_form, .keep_unknown = true,
      .about = "Adds and changes models" },
    { POST, "/api/v1/models/sync", ADMIN, sync_models, .form = sync_form, .keep_unknown = true,
      .about = "Replaces all models" },
    { GET, "/api/v1/models/model", VERIFIED, get_model, .query = id_query, .about = "One model" },
    { GET, "/api/v1/models/{id}", VERIFIED, get_model_by_path, .about = "One model" },
    { GET, "/api/v1/models/model/profile/image", VERIFIED, profile_image, .type = "image/*", .query = id_query,
      .about = "The picture of a model" },
    { POST, "/api/v1/models/model/toggle", VERIFIED, toggle_model, .query = id_query,
      .about = "Switches a model on or off" },
    { POST, "/api/v1/models/model/update", VERIFIED, update_model, .query = id_query, .form = model_form,
      .keep_unknown = true, .about = "Changes a model" },
    { DELETE, "/api/v1/models/model/delete", VERIFIED, delete_model, .query = id_query, .about = "Deletes a model" },
    { DELETE, "/api/v1/models/delete/all", ADMIN, delete_all, .about = "Deletes all models" },
    END
};
