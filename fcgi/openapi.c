/* openapi.c: the routes as an OpenAPI 3.1 document, in the shape in which FastAPI prints it. */
#include "fcgi/openapi.h"

static const struct router *described;

void openapi_init(const struct router *router)
{
    described = router;
}

/* ---- schemas */

static json_object *typed(struct arena *mem, const char *type)
{
    json_object *o = json_new_object(mem);

    if (type)
        json_set_c(o, "type", type);
    return o;
}

/* "user_id": "User Id". */
static struct str title_of(struct arena *mem, const char *name)
{
    char *s = str_c(mem, str_of(name));
    bool start = true;

    for (char *p = s; *p; p++) {
        if (*p == '_')
            *p = ' ';
        if (start && *p >= 'a' && *p <= 'z')
            *p = (char)(*p - 'a' + 'A');
        start = *p == ' ';
    }
    return str_of(s);
}

static json_object *form_schema(struct arena *mem, const struct field *form, bool open);

static json_object *list_schema(struct arena *mem, json_object *items)
{
    json_object *o = typed(mem, "array");

    json_set(o, "items", items);
    return o;
}

static json_object *dict_schema(struct arena *mem)
{
    json_object *o = typed(mem, "object");

    json_set_bool(o, "additionalProperties", true);
    return o;
}

static json_object *bare_schema(struct arena *mem, const struct field *f)
{
    json_object *o;

    switch (f->type) {
    case STRING: return typed(mem, "string");
    case INTEGER: return typed(mem, "integer");
    case NUMBER: return typed(mem, "number");
    case BOOLEAN: return typed(mem, "boolean");
    case OBJECT: return dict_schema(mem);
    case LIST: return list_schema(mem, json_new_object(mem));
    case LIST_OF_STRINGS: return list_schema(mem, typed(mem, "string"));
    case LIST_OF_INTEGERS: return list_schema(mem, typed(mem, "integer"));
    case LIST_OF_OBJECTS: return list_schema(mem, dict_schema(mem));
    case STRING_OR_INTEGER:
        o = json_new_object(mem);
        json_push(json_set_array(o, "anyOf"), typed(mem, "string"));
        json_push(json_get(o, "anyOf"), typed(mem, "integer"));
        return o;
    case FORM: return form_schema(mem, f->form, false);
    case LIST_OF_FORMS: return list_schema(mem, form_schema(mem, f->form, false));
    case FILE_PART:
        o = typed(mem, "string");
        json_set_c(o, "format", "binary");
        return o;
    case ANY: break;
    }
    return json_new_object(mem);
}

static json_object *field_schema(struct arena *mem, const struct field *f)
{
    json_object *o = bare_schema(mem, f);

    if (f->type != ANY && f->type != FILE_PART && (f->need == OPTIONAL || (f->need & NULLABLE))) {
        json_object *any = json_new_object(mem), *list = json_set_array(any, "anyOf");

        json_push(list, o);
        json_push(list, typed(mem, "null"));
        o = any;
    }
    if (f->def)
        json_set_raw(o, "default", str_of(f->def));
    json_set_str(o, "title", title_of(mem, f->name));
    if (f->about)
        json_set_c(o, "description", f->about);
    return o;
}

static json_object *form_schema(struct arena *mem, const struct field *form, bool open)
{
    json_object *o = json_new_object(mem), *members = json_set_object(o, "properties"), *required = json_new_array(mem);

    for (const struct field *f = form; f && f->name; f++) {
        json_set(members, f->name, field_schema(mem, f));
        if (f->need & REQUIRED)
            json_push_str(required, str_of(f->name));
    }
    if (open)
        json_set_bool(o, "additionalProperties", true);
    json_set_c(o, "type", "object");
    if (json_length(required))
        json_set(o, "required", required);
    return o;
}

/* ---- an operation */

/* The area of a path, by which clients group what they show: "chats" of "/api/v1/chats/…"; absent for what stands alone. */
static struct str tag_of(const char *path)
{
    struct str rest = str_of(path);
    size_t end;

    if (str_starts(rest, "/api/v1/"))
        rest = str_from(rest, sizeof("/api/v1/") - 1);
    else if (str_starts(rest, "/ollama/") || str_starts(rest, "/openai/"))
        rest = str_from(rest, 1);
    else
        return STR_NONE;
    end = str_find_c(rest, '/');
    return end == STR_NPOS ? STR_NONE : str_sub(rest, 0, end);
}

/* Letters and digits of the path and the method: "api_v1_chats__id__get". */
static struct str operation_id(struct arena *mem, const struct route *route)
{
    struct buf b = BUF(mem, 4096);

    for (const char *p = route->path + 1; *p; p++)
        buf_add_char(&b, (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') ? *p : '_');
    buf_add_char(&b, '_');
    buf_add_str(&b, str_lower(mem, str_of(method_name(route->method))));
    return buf_str(&b);
}

static void add_parameter(struct arena *mem, json_object *list, const char *where, struct str name, bool required,
                          json_object *schema)
{
    json_object *o = json_new_object(mem);

    json_set_str(o, "name", name);
    json_set_c(o, "in", where);
    json_set_bool(o, "required", required);
    json_set(o, "schema", schema);
    json_push(list, o);
}

static const struct field *field_named(const struct field *fields, struct str name)
{
    for (; fields && fields->name; fields++)
        if (str_is(name, fields->name))
            return fields;
    return NULL;
}

static json_object *parameters(struct arena *mem, const struct route *route)
{
    json_object *list = json_new_array(mem);
    struct str rest = str_of(route->path), segment;

    while (str_split(&rest, '/', &segment)) {
        struct str name;
        const struct field *f;

        if (segment.n < 3 || segment.p[0] != '{')
            continue;
        name = str_copy(mem, str_sub(segment, 1, (str_ends(segment, ":path}") ? segment.n - 7 : segment.n - 2)));
        f = field_named(route->args, name);
        add_parameter(mem, list, "path", name, true,
                      field_schema(mem, f ? f : &(struct field){ STRING, name.p, REQUIRED }));
    }
    for (const struct field *f = route->query; f && f->name; f++)
        add_parameter(mem, list, "query", str_of(f->name), f->need & REQUIRED, field_schema(mem, f));
    return list;
}

static json_object *body_schema(struct arena *mem, const struct route *route)
{
    switch (route->body) {
    case BODY_JSON_LIST:
        return list_schema(mem, route->form ? form_schema(mem, route->form, false) : json_new_object(mem));
    case BODY_JSON_ANY: return route->keep_unknown ? dict_schema(mem) : json_new_object(mem);
    default:
        return route->form && route->form->name ? form_schema(mem, route->form, route->keep_unknown) : dict_schema(mem);
    }
}

static void add_body(struct arena *mem, json_object *operation, const struct route *route)
{
    const char *type = route->body == BODY_MULTIPART ? "multipart/form-data"
                       : route->body == BODY_RAW     ? "application/octet-stream"
                                                     : "application/json";
    json_object *body;

    if (route->body == BODY_NONE && !route->form)
        return;
    body = json_set_object(operation, "requestBody");
    json_set_bool(body, "required", true);
    json_set(json_set_object(json_set_object(body, "content"), type), "schema",
             route->body == BODY_RAW ? json_new_object(mem) : body_schema(mem, route));
}

static json_object *content(json_object *response, const char *about, const char *type)
{
    json_set_c(response, "description", about);
    return json_set_object(json_set_object(json_set_object(response, "content"), type), "schema");
}

/* 200, the 422 of the form, and all else: an object with the reason. */
static json_object *responses(struct arena *mem, const struct route *route, bool can_be_invalid)
{
    json_object *o = json_new_object(mem), *good = json_set_object(o, "200"), *error;

    content(good, "Successful Response", route->type ? route->type : "application/json");
    if (route->type)
        json_set_object(json_set_object(json_get(good, "content"), "application/json"), "schema");
    if (can_be_invalid)
        json_set_c(content(json_set_object(o, "422"), "Validation Error", "application/json"), "$ref",
                   "#/components/schemas/HTTPValidationError");
    error = content(json_set_object(o, "default"), "Refused, not found, or failed",
                    route->type ? "*/*" : "application/json");
    if (!route->type)
        json_set_c(error, "type", "object");
    return o;
}

static json_object *operation(struct arena *mem, const struct route *route)
{
    json_object *o = json_new_object(mem), *list = parameters(mem, route);
    struct str tag = tag_of(route->path);

    if (tag.p)
        json_push_str(json_set_array(o, "tags"), tag);
    json_set_c(o, "summary", route->about);
    json_set_str(o, "operationId", route->operation ? str_of(route->operation) : operation_id(mem, route));
    if (route->access != PUBLIC) {
        json_object *one = json_new_object(mem);

        json_set_array(one, "HTTPBearer");
        json_push(json_set_array(o, "security"), one);
    }
    if (json_length(list))
        json_set(o, "parameters", list);
    add_body(mem, o, route);
    json_set(o, "responses", responses(mem, route, json_length(list) || json_has(o, "requestBody")));
    return o;
}

/* ---- the document */

struct seeing {
    struct arena *mem;
    json_object *paths;
};

static void add_route(const struct route *route, void *arg)
{
    struct seeing *s = arg;
    struct str path = str_replace(s->mem, str_of(route->path), S(":path}"), S("}"));
    const char *key = str_c(s->mem, path);
    json_object *methods;

    if (route->hidden || route->access == INTERNAL)
        return;
    methods = json_get(s->paths, key);
    if (!methods)
        methods = json_set_object(s->paths, key);
    json_set(methods, str_c(s->mem, str_lower(s->mem, str_of(method_name(route->method)))), operation(s->mem, route));
}

static const char components[] =
    "{\"schemas\":{\"HTTPValidationError\":{\"properties\":{\"detail\":{\"items\":{\"$ref\":\"#/components/schemas/"
    "ValidationError\"},"
    "\"type\":\"array\",\"title\":\"Detail\"}},\"type\":\"object\",\"title\":\"HTTPValidationError\"},"
    "\"ValidationError\":{\"properties\":{\"loc\":{\"items\":{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"integer\"}]}"
    ",\"type\":\"array\","
    "\"title\":\"Location\"},\"msg\":{\"type\":\"string\",\"title\":\"Message\"},\"type\":{\"type\":\"string\","
    "\"title\":\"Error Type\"}},"
    "\"type\":\"object\",\"required\":[\"loc\",\"msg\",\"type\"],\"title\":\"ValidationError\"}},"
    "\"securitySchemes\":{\"HTTPBearer\":{\"type\":\"http\",\"scheme\":\"bearer\"}}}";

json_object *openapi_document(struct arena *mem, const struct router *router)
{
    json_object *o = json_new_object(mem), *info;
    struct seeing s = { mem };

    json_set_c(o, "openapi", "3.1.0");
    info = json_set_object(o, "info");
    json_set_c(info, "title", "Open WebUI");
    json_set_c(info, "version", "0.1.0");
    s.paths = json_set_object(o, "paths");
    router_each(router, add_route, &s);
    json_set_raw(o, "components", str_of(components));
    return o;
}

/* ---- its routes */

static int send_document(struct request *r, struct response *out)
{
    static struct arena *kept; /* for the life of the process: routes do not change */
    static struct str text;

    (void)r;
    if (!described)
        return fail(out, 404, "Not Found");
    if (!kept) {
        struct arena *mem = arena_new(64 * 1024);

        kept = arena_new(4096);
        text = str_copy(kept, json_text(mem, openapi_document(mem, described)));
        arena_free(mem);
    }
    return reply_json_text(out, text);
}

/* Swagger UI comes with the frontend's files. */
static int send_docs(struct request *r, struct response *out)
{
    static const char page[] =
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Open WebUI - Swagger "
        "UI</title>\n"
        "<link rel=\"stylesheet\" href=\"/static/swagger-ui/swagger-ui.css\">\n"
        "<link rel=\"icon\" href=\"/static/swagger-ui/favicon.png\">\n</head>\n<body>\n<div id=\"swagger-ui\"></div>\n"
        "<script src=\"/static/swagger-ui/swagger-ui-bundle.js\"></script>\n"
        "<script>\nSwaggerUIBundle({ url: '/openapi.json', dom_id: '#swagger-ui', deepLinking: true, layout: "
        "'BaseLayout',\n"
        "    presets: [SwaggerUIBundle.presets.apis, SwaggerUIBundle.SwaggerUIStandalonePreset],\n"
        "    oauth2RedirectUrl: window.location.origin + '/docs/oauth2-redirect' });\n</script>\n</body>\n</html>\n";

    (void)r;
    return reply_text(out, 200, "text/html; charset=utf-8", str_of(page));
}

/* Hands the answer of an OAuth provider to the Swagger UI that opened this window. */
static int send_oauth2_redirect(struct request *r, struct response *out)
{
    static const char page[] =
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>Swagger UI: OAuth2 "
        "Redirect</title></head>\n<body>\n<script>\n"
        "'use strict';\nconst flow = window.opener && window.opener.swaggerUIRedirectOauth2;\nif (flow) {\n"
        "    const answer = new URLSearchParams(window.location.hash ? window.location.hash.slice(1) : "
        "window.location.search);\n"
        "    const token = Object.fromEntries(answer);\n    const isValid = token.state === flow.state;\n"
        "    if (answer.has('code')) {\n        flow.auth.state = flow.state;\n        flow.auth.code = token.code;\n"
        "        flow.callback({ auth: flow.auth, redirectUrl: flow.redirectUrl });\n"
        "    } else {\n        flow.callback({ auth: flow.auth, token, isValid, redirectUrl: flow.redirectUrl });\n    "
        "}\n}\nwindow.close();\n"
        "</script>\n</body>\n</html>\n";

    (void)r;
    return reply_text(out, 200, "text/html; charset=utf-8", str_of(page));
}

const struct route openapi_routes[] = {
    { GET, "/openapi.json", PUBLIC, send_document, .hidden = true },
    { GET, "/docs", PUBLIC, send_docs, .hidden = true },
    { GET, "/docs/oauth2-redirect", PUBLIC, send_oauth2_redirect, .hidden = true },
    { 0 },
};

bool openapi_owns(const struct route *route)
{
    return route->handler == send_document || route->handler == send_docs || route->handler == send_oauth2_redirect;
}
