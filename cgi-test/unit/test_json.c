/* test_json.c: what json_parse accepts, what it refuses, how values print, and the scanner. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "lib/json/json.h"

static void test_parse(void **state)
{
    static const struct {
        const char *label, *in, *want;
    } cases[] = {
        /* want NULL: refused */
        { "object", "{\"a\": [1, 2.5, true, null, \"x\"]}", "{\"a\":[1,2.5,true,null,\"x\"]}" },
        { "bare number", "123", "123" },
        { "bare negative", "-7", "-7" },
        { "null", "null", "null" },
        { "white space around", " \n{} \t", "{}" },
        { "trailing text", "{} x", NULL },
        { "two values", "{}{}", NULL },
        { "empty", "", NULL },
        { "only space", "  ", NULL },
        { "single quotes", "{'a':1}", NULL },
        { "trailing comma", "[1,]", NULL },
        { "comment", "{/*x*/}", NULL },
        { "NaN", "[NaN]", NULL },
        { "Infinity", "[Infinity]", NULL },
        { "-Infinity", "[-Infinity]", NULL },
        { "the word NaN in a string", "[\"NaN Infinity\"]", "[\"NaN Infinity\"]" },
        { "overflowing exponent stays text", "[1e999]", "[1e999]" },
        { "leading zero", "[01]", NULL },
        { "plus sign", "[+1]", NULL },
        { "upper case literal", "[TRUE]", NULL },
        { "control character in a string", "[\"a\nb\"]", NULL },
        { "escapes", "[\"\\n\\t\\u00e9\\\"\"]", "[\"\\n\\t\xc3\xa9\\\"\"]" },
        { "pair of surrogates", "[\"\\ud83d\\ude00\"]", "[\"\xf0\x9f\x98\x80\"]" },
        { "lone surrogate", "[\"\\ud83d\"]", "[\"\xef\xbf\xbd\"]" },
        { "invalid UTF-8", "[\"\xff\"]", NULL },
        { "slash stays", "[\"a/b\"]", "[\"a/b\"]" },
        { "duplicate key: the last", "{\"a\":1,\"a\":2}", "{\"a\":2}" },
        { "int64 limits", "[9223372036854775807,-9223372036854775808]", "[9223372036854775807,-9223372036854775808]" },
        { "nanoseconds stay whole", "[1795846021089413673,-1795846021089413673]",
          "[1795846021089413673,-1795846021089413673]" },
        { "just beyond 64 bits", "[9223372036854775808,-9223372036854775809]",
          "[9223372036854775808e0,-9223372036854775809e0]" },
        { "beyond 64 bits", "[123456789012345678901234567890]", "[123456789012345678901234567890e0]" },
        { "long digits in a string", "[\"12345678901234567890123\"]", "[\"12345678901234567890123\"]" },
        { "long fraction", "[0.12345678901234567890123]", "[0.12345678901234567890123]" },
        { "broken off", "{\"a\":", NULL },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct arena *mem = arena_new(1024);
        json_object *o = NULL;
        struct error err = { "" };
        enum status st = json_parse(mem, str_of(cases[i].in), &o, &err);

        if ((st == OK) != (cases[i].want != NULL))
            fail_msg("%s: status %d (%s)", cases[i].label, st, err.text);
        if (st == OK && !str_is(json_text(mem, o), cases[i].want))
            fail_msg("%s: got %s", cases[i].label, json_text(mem, o).p);
        arena_free(mem);
    }
}

static void test_depth(void **state)
{
    struct arena *mem = arena_new(1024);
    struct buf deep = BUF(mem, 1 << 20);
    json_object *o = NULL;

    (void)state;
    for (int i = 0; i < 10000; i++)
        buf_add_char(&deep, '[');
    assert_int_equal(json_parse(mem, buf_str(&deep), &o, NULL), INVALID);
    arena_free(mem);
}

static void test_double(void **state)
{
    static const struct {
        double v;
        const char *want;
    } cases[] = {
        { 1, "1.0" },
        { 0.1, "0.1" },
        { 0.7, "0.7" },
        { 1e16, "1e+16" },
        { 123456.789, "123456.789" },
        { 1e-5, "1e-05" },
        { 0.0001, "0.0001" },
        { -2.5, "-2.5" },
        { 100000000000, "100000000000.0" },
        { 0, "0.0" },
        { 1.0 / 3, "0.3333333333333333" },
        { 1e22, "1e+22" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct arena *mem = arena_new(256);

        assert_string_equal(json_text(mem, json_new_double(mem, cases[i].v)).p, cases[i].want);
        arena_free(mem);
    }
}

static void test_members(void **state)
{
    struct arena *mem = arena_new(1024);
    json_object *o = json_new_object(mem), *copy;

    (void)state;
    json_set_str(o, "a", S("x"));
    json_set_raw(o, "doc", S("{\"big\": [1]}"));
    json_set_null(o, "n");
    json_set_int(o, "i", 5);
    copy = json_clone(mem, o);
    json_set_str(o, "a", S("y"));
    assert_string_equal(json_text(mem, o).p, "{\"a\":\"y\",\"doc\":{\"big\": [1]},\"n\":null,\"i\":5}");
    assert_string_equal(json_text(mem, copy).p, "{\"a\":\"x\",\"doc\":{\"big\": [1]},\"n\":null,\"i\":5}");
    assert_true(json_has(o, "n"));
    assert_false(json_has(o, "zzz"));
    assert_int_equal(json_int(o, "i", 0), 5);
    assert_null(json_str(o, "i").p);
    assert_null(json_get(NULL, "x"));
    arena_free(mem);
}

static void test_each(void **state)
{
    struct arena *mem = arena_new(1024);
    json_object *list = json_parse_or_null(mem, S("[1,2,3,4,5]"));
    int64_t sum = 0;

    (void)state;
    JSON_EACH (list, i, item) {
        if (i == 1)
            continue;
        if (i == 3)
            break;
        sum += json_object_get_int64(item);
    }
    assert_int_equal(sum, 4);
    JSON_EACH (NULL, i, item)
        fail_msg("an item of nothing: %p", (void *)item);
    JSON_EACH (json_parse_or_null(mem, S("[]")), i, item)
        fail_msg("an item of an empty list: %p", (void *)item);
    arena_free(mem);
}

static void test_scan(void **state)
{
    static const struct {
        const char *label, *in, *key, *want;
        enum status st;
    } cases[] = {
        { "first", "{\"a\": 1, \"b\": 2}", "a", "1", OK },
        { "last", "{\"a\":1,\"b\":[{\"b\":3}]}", "b", "[{\"b\":3}]", OK },
        { "string with braces", "{\"x\":\"}\\\"{\",\"b\":\"q\"}", "b", "\"q\"", OK },
        { "inner keys do not count", "{\"x\":{\"b\":1}}", "b", "", NOT_FOUND },
        { "backslashes before the quote", "{\"x\":\"\\\\\",\"b\":null}", "b", "null", OK },
        { "empty", "{}", "b", "", NOT_FOUND },
        { "no object", "[1]", "b", "", INVALID },
        { "broken", "{\"a\":\"x", "b", "", INVALID },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct str v = S("");

        if (json_scan_member(str_of(cases[i].in), cases[i].key, &v) != cases[i].st || !str_is(v, cases[i].want))
            fail_msg("%s: got %.*s", cases[i].label, STR(v));
    }
}

static void test_text_changes(void **state)
{
    static const struct {
        const char *label, *in, *changes, *want;
    } merges[] = {
        { "replaced in place, added behind", "{\"a\": 1, \"b\": [2], \"c\":\"x\"}", "{\"d\":4,\"b\":{}}",
          "{\"a\": 1, \"b\": {}, \"c\": \"x\", \"d\": 4}" },
        { "empty object", "{}", "{\"d\":\"\\u00e9\"}", "{\"d\": \"\xc3\xa9\"}" },
        { "no object", "null", "{\"d\":1}", "{\"d\": 1}" },
        { "no changes", "{\"a\":1}", "{}", "{\"a\": 1}" },
        { "null value", "{\"a\":1}", "{\"a\":null}", "{\"a\": null}" },
    };
    static const struct {
        const char *in, *want;
    } sets[] = {
        { "{\"k\": {\"k\":1}, \"z\":2}", "{\"k\": NEW, \"z\":2}" },
        { "{\"z\":2}", "{\"z\":2, \"k\": NEW}" },
        { "{}", "{\"k\": NEW}" },
        { "", "{\"k\": NEW}" },
        { "{\"z\":2 } ", "{\"z\":2, \"k\": NEW}" },
    };
    struct arena *mem = arena_new(1024);

    (void)state;
    for (size_t i = 0; i < sizeof(merges) / sizeof(merges[0]); i++) {
        struct str got = json_text_merged(mem, str_of(merges[i].in),
                                          json_parse_or_null(mem, str_of(merges[i].changes)));

        if (!str_is(got, merges[i].want))
            fail_msg("%s: got %s", merges[i].label, got.p);
    }
    for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
        assert_string_equal(json_text_with(mem, str_of(sets[i].in), "k", S("NEW")).p, sets[i].want);
    arena_free(mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_text_changes), cmocka_unit_test(test_each),
                                        cmocka_unit_test(test_parse),        cmocka_unit_test(test_depth),
                                        cmocka_unit_test(test_double),       cmocka_unit_test(test_members),
                                        cmocka_unit_test(test_scan) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
