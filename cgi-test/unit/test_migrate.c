/* test_migrate.c: lib/db/migrate on SQLite, and on PostgreSQL when TEST_DATABASE_URL names one (a database where we may
 * make schemas). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/db/migrate.h"

static const char *postgres_url; /* NULL: the group runs on SQLite */
static char folder[64], place[128], schema[64];
static int counter;
static struct db *db;
static struct arena *mem;
static struct error err;

static struct db *open_db(void)
{
    struct db *d = NULL;

    if (db_open(postgres_url ? postgres_url : place, &d, &err) != OK)
        fail_msg("%s", err.text);
    if (postgres_url)
        db_set_schema(d, str_of(schema));
    return d;
}

/* An empty database each time: a new file, or a schema that does not exist yet, with a name that needs its quotes. */
static int before_each(void **state)
{
    (void)state;
    mem = arena_new(1024);
    counter++;
    snprintf(place, sizeof(place), "sqlite:///%s/%d.db", folder, counter);
    snprintf(schema, sizeof(schema), "test \"migrate %d.%d", (int)getpid(), counter);
    err.text[0] = '\0';
    db = open_db();
    return 0;
}

static int after_each(void **state)
{
    (void)state;
    db_rollback(db);
    if (postgres_url) {
        struct str quoted = str_replace(mem, str_of(schema), S("\""), S("\"\""));

        db_script(db, str_f(mem, "DROP SCHEMA IF EXISTS \"%.*s\" CASCADE", STR(quoted)).p, NULL);
    }
    db_close(db);
    arena_free(mem);
    return 0;
}

static void script(const char *sql)
{
    if (db_script(db, sql, &err) != OK)
        fail_msg("%s", err.text);
}

static struct schema check(void)
{
    struct schema s;

    if (migrate_check(db, mem, &s, &err) != OK)
        fail_msg("%s", err.text);
    return s;
}

static struct schema up(void)
{
    struct schema s;

    if (migrate_up(db, mem, &s, &err) != OK)
        fail_msg("%s", err.text);
    return s;
}

static void read_text(struct row *row, void *out)
{
    *(struct str *)out = row_str(row, 0);
}

/* All there is in the schema, to see that nothing was touched. */
static struct str picture(void)
{
    static const char sqlite[] =
        "SELECT coalesce((SELECT group_concat(sql, ';') FROM (SELECT sql FROM sqlite_master ORDER BY name)), '')";
    static const char postgres[] =
        "SELECT coalesce(string_agg(relname || ' ' || relkind::text, ';' ORDER BY relname), '') FROM pg_class"
        " WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())";
    struct str s = STR_NONE;

    if (db_one(db, mem, read_text, &s, DB_SQL(db, sqlite, postgres), NO_ARGS) != DB_ROW)
        fail_msg("%s", db_error(db));
    return s;
}

static struct str text_of(const char *sql)
{
    struct str s = STR_NONE;

    if (db_one(db, mem, read_text, &s, sql, NO_ARGS) != DB_ROW)
        fail_msg("%s", db_error(db));
    return s;
}

static void test_empty(void **state)
{
    struct schema s = check();
    struct str before;

    (void)state;
    assert_int_equal(s.state, SCHEMA_EMPTY);
    assert_true(str_has(migrate_refusal(mem, &s), "empty"));
    s = up();
    assert_int_equal(s.state, SCHEMA_CURRENT);
    assert_true(s.created);
    s = check();
    assert_int_equal(s.state, SCHEMA_CURRENT);
    assert_int_equal(s.indexes_missing, 0);
    assert_true(str_is(s.revision, SCHEMA_REVISION));
    assert_true(str_is(s.made_by, "Open WebUI 0.6.32 to 0.6.36"));
    assert_null(migrate_refusal(mem, &s).p);
    assert_true(str_is(text_of("SELECT version_num FROM alembic_version"), SCHEMA_REVISION));
    assert_true(str_is(text_of("SELECT name FROM migratehistory WHERE id = 18"), "018_add_function_is_global"));
    before = picture();
    s = up(); /* again: nothing to do */
    assert_int_equal(s.state, SCHEMA_CURRENT);
    assert_false(s.created);
    assert_true(str_eq(picture(), before));
}

static void test_indexes_come_back(void **state)
{
    struct schema s;
    struct str before;

    (void)state;
    up();
    before = picture();
    script("DROP INDEX webui_fcgi_chat_list; DROP INDEX webui_fcgi_memory_user");
    s = check();
    assert_int_equal(s.state, SCHEMA_CURRENT);
    assert_int_equal(s.indexes_missing, 2);
    s = up();
    assert_int_equal(s.indexes_missing, 0);
    assert_null(s.note.p);
    assert_true(str_eq(picture(), before));
}

static void test_refused(void **state)
{
    static const struct {
        const char *label, *sql;
        enum schema_state want;
        const char *says[3];
    } cases[] = {
        { "older",
          "UPDATE alembic_version SET version_num = '38d63c18f30f'",
          SCHEMA_OLDER,
          { "Open WebUI 0.6.27 to 0.6.31 (revision 38d63c18f30f)", "Open WebUI 0.6.32 (revision a5c220713937)",
            "start Open WebUI 0.6.32 once" } },
        { "oldest",
          "UPDATE alembic_version SET version_num = '7e5b5dc7342b'",
          SCHEMA_OLDER,
          { "0.3.8", "0.6.32", "start" } },
        { "newer",
          "UPDATE alembic_version SET version_num = '37f288994c47'",
          SCHEMA_NEWER,
          { "Open WebUI 0.6.37 to 0.6.40 (revision 37f288994c47)", "Open WebUI 0.6.32 (revision a5c220713937)",
            "restore a backup" } },
        { "newest",
          "UPDATE alembic_version SET version_num = '0bd252b206fb'",
          SCHEMA_NEWER,
          { "0.12.1 or later", "0.6.32", "backup" } },
        { "between two migrations of one release",
          "UPDATE alembic_version SET version_num = '2f1211949ecc'",
          SCHEMA_NEWER,
          { "Open WebUI 0.6.41 (", "0.6.32", "backup" } },
        { "not known",
          "UPDATE alembic_version SET version_num = 'cafe00000000'",
          SCHEMA_UNKNOWN,
          { "cafe00000000", "0.6.32", "later" } },
        { "two heads",
          "INSERT INTO alembic_version (version_num) VALUES ('b2')",
          SCHEMA_UNKNOWN,
          { "a5c220713937, b2", "0.6.32", "later" } },
        { "no revision", "DELETE FROM alembic_version", SCHEMA_UNKNOWN, { "half made", "0.6.32", "empty database" } },
        { "no table of revisions",
          "DROP TABLE alembic_version",
          SCHEMA_UNKNOWN,
          { "half made", "0.6.32", "empty database" } },
        { "a table is gone", "DROP TABLE memory", SCHEMA_UNKNOWN, { "memory", "0.6.32", "backup" } },
        { "a column is gone",
          "ALTER TABLE folder DROP COLUMN data",
          SCHEMA_UNKNOWN,
          { "folder", "\"data\"", "backup" } },
        { "a column has another name",
          "ALTER TABLE \"user\" RENAME COLUMN bio TO about",
          SCHEMA_UNKNOWN,
          { "user", "\"bio\"", "backup" } },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct schema s;
        struct str before, why;

        print_message("  %s\n", cases[i].label);
        after_each(NULL);
        before_each(NULL);
        up();
        script(cases[i].sql);
        script("DROP INDEX webui_fcgi_file_user"); /* would be added, were it ours */
        before = picture();
        assert_int_equal(migrate_up(db, mem, &s, &err), INVALID);
        assert_int_equal(s.state, cases[i].want);
        assert_true(str_eq(picture(), before));
        assert_null(strchr(err.text, '\n'));
        why = migrate_refusal(mem, &s);
        assert_true(why.n > 0 && why.n < sizeof(err.text) && str_is(why, err.text));
        for (int k = 0; k < 3; k++)
            if (!strstr(err.text, cases[i].says[k]))
                fail_msg("\"%s\" is not in: %s", cases[i].says[k], err.text);
    }
}

static void test_half_made(void **state)
{
    struct schema s;

    (void)state;
    if (postgres_url) /* of Python's first tool, before the second one ran */
        script(str_f(mem, "CREATE SCHEMA \"%.*s\"", STR(str_replace(mem, str_of(schema), S("\""), S("\"\"")))).p);
    script("CREATE TABLE migratehistory (id INTEGER PRIMARY KEY)");
    assert_int_equal(migrate_up(db, mem, &s, &err), INVALID);
    assert_int_equal(s.state, SCHEMA_UNKNOWN);
    assert_null(s.revision.p);
}

/* PostgreSQL databases are shared, a SQLite file of another program is a mistake. */
static void test_strangers_tables(void **state)
{
    struct schema s;

    (void)state;
    if (postgres_url)
        script(str_f(mem, "CREATE SCHEMA \"%.*s\"", STR(str_replace(mem, str_of(schema), S("\""), S("\"\"")))).p);
    script("CREATE TABLE bookmarks (id INTEGER PRIMARY KEY)");
    if (postgres_url) {
        assert_true(up().created);
    } else {
        assert_int_equal(migrate_up(db, mem, &s, &err), INVALID);
        assert_int_equal(s.state, SCHEMA_UNKNOWN);
    }
}

static void test_all_at_once(void **state)
{
    enum { PROCESSES = 8 };
    int made = 0, pipes[2];
    char start;
    pid_t child[PROCESSES];
    struct schema s;

    (void)state;
    db_disconnect(db);
    assert_int_equal(pipe(pipes), 0);
    for (int i = 0; i < PROCESSES; i++) {
        child[i] = fork();
        if (child[i] == 0) {
            struct arena *own = arena_new(1024);
            struct db *d = open_db();
            enum status st;

            close(pipes[1]);
            if (read(pipes[0], &start, 1) < 0) /* all wait for the parent to close it */
                _exit(9);
            st = migrate_up(d, own, &s, &err);
            if (st != OK)
                fprintf(stderr, "%s\n", err.text);
            _exit(st != OK || s.state != SCHEMA_CURRENT || s.note.p ? 9 : s.created ? 1 : 0);
        }
    }
    close(pipes[0]);
    close(pipes[1]);
    for (int i = 0; i < PROCESSES; i++) {
        int status;

        assert_int_equal(waitpid(child[i], &status, 0), child[i]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) <= 1);
        made += WEXITSTATUS(status);
    }
    assert_int_equal(made, 1);
    assert_int_equal(check().state, SCHEMA_CURRENT);
    assert_true(str_is(text_of("SELECT CAST(count(*) AS text) FROM migratehistory"), "18"));
}

static void test_columns(void **state)
{
    (void)state; /* what Python's models write, and nothing that they leave out, is demanded */
    up();
    script(
        "INSERT INTO \"user\" (id, name, email, role, profile_image_url, created_at, updated_at, last_active_at)"
        " VALUES ('u', 'U', 'u@example', 'user', '/u.png', 1, 2, 3);"
        "INSERT INTO chat (id, user_id, title, archived, created_at, updated_at) VALUES ('c', 'u', 'T', false, 1, 2);"
        "INSERT INTO prompt (command, user_id, title, content, timestamp) VALUES ('/p', 'u', 'P', 'text', 1);"
        "INSERT INTO config (data, version) VALUES ('{}', 0);"
        "INSERT INTO model (id, user_id, name, meta, params, created_at, updated_at) VALUES ('m', 'u', 'M', '{}', "
        "'{}', 1, 1)");
    assert_true(str_is(text_of("SELECT meta FROM chat"), "{}"));
    assert_true(str_is(text_of("SELECT CAST(id AS text) FROM prompt"), "1"));
    assert_true(str_is(text_of("SELECT CASE WHEN is_active THEN 'yes' END FROM model"), "yes"));
    assert_true(text_of("SELECT CAST(created_at AS text) FROM config").n >= 19);
}

static void add_detail(struct row *row, void *out)
{
    struct str *plan = out;

    *plan = str_f(mem, "%.*s%.*s; ", STR(*plan), STR(row_str(row, 3)));
}

/* The lists must not read the documents: the planner has to find them in the index. */
static void test_chat_list_is_covered(void **state)
{
    static const struct {
        const char *label, *sql, *want;
    } cases[] = {
        { "list",
          "EXPLAIN QUERY PLAN SELECT id, title, updated_at, created_at FROM chat WHERE user_id = 'u' AND folder_id IS "
          "NULL AND"
          " (pinned = false OR pinned IS NULL) AND archived = false ORDER BY updated_at DESC LIMIT 60",
          "COVERING INDEX webui_fcgi_chat_list" },
        { "by tag",
          "EXPLAIN QUERY PLAN SELECT id, title, updated_at, created_at FROM chat WHERE user_id = 'u' AND"
          " EXISTS (SELECT 1 FROM json_each(chat.meta, '$.tags') AS tag WHERE tag.value = 't')",
          "COVERING INDEX webui_fcgi_chat_list" },
        { "folder",
          "EXPLAIN QUERY PLAN SELECT id, title, updated_at, created_at FROM chat WHERE folder_id = 'f' AND user_id = "
          "'u' AND"
          " (pinned = false OR pinned IS NULL) AND archived = false ORDER BY updated_at DESC LIMIT 10",
          "COVERING INDEX webui_fcgi_chat_folder" },
    };

    (void)state;
    up();
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct str plan = STR_NONE;

        print_message("  %s\n", cases[i].label);
        assert_int_equal(db_each(db, mem, add_detail, &plan, cases[i].sql, NO_ARGS), DB_ROW);
        if (!str_has(plan, cases[i].want) || str_has(plan, "TEMP B-TREE FOR ORDER"))
            fail_msg("%.*s", STR(plan));
    }
}

static void test_versions(void **state)
{
    static const char *const in_order[] = { "7e5b5dc7342b", "38d63c18f30f", SCHEMA_REVISION,
                                            "37f288994c47", "c440947495f3", "0bd252b206fb" };
    const char *first, *last;
    size_t order, before = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(in_order) / sizeof(*in_order); i++) {
        assert_true(schema_versions(str_of(in_order[i]), &first, &last, &order));
        assert_true(i == 0 || order > before);
        before = order;
    }
    assert_null(last);
    assert_true(schema_versions(S(SCHEMA_REVISION), &first, &last, &order));
    assert_string_equal(first, "0.6.32");
    assert_false(schema_versions(S("nonsense"), &first, &last, &order));
    assert_false(schema_versions(STR_NONE, &first, &last, &order));
}

#define EACH(f) cmocka_unit_test_setup_teardown(f, before_each, after_each)
#define BOTH                                                                                  \
    EACH(test_empty), EACH(test_indexes_come_back), EACH(test_refused), EACH(test_half_made), \
        EACH(test_strangers_tables), EACH(test_all_at_once), EACH(test_columns)

int main(void)
{
    static const struct CMUnitTest plain[] = { cmocka_unit_test(test_versions) };
    static const struct CMUnitTest sqlite[] = { BOTH, EACH(test_chat_list_is_covered) };
    static const struct CMUnitTest postgres[] = { BOTH };
    const char *url = getenv("TEST_DATABASE_URL");
    char text[128];
    int failed = cmocka_run_group_tests_name("versions", plain, NULL, NULL);

    snprintf(folder, sizeof(folder), "/tmp/test-migrate-XXXXXX");
    if (!mkdtemp(folder))
        return 1;
    failed += cmocka_run_group_tests_name("SQLite", sqlite, NULL, NULL);
    snprintf(text, sizeof(text), "rm -rf %s", folder);
    if (system(text) != 0)
        failed++;
    if (url && *url) {
        postgres_url = url;
        failed += cmocka_run_group_tests_name("PostgreSQL", postgres, NULL, NULL);
    }
    return failed != 0;
}
