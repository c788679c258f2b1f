/* test_tokens.c: tokens and the pieces made of them, against what tiktoken and LangChain made of the same texts with a small table (tokens.json). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/encode.h"
#include "lib/base/file.h"
#include "lib/rag/split.h"

#include <cmocka.h>

static struct arena *mem;
static json_object *recorded;
static struct token_table *table;

static int before(void **state)
{
    struct error err = { "" };
    struct str text;

    (void)state;
    mem = arena_new(1 << 20);
    if (file_read(mem, "cgi-test/unit/tokens.json", 1 << 24, &text, &err) != OK ||
        json_parse(mem, text, &recorded, &err) != OK ||
        token_table_read(mem, json_str(recorded, "table"), &table, &err) != OK)
        fail_msg("%s", err.text);
    return 0;
}

static int after(void **state)
{
    (void)state;
    arena_free(mem);
    return 0;
}

static void test_as_tiktoken(void **state)
{
    json_object *cases = json_get(recorded, "cases");

    (void)state;
    assert_true(json_length(cases) >= 40);
    JSON_EACH (cases, i, c) {
        struct rag_document doc = { .text = json_str(c, "text") };
        struct rag_documents out = { NULL, 0 };
        json_object *want = json_get(c, "pieces");
        size_t *ends, n = tokens_of(table, mem, doc.text, &ends);

        if ((int64_t)n != json_int(c, "tokens", -1))
            fail_msg("case %zu: want %lld tokens, got %zu", i, (long long)json_int(c, "tokens", -1), n);
        assert_int_equal(split_documents_by_tokens(mem, table, json_int(c, "size", 0), json_int(c, "overlap", 0),
                                                   (struct rag_documents){ &doc, 1 }, &out, NULL),
                         OK);
        for (size_t k = 0; k < out.n || k < json_length(want); k++) {
            json_object *piece = json_at(want, k);

            if (k >= out.n || !piece || !str_eq(out.v[k].text, json_str_value(json_at(piece, 0))) ||
                !json_same(json_get(out.v[k].metadata, "start_index"), json_at(piece, 1)))
                fail_msg("case %zu, piece %zu: want %s got \"%.*s\" %s", i, k, json_text(mem, piece).p,
                         STR(k < out.n ? out.v[k].text : S("(none)")),
                         k < out.n ? json_text(mem, out.v[k].metadata).p : "");
        }
    }
}

static void test_tables(void **state)
{
    static const char *const bad[] = { "no rank", "YQ== x", "YQ==", "!!! 1", "YQ== -1" };
    struct token_table *t;
    size_t *ends;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (token_table_read(mem, str_of(bad[i]), &t, NULL) != INVALID)
            fail_msg("%s", bad[i]);
    assert_int_equal(token_table_read(mem, S(""), &t, NULL), OK);
    assert_int_equal(tokens_of(t, mem, S("abc"), &ends), 3); /* every byte is one, then */
    assert_int_equal(tokens_of(t, mem, S(""), &ends), 0);
}

/* One word of megabytes ends in time. */
static void test_long_word(void **state)
{
    struct buf b = BUF(mem, STR_NPOS);
    int64_t start = mono_ms();
    size_t *ends, n;

    (void)state;
    for (int i = 0; i < 100000; i++)
        buf_add_c(&b, "lighthouse");
    n = tokens_of(table, mem, buf_str(&b), &ends);
    assert_true(n > 100000 && ends[n - 1] == b.n);
    assert_true(mono_ms() - start < 60000);
}

/* The table is looked for where tiktoken keeps it; a file that is not the table does not count as it. */
static void test_wrong_table(void **state)
{
    char folder[] = "/tmp/test_tokens.XXXXXX";
    const struct token_table *t;
    struct config *config;
    struct error err = { "" };
    const char *path;

    (void)state;
    assert_non_null(mkdtemp(folder));
    path = str_f(mem, "%s/9b5ad71b2ce5302211f9c61530b329a4922fc6a4", folder).p;
    assert_int_equal(file_write(path, S("YQ== 0\n"), 0600, NULL), OK);
    setenv("DATA_DIR", folder, 1);
    setenv("TIKTOKEN_CACHE_DIR", folder, 1);
    setenv("https_proxy", "http://127.0.0.1:1", 1); /* no download */
    assert_int_equal(config_open(&config, &err), OK);
    assert_int_equal(token_table_get(config, &t, &err), FAILED);
    assert_true(str_starts(str_of(err.text), "The table of tokens is not there"));
    config_close(config);
    assert_int_equal(remove(path), 0);
    assert_int_equal(remove(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_as_tiktoken), cmocka_unit_test(test_tables),
                                        cmocka_unit_test(test_long_word), cmocka_unit_test(test_wrong_table) };

    return cmocka_run_group_tests(tests, before, after);
}
