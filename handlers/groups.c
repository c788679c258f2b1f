/* groups.c: /api/v1/groups: groups of users and what they may do. */
#include "handlers/groups.h"

#include "handlers/channel.h"
#include "handlers/list_reply.h"
#include "handlers/routes.h"
#include "handlers/texts.h"
#include "lib/store/users.h"

enum { MAX_BODY = 256 * 1024 * 1024 };

static int reply_group(struct request *r, struct response *out, const struct group *g)
{
    struct buf b = BUF(r->mem, MAX_BODY);

    group_json(&b, g);
    return reply_json_text(out, buf_str(&b));
}

/* DB_DONE is "no such group", which the Python backend wraps in an error of its own. Who is new hears of the group's channels at once, who has left no more. */
static int reply_changed(struct request *r, struct response *out, enum db_status st, const struct group *g,
                         const char *failure)
{
    if (st == DB_ERROR)
        return fail_db(out, r->db);
    if (st == DB_ROW)
        channel_fill_rooms_of_group(r->mem, r->db, r->config, g->id);
    return st == DB_ROW ? reply_group(r, out, g) : fail(out, 400, "[ERROR: 400: [ERROR: %s]]", failure);
}

int reply_groups(struct request *r, struct response *out, enum db_status st, const struct group *groups, size_t n)
{
    struct list_reply list = list_start(r->mem);

    if (st == DB_ERROR)
        return fail_db(out, r->db);
    for (size_t i = 0; i < n; i++)
        group_json(list_item(&list), &groups[i]);
    return list_end(&list, out);
}

static int list_groups(struct request *r, struct response *out)
{
    struct group *groups = NULL;
    size_t n = 0;
    enum db_status st = r->user->is_admin ? group_list(r->db, r->mem, &groups, &n)
                                          : group_list_of(r->db, r->mem, r->user->id, &groups, &n);

    return reply_groups(r, out, st, groups, n);
}

/* The form's permissions as text; absent: none were given. */
static struct str form_permissions(struct request *r)
{
    json_object *permissions = form_json(r, "permissions");

    return permissions ? json_text(r->mem, permissions) : STR_NONE;
}

static int create_group(struct request *r, struct response *out)
{
    struct group g;
    enum db_status st = group_create(r->db, r->mem, r->user->id, form_str(r, "name"), form_str(r, "description"),
                                     form_permissions(r), &g);

    return reply_changed(r, out, st, &g, "Error creating group");
}

static int get_group(struct request *r, struct response *out)
{
    struct group g;

    switch (group_by_id(r->db, r->mem, path_arg(r, "id"), &g)) {
    case DB_ROW: return reply_group(r, out, &g);
    case DB_DONE: return fail(out, 401, NOT_FOUND_TEXT);
    default: return fail_db(out, r->db);
    }
}

static void form_ids(struct request *r, struct str **ids, size_t *n)
{
    json_object *list = form_json(r, "user_ids");

    *n = 0;
    *ids = arena_new_array(r->mem, struct str, json_length(list));
    JSON_EACH (list, i, item)
        (*ids)[(*n)++] = json_str_value(item);
}

static int update_group(struct request *r, struct response *out)
{
    struct str *ids, user_ids = STR_NONE;
    struct group g;
    size_t n;

    if (form_json(r, "user_ids")) {
        json_object *list = json_new_array(r->mem);

        form_ids(r, &ids, &n);
        if (n && user_ids_that_exist(r->db, r->mem, ids, n, &ids, &n) == DB_ERROR)
            return fail_db(out, r->db);
        for (size_t i = 0; i < n; i++)
            json_push_str(list, ids[i]);
        user_ids = json_text(r->mem, list);
    }
    return reply_changed(r, out,
                         group_update(r->db, r->mem, path_arg(r, "id"), form_str(r, "name"), form_str(r, "description"),
                                      form_permissions(r), user_ids, &g),
                         &g, "Error updating group");
}

static int add_users(struct request *r, struct response *out)
{
    struct group g;
    struct str *ids;
    size_t n;

    form_ids(r, &ids, &n);
    if (n && user_ids_that_exist(r->db, r->mem, ids, n, &ids, &n) == DB_ERROR)
        return fail_db(out, r->db);
    return reply_changed(r, out,
                         form_json(r, "user_ids") ? group_add_users(r->db, r->mem, path_arg(r, "id"), ids, n, &g)
                                                  : DB_DONE,
                         &g, "Error adding users to group");
}

static int remove_users(struct request *r, struct response *out)
{
    struct group g;
    struct str *ids;
    size_t n;

    form_ids(r, &ids, &n);
    return reply_changed(r, out,
                         form_json(r, "user_ids") ? group_remove_users(r->db, r->mem, path_arg(r, "id"), ids, n, &g)
                                                  : DB_DONE,
                         &g, "Error removing users from group");
}

static int delete_group(struct request *r, struct response *out)
{
    if (group_delete(r->db, path_arg(r, "id")) == DB_ERROR)
        return fail_db(out, r->db);
    channel_fill_rooms_of_group(r->mem, r->db, r->config, path_arg(r, "id"));
    return reply_bool(out, true);
}

static const struct field create_form[] = { FIELD(STRING, "name", REQUIRED), FIELD(STRING, "description", REQUIRED),
                                            FIELD(OBJECT, "permissions", OPTIONAL), END };
static const struct field update_form[] = { FIELD(LIST_OF_STRINGS, "user_ids", OPTIONAL),
                                            FIELD(STRING, "name", REQUIRED), FIELD(STRING, "description", REQUIRED),
                                            FIELD(OBJECT, "permissions", OPTIONAL), END };
static const struct field ids_form[] = { FIELD(LIST_OF_STRINGS, "user_ids", OPTIONAL), END };

const struct route groups_routes[] = {
    { GET, "/api/v1/groups/", VERIFIED, list_groups, .about = "Groups: all for admins, the own ones for others" },
    { POST, "/api/v1/groups/create", ADMIN, create_group, .form = create_form, .about = "Make a group" },
    { GET, "/api/v1/groups/id/{id}", ADMIN, get_group, .about = "A group" },
    { POST, "/api/v1/groups/id/{id}/update", ADMIN, update_group, .form = update_form, .about = "Change a group" },
    { POST, "/api/v1/groups/id/{id}/users/add", ADMIN, add_users, .form = ids_form, .about = "Put users into a group" },
    { POST, "/api/v1/groups/id/{id}/users/remove", ADMIN, remove_users, .form = ids_form,
      .about = "Take users out of a group" },
    { DELETE, "/api/v1/groups/id/{id}/delete", ADMIN, delete_group, .about = "Delete a group" },
    END
};
