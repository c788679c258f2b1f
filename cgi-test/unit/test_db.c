/* test_db.c: lib/db on SQLite, and on PostgreSQL when TEST_DATABASE_URL names one (a database where we may make a
 * schema). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/db/db.h"

static const char *url; /* of the group that runs */
static char folder[64], schema[64];
static struct db *db;
static struct arena *mem;

static struct db *open_db(void)
{
    struct error err = { "" };
    struct db *d = NULL;

    if (db_open(url, &d, &err) != OK)
        fail_msg("%s", err.text);
    if (db_kind(d) == DB_POSTGRES)
        db_set_schema(d, str_of(schema));
    return d;
}

static void expect_error(enum db_status st, const char *part)
{
    assert_int_equal(st, DB_ERROR);
    if (!strstr(db_error(db), part))
        fail_msg("\"%s\" is not in: %s", part, db_error(db));
}

static void script(struct db *d, const char *sql)
{
    struct error err = { "" };

    if (db_script(d, sql, &err) != OK)
        fail_msg("%s", err.text);
}

static void apply_wal(struct db *d)
{
    struct error err = { "" };

    if (db_apply_wal(d, &err) != OK)
        fail_msg("%s", err.text);
}

static int before_each(void **state)
{
    (void)state;
    mem = arena_new(1024);
    db = open_db();
    apply_wal(db);
    script(db, "DROP TABLE IF EXISTS thing; CREATE TABLE thing (id text PRIMARY KEY, n bigint, d double precision, b "
               "boolean, j json)");
    return 0;
}

static int after_each(void **state)
{
    (void)state;
    db_close(db);
    arena_free(mem);
    return 0;
}

static void read_text(struct row *row, void *out)
{
    *(struct str *)out = row_str(row, 0);
}

static void read_number(struct row *row, void *out)
{
    *(int64_t *)out = row_int(row, 0);
}

static int64_t number(struct db *d, const char *sql)
{
    int64_t n = -1;

    if (db_one(d, mem, read_number, &n, sql, NO_ARGS) != DB_ROW)
        fail_msg("%s", db_error(d));
    return n;
}

static void add(const char *id, int64_t n)
{
    if (db_exec(db, "INSERT INTO thing (id, n) VALUES ($1, $2)", ARGS(id, n), NULL) != DB_ROW)
        fail_msg("%s", db_error(db));
}

/* ---- values */

struct thing {
    struct str id, j, n_text;
    int64_t n;
    double d;
    bool b, n_null, d_null, b_null, j_null;
};

static void read_thing(struct row *row, void *out)
{
    struct thing *t = out;

    t->id = row_str(row, 0);
    t->n = row_int(row, 1);
    t->n_text = row_str(row, 1);
    t->n_null = row_is_null(row, 1);
    t->d = row_double(row, 2);
    t->d_null = row_is_null(row, 2);
    t->b = row_bool(row, 3);
    t->b_null = row_is_null(row, 3);
    t->j = row_json(row, 4);
    t->j_null = row_is_null(row, 4);
}

static void test_values(void **state)
{
    static const struct {
        const char *label, *id;
        int64_t n;
        double d;
        bool b;
        const char *j, *want_j;
    } cases[] = {
        { "plain", "a", 1, 1.5, true, "{\"x\": [1, null]}", "{\"x\": [1, null]}" },
        { "empty text, negative numbers, false", "", -5, -0.125, false, "[]", "[]" },
        { "edges", "e", INT64_MAX, 1e300, true, "null", NULL },
        { "other edge", "f", INT64_MIN, 0.1, false, "\"null\"", "\"null\"" },
        { "unicode", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80' \"\\$1%", 0, 0, false, "\"\xf0\x9f\x98\x80\"",
          "\"\xf0\x9f\x98\x80\"" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct thing t = { .n = 7 };

        print_message("  %s\n", cases[i].label);
        assert_int_equal(db_exec(db, "INSERT INTO thing (id, n, d, b, j) VALUES ($1, $2, $3, $4, $5)",
                                 ARGS(cases[i].id, cases[i].n, cases[i].d, cases[i].b, cases[i].j), NULL),
                         DB_ROW);
        assert_int_equal(db_one(db, mem, read_thing, &t, "SELECT id, n, d, b, j FROM thing WHERE id = $1",
                                ARGS(cases[i].id)),
                         DB_ROW);
        assert_true(str_is(t.id, cases[i].id));
        assert_true(t.id.p[t.id.n] == '\0');
        assert_true(t.n == cases[i].n && t.d == cases[i].d && t.b == cases[i].b);
        assert_false(t.n_null || t.d_null || t.b_null || t.j_null);
        assert_true(cases[i].want_j ? str_is(t.j, cases[i].want_j) : t.j.p == NULL);
    }
}

static void test_nulls(void **state)
{
    struct thing t = { .n = 7, .d = 7, .b = true };
    struct str absent = STR_NONE;
    const char *no_text = NULL;

    (void)state;
    assert_int_equal(db_exec(db, "INSERT INTO thing (id, n, d, b, j) VALUES ($1, $2, $3, $4, $5)",
                             ARGS(S("x"), absent, no_text, (struct arg){ ARG_NULL }, STR_NONE), NULL),
                     DB_ROW);
    assert_int_equal(db_one(db, mem, read_thing, &t, "SELECT id, n, d, b, j FROM thing WHERE id = $1", ARGS("x")),
                     DB_ROW);
    assert_true(t.n_null && t.d_null && t.b_null && t.j_null);
    assert_true(t.n == 0 && t.d == 0 && !t.b && t.n_text.p == NULL && t.j.p == NULL);
}

static void test_none_leaves_out_alone(void **state)
{
    int64_t n = 42;

    (void)state;
    assert_int_equal(db_one(db, mem, read_number, &n, "SELECT n FROM thing WHERE id = $1", ARGS("none")), DB_DONE);
    assert_true(n == 42);
}

static void test_placeholders(void **state)
{
    struct str s;

    (void)state;
    /* the same twice; not in order; a cast for PostgreSQL, which is part of the name for SQLite */
    assert_int_equal(db_one(db, mem, read_text, &s, "SELECT $2::text || $1::text || $2::text", ARGS("a", "b")), DB_ROW);
    assert_true(str_is(s, "bab"));
    assert_int_equal(db_one(db, mem, read_text, &s, "SELECT 'x' WHERE $1::bigint + 1 = $2::bigint", ARGS(1, 2)),
                     DB_ROW);
    assert_int_equal(db_one(db, mem, read_text, &s, "SELECT $1::text", ARGS("a", "b")), DB_ERROR);
    assert_int_equal(db_one(db, mem, read_text, &s, "SELECT $1::text, $2::text", ARGS("a")), DB_ERROR);
    assert_false(db_unavailable(db) || db_bad_input(db) || db_unique_violation(db));
    assert_int_equal(db_one(db, mem, read_text, &s, "SELECT 'still works'", NO_ARGS), DB_ROW);
}

static void test_long_text(void **state)
{
    size_t n = 1024 * 1024;
    char *text = malloc(n);
    struct str s = STR_NONE;

    (void)state;
    for (size_t i = 0; i < n; i++)
        text[i] = (char)('a' + i % 26);
    assert_int_equal(db_exec(db, "INSERT INTO thing (id, j) VALUES ('long', $1)",
                             ARGS(str_cat(mem, str_cat(mem, S("\""), str_n(text, n)), S("\""))), NULL),
                     DB_ROW);
    assert_int_equal(db_one(db, mem, read_text, &s, "SELECT j FROM thing WHERE id = 'long'", NO_ARGS), DB_ROW);
    assert_int_equal(s.n, n + 2);
    assert_memory_equal(s.p + 1, text, n);
    free(text);
}

static void test_views_live_until_the_arena_ends(void **state)
{
    struct arena *own = arena_new(256);
    struct str s[3];

    (void)state;
    add("first", 1);
    add("second", 2);
    assert_int_equal(db_one(db, own, read_text, &s[0], "SELECT id FROM thing WHERE n = 1", NO_ARGS), DB_ROW);
    assert_int_equal(db_one(db, own, read_text, &s[1], "SELECT id FROM thing WHERE n = 2", NO_ARGS), DB_ROW);
    assert_int_equal(db_one(db, own, read_text, &s[2], "SELECT id FROM thing WHERE n = 1", NO_ARGS), DB_ROW);
    db_disconnect(db);
    assert_true(number(db, "SELECT count(*) FROM thing") == 2);
    assert_true(str_is(s[0], "first") && str_is(s[1], "second") && str_is(s[2], "first"));
    arena_free(own); /* ASan sees what is used later, or not freed */
}

static void test_bad_input(void **state)
{
    static const struct {
        const char *label;
        struct str text;
        const char *want;
    } cases[] = {
        { "NUL inside", { "a\0b", 3 }, "$1 holds a NUL byte" },
        { "NUL alone", { "\0", 1 }, "$1 holds a NUL byte" },
        { "broken UTF-8", { "a\xff", 2 }, "$1 is not UTF-8" },
        { "a surrogate", { "\xed\xa0\x80", 3 }, "$1 is not UTF-8" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        print_message("  %s\n", cases[i].label);
        expect_error(db_exec(db, "INSERT INTO thing (id) VALUES ($1)", ARGS(cases[i].text), NULL), cases[i].want);
        assert_true(db_bad_input(db));
        assert_false(db_unavailable(db));
    }
    assert_true(number(db, "SELECT count(*) FROM thing") == 0);
}

/* ---- many rows */

static void fill(int rows)
{
    char id[32];

    assert_int_equal(db_begin(db), DB_DONE);
    for (int i = 0; i < rows; i++) {
        snprintf(id, sizeof(id), "id-%05d", i);
        add(id, i);
    }
    assert_int_equal(db_commit(db), DB_DONE);
}

static void test_all(void **state)
{
    struct thing *t = (struct thing *)1;
    size_t n = 99;
    char id[32];

    (void)state;
    assert_int_equal(db_all(db, mem, read_thing, sizeof(*t), &t, &n, "SELECT id, n, d, b, j FROM thing ORDER BY id",
                            NO_ARGS),
                     DB_DONE);
    assert_true(n == 0 && t == NULL);
    fill(10000);
    assert_int_equal(db_all(db, mem, read_thing, sizeof(*t), &t, &n, "SELECT id, n, d, b, j FROM thing ORDER BY id",
                            NO_ARGS),
                     DB_ROW);
    assert_int_equal(n, 10000);
    for (size_t i = 0; i < n; i++) {
        snprintf(id, sizeof(id), "id-%05zu", i);
        assert_true(str_is(t[i].id, id) && t[i].n == (int64_t)i);
    }
}

struct sum {
    int64_t rows, total;
    struct str last;
};

static void add_up(struct row *row, void *out)
{
    struct sum *sum = out;

    sum->rows++;
    sum->total += row_int(row, 1);
    sum->last = row_str(row, 0);
}

static void test_each(void **state)
{
    struct sum sum = { 0 };

    (void)state;
    assert_int_equal(db_each(db, mem, add_up, &sum, "SELECT id, n FROM thing ORDER BY id", NO_ARGS), DB_DONE);
    fill(100);
    assert_int_equal(db_each(db, mem, add_up, &sum, "SELECT id, n FROM thing ORDER BY id", NO_ARGS), DB_ROW);
    assert_true(sum.rows == 100 && sum.total == 4950 && str_is(sum.last, "id-00099"));
}

static size_t most_bytes;

static void add_up_small(struct row *row, void *out)
{
    add_up(row, out);
    if (arena_bytes(row_arena(row)) > most_bytes)
        most_bytes = arena_bytes(row_arena(row));
}

static void use_db(struct row *row, void *out)
{
    int64_t n;

    (void)row;
    *(enum db_status *)out = db_one(db, mem, read_number, &n, "SELECT 1", NO_ARGS);
}

static void test_stream(void **state)
{
    enum db_status inner = DB_ROW;
    struct sum sum = { 0 };

    (void)state;
    assert_int_equal(db_stream(db, add_up_small, &sum, "SELECT id, n FROM thing ORDER BY id", NO_ARGS), DB_DONE);
    fill(5000);
    assert_int_equal(db_stream(db, add_up_small, &sum, "SELECT id, n FROM thing ORDER BY id", NO_ARGS), DB_ROW);
    assert_true(sum.rows == 5000 && sum.total == 12497500);
    assert_true(most_bytes < 16384); /* one row at a time */
    assert_int_equal(db_stream(db, use_db, &inner, "SELECT id FROM thing LIMIT 3", NO_ARGS), DB_ROW);
    expect_error(inner, "db_stream");
    assert_int_equal(db_stream(db, add_up, &sum, "SELECT id, n FROM thing WHERE id = $1", ARGS("id-00001")), DB_ROW);
    assert_int_equal(db_stream(db, add_up, &sum, "SELECT nothing", NO_ARGS), DB_ERROR);
    assert_true(number(db, "SELECT count(*) FROM thing") == 5000);
}

static void descend(struct row *row, void *out)
{
    int64_t n = row_int(row, 1);

    ++*(int *)out;
    if (n > 0) /* the same statement while its rows are being read */
        db_each(row_arena(row) ? db : NULL, mem, descend, out, "SELECT id, n FROM thing WHERE n = $1", ARGS(n - 1));
}

static void test_reader_may_ask(void **state)
{
    int rows = 0;

    (void)state;
    fill(5);
    assert_int_equal(db_each(db, mem, descend, &rows, "SELECT id, n FROM thing WHERE n = $1", ARGS(4)), DB_ROW);
    assert_int_equal(rows, 5);
}

static void test_changed(void **state)
{
    int64_t changed = -1;

    (void)state;
    fill(10);
    assert_int_equal(db_exec(db, "UPDATE thing SET n = 0 WHERE n > $1", ARGS(6), &changed), DB_ROW);
    assert_true(changed == 3);
    assert_int_equal(db_exec(db, "UPDATE thing SET n = 0 WHERE n > $1", ARGS(100), &changed), DB_DONE);
    assert_true(changed == 0);
    assert_int_equal(db_exec(db, "CREATE TABLE IF NOT EXISTS thing (id text)", NO_ARGS, &changed), DB_DONE);
    assert_int_equal(db_exec(db, "DELETE FROM thing", NO_ARGS, &changed), DB_ROW);
    assert_true(changed == 10);
}

static void test_returning(void **state)
{
    int64_t n = 0;

    (void)state;
    assert_int_equal(db_one(db, mem, read_number, &n, "INSERT INTO thing (id, n) VALUES ($1, $2) RETURNING n",
                            ARGS("r", 17)),
                     DB_ROW);
    assert_true(n == 17);
    db_disconnect(db);
    assert_true(number(db, "SELECT n FROM thing WHERE id = 'r'") == 17);
}

static void test_dynamic(void **state)
{
    struct str *ids;
    int64_t changed;
    size_t n;

    (void)state;
    fill(5);
    for (int i = 0; i < 3; i++) {
        struct str sql = str_f(mem, "SELECT id FROM thing WHERE n IN ($1, $2) ORDER BY %s", i % 2 ? "n DESC" : "n");

        assert_int_equal(db_all_dynamic(db, mem, read_text, sizeof(*ids), &ids, &n, str_sub(sql, 0, sql.n), ARGS(1, 3)),
                         DB_ROW);
        assert_int_equal(n, 2);
        assert_true(str_is(ids[0], i % 2 ? "id-00003" : "id-00001"));
    }
    assert_int_equal(db_exec_dynamic(db, str_sub(S("DELETE FROM thing WHERE n < $1 AND nonsense"), 0, 30), ARGS(2),
                                     &changed),
                     DB_ROW);
    assert_true(changed == 2);
    assert_int_equal(db_exec_dynamic(db, S("DELETE FROM nothing"), NO_ARGS, NULL), DB_ERROR);
}

/* ---- errors */

static void test_errors(void **state)
{
    int64_t n = 3;

    (void)state;
    expect_error(db_one(db, mem, read_number, &n, "SELECT nonsense FROM thing\n  WHERE id = 'x'", NO_ARGS),
                 "in \"SELECT nonsense FROM thing WHERE id = 'x'\"");
    assert_false(db_unavailable(db) || db_unique_violation(db));
    add("a", 1);
    expect_error(db_exec(db, "INSERT INTO thing (id) VALUES ($1)", ARGS("a"), NULL), "");
    assert_true(db_unique_violation(db));
    assert_false(db_unavailable(db));
    assert_null(strchr(db_error(db), '\n'));
    expect_error(db_exec(db, "INSERT INTO nothing (id) VALUES ($1)", ARGS("a"), NULL), "nothing");
    assert_false(db_unique_violation(db));
    assert_true(number(db, "SELECT count(*) FROM thing") == 1);
}

static void test_transactions(void **state)
{
    (void)state;
    assert_false(db_in_transaction(db));
    assert_int_equal(db_begin(db), DB_DONE);
    assert_true(db_in_transaction(db));
    add("gone", 1);
    db_rollback(db);
    assert_false(db_in_transaction(db));
    assert_true(number(db, "SELECT count(*) FROM thing") == 0);

    assert_int_equal(db_begin(db), DB_DONE);
    add("kept", 1);
    assert_int_equal(db_begin(db), DB_ERROR); /* nested: refused, and the outer one goes on */
    assert_int_equal(db_commit(db), DB_DONE);
    assert_int_equal(db_commit(db), DB_ERROR);
    db_rollback(db);
    db_rollback(db);
    assert_true(number(db, "SELECT count(*) FROM thing") == 1);
}

static void test_an_error_spoils_a_transaction(void **state)
{
    int64_t n;

    (void)state;
    add("a", 1);
    assert_int_equal(db_begin(db), DB_DONE);
    add("b", 1);
    assert_int_equal(db_exec(db, "INSERT INTO thing (id) VALUES ('a')", NO_ARGS, NULL), DB_ERROR);
    assert_int_equal(db_one(db, mem, read_number, &n, "SELECT 1", NO_ARGS), DB_ERROR);
    assert_true(db_unique_violation(db)); /* the first cause is kept */
    assert_int_equal(db_commit(db), DB_ERROR);
    assert_true(db_unique_violation(db));
    assert_false(db_in_transaction(db));
    assert_true(number(db, "SELECT count(*) FROM thing") == 1);
}

static void test_locked(void **state)
{
    struct db *other = open_db();
    int64_t since;

    (void)state;
    add("a", 1);
    if (db_kind(db) == DB_POSTGRES)
        script(db, "SET lock_timeout = 300");
    assert_int_equal(db_begin(other), DB_DONE);
    assert_int_equal(db_exec(other, "UPDATE thing SET n = 2", NO_ARGS, NULL), DB_ROW);
    assert_true(number(db, "SELECT n FROM thing") == 1); /* readers do not wait */
    since = mono_ms();
    assert_int_equal(db_exec(db, "UPDATE thing SET n = 3", NO_ARGS, NULL), DB_ERROR);
    assert_true(db_unavailable(db));
    assert_true(mono_ms() - since >= (db_kind(db) == DB_SQLITE ? 4900 : 290));
    assert_int_equal(db_commit(other), DB_DONE);
    assert_int_equal(db_exec(db, "UPDATE thing SET n = n + 1", NO_ARGS, NULL), DB_ROW);
    assert_true(number(db, "SELECT n FROM thing") == 3);
    db_close(other);
}

static void test_statements(void **state)
{
    static const char count[] = "SELECT count(*) FROM thing WHERE n >= $1";
    char text[64] = "SELECT 1";
    struct thing t;
    int64_t n;

    (void)state;
    fill(3);
    for (int i = 0; i < 200; i++)
        assert_int_equal(db_one(db, mem, read_number, &n, count, ARGS(1)), DB_ROW);
    assert_true(n == 2);
    if (db_kind(db) == DB_POSTGRES)
        assert_true(number(db, "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'SELECT count(*) FROM "
                               "thing WHERE n >=%'") == 1);
    assert_true(number(db, text) == 1);
    memcpy(text, "SELECT 2", 9); /* no constant: still what it says is run */
    assert_true(number(db, text) == 2);
    script(db, "ALTER TABLE thing ADD COLUMN more text");
    assert_int_equal(db_one(db, mem, read_thing, &t, "SELECT * FROM thing WHERE n = $1", ARGS(1)), DB_ROW);
    script(db,
           "ALTER TABLE thing ADD COLUMN still_more text"); /* PostgreSQL: cached plan must not change result type */
    assert_int_equal(db_one(db, mem, read_thing, &t, "SELECT * FROM thing WHERE n = $1", ARGS(2)), DB_ROW);
    assert_true(str_is(t.id, "id-00002"));
    for (int i = 0; db_kind(db) == DB_POSTGRES && i < 5; i++) {
        script(db, "DEALLOCATE ALL"); /* what a pooler may do */
        assert_int_equal(db_one(db, mem, read_number, &n, count, ARGS(1)), DB_ROW);
        assert_int_equal(db_exec(db, "UPDATE thing SET n = n WHERE n >= $1", ARGS(0), &n), DB_ROW);
        assert_true(n == 3);
    }
}

static void test_fork(void **state)
{
    int status;
    pid_t child;

    (void)state;
    add("a", 1);
    child = fork();
    if (child == 0) {
        int64_t n = 0;
        enum db_status st = db_one(db, mem, read_number, &n, "SELECT n FROM thing", NO_ARGS);
        bool is_sqlite = db_kind(db) == DB_SQLITE;

        db_close(db);
        _exit(is_sqlite ? st != DB_ERROR : !(st == DB_ROW && n == 1));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    add("b", 2);
    assert_true(number(db, "SELECT count(*) FROM thing") == 2);

    db_disconnect(db); /* as the parent should do it */
    child = fork();
    if (child == 0) {
        int64_t n = 0;

        _exit(db_one(db, mem, read_number, &n, "SELECT n FROM thing WHERE id = 'b'", NO_ARGS) != DB_ROW || n != 2);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* ---- SQLite alone */

static void test_sqlite_file(void **state)
{
    struct stat st;

    (void)state;
    add("a", 1);
    assert_int_equal(stat(db_place(db), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(stat(str_f(mem, "%s-wal", db_place(db)).p, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_true(number(db, "PRAGMA foreign_keys") == 0);
    assert_true(number(db, "PRAGMA synchronous") == 1);
    db_close(db);
    db = open_db();
    db_set_wal(db, false);
    apply_wal(db);
    assert_true(number(db, "PRAGMA synchronous") == 2);
    assert_int_not_equal(stat(str_f(mem, "%s-wal", db_place(db)).p, &st), 0);
}

static void test_sqlite_away(void **state)
{
    struct error err;
    struct db *d;
    int64_t n;

    (void)state;
    assert_int_equal(db_open("sqlite:////no/such/folder/x.db", &d, &err), OK);
    assert_int_equal(db_connect(d, &err), UNAVAILABLE);
    assert_non_null(strstr(err.text, "No such file or directory"));
    assert_int_equal(db_one(d, mem, read_number, &n, "SELECT 1", NO_ARGS), DB_ERROR);
    assert_true(db_unavailable(d));
    db_close(d);
    assert_int_equal(db_open(str_f(mem, "sqlite:///%s/text", folder).p, &d, &err), OK);
    {
        FILE *f = fopen(db_place(d), "w");

        fputs("this is a text and no database, however long one looks at it; a header has a hundred bytes, so a few "
              "more are needed",
              f);
        fclose(f);
    }
    assert_int_equal(db_connect(d, &err), FAILED);
    assert_non_null(strstr(err.text, "not a database"));
    db_close(d);
    assert_int_equal(db_open("sqlite://", &d, &err), OK);
    assert_true(number(d, "SELECT 5") == 5);
    db_close(d);
}

/* ---- PostgreSQL alone */

static void end_backend(struct db *victim)
{
    struct db *other = open_db();
    int64_t pid = number(victim, "SELECT pg_backend_pid()");
    bool there = true;

    assert_int_equal(db_exec(other, "SELECT pg_terminate_backend($1::integer)", ARGS(pid), NULL), DB_ROW);
    for (int i = 0; i < 200 && there; i++) {
        int64_t n = 1;

        usleep(10000);
        db_one(other, mem, read_number, &n, "SELECT count(*) FROM pg_stat_activity WHERE pid = $1", ARGS(pid));
        there = n != 0;
    }
    assert_false(there);
    db_close(other);
}

static void test_reconnects(void **state)
{
    static const char suicide[] = "SELECT pg_terminate_backend(pg_backend_pid())";
    struct str kept = STR_NONE;
    int64_t n;

    (void)state;
    add("a", 1);
    assert_int_equal(db_one(db, mem, read_text, &kept, "SELECT id FROM thing", NO_ARGS), DB_ROW);
    end_backend(db);
    assert_true(number(db, "SELECT count(*) FROM thing") == 1); /* a read */
    end_backend(db);
    add("b", 2); /* a write that had not been sent */
    end_backend(db);
    assert_int_equal(db_begin(db), DB_DONE);
    add("c", 3);
    assert_int_equal(db_commit(db), DB_DONE);
    assert_true(number(db, "SELECT count(*) FROM thing") == 3);

    assert_int_equal(db_one(db, mem, read_number, &n, suicide, NO_ARGS), DB_ERROR); /* lost while it runs, twice */
    assert_true(db_unavailable(db));
    assert_true(number(db, "SELECT count(*) FROM thing") == 3);
    expect_error(db_exec(db,
                         "WITH x AS (INSERT INTO thing (id) VALUES ('once') RETURNING id) SELECT "
                         "pg_terminate_backend(pg_backend_pid()) FROM x",
                         NO_ARGS, NULL),
                 "");
    assert_true(db_unavailable(db)); /* may have been done: not run again */

    assert_int_equal(db_begin(db), DB_DONE);
    add("d", 4);
    assert_int_equal(db_one(db, mem, read_number, &n, suicide, NO_ARGS), DB_ERROR);
    assert_true(db_unavailable(db) && db_in_transaction(db));
    expect_error(db_exec(db, "INSERT INTO thing (id) VALUES ('e')", NO_ARGS, NULL),
                 ""); /* not outside of its transaction */
    assert_int_equal(db_commit(db), DB_ERROR);
    assert_true(db_unavailable(db));
    assert_int_equal(db_stream(db, read_number, &n, suicide, NO_ARGS), DB_ERROR);
    assert_true(db_unavailable(db));
    assert_true(number(db, "SELECT count(*) FROM thing") == 3);
    assert_true(str_is(kept, "a"));
}

static void read_copy(struct row *row, void *out)
{
    snprintf(out, 16, "%.*s", STR(row_str(row, 0)));
}

static void test_postgres_session(void **state)
{
    char timeout[16] = "";
    struct str s;

    (void)state;
    assert_int_equal(db_one(db, mem, read_text, &s, "SELECT current_setting('application_name')", NO_ARGS), DB_ROW);
    assert_true(str_is(s, "webui-fcgi"));
    assert_int_equal(db_one(db, mem, read_text, &s, "SELECT current_schema()", NO_ARGS), DB_ROW);
    assert_true(str_is(s, schema));
    assert_int_equal(db_one(db, mem, read_text, &s, "SELECT current_setting('client_encoding')", NO_ARGS), DB_ROW);
    assert_true(str_is(s, "UTF8"));
    assert_int_equal(db_stream(db, read_copy, &timeout, "SELECT current_setting('statement_timeout')", NO_ARGS),
                     DB_ROW);
    assert_string_equal(timeout, "0");
    assert_int_equal(db_one(db, mem, read_text, &s, "SELECT current_setting('statement_timeout')", NO_ARGS), DB_ROW);
    assert_true(str_is(s, "1min"));
    expect_error(db_exec(db, "INSERT INTO thing (id, n) VALUES ('x', $1)", ARGS("secret"), NULL), "22P02");
    assert_null(strstr(db_error(db), "secret"));
}

static void test_postgres_away(void **state)
{
    struct error err;
    struct db *d;
    int64_t n;

    (void)state;
    assert_int_equal(db_open("postgresql://me:hidden@127.0.0.1:1/x", &d, &err), OK);
    assert_int_equal(db_connect(d, &err), UNAVAILABLE);
    assert_null(strstr(err.text, "hidden"));
    assert_int_equal(db_one(d, mem, read_number, &n, "SELECT 1", NO_ARGS), DB_ERROR);
    assert_true(db_unavailable(d));
    assert_int_equal(db_begin(d), DB_ERROR);
    assert_true(db_unavailable(d));
    db_close(d);
}

/* ---- URLs */

static void test_urls(void **state)
{
    static const struct {
        const char *label, *url, *place, *error;
    } cases[] = {
        { "relative", "sqlite:///data/webui.db", "data/webui.db", NULL },
        { "absolute", "sqlite:////var/lib/webui.db", "/var/lib/webui.db", NULL },
        { "driver and options", "sqlite+pysqlite:////a.db?timeout=3", "/a.db", NULL },
        { "memory", "sqlite://", ":memory:", NULL },
        { "with a host", "sqlite://host/x.db", NULL, "no host" },
        { "encrypted", "sqlite+sqlcipher:///x.db", NULL, "sqlcipher" },
        { "postgres", "postgres://u:p@db.example/webui", "postgresql://db.example:5432/webui", NULL },
        { "postgresql, port, options", "postgresql://u:p@h:6543/w?sslmode=require&connect_timeout=2",
          "postgresql://h:6543/w", NULL },
        { "SQLAlchemy's driver", "postgresql+psycopg2://u:p@h/w", "postgresql://h:5432/w", NULL },
        { "unix socket", "postgresql:///w?host=/run/postgresql", "postgresql:///run/postgresql:5432/w", NULL },
        { "bare percent in the password", "postgresql://u:100%secret@h/w", "postgresql://h:5432/w", NULL },
        { "no such option", "postgresql://u:secret@h/w?nonsense=1", NULL, "nonsense" },
        { "broken", "postgresql://u:secret@[::1/w", NULL, "percent-encoded" },
        { "another database", "mysql://u:secret@h/w", NULL, "neither" },
        { "prefix only", "postgresqlx://h/w", NULL, "neither" },
        { "empty", "", NULL, "neither" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct error err = { "" };
        struct db *d = NULL;
        enum status st = db_open(cases[i].url, &d, &err);

        print_message("  %s\n", cases[i].label);
        if (cases[i].error) {
            assert_int_equal(st, INVALID);
            assert_non_null(strstr(err.text, cases[i].error));
            assert_null(strstr(err.text, "secret"));
            assert_null(d);
        } else {
            assert_int_equal(st, OK);
            assert_string_equal(db_place(d), cases[i].place);
            db_close(d);
        }
    }
    db_close(NULL);
}

#define EACH(f) cmocka_unit_test_setup_teardown(f, before_each, after_each)
#define BOTH                                                                                                      \
    EACH(test_values), EACH(test_nulls), EACH(test_none_leaves_out_alone), EACH(test_placeholders),               \
        EACH(test_long_text), EACH(test_views_live_until_the_arena_ends), EACH(test_bad_input), EACH(test_all),   \
        EACH(test_each), EACH(test_stream), EACH(test_reader_may_ask), EACH(test_changed), EACH(test_returning),  \
        EACH(test_dynamic), EACH(test_errors), EACH(test_transactions), EACH(test_an_error_spoils_a_transaction), \
        EACH(test_locked), EACH(test_statements), EACH(test_fork)

static void with_schema(const char *sql)
{
    struct error err;
    char text[128];
    struct db *d;

    snprintf(text, sizeof(text), sql, schema);
    if (db_open(url, &d, &err) != OK || db_script(d, text, &err) != OK) {
        fprintf(stderr, "%s: %s\n", url, err.text);
        exit(1);
    }
    db_close(d);
}

int main(void)
{
    static const struct CMUnitTest plain[] = { cmocka_unit_test(test_urls) };
    static const struct CMUnitTest sqlite[] = { BOTH, EACH(test_sqlite_file), EACH(test_sqlite_away) };
    static const struct CMUnitTest postgres[] = { BOTH, EACH(test_reconnects), EACH(test_postgres_session),
                                                  EACH(test_postgres_away) };
    char text[128];
    int failed = cmocka_run_group_tests_name("URLs", plain, NULL, NULL);

    snprintf(folder, sizeof(folder), "/tmp/test-db-XXXXXX");
    if (!mkdtemp(folder))
        return 1;
    snprintf(text, sizeof(text), "sqlite:///%s/t.db", folder);
    url = text;
    failed += cmocka_run_group_tests_name("SQLite", sqlite, NULL, NULL);
    snprintf(text, sizeof(text), "rm -rf %s", folder);
    if (system(text) != 0)
        failed++;
    url = getenv("TEST_DATABASE_URL");
    if (url && *url) {
        snprintf(schema, sizeof(schema), "test_db_%d", (int)getpid());
        with_schema("CREATE SCHEMA %s");
        failed += cmocka_run_group_tests_name("PostgreSQL", postgres, NULL, NULL);
        with_schema("DROP SCHEMA %s CASCADE");
    }
    return failed != 0;
}
