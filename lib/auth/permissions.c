/* permissions.c: what a user may do: default permissions, those of his groups, and the access_control of a row. */
#include "lib/auth/auth.h"
#include "lib/base/log.h"
#include "lib/base/shared.h"
#include "lib/store/groups.h"

/* A user's groups and permissions, kept in the process. A place holds whoever came last. */
struct standing {
    struct arena *mem; /* NULL: nobody */
    struct str user_id;
    uint64_t groups_counter, settings_generation;
    struct str *group_ids;
    size_t group_ids_n;
    json_object *permissions; /* NULL: not worked out yet */
    struct str text;
};

enum { PLACES = 512, BIG = 256 * 1024 };

static struct standing places[PLACES];

static struct standing *place_of(struct str user_id)
{
    uint64_t h = 0xcbf29ce484222325ULL;

    for (size_t i = 0; i < user_id.n; i++)
        h = (h ^ (unsigned char)user_id.p[i]) * 0x100000001b3ULL;
    return &places[(h ^ h >> 32) % PLACES];
}

/* ---- combining */

/* {**into, more}, where what is true in either is true. */
static void combine(struct arena *mem, json_object *into, json_object *more)
{
    json_object_object_foreach(more, key, value)
    {
        json_object *mine = json_get(into, key);

        if (json_is(value, json_type_object)) {
            if (!json_is(mine, json_type_object)) {
                mine = json_new_object(mem);
                json_set(into, key, mine);
            }
            combine(mem, mine, value);
        } else if (!json_truthy(mine)) {
            json_set(into, key, value);
        }
    }
}

static void fill_missing(struct arena *mem, json_object *into, json_object *defaults)
{
    json_object_object_foreach(defaults, key, value)
    {
        json_object *mine = json_get(into, key);

        if (!json_has(into, key))
            json_set(into, key, json_clone(mem, value));
        else if (json_is(mine, json_type_object) && json_is(value, json_type_object))
            fill_missing(mem, mine, value);
    }
}

static json_object *default_permissions(struct arena *mem, struct config *c)
{
    json_object *set = config_json(c, CFG_USER_PERMISSIONS),
                *out = json_is(set, json_type_object) ? json_clone(mem, set) : json_new_object(mem);
    json_object *built_in = json_parse_or_null(mem, str_of(settings[CFG_USER_PERMISSIONS].def));

    if (json_is(built_in, json_type_object))
        fill_missing(mem, out, built_in);
    return out;
}

static enum status load(struct arena *mem, struct db *db, struct config *c, struct str user_id, struct standing *s)
{
    uint64_t groups_counter = counter_read(COUNTER_GROUPS), generation = c ? config_generation(c) : 0;
    struct group *groups;
    size_t n;
    struct arena *own;

    if (s->mem && str_eq(s->user_id, user_id) && s->groups_counter == groups_counter &&
        (!c || (s->permissions && s->settings_generation == generation)))
        return OK;
    if (group_list_of(db, mem, user_id, &groups, &n) == DB_ERROR) {
        log_error("could not read the groups of a user: %s", db_error(db));
        return UNAVAILABLE;
    }
    own = arena_new(2048);
    arena_free(s->mem);
    *s = (struct standing){ .mem = own,
                            .user_id = str_copy(own, user_id),
                            .groups_counter = groups_counter,
                            .settings_generation = generation };
    s->group_ids = arena_new_array(own, struct str, n);
    for (size_t i = 0; i < n; i++)
        s->group_ids[s->group_ids_n++] = str_copy(own, groups[i].id);
    if (!c)
        return OK;
    s->permissions = default_permissions(own, c);
    for (size_t i = 0; i < n; i++) {
        json_object *more = json_parse_or_null(own, groups[i].permissions);

        if (json_is(more, json_type_object))
            combine(own, s->permissions, more);
    }
    s->text = json_text(own, s->permissions);
    return OK;
}

/* Groups with huge permissions are worked out each time: the places hold little. */
static void let_go(struct standing *s)
{
    if (s->mem && arena_bytes(s->mem) > BIG) {
        arena_free(s->mem);
        *s = (struct standing){ 0 };
    }
}

bool auth_permission(struct arena *mem, struct db *db, struct config *c, const struct user *u, const char *permission)
{
    struct standing *s = place_of(u->id);
    bool may;

    if (load(mem, db, c, u->id, s) != OK)
        return false;
    may = json_truthy(json_path(s->permissions, permission));
    let_go(s);
    return may;
}

struct str auth_permissions_text(struct arena *mem, struct db *db, struct config *c, const struct user *u)
{
    struct standing *s = place_of(u->id);
    struct str text;

    if (load(mem, db, c, u->id, s) != OK)
        return json_text(mem, default_permissions(mem, c));
    text = str_copy(mem, s->text);
    let_go(s);
    return text;
}

json_object *auth_permissions(struct arena *mem, struct db *db, struct config *c, const struct user *u)
{
    return json_parse_or_null(mem, auth_permissions_text(mem, db, c, u));
}

enum status auth_group_ids(struct arena *mem, struct db *db, struct str user_id, struct str **ids, size_t *n)
{
    struct standing *s = place_of(user_id);
    enum status st;

    /* Without settings: permissions that are there already stay. */
    st = load(mem, db, NULL, user_id, s);
    if (st != OK)
        return st;
    *ids = arena_new_array(mem, struct str, s->group_ids_n);
    for (*n = 0; *n < s->group_ids_n; ++*n)
        (*ids)[*n] = str_copy(mem, s->group_ids[*n]);
    return OK;
}

/* ---- access_control */

static bool listed(json_object *list, struct str id)
{
    JSON_EACH (list, i, item) {
        if (str_eq(json_str_value(item), id) && id.n)
            return true;
    }
    return false;
}

bool auth_access(struct arena *mem, struct db *db, struct str user_id, const char *type, struct str access_control)
{
    json_object *rules, *group_ids, *one;
    struct str text = str_trim(access_control);
    struct standing *s = place_of(user_id);

    if (!text.n || str_is(text, "null"))
        return strcmp(type, "read") == 0;
    rules = json_parse_or_null(mem, text);
    if (!json_is(rules, json_type_object))
        return false;
    one = json_get(rules, type);
    if (listed(json_get(one, "user_ids"), user_id))
        return true;
    group_ids = json_get(one, "group_ids");
    if (!json_length(group_ids) || load(mem, db, NULL, user_id, s) != OK)
        return false;
    for (size_t i = 0; i < s->group_ids_n; i++) {
        if (listed(group_ids, s->group_ids[i]))
            return true;
    }
    return false;
}

enum status auth_who(struct arena *mem, struct db *db, const char *type, struct str access_control, bool *everybody,
                     json_object **ids)
{
    struct str text = str_trim(access_control);
    json_object *one, *group_ids;

    *ids = json_new_array(mem);
    *everybody = (!text.n || str_is(text, "null")) && strcmp(type, "read") == 0;
    if (*everybody)
        return OK;
    one = json_get(json_parse_or_null(mem, text), type);
    JSON_EACH (json_get(one, "user_ids"), i, id)
        json_push(*ids, id);
    group_ids = json_get(one, "group_ids");
    if (json_length(group_ids) && group_user_ids(db, mem, json_text(mem, group_ids), *ids) == DB_ERROR) {
        log_error("could not read the members of groups: %s", db_error(db));
        return UNAVAILABLE;
    }
    return OK;
}
