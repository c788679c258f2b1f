/* test_vectors.c: collections in the vector file: what is put in comes out, nearest first, from several processes. */
#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/rag/bm25.h"
#include "lib/rag/vectors.h"

#include <cmocka.h>

static struct config *config;
static char folder[] = "/tmp/test_vectors.XXXXXX";

static int set_up(void **state)
{
    struct error err = { "" };

    (void)state;
    if (!mkdtemp(folder))
        return -1;
    setenv("DATA_DIR", folder, 1);
    setenv("WEBUI_SECRET_KEY", "test", 1);
    if (config_open(&config, &err) != OK)
        fail_msg("%s", err.text);
    return 0;
}

static int tear_down(void **state)
{
    char path[200];

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof(path), "%s/vector_db/webui-fcgi.db%s", folder, (const char *[]){ "", "-wal", "-shm" }[i]);
        unlink(path);
    }
    snprintf(path, sizeof(path), "%s/vector_db", folder);
    rmdir(path);
    rmdir(folder);
    return 0;
}

static struct collection named(const char *name)
{
    return (struct collection){ S("u1"), str_of(name) };
}

static struct vector_item item(struct arena *mem, const char *id, const char *text, const char *hash)
{
    json_object *o = json_new_object(mem);

    json_set_c(o, "file_id", "f1");
    if (hash)
        json_set_c(o, "hash", hash);
    return (struct vector_item){ str_of(id), str_of(text), o };
}

static const float three[] = { 1, 0, 0, 10, 10, 0, 0, 0, -3 };

static void fill(struct arena *mem, const char *name, enum vector_mode mode)
{
    struct vector_item items[] = { item(mem, "a", "along x", "h1"), item(mem, "b", "between", "h2"),
                                   item(mem, "c", "down z", NULL) };
    struct error err = { "" };

    if (vectors_put(config, named(name), mode, items, three, 3, 3, &err) != OK)
        fail_msg("%s", err.text);
}

static size_t count(struct arena *mem, struct collection in)
{
    struct vector_hits hits = { NULL, 0 };

    return vectors_get(config, mem, in, NULL, STR_NONE, &hits, NULL) == OK ? hits.n : 0;
}

static void test_nothing_there(void **state)
{
    struct arena *mem = arena_new(4096);
    struct vector_hits hits;
    float one[] = { 1 };

    (void)state;
    assert_int_equal(vectors_exists(config, named("none"), NULL), NOT_FOUND);
    assert_int_equal(vectors_search(config, mem, named("none"), one, 1, 3, &hits, NULL), NOT_FOUND);
    assert_int_equal(vectors_get(config, mem, named("none"), NULL, STR_NONE, &hits, NULL), NOT_FOUND);
    assert_int_equal(vectors_drop(config, named("none"), NULL), NOT_FOUND);
    assert_int_equal(vectors_reset(config, NULL), OK);
    arena_free(mem);
}

static void test_search(void **state)
{
    static const struct {
        float query[3];
        size_t k;
        const char *ids[3];
        double cosines[3];
        size_t n;
    } cases[] = {
        { { 2, 0, 0 }, 2, { "a", "b" }, { 1, 0.70710678 }, 2 },
        { { 0, 5, 0 }, 1, { "b" }, { 0.70710678 }, 1 },
        { { 0, 0, 1 }, 9, { "a", "b", "c" }, { 0, 0, -1 }, 3 },
        { { 0, 0, 0 }, 1, { "a" }, { 0 }, 1 },
        { { 1, 0, 0 }, 0, { NULL }, { 0 }, 0 },
    };
    struct arena *mem = arena_new(4096);
    struct vector_hits hits;
    float two[] = { 1, 2 };

    (void)state;
    fill(mem, "search", VECTORS_ADD);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(vectors_search(config, mem, named("search"), cases[i].query, 3, cases[i].k, &hits, NULL), OK);
        assert_int_equal(hits.n, cases[i].n);
        for (size_t k = 0; k < hits.n; k++) {
            assert_true(str_is(hits.v[k].id, cases[i].ids[k]));
            assert_true(fabs(hits.v[k].cosine - cases[i].cosines[k]) < 1e-6);
        }
    }
    assert_int_equal(vectors_search(config, mem, named("search"), two, 2, 3, &hits, NULL), INVALID);
    arena_free(mem);
}

static void test_modes(void **state)
{
    struct arena *mem = arena_new(4096);
    struct vector_item changed = item(mem, "b", "changed", NULL);
    struct vector_hits hits;
    float two[] = { 1, 2 }, v[] = { 0, 1, 0 };

    (void)state;
    fill(mem, "modes", VECTORS_ADD);
    fill(mem, "modes", VECTORS_ADD);
    assert_int_equal(count(mem, named("modes")), 6);
    fill(mem, "modes", VECTORS_REPLACE);
    assert_int_equal(count(mem, named("modes")), 3);
    assert_int_equal(vectors_put(config, named("modes"), VECTORS_UPSERT, &changed, v, 1, 3, NULL), OK);
    assert_int_equal(vectors_get(config, mem, named("modes"), "id", S("b"), &hits, NULL), OK);
    assert_int_equal(hits.n, 1);
    assert_true(str_is(hits.v[0].text, "changed"));
    assert_int_equal(count(mem, named("modes")), 3);
    /* another length of vectors: refused, unless nothing of the old stays */
    assert_int_equal(vectors_put(config, named("modes"), VECTORS_ADD, &changed, two, 1, 2, NULL), INVALID);
    assert_int_equal(vectors_put(config, named("modes"), VECTORS_REPLACE, &changed, two, 1, 2, NULL), OK);
    assert_int_equal(count(mem, named("modes")), 1);
    arena_free(mem);
}

static void test_members(void **state)
{
    struct arena *mem = arena_new(4096);
    struct vector_hits hits;
    bool found;

    (void)state;
    fill(mem, "members", VECTORS_ADD);
    fill(mem, "others", VECTORS_ADD);
    assert_int_equal(vectors_get(config, mem, named("members"), "hash", S("h2"), &hits, NULL), OK);
    assert_int_equal(hits.n, 1);
    assert_true(str_is(hits.v[0].id, "b"));
    assert_string_equal(hits.v[0].metadata.p, "{\"file_id\":\"f1\",\"hash\":\"h2\"}");
    assert_int_equal(vectors_delete(config, named("members"), "hash", S("h2"), NULL), OK);
    assert_int_equal(count(mem, named("members")), 2);
    assert_int_equal(vectors_delete(config, named("members"), "file_id", S("f1"), NULL), OK);
    assert_int_equal(count(mem, named("members")), 0);
    assert_int_equal(vectors_exists(config, named("members"), NULL), OK);
    assert_int_equal(count(mem, named("others")), 3);
    assert_int_equal(vectors_delete_anywhere(config, S("others"), "hash", S("h1"), &found, NULL), OK);
    assert_true(found);
    assert_int_equal(count(mem, named("others")), 2);
    assert_int_equal(vectors_delete_anywhere(config, S("nobody's"), "hash", S("h1"), &found, NULL), OK);
    assert_false(found);
    arena_free(mem);
}

/* Two users' collections of one name have nothing to do with each other. */
static void test_owners(void **state)
{
    struct arena *mem = arena_new(4096);
    struct collection other = { S("u2"), S("mine") };
    struct vector_item one = item(mem, "z", "theirs", NULL);

    (void)state;
    fill(mem, "mine", VECTORS_ADD);
    assert_int_equal(vectors_exists(config, other, NULL), NOT_FOUND);
    assert_int_equal(vectors_put(config, other, VECTORS_ADD, &one, three, 1, 3, NULL), OK);
    assert_int_equal(count(mem, other), 1);
    assert_int_equal(vectors_drop_owner(config, S("u2"), NULL), OK);
    assert_int_equal(vectors_exists(config, other, NULL), NOT_FOUND);
    assert_int_equal(count(mem, named("mine")), 3);
    assert_int_equal(vectors_reset(config, NULL), OK);
    assert_int_equal(vectors_exists(config, named("mine"), NULL), NOT_FOUND);
    arena_free(mem);
}

/* Several processes, among them children of one that has the file open, write at the same time. */
static void test_processes(void **state)
{
    enum { PROCESSES = 4, EACH = 25 };
    struct arena *mem = arena_new(4096);
    int status;

    (void)state;
    fill(mem, "shared", VECTORS_ADD);
    for (int p = 0; p < PROCESSES; p++) {
        if (fork() == 0) {
            for (int i = 0; i < EACH; i++) {
                struct vector_item one = item(mem, "x", "child", NULL);

                if (vectors_put(config, named("shared"), VECTORS_ADD, &one, three, 1, 3, NULL) != OK)
                    _exit(1);
            }
            _exit(0);
        }
    }
    for (int p = 0; p < PROCESSES; p++) {
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    assert_int_equal(count(mem, named("shared")), 3 + PROCESSES * EACH);
    arena_free(mem);
}

/* Against a plain search; lengths that are no multiple of the vector registers. */
static void test_many(void **state)
{
    enum { N = 500, DIM = 37, K = 20 };
    struct arena *mem = arena_new(1 << 20);
    struct vector_item *items = arena_new_array(mem, struct vector_item, N);
    float *v = arena_new_array(mem, float, N *DIM);
    unsigned seed = 1;
    struct vector_hits hits;

    (void)state;
    for (int i = 0; i < N * DIM; i++)
        v[i] = (float)((seed = seed * 1103515245 + 12345) >> 16 & 0xFFF) / 2048 - 1;
    for (int i = 0; i < N; i++)
        items[i] = (struct vector_item){ str_f(mem, "%d", i), S("t"), NULL };
    assert_int_equal(vectors_put(config, named("many"), VECTORS_REPLACE, items, v, N, DIM, NULL), OK);
    assert_int_equal(vectors_search(config, mem, named("many"), v + 7 * DIM, DIM, K, &hits, NULL), OK);
    assert_int_equal(hits.n, K);
    assert_true(str_is(hits.v[0].id, "7"));
    for (size_t k = 0; k < K; k++) {
        double best = -2;

        for (int i = 0; i < N; i++) { /* the k-th best, by counting those that are better */
            double dot = 0, a = 0, b = 0;

            for (int d = 0; d < DIM; d++) {
                dot += (double)v[i * DIM + d] * v[7 * DIM + d];
                a += (double)v[i * DIM + d] * v[i * DIM + d];
                b += (double)v[7 * DIM + d] * v[7 * DIM + d];
            }
            dot /= sqrt(a * b);
            if ((k == 0 || dot < hits.v[k - 1].cosine - 1e-6) && dot > best)
                best = dot;
        }
        assert_true(fabs(best - hits.v[k].cosine) < 1e-5);
    }
    arena_free(mem);
}

/* The orders are those of rank_bm25 0.2.2, where texts differ; of equals the later comes first. */
static void test_bm25(void **state)
{
    static const char *const texts[] = { "the lighthouse keeper counts seven ships",
                                         "bread needs flour and water",
                                         "ships of the sea and the keeper",
                                         "seven seven seven ships sail",
                                         "a quiet walk along the river",
                                         "the the the" };
    static const struct {
        const char *question, *order;
    } cases[] = {
        { "seven ships", "305421" },  { "the keeper", "205431" },      { "flour", "154320" },
        { "nothing here", "543210" }, { "ships ships sea", "254310" }, { "", "543210" },
    };
    struct arena *mem = arena_new(4096);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bm25 *b = bm25_new(str_of(cases[i].question));
        char got[7] = "";
        int64_t *numbers;
        size_t n;

        for (int k = 0; k < 6; k++)
            bm25_add(b, k, str_of(texts[k]));
        n = bm25_best(b, mem, 6, &numbers);
        for (size_t k = 0; k < n; k++)
            got[k] = (char)('0' + numbers[k]);
        if (strcmp(got, cases[i].order) != 0)
            fail_msg("%s: want %s got %s", cases[i].question, cases[i].order, got);
        bm25_free(b);
    }
    arena_free(mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_there), cmocka_unit_test(test_search), cmocka_unit_test(test_modes),
        cmocka_unit_test(test_members),       cmocka_unit_test(test_owners), cmocka_unit_test(test_processes),
        cmocka_unit_test(test_many),          cmocka_unit_test(test_bm25),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
