/* test_split.c: pieces of texts, against what LangChain 0.3 made of the same texts (split.json), and what no size may do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/file.h"
#include "lib/rag/pytext.h"
#include "lib/rag/split.h"

#include <cmocka.h>

static void compare(struct arena *mem, json_object *c, size_t number, bool markdown)
{
    struct rag_document doc = { .text = json_str(c, "text") };
    struct rag_documents out = { NULL, 0 };
    json_object *want = json_get(c, markdown ? "markdown" : "characters");
    struct error err = { "" };

    if (!want)
        return;
    if (split_documents(mem, markdown ? SPLIT_MARKDOWN : SPLIT_CHARACTERS, json_int(c, "size", 0),
                        json_int(c, "overlap", 0), (struct rag_documents){ &doc, 1 }, &out, &err) != OK)
        fail_msg("case %zu: %s", number, err.text);
    for (size_t i = 0; i < out.n || i < json_length(want); i++) {
        json_object *piece = json_at(want, i);
        struct str text = i < out.n ? out.v[i].text : S("(none)");
        json_object *more = i < out.n ? json_get(out.v[i].metadata, markdown ? "headings" : "start_index") : NULL;

        if (i >= out.n || !piece || !str_eq(text, json_str_value(json_at(piece, 0))) ||
            !json_same(more, json_at(piece, 1)))
            fail_msg("case %zu, %s, piece %zu: want %s got \"%.*s\" %s", number, markdown ? "markdown" : "characters",
                     i, json_text(mem, piece).p, STR(text), json_text(mem, more).p);
    }
}

static void test_as_langchain(void **state)
{
    struct arena *mem = arena_new(1 << 20);
    struct str text;
    json_object *cases;
    size_t n;

    (void)state;
    assert_int_equal(file_read(mem, "cgi-test/unit/split.json", 1 << 24, &text, NULL), OK);
    assert_int_equal(json_parse(mem, text, &cases, NULL), OK);
    n = json_length(cases);
    assert_true(n >= 50);
    for (size_t i = 0; i < n; i++) {
        compare(mem, json_at(cases, i), i, false);
        compare(mem, json_at(cases, i), i, true);
    }
    arena_free(mem);
}

static void test_sizes(void **state)
{
    static const struct {
        int64_t size, overlap;
        const char *want;
    } cases[] = {
        { 0, 0, "chunk_size must be > 0, got 0" },
        { 5, -1, "chunk_overlap must be >= 0, got -1" },
        { 5, 6, "Got a larger chunk overlap (6) than chunk size (5), should be smaller." },
    };
    struct arena *mem = arena_new(4096);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rag_document doc = { .text = S("a b") };
        struct rag_documents out;
        struct error err = { "" };

        assert_int_equal(split_documents(mem, SPLIT_CHARACTERS, cases[i].size, cases[i].overlap,
                                         (struct rag_documents){ &doc, 1 }, &out, &err),
                         INVALID);
        assert_string_equal(err.text, cases[i].want);
    }
    arena_free(mem);
}

/* Each piece carries the metadata of its document, and does not change it. */
static void test_metadata(void **state)
{
    struct arena *mem = arena_new(4096);
    json_object *metadata = json_new_object(mem);
    struct rag_document docs[] = { { S("one two three"), metadata }, { S(""), NULL }, { S("four"), NULL } };
    struct rag_documents out;

    (void)state;
    json_set_c(metadata, "name", "n");
    assert_int_equal(split_documents(mem, SPLIT_CHARACTERS, 8, 0, (struct rag_documents){ docs, 3 }, &out, NULL), OK);
    assert_int_equal(out.n, 3);
    assert_string_equal(json_text(mem, out.v[1].metadata).p, "{\"name\":\"n\",\"start_index\":8}");
    assert_string_equal(json_text(mem, out.v[2].metadata).p, "{\"start_index\":0}");
    assert_string_equal(json_text(mem, metadata).p, "{\"name\":\"n\"}");
    arena_free(mem);
}

/* A text without any place to cut must not take more than a little time and memory. */
static void test_large(void **state)
{
    struct arena *mem = arena_new(4096);
    struct buf b = BUF(mem, STR_NPOS);
    struct rag_document doc;
    struct rag_documents out;

    (void)state;
    for (int i = 0; i < 2000000; i++)
        buf_add_char(&b, 'x');
    doc = (struct rag_document){ buf_str(&b), NULL };
    assert_int_equal(split_documents(mem, SPLIT_CHARACTERS, 1000, 100, (struct rag_documents){ &doc, 1 }, &out, NULL),
                     OK);
    assert_int_equal(out.n, 2223);
    assert_true(arena_bytes(mem) < 16u << 20);
    arena_free(mem);
}

static void test_repr(void **state)
{
    static const struct {
        const char *json, *want;
    } cases[] = {
        { "{\"engine\":\"openai\",\"n\":1,\"t\":true,\"x\":null}",
          "{'engine': 'openai', 'n': 1, 't': True, 'x': None}" },
        { "[\"it's\", \"\\\"\", \"it's \\\"\", \"a\\\\b\\n\"]", "[\"it's\", '\"', 'it\\'s \"', 'a\\\\b\\n']" },
        { "[\"\\u00a0\\u0001 é\", 1.5, [], {}]", "['\\xa0\\x01 é', 1.5, [], {}]" },
    };
    struct arena *mem = arena_new(4096);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct str got = py_repr(mem, json_parse_or_null(mem, str_of(cases[i].json)));

        if (!str_is(got, cases[i].want))
            fail_msg("%s: want %s got %.*s", cases[i].json, cases[i].want, STR(got));
    }
    assert_true(str_is(py_strip(S(" \t\u3000a b\u00a0\u2003\n")), "a b"));
    assert_int_equal(py_strip(S(" \u00a0 ")).n, 0);
    arena_free(mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_langchain), cmocka_unit_test(test_sizes), cmocka_unit_test(test_metadata),
        cmocka_unit_test(test_large),        cmocka_unit_test(test_repr),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
