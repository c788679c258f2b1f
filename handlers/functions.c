/* functions.c: /api/v1/functions: pipes, filters and actions. They are Python code, which is kept for who runs it, and never run here. */
#include "handlers/list_reply.h"
#include "handlers/load_url.h"
#include "handlers/python_code.h"
#include "handlers/routes.h"
#include "handlers/texts.h"
#include "lib/base/clock.h"
#include "lib/store/functions.h"
#include "lib/store/row_json.h"
#include "lib/tools/valves.h"

/* ---- lists */

static int reply_list(struct request *r, struct response *out, bool with_code, bool with_valves)
{
    struct list_reply reply = list_start(r->mem);
    struct function *functions;
    size_t n;
    enum db_status st = with_code ? function_list_with_code(r->db, r->mem, &functions, &n)
                                  : function_list(r->db, r->mem, &functions, &n);

    if (st == DB_ERROR)
        return fail_db(out, r->db);
    for (size_t i = 0; i < n; i++) {
        struct buf *b = list_item(&reply);

        function_json_open(r->mem, b, &functions[i]);
        if (with_valves)
            member_json(b, ",\"valves\":", functions[i].valves);
        buf_add_char(b, '}');
    }
    return list_end(&reply, out);
}

static int list(struct request *r, struct response *out)
{
    return reply_list(r, out, false, false);
}

static int export_functions(struct request *r, struct response *out)
{
    return reply_list(r, out, true, query_bool(r, "include_valves", false));
}

static int load_function(struct request *r, struct response *out)
{
    return load_code(r, out, "function");
}

/* ---- one function */

static int reply_function(struct request *r, struct response *out, const struct function *f)
{
    struct buf b = BUF(r->mem, LIST_MAX_BYTES);

    function_json_open(r->mem, &b, f);
    buf_add_char(&b, '}');
    return reply_json_text(out, buf_str(&b));
}

/* The function of {id}; false: the answer is made: *status. */
static bool find(struct request *r, struct response *out, struct function *f, int *status)
{
    enum db_status st = function_by_id(r->db, r->mem, path_arg(r, "id"), f);

    if (st != DB_ROW)
        *status = st == DB_ERROR ? fail_db(out, r->db) : fail(out, 401, NOT_FOUND_TEXT);
    return st == DB_ROW;
}

static int get_function(struct request *r, struct response *out)
{
    struct function f;
    int status;

    return find(r, out, &f, &status) ? reply_function(r, out, &f) : status;
}

/* Code that cannot be read switches its function off, as with the Python backend. */
static int fail_unreadable(struct request *r, struct response *out, struct str id, const char *text)
{
    return function_switch_off(r->db, id, now_s()) == DB_ERROR ? fail_db(out, r->db) : fail_code(out, text);
}

/* What the form says, and what its code says of itself. False: the code cannot be read; *status is the answer. */
static bool take_form(struct request *r, struct response *out, struct function *f, int *status)
{
    json_object *meta = form_json(r, "meta");
    struct error err = { "" };
    const char *type;
    bool toggle;

    f->name = form_str(r, "name");
    f->content = python_imports_replaced(r->mem, form_str(r, "content"));
    f->updated_at = now_s();
    if (python_function_type(r->mem, f->content, &type, &toggle, &err) != OK) {
        *status = fail_unreadable(r, out, f->id, err.text);
        return false;
    }
    if (toggle)
        json_set_bool(meta, "toggle", true);
    f->meta = code_meta(r, meta, f->content);
    f->type = str_of(type);
    return true;
}

static int create_function(struct request *r, struct response *out)
{
    struct function f = { .id = code_id(r, form_str(r, "id")), .user_id = r->user->id }, taken;
    int status;

    if (!f.id.p)
        return fail(out, 400, BAD_ID);
    switch (function_by_id(r->db, r->mem, f.id, &taken)) {
    case DB_ROW: return fail(out, 400, ID_TAKEN);
    case DB_ERROR: return fail_db(out, r->db);
    default: break;
    }
    if (!take_form(r, out, &f, &status))
        return status;
    f.created_at = f.updated_at;
    if (function_insert(r->db, &f) == DB_ERROR)
        return db_unique_violation(r->db) ? fail(out, 400, ID_TAKEN) : fail_db(out, r->db);
    f.content = STR_NONE;
    return reply_function(r, out, &f);
}

static int update_function(struct request *r, struct response *out)
{
    struct function f = { .id = path_arg(r, "id") };
    int status;

    if (!take_form(r, out, &f, &status))
        return status;
    switch (function_update(r->db, &f)) {
    case DB_ROW: return get_function(r, out);
    case DB_DONE: return fail_code(out, "400: [ERROR: Error updating function]");
    default: return fail_db(out, r->db);
    }
}

static int toggle(struct request *r, struct response *out)
{
    return function_toggle(r->db, path_arg(r, "id"), now_s()) == DB_ERROR ? fail_db(out, r->db) : get_function(r, out);
}

static int toggle_global(struct request *r, struct response *out)
{
    return function_toggle_global(r->db, path_arg(r, "id"), now_s()) == DB_ERROR ? fail_db(out, r->db)
                                                                                 : get_function(r, out);
}

static int delete_function(struct request *r, struct response *out)
{
    return function_delete(r->db, path_arg(r, "id")) == DB_ERROR ? fail_db(out, r->db) : reply_bool(out, true);
}

/* ---- all at once */

/* One of the form. False: *status is the answer. */
static bool take_synced(struct request *r, struct response *out, json_object *one, struct function *f, int *status)
{
    json_object *schema = NULL, *values, *meta = json_get(one, "meta");
    struct error err = { "" };
    struct str complaint;
    const char *type;
    bool toggles;

    *f = (struct function){ .id = json_str(one, "id"),
                            .user_id = r->user->id,
                            .type = json_str(one, "type"),
                            .name = json_str(one, "name"),
                            .content = python_imports_replaced(r->mem, json_str(one, "content")),
                            .is_active = json_flag(one, "is_active", false),
                            .is_global = json_flag(one, "is_global", false),
                            .updated_at = now_s(),
                            .created_at = json_int(one, "created_at", 0) };
    if (!json_has(meta, "description"))
        json_set_null(meta, "description");
    if (!json_has(meta, "manifest"))
        json_set_object(meta, "manifest");
    f->meta = json_text(r->mem, meta);
    if (json_get(one, "valves"))
        f->valves = json_text(r->mem, json_get(one, "valves"));
    if (python_function_type(r->mem, f->content, &type, &toggles, &err) != OK) {
        *status = fail_unreadable(r, out, f->id, err.text);
        return false;
    }
    if (!json_truthy(json_get(one, "valves")))
        return true;
    if (python_valves_schema(r->mem, PYTHON_FUNCTION, f->content, PYTHON_VALVES, &schema, &err) != OK)
        *status = fail_code(out, err.text);
    else if (schema && valves_check(r->mem, schema, json_get(one, "valves"), &values, &complaint) != OK)
        *status = fail_code(out, str_c(r->mem, complaint));
    else
        return true;
    return false;
}

static int sync_functions(struct request *r, struct response *out)
{
    json_object *list_form = form_json(r, "functions");
    size_t n = json_length(list_form);
    struct function *v = arena_new_array(r->mem, struct function, n + 1);
    int status;

    JSON_EACH (list_form, i, one)
        if (!take_synced(r, out, one, &v[i], &status))
            return status;
    return function_sync(r->db, r->mem, v, n) == DB_ERROR ? fail_db(out, r->db) : reply_list(r, out, true, true);
}

/* ---- valves */

static int get_valves(struct request *r, struct response *out)
{
    struct function f;
    int status;

    if (!find(r, out, &f, &status))
        return status;
    return reply_json_text(out, f.valves.n ? f.valves : S("{}"));
}

static int reply_spec(struct request *r, struct response *out, enum python_valves which)
{
    struct function f;
    int status;

    return find(r, out, &f, &status) ? reply_valves_schema(r, out, PYTHON_FUNCTION, f.content, which) : status;
}

static int get_valves_spec(struct request *r, struct response *out)
{
    return reply_spec(r, out, PYTHON_VALVES);
}

static int get_user_valves_spec(struct request *r, struct response *out)
{
    return reply_spec(r, out, PYTHON_USER_VALVES);
}

static int set_valves(struct request *r, struct response *out)
{
    json_object *values;
    struct function f;
    int status;

    if (!find(r, out, &f, &status) ||
        !valves_of_form(r, out, PYTHON_FUNCTION, f.content, PYTHON_VALVES, &values, &status))
        return status;
    return function_set_valves(r->db, f.id, json_text(r->mem, values), now_s()) == DB_ERROR ? fail_db(out, r->db)
                                                                                            : reply_json(out, values);
}

static int get_user_valves(struct request *r, struct response *out)
{
    struct function f;
    int status;

    return find(r, out, &f, &status) ? reply_user_valves(r, out, PYTHON_FUNCTION, f.id) : status;
}

static int set_user_valves(struct request *r, struct response *out)
{
    struct function f;
    int status;

    return find(r, out, &f, &status) ? save_user_valves(r, out, PYTHON_FUNCTION, f.id, f.content) : status;
}

/* ---- routes */

static const struct field meta_form[] = { FIELD(STRING, "description", OPTIONAL), FIELD(OBJECT, "manifest", OPTIONAL),
                                          END };
static const struct field function_form[] = { FIELD(STRING, "id", REQUIRED), FIELD(STRING, "name", REQUIRED),
                                              FIELD(STRING, "content", REQUIRED),
                                              FIELD(FORM, "meta", REQUIRED, .form = meta_form), END };
static const struct field synced_form[] = { FIELD(STRING, "id", REQUIRED),
                                            FIELD(STRING, "user_id", REQUIRED),
                                            FIELD(STRING, "name", REQUIRED),
                                            FIELD(STRING, "type", REQUIRED),
                                            FIELD(STRING, "content", REQUIRED),
                                            FIELD(FORM, "meta", REQUIRED, .form = meta_form),
                                            FIELD(OBJECT, "valves", OPTIONAL),
                                            FIELD(BOOLEAN, "is_active", NOT_NULL, .def = "false"),
                                            FIELD(BOOLEAN, "is_global", NOT_NULL, .def = "false"),
                                            FIELD(INTEGER, "updated_at", REQUIRED),
                                            FIELD(INTEGER, "created_at", REQUIRED),
                                            END };
static const struct field sync_form[] = { FIELD(LIST_OF_FORMS, "functions", NOT_NULL, .form = synced_form, .def = "[]"),
                                          END };
static const struct field export_query[] = { FIELD(BOOLEAN, "include_valves", OPTIONAL, .def = "false"), END };

const struct route functions_routes[] = {
    { GET, "/api/v1/functions/", VERIFIED, list, .about = "All functions, without their code" },
    { GET, "/api/v1/functions/export", ADMIN, export_functions, .query = export_query,
      .about = "All functions with their code" },
    { POST, "/api/v1/functions/sync", ADMIN, sync_functions, .form = sync_form, .keep_unknown = true,
      .about = "These functions instead of all that are there" },
    { POST, "/api/v1/functions/load/url", ADMIN, load_function, .form = load_url_form, .server = SIDECAR,
      .about = "The source of a function at an address" },
    { POST, "/api/v1/functions/create", ADMIN, create_function, .form = function_form, .keep_unknown = true,
      .about = "A new function" },
    { GET, "/api/v1/functions/id/{id}", ADMIN, get_function, .about = "One function with its code" },
    { POST, "/api/v1/functions/id/{id}/toggle", ADMIN, toggle, .about = "Switches a function on or off" },
    { POST, "/api/v1/functions/id/{id}/toggle/global", ADMIN, toggle_global,
      .about = "Makes a function one for all models, or ends that" },
    { POST, "/api/v1/functions/id/{id}/update", ADMIN, update_function, .form = function_form, .keep_unknown = true,
      .about = "Changes a function" },
    { DELETE, "/api/v1/functions/id/{id}/delete", ADMIN, delete_function, .about = "Deletes a function" },
    { GET, "/api/v1/functions/id/{id}/valves", ADMIN, get_valves, .about = "The valves of a function" },
    { GET, "/api/v1/functions/id/{id}/valves/spec", ADMIN, get_valves_spec,
      .about = "JSON Schema of a function's valves" },
    { POST, "/api/v1/functions/id/{id}/valves/update", ADMIN, set_valves, .body = BODY_JSON_ANY, .keep_unknown = true,
      .about = "Sets the valves of a function" },
    { GET, "/api/v1/functions/id/{id}/valves/user", VERIFIED, get_user_valves,
      .about = "The caller's valves of a function" },
    { GET, "/api/v1/functions/id/{id}/valves/user/spec", VERIFIED, get_user_valves_spec,
      .about = "JSON Schema of a function's user valves" },
    { POST, "/api/v1/functions/id/{id}/valves/user/update", VERIFIED, set_user_valves, .body = BODY_JSON_ANY,
      .keep_unknown = true, .about = "Sets the caller's valves of a function" },
    END
};
