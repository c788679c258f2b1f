/* router.c: finds the route of a path: a trie of segments. */
#include "fcgi/router.h"

#include "lib/base/encode.h"
#include "lib/base/error.h"

enum { MAX_SEGMENTS = 32, MAX_ARGS = 8 };

struct leaf { /* one route */
    const struct route *route;
    struct leaf *next;
};

struct node {
    struct str segment; /* of a literal child */
    struct node *literals, *next;
    struct node *param;       /* any segment but an empty one */
    struct leaf *here, *rest; /* routes that end here; routes that take the rest of the path from here */
};

struct router {
    struct arena *mem;
    struct node root;
    struct leaf **all; /* in order of declaration */
    size_t n;
};

static const char *const method_names[] = { "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS" };

const char *method_name(enum method method)
{
    return method < METHOD_OTHER ? method_names[method] : "";
}

enum method method_of(struct str name)
{
    for (enum method m = GET; m < METHOD_OTHER; m++)
        if (str_is(name, method_names[m]))
            return m;
    return METHOD_OTHER;
}

struct str method_list(struct arena *mem, unsigned allowed)
{
    struct buf b = BUF(mem, 128);

    for (enum method m = GET; m < METHOD_OTHER; m++)
        if (allowed & (1u << m))
            buf_addf(&b, "%s%s", b.n ? ", " : "", method_names[m]);
    return buf_str(&b);
}

/* ---- building */

static bool is_param(struct str segment)
{
    return segment.n > 2 && segment.p[0] == '{' && segment.p[segment.n - 1] == '}';
}

static bool is_rest(struct str segment)
{
    return is_param(segment) && str_ends(segment, ":path}");
}

static struct str param_name(struct str segment)
{
    return str_sub(segment, 1, segment.n - (is_rest(segment) ? sizeof("{:path}") - 1 : 2));
}

static struct node *literal_child(const struct node *node, struct str segment)
{
    for (struct node *c = node->literals; c; c = c->next)
        if (str_eq(c->segment, segment))
            return c;
    return NULL;
}

static struct node *add_child(struct arena *mem, struct node *node, struct str segment)
{
    struct node *c;

    if (is_param(segment)) {
        if (!node->param)
            node->param = arena_new_one(mem, struct node);
        return node->param;
    }
    c = literal_child(node, segment);
    if (c)
        return c;
    c = arena_new_one(mem, struct node);
    c->segment = segment;
    c->next = node->literals;
    node->literals = c;
    return c;
}

static struct leaf **leaves_of(struct router *router, const struct route *route)
{
    struct node *node = &router->root;
    struct str rest = str_from(str_of(route->path), 1), segment;

    while (str_split(&rest, '/', &segment)) {
        if (is_rest(segment))
            return &node->rest;
        node = add_child(router->mem, node, segment);
    }
    return &node->here;
}

static enum status check_fields(const struct field *form, const char *path, int depth, struct error *err)
{
    if (depth > 8)
        return error_set(err, INVALID, "%s: its forms are nested too deep", path);
    for (const struct field *f = form; f && f->name; f++) {
        for (const struct field *g = form; g < f; g++)
            if (strcmp(f->name, g->name) == 0)
                return error_set(err, INVALID, "%s: field %s twice", path, f->name);
        if ((f->type == FORM || f->type == LIST_OF_FORMS) && !f->form)
            return error_set(err, INVALID, "%s: field %s has no form", path, f->name);
        if (f->def) {
            struct arena *mem = arena_new(512);
            enum status st = json_parse(mem, str_of(f->def), &(json_object *){ NULL }, err);

            arena_free(mem);
            if (st != OK)
                return error_add(err, INVALID, "%s: default of field %s", path, f->name);
        }
        if (f->form && check_fields(f->form, path, depth + 1, err) != OK)
            return INVALID;
    }
    return OK;
}

static enum status check_path(const struct route *route, struct error *err)
{
    struct str rest = str_from(str_of(route->path), 1), segment;
    int args = 0, segments = 0;

    if (route->path[0] != '/' || strpbrk(route->path, "?#%"))
        return error_set(err, INVALID, "%s: not a path", route->path);
    while (str_split(&rest, '/', &segment)) {
        if (++segments > MAX_SEGMENTS)
            return error_set(err, INVALID, "%s: too many segments", route->path);
        if (!is_param(segment)) {
            if (str_find_c(segment, '{') != STR_NPOS)
                return error_set(err, INVALID, "%s: an argument must be a whole segment", route->path);
            continue;
        }
        if (++args > MAX_ARGS)
            return error_set(err, INVALID, "%s: too many arguments", route->path);
        if (is_rest(segment) && rest.p)
            return error_set(err, INVALID, "%s: something behind the rest of the path", route->path);
    }
    return OK;
}

static enum status check_route(const struct route *route, struct error *err)
{
    enum status st = check_path(route, err);

    if (st != OK)
        return st;
    if (route->method >= METHOD_OTHER)
        return error_set(err, INVALID, "%s: no method", route->path);
    if (route->access == ACCESS_UNSET)
        return error_set(err, INVALID, "%s %s: no access level", method_name(route->method), route->path);
    if (!route->handler)
        return error_set(err, INVALID, "%s %s: no handler", method_name(route->method), route->path);
    if (!route->about && !route->hidden)
        return error_set(err, INVALID, "%s %s: no description", method_name(route->method), route->path);
    if (route->needs && route->access != VERIFIED)
        return error_set(err, INVALID, "%s %s: a permission is asked of verified users only",
                         method_name(route->method), route->path);
    st = check_fields(route->form, route->path, 0, err);
    if (st == OK)
        st = check_fields(route->query, route->path, 0, err);
    return st == OK ? check_fields(route->args, route->path, 0, err) : st;
}

static enum status add_route(struct router *router, const struct route *route, struct error *err)
{
    struct leaf **list, *leaf;
    enum status st = check_route(route, err);

    if (st != OK)
        return st;
    list = leaves_of(router, route);
    for (leaf = *list; leaf; leaf = leaf->next) {
        if (leaf->route->method == route->method)
            return error_set(err, INVALID, "%s %s: declared twice (as %s too)", method_name(route->method), route->path,
                             leaf->route->path);
    }
    leaf = arena_new_one(router->mem, struct leaf);
    leaf->route = route;
    leaf->next = *list;
    *list = leaf;
    router->all = arena_grow(router->mem, router->all, router->n * sizeof(leaf), (router->n + 1) * sizeof(leaf));
    router->all[router->n++] = leaf;
    return OK;
}

enum status router_new(const struct route *const *tables, struct router **out, struct error *err)
{
    struct arena *mem = arena_new(256 * 1024);
    struct router *router = arena_new_one(mem, struct router);

    router->mem = mem;
    for (; *tables; tables++)
        for (const struct route *route = *tables; route->path; route++) {
            enum status st = add_route(router, route, err);

            if (st != OK) {
                arena_free(mem);
                return st;
            }
        }
    *out = router;
    return OK;
}

void router_free(struct router *router)
{
    if (router)
        arena_free(router->mem);
}

/* ---- finding */

struct search {
    enum method method;
    struct str raw[MAX_SEGMENTS], segments[MAX_SEGMENTS]; /* as sent, decoded */
    int n;
    const struct leaf *found;
    unsigned allowed;
};

static bool consider(struct search *s, const struct leaf *leaf)
{
    for (; leaf; leaf = leaf->next) {
        s->allowed |= 1u << leaf->route->method;
        if (leaf->route->method == s->method)
            s->found = leaf;
    }
    return s->found != NULL;
}

/* The words of a path first, then arguments, then the rest: what is found first is the most specific. */
static bool search_from(struct search *s, const struct node *node, int depth)
{
    const struct node *c;

    if (depth == s->n)
        return consider(s, node->here);
    c = literal_child(node, s->segments[depth]);
    if (c && search_from(s, c, depth + 1))
        return true;
    if (node->param && s->segments[depth].n && search_from(s, node->param, depth + 1))
        return true;
    return node->rest && consider(s, node->rest);
}

/* %XX that is broken stays as it is, as Python's unquote leaves it. */
static struct str decoded(struct arena *mem, struct str raw)
{
    struct str s;

    if (str_find_c(raw, '%') == STR_NPOS || !url_decode(mem, raw, false, &s))
        return raw;
    return s;
}

static bool text_is_clean(struct str s)
{
    return str_find_c(s, '\0') == STR_NPOS && str_utf8_valid(s);
}

static bool climbs(struct str path)
{
    struct str segment;

    if (str_find_c(path, '\\') != STR_NPOS)
        return true;
    while (str_split(&path, '/', &segment))
        if (str_is(segment, ".."))
            return true;
    return false;
}

static enum status take_args(struct arena *mem, const struct search *s, struct str path, struct match *out)
{
    struct str rest = str_from(str_of(s->found->route->path), 1), segment;

    for (int i = 0; str_split(&rest, '/', &segment); i++) {
        struct str value;

        if (!is_param(segment))
            continue;
        value = s->segments[i];
        if (is_rest(segment)) {
            value = decoded(mem, (struct str){ s->raw[i].p, (size_t)(path.p + path.n - s->raw[i].p) });
            if (!text_is_clean(value) || climbs(value))
                return INVALID;
        }
        out->args[out->args_n].name = param_name(segment);
        out->args[out->args_n++].value = str_copy(mem, value);
    }
    return OK;
}

enum status router_find(const struct router *router, struct arena *mem, enum method method, struct str path,
                        struct match *out)
{
    struct search s = { .method = method };
    struct str rest = str_from(path, 1), segment;

    memset(out, 0, sizeof(*out));
    if (path.n == 0 || path.p[0] != '/')
        return OK;
    while (s.n < MAX_SEGMENTS && str_split(&rest, '/', &segment)) {
        s.raw[s.n] = segment;
        s.segments[s.n] = decoded(mem, segment);
        if (!text_is_clean(s.segments[s.n]))
            return INVALID;
        s.n++;
    }
    if (s.n == MAX_SEGMENTS && rest.p)
        return OK;
    search_from(&s, &router->root, 0);
    out->allowed = s.allowed;
    if (!s.found)
        return OK;
    out->route = s.found->route;
    return take_args(mem, &s, path, out);
}

/* ---- lists */

void router_each(const struct router *router, void (*see)(const struct route *route, void *arg), void *arg)
{
    for (size_t i = 0; i < router->n; i++)
        see(router->all[i]->route, arg);
}

static void add_pattern(struct buf *b, const char *path)
{
    struct str rest = str_from(str_of(path), 1), segment;

    for (bool first = true; str_split(&rest, '/', &segment); first = false) {
        if (!first)
            buf_add_char(b, '/');
        if (is_rest(segment))
            buf_add_c(b, ".*");
        else if (is_param(segment))
            buf_add_c(b, "[^/]+");
        else
            for (size_t i = 0; i < segment.n; i++) {
                if (strchr(".+*?()[]{}|^$\\", segment.p[i]))
                    buf_add_char(b, '\\');
                buf_add_char(b, segment.p[i]);
            }
    }
    buf_add_char(b, '$');
}

struct str router_sidecar_paths(const struct router *router, struct arena *mem)
{
    struct buf b = BUF(mem, 64 * 1024);

    buf_add_c(&b, "ws/|api/ws/");
    for (size_t i = 0; i < router->n; i++) {
        const struct route *route = router->all[i]->route;
        bool seen = false;

        if (route->server != SIDECAR || route->access == INTERNAL)
            continue;
        for (size_t j = 0; j < i && !seen; j++) /* another method of the same path */
            seen = router->all[j]->route->server == SIDECAR && strcmp(router->all[j]->route->path, route->path) == 0;
        if (seen)
            continue;
        buf_add_char(&b, '|');
        add_pattern(&b, route->path);
    }
    return buf_str(&b);
}
