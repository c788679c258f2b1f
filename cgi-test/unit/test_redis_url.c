/* test_redis_url.c: addresses of Redis. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "lib/net/redis_url.h"

static const struct {
    const char *url, *host, *path, *user, *password;
    int port, db;
} good[] = {
    { "redis://10.0.0.1:6380/2", "10.0.0.1", "", "", "", 6380, 2 },
    { "redis://cache", "cache", "", "", "", 6379, 0 },
    { "redis://cache/", "cache", "", "", "", 6379, 0 },
    { "redis://", "localhost", "", "", "", 6379, 0 },
    { "redis://:p%40ss@h:1", "h", "", "", "p@ss", 1, 0 },
    { "redis://me:a:b@h", "h", "", "me", "a:b", 6379, 0 },
    { "redis://me@h", "h", "", "me", "", 6379, 0 },
    { "redis://[::1]:6380/1", "::1", "", "", "", 6380, 1 },
    { "redis://[::1]", "::1", "", "", "", 6379, 0 },
    { "redis://h/3?protocol=3", "h", "", "", "", 6379, 3 },
    { "unix:///run/redis.sock", "", "/run/redis.sock", "", "", 6379, 0 },
    { "unix://:pw@/run/redis.sock?db=4", "", "/run/redis.sock", "", "pw", 6379, 4 },
};

static const char *const bad[] = { "",
                                   "h:6379",
                                   "http://h",
                                   "rediss://h",
                                   "redis://h:x",
                                   "redis://h:70000",
                                   "redis://h/x",
                                   "redis://[::1:6379",
                                   "redis://:%zz@h",
                                   "unix://",
                                   "redis://h/-1" };

static void test_good(void **state)
{
    struct arena *mem = arena_new(1024);

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct redis_url u;
        struct error err = { "" };

        if (redis_url_parse(mem, str_of(good[i].url), &u, &err) != OK)
            fail_msg("%s: %s", good[i].url, err.text);
        if (!str_is(u.host, good[i].host) || !str_is(u.path, good[i].path) || !str_is(u.user, good[i].user) ||
            !str_is(u.password, good[i].password) || u.port != good[i].port || u.db != good[i].db)
            fail_msg("%s: %.*s %.*s %.*s %.*s %d %d", good[i].url, STR(u.host), STR(u.path), STR(u.user),
                     STR(u.password), u.port, u.db);
    }
    arena_free(mem);
}

static void test_bad(void **state)
{
    struct arena *mem = arena_new(1024);

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct redis_url u;
        struct error err = { "" };

        if (redis_url_parse(mem, str_of(bad[i]), &u, &err) != INVALID)
            fail_msg("%s is taken", bad[i]);
    }
    arena_free(mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_good), cmocka_unit_test(test_bad) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
