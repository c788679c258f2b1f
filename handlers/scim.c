/* scim.c: /api/v1/scim/v2: what this service can do, and what lists, errors and versions have in common. */
#include "handlers/scim.h"

#include "handlers/routes.h"
#include "lib/scim/filter.h"
#include "lib/scim/resource.h"

enum { PAGE = 20, MAX_PAGE = 100 };

#define MESSAGES "urn:ietf:params:scim:api:messages:2.0:"
#define CORE "urn:ietf:params:scim:schemas:core:2.0:"

struct str scim_base(struct request *r)
{
    return request_base_url(r);
}

/* ---- errors */

int scim_fail(struct response *out, int status, const char *type, const char *format, ...)
{
    json_object *o = json_new_object(out->mem);
    va_list args;

    json_push_str(json_set_array(o, "schemas"), S(MESSAGES "Error"));
    json_set_str(o, "status", str_f(out->mem, "%d", status));
    va_start(args, format);
    json_set_str(o, "detail", str_vf(out->mem, format, args));
    va_end(args);
    if (type)
        json_set_c(o, "scimType", type);
    return reply_json_status(out, status, o);
}

/* ---- lists */

const struct field scim_list_query[] = { FIELD(INTEGER, "startIndex", NOT_NULL, .def = "1"),
                                         FIELD(INTEGER, "count", NOT_NULL, .def = "20"),
                                         FIELD(STRING, "filter", OPTIONAL),
                                         FIELD(STRING, "sortBy", OPTIONAL),
                                         FIELD(STRING, "sortOrder", OPTIONAL),
                                         FIELD(STRING, "attributes", OPTIONAL),
                                         FIELD(STRING, "excludedAttributes", OPTIONAL),
                                         END };

const struct field scim_view_query[] = { FIELD(STRING, "attributes", OPTIONAL),
                                         FIELD(STRING, "excludedAttributes", OPTIONAL), END };

const struct field scim_search_form[] = { FIELD(LIST_OF_STRINGS, "schemas", OPTIONAL),
                                          FIELD(INTEGER, "startIndex", OPTIONAL),
                                          FIELD(INTEGER, "count", OPTIONAL),
                                          FIELD(STRING, "filter", OPTIONAL),
                                          FIELD(STRING, "sortBy", OPTIONAL),
                                          FIELD(STRING, "sortOrder", OPTIONAL),
                                          FIELD(LIST_OF_STRINGS, "attributes", OPTIONAL),
                                          FIELD(LIST_OF_STRINGS, "excludedAttributes", OPTIONAL),
                                          END };

static const struct field operation_form[] = { FIELD(STRING, "op", REQUIRED), FIELD(STRING, "path", OPTIONAL),
                                               FIELD(ANY, "value", OPTIONAL), END };
const struct field scim_patch_form[] = { FIELD(LIST_OF_STRINGS, "schemas", NOT_NULL,
                                               .def = "[\"" MESSAGES "PatchOp\"]"),
                                         FIELD(LIST_OF_FORMS, "Operations", REQUIRED, .form = operation_form), END };

static struct str parameter(struct request *r, const char *name)
{
    return r->form ? form_str(r, name) : query_str(r, name);
}

static int out_of_range(struct request *r, struct response *out, const char *name, const char *type, const char *msg,
                        const char *limit_name, int64_t limit)
{
    json_object *ctx = json_new_object(r->mem);

    json_set_int(ctx, limit_name, limit);
    return fail_form(out, "query", name, type, msg, json_new_str(r->mem, query_str(r, name)), ctx);
}

/* In the query what is out of range is an error, as the Python backend has it; in a search it is brought into range, as RFC 7644, 3.4.2.4 has it. */
static int read_page(struct request *r, struct response *out, int64_t *first, int64_t *count)
{
    if (r->form) {
        *first = form_int(r, "startIndex", 1);
        *count = form_int(r, "count", PAGE);
        *first = *first < 1 ? 1 : *first;
        *count = *count < 0 ? 0 : *count > MAX_PAGE ? MAX_PAGE : *count;
        return 0;
    }
    *first = query_int(r, "startIndex", 1);
    *count = query_int(r, "count", PAGE);
    if (*first < 1)
        return out_of_range(r, out, "startIndex", "greater_than_equal", "Input should be greater than or equal to 1",
                            "ge", 1);
    if (*count < 1)
        return out_of_range(r, out, "count", "greater_than_equal", "Input should be greater than or equal to 1", "ge",
                            1);
    if (*count > MAX_PAGE)
        return out_of_range(r, out, "count", "less_than_equal", "Input should be less than or equal to 100", "le",
                            MAX_PAGE);
    return 0;
}

int scim_read_list(struct request *r, struct response *out, struct user_page *page, int64_t *first)
{
    struct str filter = parameter(r, "filter"), sort_by = parameter(r, "sortBy"), order = parameter(r, "sortOrder");
    struct scim_path path = { 0 };
    struct error err = { "" };
    int status = read_page(r, out, first, &page->limit);

    if (status)
        return status;
    page->skip = *first - 1;
    page->condition = NULL;
    if (str_trim(filter).n && scim_filter_parse(r->mem, filter, &page->condition, &err) != OK)
        return scim_fail(out, 400, "invalidFilter", "%s", err.text);
    if (sort_by.n && scim_path_parse(r->mem, sort_by, &path, &err) != OK)
        return scim_fail(out, 400, "invalidPath", "sortBy: %s", err.text);
    page->sort_by = path.sub.n ? str_f(r->mem, "%.*s.%.*s", STR(path.attribute), STR(path.sub)) : path.attribute;
    page->descending = str_ieq(order, "descending");
    return 0;
}

/* A list of the form as text. */
static struct str names(struct request *r, const char *name)
{
    struct buf b = BUF(r->mem, 64 * 1024);

    JSON_EACH (form_json(r, name), i, one) {
        if (i)
            buf_add_char(&b, ',');
        buf_add_str(&b, json_str_value(one));
    }
    return buf_str(&b);
}

struct scim_view scim_read_view(struct request *r)
{
    bool is_search = r->route->form == scim_search_form;

    return (struct scim_view){ is_search ? names(r, "attributes") : query_str(r, "attributes"),
                               is_search ? names(r, "excludedAttributes") : query_str(r, "excludedAttributes") };
}

/* ---- versions */

/* "*", or a list of tags of which one is ours; weak and strong ones are compared alike. */
static bool names_tag(struct str header, struct str tag)
{
    struct str one, bare = str_from(tag, 2);

    if (str_is(str_trim(header), "*"))
        return true;
    while (str_split(&header, ',', &one)) {
        one = str_trim(one);
        if (str_starts(one, "W/"))
            one = str_from(one, 2);
        if (str_eq(one, bare))
            return true;
    }
    return false;
}

int scim_check_version(struct request *r, struct response *out, json_object *resource)
{
    struct str header = request_header(r, "If-Match");

    if (!header.p || names_tag(header, scim_etag(r->mem, resource)))
        return 0;
    return scim_fail(out, 412, NULL, "The resource has another version by now");
}

int scim_reply(struct request *r, struct response *out, int status, json_object *resource)
{
    struct str header = request_header(r, "If-None-Match"), tag = scim_etag(r->mem, resource);
    struct scim_view view = scim_read_view(r);

    if (header.p && r->method == GET && names_tag(header, tag))
        status = reply_empty(out, 304);
    else
        reply_json_status(out, status, scim_project(r->mem, resource, view.attributes, view.excluded));
    response_header(out, "ETag", tag);
    if (status == 201)
        response_header(out, "Location", json_str(json_get(resource, "meta"), "location"));
    return status;
}

int scim_reply_list(struct request *r, struct response *out, json_object *resources, int64_t total, int64_t first)
{
    json_object *o = json_new_object(r->mem), *list;
    struct scim_view view = scim_read_view(r);

    json_push_str(json_set_array(o, "schemas"), S(MESSAGES "ListResponse"));
    json_set_int(o, "totalResults", total);
    json_set_int(o, "itemsPerPage", (int64_t)json_length(resources));
    json_set_int(o, "startIndex", first);
    list = json_set_array(o, "Resources");
    JSON_EACH (resources, i, one)
        json_push(list, scim_project(r->mem, one, view.attributes, view.excluded));
    return reply_json(out, o);
}

/* ---- what there is */

static const char provider_config[] =
    "{\"schemas\":[\"" CORE "ServiceProviderConfig\"],\"patch\":{\"supported\":true},"
    "\"bulk\":{\"supported\":false,\"maxOperations\":1000,\"maxPayloadSize\":1048576},"
    "\"filter\":{\"supported\":true,\"maxResults\":200},\"changePassword\":{\"supported\":false},"
    "\"sort\":{\"supported\":false},\"etag\":{\"supported\":false},"
    "\"authenticationSchemes\":[{\"type\":\"oauthbearertoken\",\"name\":\"OAuth Bearer Token\","
    "\"description\":\"Authentication using OAuth 2.0 Bearer Token\"}]}";

static int service_provider_config(struct request *r, struct response *out)
{
    (void)r;
    return reply_json_text(out, str_of(provider_config));
}

static const struct {
    const char *name, *endpoint, *schema, *schema_text;
} types[] = {
    { "User", "/Users", SCIM_USER,
      "{\"schemas\":[\"" CORE "Schema\"],\"id\":\"" SCIM_USER "\",\"name\":\"User\",\"description\":\"User Account\","
      "\"attributes\":[{\"name\":\"userName\",\"type\":\"string\",\"required\":true,\"uniqueness\":\"server\"},"
      "{\"name\":\"displayName\",\"type\":\"string\",\"required\":true},"
      "{\"name\":\"emails\",\"type\":\"complex\",\"multiValued\":true,\"required\":true},"
      "{\"name\":\"active\",\"type\":\"boolean\",\"required\":false}]}" },
    { "Group", "/Groups", SCIM_GROUP,
      "{\"schemas\":[\"" CORE "Schema\"],\"id\":\"" SCIM_GROUP "\",\"name\":\"Group\",\"description\":\"Group\","
      "\"attributes\":[{\"name\":\"displayName\",\"type\":\"string\",\"required\":true},"
      "{\"name\":\"members\",\"type\":\"complex\",\"multiValued\":true,\"required\":false}]}" },
};

enum { TYPES = sizeof(types) / sizeof(types[0]) };

static json_object *resource_type(struct request *r, int which)
{
    json_object *o = json_new_object(r->mem), *meta;

    json_push_str(json_set_array(o, "schemas"), S(CORE "ResourceType"));
    json_set_c(o, "id", types[which].name);
    json_set_c(o, "name", types[which].name);
    json_set_c(o, "endpoint", types[which].endpoint);
    json_set_c(o, "schema", types[which].schema);
    meta = json_set_object(o, "meta");
    json_set_str(meta, "location",
                 str_f(r->mem, "%.*s" SCIM_PATH "/ResourceTypes/%s", STR(scim_base(r)), types[which].name));
    json_set_c(meta, "resourceType", "ResourceType");
    return o;
}

static int resource_types(struct request *r, struct response *out)
{
    json_object *list = json_new_array(r->mem);

    for (int i = 0; i < TYPES; i++)
        json_push(list, resource_type(r, i));
    return reply_json(out, list);
}

static int one_resource_type(struct request *r, struct response *out)
{
    for (int i = 0; i < TYPES; i++) {
        if (str_is(path_arg(r, "id"), types[i].name))
            return reply_json(out, resource_type(r, i));
    }
    return scim_fail(out, 404, NULL, "Resource type %.*s not found", STR(path_arg(r, "id")));
}

static int schemas(struct request *r, struct response *out)
{
    return reply_json_text(out, str_f(r->mem, "[%s,%s]", types[0].schema_text, types[1].schema_text));
}

static int one_schema(struct request *r, struct response *out)
{
    for (int i = 0; i < TYPES; i++) {
        if (str_is(path_arg(r, "id"), types[i].schema))
            return reply_json_text(out, str_of(types[i].schema_text));
    }
    return scim_fail(out, 404, NULL, "Schema %.*s not found", STR(path_arg(r, "id")));
}

/* The token is the service's, not a person's: there is no "me" (RFC 7644, 3.11), and no bulk (3.7). */
static int not_supported(struct request *r, struct response *out)
{
    return scim_fail(out, 501, NULL, "%s is not supported", r->route->about);
}

const struct route scim_routes[] = {
    { GET, SCIM_ROOT "/ServiceProviderConfig", PUBLIC, service_provider_config, .about = "What SCIM can do here" },
    { GET, SCIM_ROOT "/ResourceTypes", PUBLIC, resource_types, .about = "The kinds of SCIM resources" },
    { GET, SCIM_ROOT "/ResourceTypes/{id}", PUBLIC, one_resource_type, .about = "One kind of SCIM resources" },
    { GET, SCIM_ROOT "/Schemas", PUBLIC, schemas, .about = "The SCIM schemas" },
    { GET, SCIM_ROOT "/Schemas/{id}", PUBLIC, one_schema, .about = "One SCIM schema" },
    { GET, SCIM_ROOT "/Me", SCIM, not_supported, .about = "/Me" },
    { POST, SCIM_ROOT "/Bulk", SCIM, not_supported, .body = BODY_RAW, .about = "/Bulk" },
    END
};
