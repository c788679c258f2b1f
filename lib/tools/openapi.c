/* openapi.c: an OpenAPI description as tools. */
#include "lib/tools/openapi.h"

enum { MAX_DEPTH = 24, MAX_NODES = 20000, ALL_NODES = 400000, MAX_OPERATIONS = 2000, URL_BYTES = 64 * 1024 };

static const char *const methods[] = { "get", "put", "post", "delete", "options", "head", "patch", "trace" };

struct resolver {
    struct arena *mem;
    json_object *description;
    int nodes, all_nodes; /* of the operation at hand; of all */
};

/* "#/components/schemas/City"; NULL: nothing is there. */
static json_object *referred(const struct resolver *r, struct str reference)
{
    json_object *at = r->description;
    struct str piece;

    if (!str_starts(reference, "#/"))
        return NULL;
    reference = str_from(reference, 2);
    while (at && str_split(&reference, '/', &piece)) {
        piece = str_replace(r->mem, str_replace(r->mem, piece, S("~1"), S("/")), S("~0"), S("~"));
        at = json_get(at, str_c(r->mem, piece));
    }
    return at;
}

static json_object *follow(const struct resolver *r, json_object *o)
{
    for (int i = 0; i < MAX_DEPTH && json_str(o, "$ref").n; i++)
        o = referred(r, json_str(o, "$ref"));
    return o;
}

/* A copy without references: of the schema, its properties and its items. */
static json_object *resolved(struct resolver *r, json_object *schema, int depth)
{
    json_object *copy;

    schema = follow(r, schema);
    if (!json_is(schema, json_type_object) || depth > MAX_DEPTH || ++r->nodes > MAX_NODES ||
        ++r->all_nodes > ALL_NODES || json_str(schema, "$ref").n)
        return json_new_object(r->mem);
    copy = json_new_object(r->mem);
    json_object_object_foreach(schema, key, value)
    {
        if (strcmp(key, "properties") == 0 && json_is(value, json_type_object)) {
            json_object *to = json_set_object(copy, "properties");

            json_object_object_foreach(value, name, property) json_set(to, name, resolved(r, property, depth + 1));
        } else if (strcmp(key, "items") == 0) {
            json_set(copy, key, resolved(r, value, depth + 1));
        } else {
            json_set(copy, key, value);
        }
    }
    return copy;
}

/* ---- operations */

/* The operations in their order, one call of each; it stops them with false. */
typedef bool operation_fn(void *arg, struct str path, const char *method, json_object *item, json_object *operation);

static bool is_method(const char *name)
{
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
        if (str_ieq(str_of(name), methods[i]))
            return true;
    return false;
}

static void each_operation(json_object *description, operation_fn *each, void *arg)
{
    json_object *paths = json_get(description, "paths");

    if (!json_is(paths, json_type_object))
        return;
    json_object_object_foreach(paths, path, item)
    {
        if (!json_is(item, json_type_object))
            continue;
        json_object_object_foreach(item, method, operation)
        {
            if (is_method(method) && json_str(operation, "operationId").n &&
                !each(arg, str_of(path), method, item, operation))
                return;
        }
    }
}

/* {"application/json": {"schema"}, …}; NULL: it takes no body. */
static json_object *body_content(const struct resolver *r, json_object *operation)
{
    return json_get(follow(r, json_get(operation, "requestBody")), "content");
}

/* ---- what a model is told */

static struct str with_choices(struct arena *mem, struct str description, json_object *choices)
{
    struct buf b = BUF(mem, URL_BYTES);

    buf_add_str(&b, description);
    JSON_EACH (choices, i, choice) {
        buf_add_c(&b, i ? ", " : ". Possible values: ");
        buf_add_str(&b, json_is(choice, json_type_string) ? json_str_value(choice) : json_text(mem, choice));
    }
    return buf_str(&b);
}

static bool lists(json_object *names, struct str name)
{
    JSON_EACH (names, i, one)
        if (str_eq(json_str_value(one), name))
            return true;
    return false;
}

static void add_parameters(struct resolver *r, json_object *list, json_object *properties, json_object *required)
{
    JSON_EACH (list, i, given) {
        json_object *p = follow(r, given), *schema = resolved(r, json_get(p, "schema"), 0), *property;
        struct str name = json_str(p, "name"), description = json_str(schema, "description");

        if (!name.n)
            continue;
        if (!description.n)
            description = json_str(p, "description").p ? json_str(p, "description") : S("");
        property = json_new_object(r->mem);
        json_set(property, "type", json_get(schema, "type"));
        json_set_str(property, "description", with_choices(r->mem, description, json_get(schema, "enum")));
        if (str_is(json_str(schema, "type"), "array") && json_has(schema, "items"))
            json_set(property, "items", json_get(schema, "items"));
        json_set(properties, str_c(r->mem, name), property);
        if (json_truthy(json_get(p, "required")) && !lists(required, name))
            json_push_str(required, name);
    }
}

static void add_body(struct resolver *r, json_object *schema, json_object *tool, json_object *properties,
                     json_object *required)
{
    json_object *body = resolved(r, schema, 0), *members = json_get(body, "properties");

    if (json_truthy(members)) {
        json_merge(properties, members);
        JSON_EACH (json_get(body, "required"), i, name)
            if (!lists(required, json_str_value(name)))
                json_push(required, name);
    } else if (str_is(json_str(body, "type"), "array")) {
        json_set(tool, "parameters", body);
    }
}

struct telling {
    struct resolver resolver;
    json_object *tools;
};

static bool tell(void *arg, struct str path, const char *method, json_object *item, json_object *operation)
{
    struct telling *t = arg;
    struct arena *mem = t->resolver.mem;
    json_object *tool = json_new_object(mem), *parameters, *properties, *required, *schema;

    (void)path, (void)method;
    t->resolver.nodes = 0;
    json_set_str(tool, "name", json_str(operation, "operationId"));
    json_set_str(tool, "description",
                 json_has(operation, "description") ? json_str(operation, "description")
                 : json_has(operation, "summary")   ? json_str(operation, "summary")
                                                    : S("No description available."));
    parameters = json_set_object(tool, "parameters");
    json_set_c(parameters, "type", "object");
    properties = json_set_object(parameters, "properties");
    required = json_set_array(parameters, "required");
    add_parameters(&t->resolver, json_get(item, "parameters"), properties, required);
    add_parameters(&t->resolver, json_get(operation, "parameters"), properties, required);
    schema = json_get(json_get(body_content(&t->resolver, operation), "application/json"), "schema");
    if (schema)
        add_body(&t->resolver, schema, tool, properties, required);
    json_push(t->tools, tool);
    return json_length(t->tools) < MAX_OPERATIONS;
}

json_object *openapi_tools(struct arena *mem, json_object *description)
{
    struct telling t = { { mem, description, 0, 0 }, json_new_array(mem) };

    each_operation(description, tell, &t);
    return t.tools;
}

/* ---- a call */

struct calling {
    struct resolver resolver;
    struct str name;
    json_object *params;
    struct str base_url;
    struct openapi_request *out;
    enum status st;
    struct error *err;
};

static struct str as_text(struct arena *mem, json_object *v)
{
    return json_is(v, json_type_string) ? json_str_value(v) : json_text(mem, v);
}

/* Puts the value into "{name}" of the path. A path of dots could climb. */
static enum status put_into_path(struct arena *mem, struct str *path, struct str name, struct str value,
                                 struct error *err)
{
    struct buf b = BUF(mem, URL_BYTES);

    if (str_is(value, ".") || str_is(value, "..") || !value.n)
        return error_set(err, INVALID, "The value of \"%.*s\" cannot stand in a path", STR(name));
    buf_add_urlencoded(&b, value);
    *path = str_replace(mem, *path, str_f(mem, "{%.*s}", STR(name)), buf_str(&b));
    return OK;
}

static enum status place_parameters(struct calling *c, json_object *list, struct str *path, struct buf *query)
{
    struct arena *mem = c->resolver.mem;

    JSON_EACH (list, i, given) {
        json_object *p = follow(&c->resolver, given);
        struct str name = json_str(p, "name"), in = json_str(p, "in");
        json_object *value = name.n ? json_get(c->params, str_c(mem, name)) : NULL;

        if (!value)
            continue;
        if (str_is(in, "path")) {
            enum status st = put_into_path(mem, path, name, as_text(mem, value), c->err);

            if (st != OK)
                return st;
        } else if (str_is(in, "query")) {
            buf_add_char(query, query->n ? '&' : '?');
            buf_add_urlencoded(query, name);
            buf_add_char(query, '=');
            buf_add_urlencoded(query, as_text(mem, value));
        }
    }
    return OK;
}

static bool takes_body(struct str method)
{
    return str_is(method, "POST") || str_is(method, "PUT") || str_is(method, "PATCH");
}

static enum status make(struct calling *c, struct str path, const char *method, json_object *item,
                        json_object *operation)
{
    struct arena *mem = c->resolver.mem;
    struct buf upper = BUF(mem, 16), query = BUF(mem, URL_BYTES);
    struct str base = c->base_url;
    bool has_body = json_truthy(body_content(&c->resolver, operation));
    enum status st = place_parameters(c, json_get(item, "parameters"), &path, &query);

    if (st == OK)
        st = place_parameters(c, json_get(operation, "parameters"), &path, &query);
    if (st != OK)
        return st;
    if (str_find_c(path, '{') != STR_NPOS || buf_failed(&query))
        return error_set(c->err, INVALID, "The path of \"%.*s\" needs parameters that were not given", STR(c->name));
    for (const char *m = method; *m; m++)
        buf_add_char(&upper, (char)(*m >= 'a' && *m <= 'z' ? *m - 32 : *m));
    while (base.n && base.p[base.n - 1] == '/' && str_starts(path, "/"))
        base.n--;
    c->out->method = buf_str(&upper);
    c->out->url = str_f(mem, "%.*s%.*s%.*s", STR(base), STR(path), STR(buf_str(&query)));
    c->out->body = STR_NONE;
    if (has_body && !json_truthy(c->params))
        return error_set(c->err, INVALID, "Request body expected for operation '%.*s' but none found.", STR(c->name));
    if (takes_body(c->out->method))
        c->out->body = has_body ? json_text(mem, c->params) : S("{}");
    return OK;
}

static bool call(void *arg, struct str path, const char *method, json_object *item, json_object *operation)
{
    struct calling *c = arg;

    if (!str_eq(json_str(operation, "operationId"), c->name))
        return true;
    c->st = make(c, path, method, item, operation);
    return false;
}

enum status openapi_request(struct arena *mem, json_object *description, struct str base_url, struct str name,
                            json_object *params, struct openapi_request *out, struct error *err)
{
    struct calling c = { { mem, description, 0, 0 }, name, params, base_url, out, NOT_FOUND, err };

    each_operation(description, call, &c);
    if (c.st == NOT_FOUND)
        error_set(err, NOT_FOUND, "No matching route found for operationId: %.*s", STR(name));
    return c.st;
}
