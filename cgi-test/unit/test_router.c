/* test_router.c: which route a path leads to, what a table may not contain, and what the sidecar gets. */
#include "fcgi/router.h"
#include "handlers/routes.h"

/* After ours: it makes a macro of fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static int handle(struct request *r, struct response *out)
{
    (void)r;
    return reply_null(out);
}

#define R(method, path, ...)                                      \
    {                                                             \
        method, path, VERIFIED, handle, .about = "x", __VA_ARGS__ \
    }

static const struct route chats[] = {
    R(GET, "/api/v1/chats/{id}"),
    R(POST, "/api/v1/chats/{id}"),
    R(GET, "/api/v1/chats/"),
    R(GET, "/api/v1/chats/pinned"),
    R(GET, "/api/v1/chats/{id}/tags"),
    R(DELETE, "/api/v1/chats/{id}/tags/all"),
    R(GET, "/api/v1/chats/all/tags"),
    R(GET, "/api/v1/models"),
    R(GET, "/"),
    { 0 },
};
static const struct route openai[] = {
    R(GET, "/openai/{path:path}"),
    R(POST, "/openai/{path:path}", .server = SIDECAR),
    R(GET, "/openai/config"),
    R(POST, "/openai/a.b/{id}", .server = SIDECAR),
    R(GET, "/cache/{path:path}"),
    { POST, "/internal/step/{name}", INTERNAL, handle, .about = "x", .server = SIDECAR },
    { 0 },
};
static const struct route *const tables[] = { chats, openai, NULL };

static struct router *build(const struct route *const *list, struct error *err)
{
    struct router *router = NULL;

    if (router_new(list, &router, err) != OK)
        return NULL;
    return router;
}

static void test_find(void **state)
{
    static const struct {
        const char *label, *path;
        enum method method;
        const char *want, *arg;
    } cases[] = {
        /* want: path of the route; NULL: none */
        { "literal", "/api/v1/models", GET, "/api/v1/models", NULL },
        { "the root", "/", GET, "/", NULL },
        { "an argument", "/api/v1/chats/abc", GET, "/api/v1/chats/{id}", "abc" },
        { "words before arguments", "/api/v1/chats/pinned", GET, "/api/v1/chats/pinned", NULL },
        { "words only for their method", "/api/v1/chats/pinned", POST, "/api/v1/chats/{id}", "pinned" },
        { "words before arguments, deeper", "/api/v1/chats/all/tags", GET, "/api/v1/chats/all/tags", NULL },
        { "back from a dead end", "/api/v1/chats/pinned/tags", GET, "/api/v1/chats/{id}/tags", "pinned" },
        { "an argument is not empty", "/api/v1/chats//tags", GET, NULL, NULL },
        { "a slash at the end counts", "/api/v1/chats/", GET, "/api/v1/chats/", NULL },
        { "its absence, too", "/api/v1/chats", GET, NULL, NULL },
        { "a slash too many", "/api/v1/models/", GET, NULL, NULL },
        { "case counts", "/api/v1/Models", GET, NULL, NULL },
        { "decoded once", "/api/v1/chats/a%2520b", GET, "/api/v1/chats/{id}", "a%20b" },
        { "an encoded slash stays in its argument", "/api/v1/chats/a%2Fb", GET, "/api/v1/chats/{id}", "a/b" },
        { "words may be encoded", "/api/v1/chats/%70inned", GET, "/api/v1/chats/pinned", NULL },
        { "a broken escape stays", "/api/v1/chats/a%zz", GET, "/api/v1/chats/{id}", "a%zz" },
        { "plus is a plus", "/api/v1/chats/a+b", GET, "/api/v1/chats/{id}", "a+b" },
        { "the rest", "/openai/v1/x/y", GET, "/openai/{path:path}", "v1/x/y" },
        { "an empty rest", "/openai/", GET, "/openai/{path:path}", "" },
        { "no rest", "/openai", GET, NULL, NULL },
        { "words before the rest", "/openai/config", GET, "/openai/config", NULL },
        { "the rest is decoded", "/openai/a%20b/c", GET, "/openai/{path:path}", "a b/c" },
        { "UTF-8", "/api/v1/chats/%C3%A9", GET, "/api/v1/chats/{id}", "\xc3\xa9" },
        { "another method", "/api/v1/models", POST, NULL, NULL },
        { "no path", "", GET, NULL, NULL },
        { "no slash", "api/v1/models", GET, NULL, NULL },
        { "thirty-three segments", "/1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/0/1/2/3", GET, NULL,
          NULL },
    };
    struct error err = { "" };
    struct router *router = build(tables, &err);

    (void)state;
    if (!router)
        fail_msg("%s", err.text);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct arena *mem = arena_new(1024);
        struct match m;
        enum status st = router_find(router, mem, cases[i].method, str_of(cases[i].path), &m);

        if (st != OK || !!m.route != !!cases[i].want || (m.route && strcmp(m.route->path, cases[i].want) != 0))
            fail_msg("%s: status %d, %s", cases[i].label, st, m.route ? m.route->path : "none");
        if (cases[i].arg && (m.args_n != 1 || !str_is(m.args[0].value, cases[i].arg)))
            fail_msg("%s: argument %.*s", cases[i].label, STR(m.args[0].value));
        if (cases[i].want && !cases[i].arg && m.args_n)
            fail_msg("%s: an argument where none is", cases[i].label);
        arena_free(mem);
    }
    router_free(router);
}

static void test_refused_paths(void **state)
{
    static const struct {
        const char *label, *path;
    } cases[] = {
        { "NUL", "/api/v1/chats/a%00b" },
        { "broken UTF-8", "/api/v1/chats/%FF" },
        { "climbs", "/cache/../x" },
        { "climbs, encoded", "/cache/%2e%2e/x" },
        { "climbs, slash encoded", "/cache/a%2f..%2fb" },
        { "climbs at the end", "/cache/a/.." },
        { "backslash", "/cache/a%5c..%5cb" },
        { "NUL in the rest", "/cache/a%00" },
    };
    struct error err = { "" };
    struct router *router = build(tables, &err);

    (void)state;
    assert_non_null(router);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct arena *mem = arena_new(1024);
        struct match m;

        if (router_find(router, mem, GET, str_of(cases[i].path), &m) != INVALID)
            fail_msg("%s: taken", cases[i].label);
        arena_free(mem);
    }
    router_free(router);
}

static void test_methods(void **state)
{
    struct arena *mem = arena_new(1024);
    struct error err = { "" };
    struct router *router = build(tables, &err);
    struct match m;

    (void)state;
    assert_int_equal(router_find(router, mem, PUT, S("/api/v1/chats/x"), &m), OK);
    assert_null(m.route);
    assert_string_equal(method_list(mem, m.allowed).p, "GET, POST");
    assert_int_equal(router_find(router, mem, GET, S("/nowhere"), &m), OK);
    assert_int_equal(m.allowed, 0);
    assert_int_equal(method_of(S("PATCH")), PATCH);
    assert_int_equal(method_of(S("get")), METHOD_OTHER);
    assert_int_equal(method_of(STR_NONE), METHOD_OTHER);
    router_free(router);
    arena_free(mem);
}

static void count(const struct route *route, void *arg)
{
    (void)route;
    ++*(size_t *)arg;
}

static void test_each(void **state)
{
    struct error err = { "" };
    struct router *router = build(tables, &err);
    size_t n = 0;

    (void)state;
    router_each(router, count, &n);
    assert_int_equal(n, 15);
    router_free(router);
}

static void test_bad_tables(void **state)
{
    static const struct field twice[] = { FIELD(STRING, "a", REQUIRED), FIELD(STRING, "a", OPTIONAL), END };
    static const struct field no_form[] = { FIELD(FORM, "a", REQUIRED), END };
    static const struct field bad_default[] = { FIELD(STRING, "a", OPTIONAL, NULL, "x"), END };
    static const struct {
        const char *label, *want;
        struct route routes[3];
    } cases[] = {
        { "no access", "no access level", { { GET, "/a", ACCESS_UNSET, handle, .about = "x" } } },
        { "no handler", "no handler", { { GET, "/a", PUBLIC, NULL, .about = "x" } } },
        { "no description", "no description", { { GET, "/a", PUBLIC, handle } } },
        { "twice", "declared twice", { R(GET, "/a/{x}"), R(GET, "/a/{y}") } },
        { "no path", "not a path", { R(GET, "a") } },
        { "a query", "not a path", { R(GET, "/a?b") } },
        { "half a segment", "whole segment", { R(GET, "/a/x{b}") } },
        { "behind the rest", "behind the rest", { R(GET, "/a/{p:path}/b") } },
        { "too many arguments", "too many arguments", { R(GET, "/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}") } },
        { "a field twice", "field a twice", { R(POST, "/a", .form = twice) } },
        { "a form without its form", "has no form", { R(POST, "/a", .form = no_form) } },
        { "a default that is no JSON", "default of field a", { R(POST, "/a", .form = bad_default) } },
        { "a permission asked of anybody",
          "permission",
          { { GET, "/a", PUBLIC, handle, .about = "x", .needs = "chat.share" } } },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct route *const list[] = { cases[i].routes, NULL };
        struct error err = { "" };

        if (build(list, &err))
            fail_msg("%s: taken", cases[i].label);
        if (!strstr(err.text, cases[i].want))
            fail_msg("%s: %s", cases[i].label, err.text);
    }
}

static void test_sidecar_paths(void **state)
{
    static const struct route *const both[] = { chats, openai, NULL };
    struct arena *mem = arena_new(1024);
    struct error err = { "" };
    struct router *router = build(both, &err);

    (void)state;
    assert_non_null(router);
    assert_string_equal(router_sidecar_paths(router, mem).p, "ws/|api/ws/|openai/.*$|openai/a\\.b/[^/]+$");
    router_free(router);
    arena_free(mem);
}

/* The tables of the program itself: a mistake in one is found here and not at somebody's start. */
static void test_real_tables(void **state)
{
    struct router *router = NULL;
    struct error err = { "" };

    (void)state;
    if (router_new(route_tables, &router, &err) != OK)
        fail_msg("%s", err.text);
    router_free(router);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),        cmocka_unit_test(test_refused_paths), cmocka_unit_test(test_methods),
        cmocka_unit_test(test_each),        cmocka_unit_test(test_bad_tables),    cmocka_unit_test(test_sidecar_paths),
        cmocka_unit_test(test_real_tables),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
