/* scim_groups.c: /api/v1/scim/v2/Groups: groups and their members kept by an identity provider. */
#include "handlers/channel.h"
#include "handlers/routes.h"
#include "handlers/scim.h"
#include "lib/base/log.h"
#include "lib/scim/patch.h"
#include "lib/scim/resource.h"
#include "lib/store/groups.h"

static const char no_group[] = "Group %.*s not found";

/* ---- as resources */

/* Members of all the groups, in one query. */
static int find_people(struct request *r, struct response *out, const struct group *groups, size_t n,
                       struct scim_people *people)
{
    struct user *users = NULL;
    struct str *ids;
    size_t room = 0, ids_n = 0, users_n = 0;

    for (size_t i = 0; i < n; i++)
        room += json_length(json_parse_or_null(r->mem, groups[i].user_ids));
    ids = arena_new_array(r->mem, struct str, room ? room : 1);
    for (size_t i = 0; i < n; i++) {
        JSON_EACH (json_parse_or_null(r->mem, groups[i].user_ids), k, id) {
            if (json_str_value(id).p)
                ids[ids_n++] = json_str_value(id);
        }
    }
    if (ids_n && user_by_ids(r->db, r->mem, ids, ids_n, &users, &users_n) == DB_ERROR)
        return fail_db(out, r->db);
    *people = scim_people(r->mem, users, users_n);
    return 0;
}

static int show_group(struct request *r, struct response *out, const struct group *g, json_object **resource)
{
    struct scim_people people;
    int status = find_people(r, out, g, 1, &people);

    if (!status)
        *resource = scim_group(r->mem, scim_base(r), g, &people);
    return status;
}

static int find_group(struct request *r, struct response *out, struct group *g, json_object **resource)
{
    struct str id = path_arg(r, "group_id");

    switch (group_by_id(r->db, r->mem, id, g)) {
    case DB_ROW: return show_group(r, out, g, resource);
    case DB_DONE: return fail(out, 404, no_group, STR(id));
    default: return fail_db(out, r->db);
    }
}

static int reply_group(struct request *r, struct response *out, int status, const struct group *g)
{
    json_object *resource;
    int failed = show_group(r, out, g, &resource);

    return failed ? failed : scim_reply(r, out, status, resource);
}

static int get_group(struct request *r, struct response *out)
{
    json_object *resource;
    struct group g;
    int status = find_group(r, out, &g, &resource);

    return status ? status : scim_reply(r, out, 200, resource);
}

static int list_groups(struct request *r, struct response *out)
{
    json_object *list = json_new_array(r->mem);
    struct scim_view view = scim_read_view(r);
    struct scim_people people;
    struct user_page page = { 0 };
    struct error err = { "" };
    struct group *groups;
    int64_t total, first;
    size_t n;
    int status = scim_read_list(r, out, &page, &first);

    if (status)
        return status;
    switch (group_list_where(r->db, r->mem, &page, &groups, &n, &total, &err)) {
    case OK: break;
    case INVALID: return scim_fail(out, 400, "invalidFilter", "%s", err.text);
    default: return fail_db(out, r->db);
    }
    /* Clients that compare groups of thousands leave their members out. */
    status = find_people(r, out, groups, scim_shows(view.attributes, view.excluded, "members") ? n : 0, &people);
    if (status)
        return status;
    for (size_t i = 0; i < n; i++)
        json_push(list, scim_group(r->mem, scim_base(r), &groups[i], &people));
    return scim_reply_list(r, out, list, total, first);
}

/* ---- changing */

/* The members of the form as the row has them: each once; absent: none were given. */
static struct str form_members(struct request *r)
{
    json_object *members = form_json(r, "members"), *ids = json_new_array(r->mem), *seen = json_new_object(r->mem);

    if (!members)
        return STR_NONE;
    JSON_EACH (members, i, one) {
        struct str id = json_str(one, "value");

        if (json_has(seen, id.p))
            continue;
        json_set_null(seen, id.p);
        json_push_str(ids, id);
    }
    return json_text(r->mem, ids);
}

static int create_group(struct request *r, struct response *out)
{
    struct user owner;
    struct group g;

    switch (user_first(r->db, r->mem, &owner)) {
    case DB_ROW: break;
    case DB_DONE: return fail(out, 500, "No admin user found");
    default: return fail_db(out, r->db);
    }
    if (group_create_with(r->db, r->mem, owner.id, form_str(r, "displayName"), S(""), form_members(r), &g) == DB_ERROR)
        return fail_db(out, r->db);
    return reply_group(r, out, 201, &g);
}

struct change {
    struct str name, ids;              /* PUT: absent stays */
    json_object *operations, *members; /* PATCH */
    const char *type;
    struct error err;
    bool failed;
};

static bool put(struct arena *mem, struct group *g, void *arg)
{
    struct change *c = arg;

    (void)mem;
    if (c->name.n)
        g->name = c->name;
    if (c->ids.p)
        g->user_ids = c->ids;
    return true;
}

static bool patch(struct arena *mem, struct group *g, void *arg)
{
    struct change *c = arg;

    c->failed = scim_patch_group(mem, c->operations, c->members, g->user_ids, &c->name, &c->ids, &c->type, &c->err) !=
                OK;
    return !c->failed && (c->name.n || c->ids.p) && put(mem, g, c);
}

static int change_group(struct request *r, struct response *out, group_changer *change, struct change *c)
{
    json_object *resource;
    struct group g;
    int status = find_group(r, out, &g, &resource);

    if (!status)
        status = scim_check_version(r, out, resource);
    if (status)
        return status;
    c->members = json_get(resource, "members");
    switch (group_change(r->db, r->mem, g.id, change, c, &g)) {
    case DB_ROW: break;
    case DB_DONE: return fail(out, 404, no_group, STR(path_arg(r, "group_id")));
    default: return fail_db(out, r->db);
    }
    if (c->failed)
        return scim_fail(out, 400, c->type, "%s", c->err.text);
    channel_fill_rooms_of_group(r->mem, r->db, r->config, g.id);
    return reply_group(r, out, 200, &g);
}

static int update_group(struct request *r, struct response *out)
{
    struct change c = { .name = form_str(r, "displayName"), .ids = form_members(r) };

    return change_group(r, out, put, &c);
}

static int patch_group(struct request *r, struct response *out)
{
    struct change c = { .operations = form_json(r, "Operations"), .type = "invalidValue" };

    return change_group(r, out, patch, &c);
}

static int delete_group(struct request *r, struct response *out)
{
    json_object *resource;
    struct group g;
    int status = find_group(r, out, &g, &resource);

    if (!status)
        status = scim_check_version(r, out, resource);
    if (status)
        return status;
    if (group_delete(r->db, g.id) == DB_ERROR)
        return fail_db(out, r->db);
    channel_fill_rooms_of_group(r->mem, r->db, r->config, g.id);
    return reply_empty(out, 204);
}

/* ---- forms and routes */

#define GROUP_SCHEMA "[\"" SCIM_GROUP "\"]"

static const struct field member_form[] = { FIELD(STRING, "value", REQUIRED), FIELD(STRING, "$ref", OPTIONAL),
                                            FIELD(STRING, "type", OPTIONAL, .def = "\"User\""),
                                            FIELD(STRING, "display", OPTIONAL), END };
static const struct field create_form[] = { FIELD(LIST_OF_STRINGS, "schemas", NOT_NULL, .def = GROUP_SCHEMA),
                                            FIELD(STRING, "displayName", REQUIRED),
                                            FIELD(LIST_OF_FORMS, "members", OPTIONAL, .form = member_form, .def = "[]"),
                                            END };
static const struct field update_form[] = { FIELD(LIST_OF_STRINGS, "schemas", NOT_NULL, .def = GROUP_SCHEMA),
                                            FIELD(STRING, "displayName", OPTIONAL),
                                            FIELD(LIST_OF_FORMS, "members", OPTIONAL, .form = member_form), END };

const struct route scim_groups_routes[] = {
    { GET, SCIM_ROOT "/Groups", SCIM, list_groups, .query = scim_list_query, .about = "A page of SCIM groups" },
    { POST, SCIM_ROOT "/Groups/.search", SCIM, list_groups, .form = scim_search_form, .about = "Searches SCIM groups" },
    { GET, SCIM_ROOT "/Groups/{group_id}", SCIM, get_group, .query = scim_view_query, .about = "One SCIM group" },
    { POST, SCIM_ROOT "/Groups", SCIM, create_group, .form = create_form, .query = scim_view_query,
      .about = "A new SCIM group" },
    { PUT, SCIM_ROOT "/Groups/{group_id}", SCIM, update_group, .form = update_form, .query = scim_view_query,
      .about = "Changes a SCIM group" },
    { PATCH, SCIM_ROOT "/Groups/{group_id}", SCIM, patch_group, .form = scim_patch_form, .query = scim_view_query,
      .about = "Changes attributes of a SCIM group" },
    { DELETE, SCIM_ROOT "/Groups/{group_id}", SCIM, delete_group, .about = "Deletes a SCIM group" },
    END
};
