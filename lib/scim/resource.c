/* resource.c: rows as SCIM resources, and parts of them. */
#include "lib/scim/resource.h"

#include <time.h>

#include "lib/base/encode.h"

static struct str time_text(struct arena *mem, int64_t unix_s)
{
    char text[40];
    time_t t = (time_t)unix_s;
    struct tm tm;

    if (!gmtime_r(&t, &tm))
        return S("");
    return str_copy(mem, str_n(text, strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S+00:00", &tm)));
}

static void set_meta(struct arena *mem, json_object *o, struct str base, const char *type, struct str id,
                     int64_t created_s, int64_t updated_s)
{
    json_object *meta = json_set_object(o, "meta");

    json_set_c(meta, "resourceType", type);
    json_set_str(meta, "created", time_text(mem, created_s));
    json_set_str(meta, "lastModified", time_text(mem, updated_s));
    json_set_str(meta, "location", str_f(mem, "%.*s" SCIM_PATH "/%ss/%.*s", STR(base), type, STR(id)));
    json_set_null(meta, "version"); /* it is in the ETag header */
}

/* {"value", "type", "primary": true, "display": null} */
static void set_single(json_object *o, const char *name, struct str value, const char *type)
{
    json_object *list = json_set_array(o, name), *one = json_object_new_object();

    json_set_str(one, "value", value);
    json_set_c(one, "type", type);
    json_set_bool(one, "primary", true);
    json_set_null(one, "display");
    json_push(list, one);
    json_object_put(one);
}

json_object *scim_user(struct arena *mem, struct str base, const struct user *u, const struct membership *groups,
                       size_t groups_n)
{
    json_object *o = json_new_object(mem), *name, *list = NULL;
    size_t space = str_find_c(u->name, ' ');

    json_push_str(json_set_array(o, "schemas"), S(SCIM_USER));
    json_set_str(o, "id", u->id);
    json_set_null(o, "externalId");
    json_set_str(o, "userName", u->email);
    name = json_set_object(o, "name");
    json_set_str(name, "formatted", u->name);
    json_set_str(name, "familyName", space == STR_NPOS ? S("") : str_from(u->name, space + 1));
    json_set_str(name, "givenName", str_sub(u->name, 0, space));
    json_set_null(name, "middleName");
    json_set_null(name, "honorificPrefix");
    json_set_null(name, "honorificSuffix");
    json_set_str(o, "displayName", u->name);
    set_single(o, "emails", u->email, "work");
    json_set_bool(o, "active", !str_is(u->role, "pending"));
    if (u->profile_image_url.n)
        set_single(o, "photos", u->profile_image_url, "photo");
    else
        json_set_null(o, "photos");
    for (size_t i = 0; i < groups_n; i++) {
        json_object *one;

        if (!str_eq(groups[i].user_id, u->id))
            continue;
        list = list ? list : json_new_array(mem);
        one = json_new_object(mem);
        json_set_str(one, "value", groups[i].group_id);
        json_set_str(one, "display", groups[i].group_name);
        json_set_str(one, "$ref", str_f(mem, "%.*s" SCIM_PATH "/Groups/%.*s", STR(base), STR(groups[i].group_id)));
        json_set_c(one, "type", "direct");
        json_push(list, one);
    }
    json_set(o, "groups", list);
    set_meta(mem, o, base, "User", u->id, u->created_at, u->updated_at);
    return o;
}

/* ---- groups */

struct scim_people scim_people(struct arena *mem, const struct user *users, size_t n)
{
    struct scim_people people = { json_new_object(mem), users };

    for (size_t i = 0; i < n; i++)
        json_set_int(people.index, users[i].id.p ? str_c(mem, users[i].id) : "", (int64_t)i);
    return people;
}

json_object *scim_members(struct arena *mem, struct str base, struct str user_ids, const struct scim_people *people)
{
    json_object *ids = json_parse_or_null(mem, user_ids), *list = json_new_array(mem);

    JSON_EACH (ids, i, id) {
        int64_t at = json_int(people->index, json_str_value(id).p ? json_str_value(id).p : "", -1);
        json_object *one;

        if (at < 0)
            continue;
        one = json_new_object(mem);
        json_set_str(one, "value", people->users[at].id);
        json_set_str(one, "$ref", str_f(mem, "%.*s" SCIM_PATH "/Users/%.*s", STR(base), STR(people->users[at].id)));
        json_set_c(one, "type", "User");
        json_set_str(one, "display", people->users[at].name);
        json_push(list, one);
    }
    return list;
}

json_object *scim_group(struct arena *mem, struct str base, const struct group *g, const struct scim_people *people)
{
    json_object *o = json_new_object(mem);

    json_push_str(json_set_array(o, "schemas"), S(SCIM_GROUP));
    json_set_str(o, "id", g->id);
    json_set_str(o, "displayName", g->name);
    json_set(o, "members", scim_members(mem, base, g->user_ids, people));
    set_meta(mem, o, base, "Group", g->id, g->created_at, g->updated_at);
    return o;
}

/* ---- parts */

static bool is_kept_always(const char *key)
{
    return strcmp(key, "id") == 0 || strcmp(key, "schemas") == 0;
}

/* "urn:…:User:userName" and "userName" are the same. */
static struct str short_name(struct str name)
{
    static const char *const schemas[] = { SCIM_USER ":", SCIM_GROUP ":" };

    name = str_trim(name);
    for (size_t i = 0; i < sizeof(schemas) / sizeof(schemas[0]); i++) {
        size_t n = strlen(schemas[i]);

        if (str_ieq(str_sub(name, 0, n), schemas[i]))
            return str_from(name, n);
    }
    return name;
}

/* How a list names an attribute: as a whole, or parts of it, or not at all. */
static enum { UNNAMED, IN_PART, WHOLE } named(struct str list, const char *key)
{
    struct str name;
    bool part = false;

    while (str_split(&list, ',', &name)) {
        size_t n = strlen(key);

        name = short_name(name);
        if (str_ieq(name, key))
            return WHOLE;
        part |= name.n > n && name.p[n] == '.' && str_ieq(str_sub(name, 0, n), key);
    }
    return part ? IN_PART : UNNAMED;
}

static bool names_part(struct str list, const char *key, const char *part)
{
    struct str name;
    size_t n = strlen(key);

    while (str_split(&list, ',', &name)) {
        name = short_name(name);
        if (name.n > n && name.p[n] == '.' && str_ieq(str_sub(name, 0, n), key) && str_ieq(str_from(name, n + 1), part))
            return true;
    }
    return false;
}

/* The parts of an object, or of each object of a list, that are named (or the others). */
static json_object *parts(struct arena *mem, json_object *value, struct str list, const char *key, bool keep)
{
    json_object *out;

    if (json_is(value, json_type_array)) {
        out = json_new_array(mem);
        JSON_EACH (value, i, one)
            json_push(out, parts(mem, one, list, key, keep));
        return out;
    }
    if (!json_is(value, json_type_object))
        return value;
    out = json_new_object(mem);
    json_object_object_foreach(value, part, v)
    {
        if (names_part(list, key, part) == keep)
            json_set(out, part, v);
    }
    return out;
}

json_object *scim_project(struct arena *mem, json_object *resource, struct str attributes, struct str excluded)
{
    bool keep = attributes.n > 0;
    struct str list = keep ? attributes : excluded;
    json_object *out;

    if (list.n == 0)
        return resource;
    out = json_new_object(mem);
    json_object_object_foreach(resource, key, value)
    {
        int how = is_kept_always(key) ? (keep ? WHOLE : UNNAMED) : (int)named(list, key);

        if (how == IN_PART)
            json_set(out, key, parts(mem, value, list, key, keep));
        else if ((how == WHOLE) == keep)
            json_set(out, key, value);
    }
    return out;
}

bool scim_shows(struct str attributes, struct str excluded, const char *attribute)
{
    if (attributes.n)
        return named(attributes, attribute) != UNNAMED;
    return named(excluded, attribute) != WHOLE;
}

struct str scim_etag(struct arena *mem, json_object *resource)
{
    return str_f(mem, "W/\"%.*s\"", STR(str_sub(sha256_hex(mem, json_text(mem, resource)), 0, 32)));
}
