/* test_chroma.c: what lies in Chroma's files is found: in the queue, in the index, and who it belongs to. */
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "lib/base/file.h"
#include "lib/db/migrate.h"
#include "lib/rag/chroma.h"
#include "lib/rag/chroma_index.h"

#include <cmocka.h>

#define SEGMENT "11111111-1111-4111-8111-111111111111"
#define META "22222222-2222-4222-8222-222222222222"
#define ID "33333333-3333-4333-8333-333333333333"

static struct arena *mem;
static struct config *config;
static struct db *db;
static char folder[] = "/tmp/test_chroma.XXXXXX";

static int before(void **state)
{
    struct error err = { "" };
    struct schema s;

    (void)state;
    mem = arena_new(64 * 1024);
    if (!mkdtemp(folder))
        return -1;
    setenv("DATA_DIR", folder, 1);
    setenv("WEBUI_SECRET_KEY", "test", 1);
    if (config_open(&config, &err) != OK || db_open(str_f(mem, "sqlite:///%s/webui.db", folder).p, &db, &err) != OK ||
        migrate_up(db, mem, &s, &err) != OK ||
        dir_make(str_f(mem, "%s/vector_db/" SEGMENT, folder).p, 0700, &err) != OK)
        fail_msg("%s", err.text);
    return 0;
}

static int after(void **state)
{
    (void)state;
    db_close(db);
    if (system(str_f(mem, "rm -r %s", folder).p) != 0)
        return -1;
    arena_free(mem);
    return 0;
}

/* ---- the files that Chroma 1.0 writes, as small as they go */

static void write_sqlite(void)
{
    static const char schema[] =
        "CREATE TABLE collections (id TEXT, name TEXT, dimension INTEGER, database_id TEXT, config_json_str TEXT);"
        "CREATE TABLE segments (id TEXT, type TEXT, scope TEXT, collection TEXT);"
        "CREATE TABLE embeddings (id INTEGER PRIMARY KEY, segment_id TEXT, embedding_id TEXT, seq_id BLOB);"
        "CREATE TABLE embedding_metadata (id INTEGER, key TEXT, string_value TEXT, int_value INTEGER, float_value "
        "REAL, bool_value INTEGER);"
        "CREATE TABLE embeddings_queue (seq_id INTEGER PRIMARY KEY, operation INTEGER, topic TEXT, id TEXT, vector "
        "BLOB, encoding TEXT, metadata TEXT);"
        "INSERT INTO collections VALUES ('" ID "', 'file-1', 2, 'd', '{}'), ('" META
        "', 'a-page', 2, 'd', '{}'), ('x', 'file-empty', NULL, 'd', '{}');"
        "INSERT INTO segments VALUES ('" SEGMENT "', 't', 'VECTOR', '" ID "'), ('" META "', 't', 'METADATA', '" ID "'),"
        " ('" SEGMENT "', 't', 'VECTOR', '" META "'), ('" ID "', 't', 'METADATA', '" META "');"
        "INSERT INTO embeddings VALUES (1, '" META "', 'indexed', 1), (2, '" META "', 'queued', 2), (3, '" META
        "', 'lost', 3), (4, '" ID "', 'p', 4);"
        "INSERT INTO embedding_metadata VALUES (1, 'chroma:document', 'from the index', NULL, NULL, NULL),"
        " (1, 'n', NULL, 7, NULL, NULL), (1, 'f', NULL, NULL, 1.5, NULL), (1, 'b', NULL, NULL, NULL, 1),"
        " (2, 'chroma:document', 'from the queue', NULL, NULL, NULL), (2, 'hash', 'h', NULL, NULL, NULL), (3, 'n', "
        "NULL, 1, NULL, NULL);"
        "INSERT INTO embeddings_queue VALUES (1, 0, 'persistent://default/default/" ID
        "', 'queued', x'0000803f00000000', 'FLOAT32', '{}'),"
        " (2, 2, 'persistent://default/default/" ID "', 'queued', x'000000000000803f', 'FLOAT32', '{}'),"
        " (3, 2, 'persistent://default/default/" ID "', 'queued', NULL, NULL, '{}'),"
        " (4, 0, 'persistent://default/default/" ID "', 'lost', x'00', 'FLOAT32', '{}'),"
        " (5, 0, 'persistent://default/default/other', 'lost', x'0000803f00000000', 'FLOAT32', '{}');";
    sqlite3 *s = NULL;

    assert_int_equal(sqlite3_open(str_f(mem, "%s/vector_db/chroma.sqlite3", folder).p, &s), SQLITE_OK);
    if (sqlite3_exec(s, schema, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s", sqlite3_errmsg(s));
    sqlite3_close(s);
}

static void add_number(struct buf *b, uint64_t v, int bytes)
{
    for (int i = 0; i < bytes; i++)
        buf_add_char(b, i < 8 ? (char)(v >> 8 * i) : 0);
}

static void write_index(const char *name, struct buf *b)
{
    assert_int_equal(file_write(str_f(mem, "%s/vector_db/" SEGMENT "/%s", folder, name).p, buf_str(b), 0600, NULL), OK);
    buf_reset(b);
}

#define PICKLE                                                                                                       \
    "\x80\x03}(X\x0e\0\0\0dimensionalityNX\x0b\0\0\0id_to_label}(X\x07\0\0\0indexedJ\x09\0\0\0uX\x0b\0\0\0label_to_" \
    "id}("                                                                                                           \
    "J\x09\0\0\0X\x07\0\0\0indexedJ\x03\0\0\0X\x04\0\0\0goneuX\x0c\0\0\0id_to_seq_id}u."

/* Two elements with room for 4 bytes of links, two numbers and a label. */
static void write_files(void)
{
    static const float vectors[2][2] = { { 0, -1 }, { 3, 0 } };
    struct buf b = BUF(mem, 4096);

    add_number(&b, 1, 4);
    for (size_t i = 0; i < 6; i++)
        add_number(&b, (const uint64_t[]){ 0, 100, 2, 20, 12, 4 }[i], 8);
    add_number(&b, 0, 48);
    write_index("header.bin", &b);
    for (size_t i = 0; i < 2; i++) {
        add_number(&b, 0, 4);
        buf_add(&b, vectors[i], sizeof(vectors[i]));
        add_number(&b, (const uint64_t[]){ 3, 9 }[i], 8);
    }
    write_index("data_level0.bin", &b);
    buf_add(&b, PICKLE, sizeof(PICKLE) - 1);
    write_index("index_metadata.pickle", &b);
}

static void test_import(void **state)
{
    struct chroma_counts n;
    struct vector_hits hits;
    struct error err = { "" };
    const float down[] = { 0, 1 }, right[] = { 1, 0 };
    struct collection c = { S(""), S("file-1") };

    (void)state;
    assert_int_equal(chroma_import(config, db, &n, &err), NOT_FOUND);
    write_sqlite();
    write_files();
    if (chroma_import(config, db, &n, &err) != OK)
        fail_msg("%s", err.text);
    assert_int_equal(n.collections, 1);
    assert_int_equal(n.items, 2);
    assert_int_equal(n.without_vector, 1);
    assert_int_equal(n.without_owner, 1);
    assert_int_equal(vectors_search(config, mem, c, down, 2, 1, &hits, NULL), OK);
    assert_true(str_is(hits.v[0].id, "queued"));
    assert_true(hits.v[0].cosine > 0.999);
    assert_string_equal(hits.v[0].metadata.p, "{\"hash\":\"h\"}");
    assert_int_equal(vectors_search(config, mem, c, right, 2, 1, &hits, NULL), OK);
    assert_true(str_is(hits.v[0].text, "from the index"));
    assert_true(hits.v[0].cosine > 0.999);
    assert_string_equal(hits.v[0].metadata.p, "{\"b\":true,\"f\":1.5,\"n\":7}");
    assert_int_equal(chroma_import(config, db, &n, &err), OK); /* nothing twice */
    assert_int_equal(n.collections, 0);
    assert_int_equal(n.there_already, 1);
}

static void count(struct str id, int64_t label, void *arg)
{
    (void)id;
    *(int64_t *)arg += label;
}

/* Broken files cost their vectors, not more. */
static void test_broken_files(void **state)
{
    static const char *const names[] = { "header.bin", "data_level0.bin", "index_metadata.pickle" };
    struct str whole, pickle = str_n(PICKLE, sizeof(PICKLE) - 1);
    struct chroma_counts n;
    int64_t sum;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        const char *path = str_f(mem, "%s/vector_db/" SEGMENT "/%s", folder, names[i]).p;

        assert_int_equal(file_read(mem, path, 4096, &whole, NULL), OK);
        for (size_t cut = 0; cut < whole.n; cut += 5) {
            assert_int_equal(file_write(path, str_sub(whole, 0, cut), 0600, NULL), OK);
            vectors_reset(config, NULL);
            assert_int_equal(chroma_import(config, db, &n, NULL), OK);
            assert_true(n.items == 1 || n.items == 2);
        }
        assert_int_equal(file_write(path, whole, 0600, NULL), OK);
    }
    for (size_t cut = 0; cut <= pickle.n; cut++) {
        sum = 0;
        chroma_read_labels(str_sub(pickle, 0, cut), count, &sum);
        assert_true(sum == 0 || sum == 9);
    }
    sum = 0;
    chroma_read_labels(S("id_to_label}(X\xff\xff\xff\xffxJ"), count, &sum);
    assert_int_equal(sum, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_import), cmocka_unit_test(test_broken_files) };

    return cmocka_run_group_tests(tests, before, after);
}
