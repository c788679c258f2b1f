/* patch.c: attribute by attribute; an operation without a path is one of each member of its value. */
#include "lib/scim/patch.h"

#include "lib/scim/filter.h"

enum patch_op { ADD, REPLACE, REMOVE };

struct patching {
    struct arena *mem;
    struct error *err;
    const char **scim_type;
    const struct user *user;
    struct scim_user_change *change;
    /* of a group */
    json_object *members, *ids; /* as shown; the ids in force */
    bool ids_changed;
    struct str name;
};

static enum status refuse(struct patching *p, const char *scim_type, struct str what, const char *why)
{
    *p->scim_type = scim_type;
    return error_set(p->err, INVALID, "%.*s %s", STR(what), why);
}

/* ---- values */

struct str scim_primary_value(json_object *list)
{
    struct str first = STR_NONE;

    if (json_is(list, json_type_string))
        return json_str_value(list);
    if (json_is(list, json_type_object))
        return json_str(list, "value");
    JSON_EACH (list, i, one) {
        struct str value = json_is(one, json_type_string) ? json_str_value(one) : json_str(one, "value");

        if (value.n && json_flag(one, "primary", false))
            return value;
        if (!first.n)
            first = value;
    }
    return first;
}

struct str scim_name_of(struct arena *mem, json_object *name)
{
    struct str formatted = json_str(name, "formatted"), given = json_str(name, "givenName"),
               family = json_str(name, "familyName");

    if (formatted.n)
        return formatted;
    return given.n || family.n ? str_trim(str_f(mem, "%.*s %.*s", STR(given), STR(family))) : STR_NONE;
}

static enum status text_value(struct patching *p, struct str attribute, json_object *value, struct str *out)
{
    struct str text = str_trim(json_str_value(value));

    if (!text.n)
        return refuse(p, "invalidValue", attribute, "takes a text");
    *out = text;
    return OK;
}

static enum status required(struct patching *p, struct str attribute)
{
    return refuse(p, "mutability", attribute, "cannot be removed");
}

/* ---- attributes of a user */

typedef enum status setter(struct patching *p, enum patch_op op, const struct scim_path *path, json_object *value);

static enum status set_active(struct patching *p, enum patch_op op, const struct scim_path *path, json_object *value)
{
    struct str text = json_str_value(value);
    bool truth;

    if (op == REMOVE)
        return required(p, path->attribute);
    if (json_is(value, json_type_boolean))
        truth = json_object_get_boolean(value);
    else if (str_ieq(text, "true") || str_ieq(text, "false")) /* some clients send it so */
        truth = str_ieq(text, "true");
    else
        return refuse(p, "invalidValue", path->attribute, "takes true or false");
    p->change->active = truth ? ACTIVE_YES : ACTIVE_NO;
    return OK;
}

static enum status set_user_name(struct patching *p, enum patch_op op, const struct scim_path *path, json_object *value)
{
    return op == REMOVE ? required(p, path->attribute) : text_value(p, path->attribute, value, &p->change->email);
}

static enum status set_display_name(struct patching *p, enum patch_op op, const struct scim_path *path,
                                    json_object *value)
{
    return op == REMOVE ? required(p, path->attribute) : text_value(p, path->attribute, value, &p->change->name);
}

static enum status set_name(struct patching *p, enum patch_op op, const struct scim_path *path, json_object *value)
{
    struct str now = p->change->name.p ? p->change->name : p->user->name, part, name;
    size_t space = str_find_c(now, ' ');
    struct str given = str_sub(now, 0, space), family = space == STR_NPOS ? S("") : str_from(now, space + 1);

    if (op == REMOVE)
        return required(p, path->attribute);
    if (!path->sub.p) {
        if (!json_is(value, json_type_object))
            return refuse(p, "invalidValue", path->attribute, "takes an object");
        name = scim_name_of(p->mem, value);
        if (name.n)
            p->change->name = name;
        return OK;
    }
    if (str_is(path->sub, "formatted"))
        return text_value(p, path->sub, value, &p->change->name);
    if (!str_is(path->sub, "givenname") && !str_is(path->sub, "familyname"))
        return OK;
    if (text_value(p, path->sub, value, &part) != OK)
        return INVALID;
    if (str_is(path->sub, "givenname"))
        given = part;
    else
        family = part;
    p->change->name = str_trim(str_f(p->mem, "%.*s %.*s", STR(given), STR(family)));
    return OK;
}

/* One address and one picture are all that a row has: they are what a condition must mean. */
static enum status set_single(struct patching *p, const struct scim_path *path, json_object *value, const char *type,
                              struct str now, struct str *out)
{
    json_object *one = json_new_object(p->mem);
    struct str text;

    json_set_str(one, "value", now);
    json_set_c(one, "type", type);
    json_set_bool(one, "primary", true);
    if (path->which && !scim_matches(path->which, one))
        return refuse(p, "noTarget", path->attribute, "has no such value");
    if (path->sub.p && !str_is(path->sub, "value"))
        return OK;
    text = scim_primary_value(value);
    if (!text.n)
        return refuse(p, "invalidValue", path->attribute, "takes a value");
    *out = text;
    return OK;
}

static enum status set_emails(struct patching *p, enum patch_op op, const struct scim_path *path, json_object *value)
{
    if (op == REMOVE)
        return required(p, path->attribute);
    return set_single(p, path, value, "work", p->change->email.p ? p->change->email : p->user->email,
                      &p->change->email);
}

static enum status set_photos(struct patching *p, enum patch_op op, const struct scim_path *path, json_object *value)
{
    json_object *plain = op == REMOVE ? json_new_str(p->mem, S("/user.png")) : value;

    return set_single(p, path, plain, "photo", p->change->image.p ? p->change->image : p->user->profile_image_url,
                      &p->change->image);
}

static enum status read_only(struct patching *p, enum patch_op op, const struct scim_path *path, json_object *value)
{
    (void)op;
    (void)value;
    return refuse(p, "mutability", path->attribute, "cannot be changed");
}

/* ---- attributes of a group */

static void push_id(struct patching *p, struct str id)
{
    JSON_EACH (p->ids, i, one) {
        if (str_eq(json_str_value(one), id))
            return;
    }
    json_push_str(p->ids, id);
}

static enum status add_members(struct patching *p, json_object *value)
{
    json_object *seen = json_new_object(p->mem);

    JSON_EACH (p->ids, i, one)
        json_set_null(seen, json_str_value(one).p ? json_str_value(one).p : "");
    if (!json_is(value, json_type_array)) {
        struct str id = scim_primary_value(value);

        if (!id.n)
            return refuse(p, "invalidValue", S("members"), "takes objects with a value");
        push_id(p, id);
        return OK;
    }
    JSON_EACH (value, i, one) {
        struct str id = json_is(one, json_type_string) ? json_str_value(one) : json_str(one, "value");

        if (!id.n)
            return refuse(p, "invalidValue", S("members"), "takes objects with a value");
        if (json_has(seen, id.p))
            continue;
        json_set_null(seen, id.p);
        json_push_str(p->ids, id);
    }
    return OK;
}

/* Members as a group shows them, by id. */
static json_object *shown_members(struct patching *p)
{
    json_object *shown = json_new_object(p->mem);

    JSON_EACH (p->members, i, one)
        json_set(shown, json_str(one, "value").p, one);
    return shown;
}

static json_object *listed_ids(struct patching *p, json_object *value)
{
    json_object *listed = json_new_object(p->mem);

    JSON_EACH (value, i, one) {
        struct str id = json_is(one, json_type_string) ? json_str_value(one) : json_str(one, "value");

        if (id.n)
            json_set_null(listed, id.p);
    }
    return listed;
}

/* Those whom value lists, or the condition means; neither: all. Ids of nobody are not shown, but can be taken out by name. */
static void remove_members(struct patching *p, const struct condition *which, json_object *value)
{
    json_object *kept = json_new_array(p->mem), *shown = shown_members(p), *listed = listed_ids(p, value);

    JSON_EACH (p->ids, i, id) {
        const char *key = json_str_value(id).p ? json_str_value(id).p : "";
        json_object *one = json_get(shown, key);

        if (!one) {
            one = json_new_object(p->mem);
            json_set_c(one, "value", key);
        }
        if (which ? !scim_matches(which, one) : json_length(value) && !json_has(listed, key))
            json_push(kept, id);
    }
    p->ids = kept;
}

static enum status set_members(struct patching *p, enum patch_op op, const struct scim_path *path, json_object *value)
{
    p->ids_changed = true;
    if (op == REMOVE) {
        remove_members(p, path->which, value);
        return OK;
    }
    if (path->which || path->sub.p)
        return refuse(p, "mutability", path->attribute, "cannot be changed in part");
    if (op == REPLACE)
        p->ids = json_new_array(p->mem);
    return value ? add_members(p, value) : OK;
}

static enum status set_group_name(struct patching *p, enum patch_op op, const struct scim_path *path,
                                  json_object *value)
{
    return op == REMOVE ? required(p, path->attribute) : text_value(p, path->attribute, value, &p->name);
}

/* ---- operations */

struct target {
    const char *attribute;
    setter *set;
};

static const struct target user_targets[] = {
    { "active", set_active },  { "username", set_user_name }, { "displayname", set_display_name },
    { "name", set_name },      { "emails", set_emails },      { "photos", set_photos },
    { "password", read_only }, { "groups", read_only },       { "id", read_only },
    { "meta", read_only },     { "schemas", read_only },      { NULL, NULL },
};
static const struct target group_targets[] = {
    { "displayname", set_group_name },
    { "members", set_members },
    { "id", read_only },
    { "meta", read_only },
    { "schemas", read_only },
    { NULL, NULL },
};

static enum status apply_at(struct patching *p, const struct target *targets, enum patch_op op,
                            const struct scim_path *path, json_object *value, bool by_name)
{
    for (const struct target *t = targets; t->attribute; t++) {
        if (!str_is(path->attribute, t->attribute))
            continue;
        if (!by_name && t->set == read_only) /* clients send the whole resource back */
            return OK;
        return t->set(p, op, path, value);
    }
    return OK;
}

static enum status parse_path(struct patching *p, struct str text, struct scim_path *path)
{
    struct error why = { "" };

    if (scim_path_parse(p->mem, text, path, &why) == OK)
        return OK;
    *p->scim_type = "invalidPath";
    return error_set(p->err, INVALID, "path: %s", why.text);
}

static enum status apply_members(struct patching *p, const struct target *targets, enum patch_op op, json_object *value)
{
    if (!json_is(value, json_type_object))
        return refuse(p, "invalidValue", S("an operation without a path"), "takes an object");
    json_object_object_foreach(value, key, member)
    {
        struct scim_path path;
        enum status st = parse_path(p, str_of(key), &path);

        if (st == OK)
            st = apply_at(p, targets, op, &path, member, false);
        if (st != OK)
            return st;
    }
    return OK;
}

static enum status apply(struct patching *p, const struct target *targets, json_object *operation)
{
    static const char *const ops[] = { "add", "replace", "remove" };
    struct str op = json_str(operation, "op"), text = json_str(operation, "path");
    json_object *value = json_get(operation, "value");
    struct scim_path path;
    int which = 0;

    while (which < 3 && !str_ieq(op, ops[which]))
        which++;
    if (which == 3)
        return refuse(p, "invalidSyntax", str_utf8_first(op, 40), "is no operation");
    if (!text.n && which == REMOVE)
        return refuse(p, "noTarget", S("remove"), "needs a path");
    if (!text.n)
        return apply_members(p, targets, (enum patch_op)which, value);
    if (parse_path(p, text, &path) != OK)
        return INVALID;
    return apply_at(p, targets, (enum patch_op)which, &path, value, true);
}

static enum status apply_all(struct patching *p, const struct target *targets, json_object *operations)
{
    JSON_EACH (operations, i, operation) {
        enum status st = apply(p, targets, operation);

        if (st != OK)
            return st;
    }
    return OK;
}

enum status scim_patch_user(struct arena *mem, json_object *operations, const struct user *u,
                            struct scim_user_change *out, const char **scim_type, struct error *err)
{
    struct scim_user_change change = { 0 };
    struct patching p = { .mem = mem, .err = err, .scim_type = scim_type, .user = u, .change = &change };
    enum status st = apply_all(&p, user_targets, operations);

    if (st == OK)
        *out = change;
    return st;
}

enum status scim_patch_group(struct arena *mem, json_object *operations, json_object *members, struct str user_ids,
                             struct str *name, struct str *ids, const char **scim_type, struct error *err)
{
    struct patching p = { .mem = mem, .err = err, .scim_type = scim_type, .members = members };
    enum status st;

    p.ids = json_parse_or_null(mem, user_ids);
    if (!json_is(p.ids, json_type_array))
        p.ids = json_new_array(mem);
    st = apply_all(&p, group_targets, operations);
    if (st != OK)
        return st;
    *name = p.name;
    *ids = p.ids_changed ? json_text(mem, p.ids) : STR_NONE;
    return OK;
}
