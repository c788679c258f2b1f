/* python_code.c: ids, manifests and valves of tools and functions. */
#include "handlers/python_code.h"
#include "handlers/texts.h"

#include "lib/store/users.h"
#include "lib/tools/valves.h"

int fail_code(struct response *out, const char *text)
{
    return fail(out, 400, "[ERROR: %s]", text);
}

struct str code_id(struct request *r, struct str id)
{
    for (size_t i = 0; i < id.n; i++) {
        char c = id.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';

        if (!letter && (i == 0 || c < '0' || c > '9'))
            return STR_NONE;
    }
    return id.n ? str_lower(r->mem, id) : STR_NONE;
}

struct str code_meta(struct request *r, json_object *meta, struct str content)
{
    json_object *o = json_new_object(r->mem);

    json_set(o, "description", json_get(meta, "description"));
    json_set(o, "manifest", python_frontmatter(r->mem, content));
    if (json_is(meta, json_type_object)) {
        json_object_object_foreach(meta, key, value)
        {
            if (!json_has(o, key))
                json_set(o, key, value);
        }
    }
    return json_text(r->mem, o);
}

/* ---- valves */

int reply_valves_schema(struct request *r, struct response *out, enum python_kind kind, struct str content,
                        enum python_valves which)
{
    struct error err = { "" };
    json_object *schema;

    return python_valves_schema(r->mem, kind, content, which, &schema, &err) == OK ? reply_json(out, schema)
                                                                                   : fail_code(out, err.text);
}

bool valves_of_form(struct request *r, struct response *out, enum python_kind kind, struct str content,
                    enum python_valves which, json_object **values, int *status)
{
    struct error err = { "" };
    struct str complaint;
    json_object *schema;

    if (python_valves_schema(r->mem, kind, content, which, &schema, &err) != OK)
        *status = fail_code(out, err.text);
    else if (!schema)
        *status = fail(out, 401, NOT_FOUND_TEXT);
    else if (valves_check(r->mem, schema, r->form, values, &complaint) != OK)
        *status = fail_code(out, str_c(r->mem, complaint));
    else
        return true;
    return false;
}

/* ---- of one user: settings, "tools" or "functions", "valves", id */

static const char *section(enum python_kind kind)
{
    return kind == PYTHON_TOOL ? "tools" : "functions";
}

int reply_user_valves(struct request *r, struct response *out, enum python_kind kind, struct str id)
{
    json_object *own = json_parse_or_null(r->mem, r->user->settings);
    json_object *valves = json_get(json_get(own, section(kind)), "valves");
    const char *key = str_c(r->mem, id);

    return reply_json(out, json_has(valves, key) ? json_get(valves, key) : json_new_object(r->mem));
}

struct change {
    const char *section, *id;
    json_object *values;
};

static json_object *member_object(json_object *o, const char *name)
{
    json_object *v = json_get(o, name);

    return json_is(v, json_type_object) ? v : json_set_object(o, name);
}

static struct str put_valves(struct arena *mem, struct str text, void *arg)
{
    const struct change *change = arg;
    json_object *own = json_parse_or_null(mem, text);

    if (!json_is(own, json_type_object))
        own = json_new_object(mem);
    json_set(member_object(member_object(own, change->section), "valves"), change->id, change->values);
    return json_text(mem, own);
}

int save_user_valves(struct request *r, struct response *out, enum python_kind kind, struct str id, struct str content)
{
    struct change change = { section(kind), str_c(r->mem, id), NULL };
    struct str text;
    int status;

    if (!valves_of_form(r, out, kind, content, PYTHON_USER_VALVES, &change.values, &status))
        return status;
    if (user_change_json(r->db, r->mem, r->user->id, USER_SETTINGS, put_valves, &change, &text) == DB_ERROR)
        return fail_db(out, r->db);
    return reply_json(out, change.values);
}
