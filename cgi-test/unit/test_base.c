/* test_base.c: arena, strings, buffers, encodings, durations, shared counters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "lib/base/clock.h"
#include "lib/base/encode.h"
#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/random.h"
#include "lib/base/shared.h"

#include <unistd.h>

static void count(void *n)
{
    ++*(int *)n;
}

static void test_arena(void **state)
{
    struct arena *mem = arena_new(300);
    struct arena_mark mark;
    int ended = 0;
    char *a, *b;

    (void)state;
    a = arena_alloc(mem, 10);
    memset(a, 'a', 10);
    b = arena_grow(mem, a, 10, 2000); /* moves to a new block */
    assert_memory_equal(b, "aaaaaaaaaa", 10);
    mark = arena_mark(mem);
    arena_at_end(mem, count, &ended);
    for (int i = 0; i < 100; i++)
        memset(arena_alloc(mem, 5000), i, 5000);
    arena_rewind(mem, mark);
    assert_int_equal(ended, 1);
    arena_at_end(mem, count, &ended);
    arena_reset(mem);
    assert_int_equal(ended, 2);
    assert_true(arena_bytes(mem) <= 300);
    arena_free(mem);
}

static void test_numbers(void **state)
{
    static const struct {
        const char *in;
        bool ok;
        int64_t want;
    } cases[] = {
        { "0", true, 0 },
        { "-12", true, -12 },
        { "+7", true, 7 },
        { "9223372036854775807", true, INT64_MAX },
        { "-9223372036854775808", true, INT64_MIN },
        { "9223372036854775808", false, 0 },
        { "", false, 0 },
        { "-", false, 0 },
        { "1x", false, 0 },
        { " 1", false, 0 },
        { "0x10", false, 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t v = 0;
        bool ok = str_to_i64(str_of(cases[i].in), &v);

        if (ok != cases[i].ok || v != cases[i].want)
            fail_msg("\"%s\": %d %lld", cases[i].in, ok, (long long)v);
    }
}

static void test_strings(void **state)
{
    struct arena *mem = arena_new(1024);
    struct str rest = S("a,,b"), piece;
    int n = 0;

    (void)state;
    while (str_split(&rest, ',', &piece))
        n++;
    assert_int_equal(n, 3);
    assert_true(str_is(str_trim(S(" \t x y \n")), "x y"));
    assert_true(str_is(str_lower(mem, S("\xc3\x84\xd0\x96 ABC \xce\xa9")), "\xc3\xa4\xd0\xb6 abc \xcf\x89"));
    assert_true(str_is(str_replace(mem, S("aXbXc"), S("X"), S("--")), "a--b--c"));
    assert_true(str_is(str_utf8_first(S("\xc3\xa4\xc3\xb6x"), 2), "\xc3\xa4\xc3\xb6"));
    assert_true(str_equal_secret(S("abc"), S("abc")));
    assert_false(str_equal_secret(S("abc"), S("abd")));
    assert_false(str_equal_secret(S("abc"), S("ab")));
    assert_false(str_equal_secret(S(""), S("ab")));
    assert_int_equal(str_find(S("hello"), S("lo")), 3);
    assert_true(str_utf8_valid(S("abcdefgh\xf0\x9f\x98\x80")));
    assert_false(str_utf8_valid(S("abcdefgh\xed\xa0\x80")));
    assert_false(str_utf8_valid(S("abcdefg\xc0\xaf")));
    arena_free(mem);
}

static void test_buf(void **state)
{
    struct arena *mem = arena_new(64);
    struct buf b = BUF(mem, 10), heap = BUF(NULL, 100);

    (void)state;
    buf_addf(&b, "%d-%s", 12, "ab");
    assert_string_equal(b.p, "12-ab");
    buf_add_c(&b, "too much text");
    assert_true(buf_failed(&b));
    buf_add_char(&b, 'x');
    assert_string_equal(b.p, "12-ab");
    buf_add_json_string(&heap, S("a\"\\\n\x01\xc3\xa4"));
    assert_string_equal(heap.p, "\"a\\\"\\\\\\n\\u0001\xc3\xa4\"");
    buf_drop_front(&heap, 1);
    assert_string_equal(heap.p, "a\\\"\\\\\\n\\u0001\xc3\xa4\"");
    buf_free(&heap);
    arena_free(mem);
}

static void test_encodings(void **state)
{
    static const struct {
        const char *in, *want;
    } urls[] = {
        { "a%20b", "a b" }, { "%", NULL },    { "%4", NULL }, { "%zz", NULL },
        { "%41", "A" },     { "a+b", "a b" }, { "", "" },     { "x%41%", NULL },
    };
    struct arena *mem = arena_new(1024);
    struct str s;

    (void)state;
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        bool ok = url_decode(mem, str_of(urls[i].in), true, &s);

        if (ok != (urls[i].want != NULL) || (ok && !str_is(s, urls[i].want)))
            fail_msg("%s", urls[i].in);
    }
    assert_true(str_is(base64_encode(mem, S("foob")), "Zm9vYg=="));
    assert_true(base64_decode(mem, S("Zm9vYg=="), &s) && str_is(s, "foob"));
    assert_true(base64_decode(mem, S("Zm9vYg"), &s) && str_is(s, "foob"));
    assert_false(base64_decode(mem, S("Zm9vY"), &s));
    assert_false(base64_decode(mem, S("Zm 9"), &s));
    assert_true(str_is(base64url_encode(mem, S("\xff\xfe")), "__4"));
    assert_true(str_is(url_encode(mem, S("a b/\xc3\xa4~")), "a%20b%2F%C3%A4~"));
    assert_true(str_is(sha256_hex(mem, S("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
    assert_true(uuid_valid(random_uuid(mem)));
    assert_false(uuid_valid(S("not-a-uuid")));
    arena_free(mem);
}

static void test_durations(void **state)
{
    static const struct {
        const char *in;
        bool ok, forever;
        int64_t ms;
    } cases[] = {
        { "4w", true, false, 2419200000 }, { "-1", true, true, 0 },           { "0", true, true, 0 },
        { "1.5h", true, false, 5400000 },  { "1h30m", true, false, 5400000 }, { "10ms", true, false, 10 },
        { "", false, false, 0 },           { "5", false, false, 0 },          { "x", false, false, 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t ms = 0;
        bool forever = false, ok = duration_parse(str_of(cases[i].in), &ms, &forever);

        if (ok != cases[i].ok || forever != cases[i].forever || (ok && ms != cases[i].ms))
            fail_msg("\"%s\": %d %d %lld", cases[i].in, ok, forever, (long long)ms);
    }
}

static void test_shared(void **state)
{
    char dir[] = "/tmp/test-shared-XXXXXX", path[64];
    uint64_t was;

    (void)state;
    assert_non_null(mkdtemp(dir));
    assert_int_equal(shared_open(dir, NULL), OK);
    was = counter_read(COUNTER_USERS);
    counter_bump(COUNTER_USERS);
    assert_true(counter_read(COUNTER_USERS) == was + 1);
    assert_int_equal(shared_window(S("a@b"), 1000, 1), 1);
    assert_int_equal(shared_window(S("a@b"), 1000, 1), 2);
    assert_int_equal(shared_window(S("other"), 1000, 0), 0);
    snprintf(path, sizeof(path), "%s/counters", dir);
    unlink(path);
    rmdir(dir);
}

static void test_files(void **state)
{
    char dir[] = "/tmp/test-files-XXXXXX", path[64];
    struct arena *mem = arena_new(64);
    struct error err = { "" };
    struct str s;

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/f", dir);
    assert_int_equal(file_read(mem, path, 100, &s, &err), NOT_FOUND);
    assert_int_equal(file_write(path, S("hello"), 0600, &err), OK);
    assert_int_equal(file_read(mem, path, 100, &s, &err), OK);
    assert_true(str_is(s, "hello"));
    assert_int_equal(file_read(mem, path, 5, &s, &err), OK);
    assert_int_equal(file_read(mem, path, 4, &s, &err), TOO_BIG);
    unlink(path);
    rmdir(dir);
    arena_free(mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arena),  cmocka_unit_test(test_numbers),   cmocka_unit_test(test_strings),
        cmocka_unit_test(test_buf),    cmocka_unit_test(test_encodings), cmocka_unit_test(test_durations),
        cmocka_unit_test(test_shared), cmocka_unit_test(test_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
