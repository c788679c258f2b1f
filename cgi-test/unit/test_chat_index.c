/* test_chat_index.c: lib/search/chat_index: whatever state the index is in, a search finds what the database finds; on SQLite, and on PostgreSQL
 * when TEST_DATABASE_URL names one (a database where we may make schemas). */
#include "lib/search/chat_index.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/db/migrate.h"

enum { CHATS = 2500, LONG_AGO = 1700000000 };

static const char *postgres_url; /* NULL: the group runs on SQLite */
static char folder[64], place[128], schema[64];
static struct db *db;
static struct arena *mem;
static struct error err;

static int open_all(void **state)
{
    struct schema s;

    (void)state;
    mem = arena_new(1024);
    snprintf(folder, sizeof(folder), "/tmp/test-chat-index-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(place, sizeof(place), "sqlite:///%s/webui.db", folder);
    snprintf(schema, sizeof(schema), "test_index_%d", (int)getpid());
    if (db_open(postgres_url ? postgres_url : place, &db, &err) != OK)
        fail_msg("%s", err.text);
    if (postgres_url)
        db_set_schema(db, str_of(schema));
    if (migrate_up(db, mem, &s, &err) != OK)
        fail_msg("%s", err.text);
    return 0;
}

static int close_all(void **state)
{
    char command[128];

    (void)state;
    if (postgres_url)
        db_script(db, str_f(mem, "DROP SCHEMA IF EXISTS %s CASCADE", schema).p, NULL);
    db_close(db);
    arena_free(mem);
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    return system(command);
}

/* Numbers in words: common ones, and one of its own. */
static void put(int i, const char *more, int64_t updated_at)
{
    struct str message = str_f(mem, "the answer number%d is %s, \\u00dcber \\\"%s\\\"", i % 50, i % 7 ? "odd" : "even",
                               more);
    struct chat c = { .id = str_f(mem, "chat-%d", i),
                      .user_id = S("u"),
                      .title = str_f(mem, "Title %d", i),
                      .document = str_f(mem, "{\"messages\":[{\"content\":\"Question %d?\"},{\"content\":\"%.*s\"}]}",
                                        i, STR(message)),
                      .meta = S("{}"),
                      .created_at = LONG_AGO,
                      .updated_at = updated_at,
                      .archived = i % 11 == 0 };

    assert_int_equal(chat_insert(db, &c), DB_ROW);
}

static void fill(void)
{
    assert_int_not_equal(db_begin(db), DB_ERROR);
    for (int i = 0; i < CHATS; i++)
        put(i, i == 5 ? "needle" : "hay", LONG_AGO + i);
    assert_int_not_equal(db_commit(db), DB_ERROR);
}

/* The same as the database says, for a number of texts and pages; whether the index said that it is stale. */
static bool compare(void)
{
    static const char *const texts[] = { "needle",    "number7 ",       "hay",           "even, \xc3\xbc",
                                         "title 5",   "question 1234?", "nothing of it", "\"hay\"",
                                         "ne",        "neew",           "late",          "über",
                                         "r49 is odd" };
    bool stale = false;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        for (int page = 0; page < 2; page++)
            for (int archived = -1; archived <= 1; archived += 2) {
                struct chat_search s = { .text = str_of(texts[i]),
                                         .tag_ids = S("[]"),
                                         .folder_ids = S("[]"),
                                         .archived = archived,
                                         .pinned = -1,
                                         .shared = -1,
                                         .skip = 60 * page,
                                         .limit = 60 };
                struct chat_titles want, got;
                bool is_stale;

                print_message("  %s, page %d\n", texts[i], page);
                assert_int_not_equal(chat_titles_search(db, mem, S("u"), &s, &want), DB_ERROR);
                assert_int_not_equal(chat_search(db, mem, folder, S("u"), &s, &got, &is_stale), DB_ERROR);
                assert_int_equal(got.n, want.n);
                for (size_t k = 0; k < want.n; k++)
                    assert_true(str_eq(got.v[k].id, want.v[k].id));
                stale |= is_stale;
            }
    return stale;
}

static void update(void)
{
    bool finished = false;

    for (int i = 0; i < 100 && !finished; i++)
        if (chat_index_update(db, folder, S("u"), 100, &finished, &err) != OK)
            fail_msg("%s", err.text);
    assert_true(finished);
}

static void test_it_finds_what_the_database_finds(void **state)
{
    (void)state;
    assert_false(compare());
    fill();
    assert_true(compare()); /* there is none */
    update();
    assert_false(compare());
    put(CHATS, "late", now_s() - 10); /* new ones need not be in it */
    assert_int_equal(db_exec(db, "DELETE FROM chat WHERE id = 'chat-5' OR id = 'chat-6'", NO_ARGS, NULL), DB_ROW);
    assert_false(compare());
    assert_int_equal(chat_toggle_archived(db, S("chat-57"), now_s() - 5), DB_ROW);
    assert_int_equal(chat_set_document(db, S("chat-64"), S("Neew title"),
                                       S("{\"messages\":[{\"content\":\"needle\"}]}"), now_s()),
                     DB_ROW);
    assert_false(compare());
    for (int i = 1; i < 200; i++) /* it falls behind */
        put(CHATS + i, "late", now_s() + i);
    assert_true(compare());
    chat_index_forget(folder, S("u"));
    assert_true(compare());
}

/* Bytes of the file are overwritten behind its first page, and a page of the answer is asked for that cannot be collected. */
static void test_broken_and_far(void **state)
{
    static const char junk[64 * 1024];
    char *path = str_c(mem, str_f(mem, "%s/cache/chat-search/u.db", folder));
    struct chat_search s = { .text = S("hay"),
                             .tag_ids = S("[]"),
                             .folder_ids = S("[]"),
                             .archived = -1,
                             .pinned = -1,
                             .shared = -1,
                             .skip = INT64_C(60) * INT32_MAX,
                             .limit = 60 };
    struct chat_titles got;
    bool stale;
    FILE *f;

    (void)state;
    chat_index_forget(folder, S("u"));
    assert_int_equal(db_exec(db, "DELETE FROM chat WHERE updated_at > $1", ARGS((int64_t)LONG_AGO + CHATS), NULL),
                     DB_ROW);
    update();
    assert_false(compare());
    assert_int_equal(chat_search(db, mem, folder, S("u"), &s, &got, &stale), DB_DONE);
    assert_int_equal(got.n, 0);
    f = fopen(path, "r+");
    assert_non_null(f);
    fseek(f, 12 * 4096, SEEK_SET);
    for (int i = 0; i < 100; i++)
        fwrite(junk, sizeof(junk), 1, f);
    fclose(f);
    assert_true(compare());
}

static void test_other_names(void **state)
{
    bool finished = false;

    (void)state;
    assert_int_not_equal(chat_index_update(db, folder, S("../../etc"), 100, &finished, &err), OK);
    assert_true(finished);
    chat_index_forget(folder, S("../webui"));
    chat_index_forget(folder, S(""));
    assert_int_equal(access(place + sizeof("sqlite:///") - 1, F_OK), postgres_url ? -1 : 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_finds_what_the_database_finds),
        cmocka_unit_test(test_broken_and_far),
        cmocka_unit_test(test_other_names),
    };
    int failed = cmocka_run_group_tests_name("SQLite", tests, open_all, close_all);

    postgres_url = getenv("TEST_DATABASE_URL");
    if (postgres_url)
        failed += cmocka_run_group_tests_name("PostgreSQL", tests, open_all, close_all);
    return failed;
}
