/* db.h: one interface over libpq and sqlite3. Prepared statements, "$1" placeholders in both, values always bound.
 *
 * SQL texts are constants: statements are cached by the address of the text. A process has one connection; it is opened
 * at its first use, and again after it was lost. Rows are read by a function that is given one row at a time.
 *
 * A text that both databases read may cast a placeholder ("$1::bigint"): SQLite takes that for the name. Where PostgreSQL
 * cannot infer a placeholder's type, it must. Text arguments must be UTF-8 without NUL bytes, for both databases alike:
 * else DB_ERROR and db_bad_input().
 *
 * A lost connection: a SELECT outside of a transaction is run once more on a new one, and so is any statement that had
 * not been sent yet; else DB_ERROR and db_unavailable(). */
#ifndef LIB_DB_DB_H
#define LIB_DB_DB_H

#include "lib/base/error.h"

struct db;
struct row;

/* After any DB_ERROR inside a transaction nothing more runs in it: db_rollback(). */
enum db_status {
    DB_ROW,  /* found, or changed: at least one row */
    DB_DONE, /* worked, no row */
    DB_ERROR /* db_error(db) says why; db_unavailable(db): the database is away or locked, answer 503 */
};

enum db_kind { DB_SQLITE, DB_POSTGRES };

/* url as DATABASE_URL: sqlite:///relative, sqlite:////absolute, postgresql://…, postgres://… . Does not connect yet.
 * INVALID: err says what is wrong with it (never the password). The db is the caller's: db_close(). */
enum status db_open(const char *url, struct db **out, struct error *err);
enum status db_connect(struct db *db,
                       struct error *err); /* UNAVAILABLE, or FAILED with the reason; connected already: OK */
void db_disconnect(struct db *db);         /* the next use connects again. Not inside a transaction */
void db_close(struct db *db);              /* NULL is fine */

/* Before the first use. WAL: SQLite's journal mode, on unless told otherwise; db_apply_wal() makes it the file's. The schema (DATABASE_SCHEMA) is put first in
 * PostgreSQL's search_path; absent or empty: the server's own. */
void db_set_wal(struct db *db, bool on);
void db_set_schema(struct db *db, struct str schema);

/* Puts SQLite's file into the journal mode that is wanted: a property of the file, so this is for files that are ours (migrate_up()
 * does it); connecting alone leaves a file as it is. PostgreSQL: OK. */
enum status db_apply_wal(struct db *db, struct error *err);

/* A connection must not cross a fork: db_disconnect() in the parent first. A child that got one nevertheless calls this, or
 * just uses the db: on PostgreSQL it gets its own connection and the parent keeps its; on SQLite every use is a DB_ERROR, as
 * SQLite's locks cannot be handed down. */
void db_forget_after_fork(struct db *db);

const char *db_place(const struct db *db);  /* for people: SQLite's path, or the URL without user and password */
const char *db_schema(const struct db *db); /* as set; NULL: none */
enum db_kind db_kind(const struct db *db);
const char *db_error(const struct db *db);     /* of the last DB_ERROR */
bool db_unavailable(const struct db *db);      /* the last DB_ERROR was a lost connection, a refused one, or a lock */
bool db_unique_violation(const struct db *db); /* the last DB_ERROR was a second row of a unique key */
bool db_bad_input(const struct db *db);        /* the last DB_ERROR was a NUL byte or broken UTF-8 in an argument */

/* ---- arguments: ARGS(command, created_s, is_active, text_or_null) */
struct arg {
    enum { ARG_NULL, ARG_TEXT, ARG_INT, ARG_DOUBLE, ARG_BOOL } type;
    struct str text;
    int64_t i;
    double d;
};
struct args {
    const struct arg *v;
    int n;
};
static inline struct arg arg_str(struct str s)
{
    return (struct arg){ s.p ? ARG_TEXT : ARG_NULL, .text = s };
} /* absent: NULL */
static inline struct arg arg_c(const char *s)
{
    return (struct arg){ s ? ARG_TEXT : ARG_NULL, .text = str_of(s) };
}
static inline struct arg arg_i64(int64_t v)
{
    return (struct arg){ ARG_INT, .i = v };
}
static inline struct arg arg_double(double v)
{
    return (struct arg){ ARG_DOUBLE, .d = v };
}
static inline struct arg arg_bool(bool v)
{
    return (struct arg){ ARG_BOOL, .i = v };
}
static inline struct arg arg_same(struct arg a)
{
    return a;
}
#define ARG(x) \
    _Generic((x), struct str: arg_str, char *: arg_c, const char *: arg_c, bool: arg_bool, double: arg_double, \
                        struct arg: arg_same, default: arg_i64)(x)
#define ARGS_1(a) ARG(a)
#define ARGS_2(a, ...) ARG(a), ARGS_1(__VA_ARGS__)
#define ARGS_3(a, ...) ARG(a), ARGS_2(__VA_ARGS__)
#define ARGS_4(a, ...) ARG(a), ARGS_3(__VA_ARGS__)
#define ARGS_5(a, ...) ARG(a), ARGS_4(__VA_ARGS__)
#define ARGS_6(a, ...) ARG(a), ARGS_5(__VA_ARGS__)
#define ARGS_7(a, ...) ARG(a), ARGS_6(__VA_ARGS__)
#define ARGS_8(a, ...) ARG(a), ARGS_7(__VA_ARGS__)
#define ARGS_9(a, ...) ARG(a), ARGS_8(__VA_ARGS__)
#define ARGS_10(a, ...) ARG(a), ARGS_9(__VA_ARGS__)
#define ARGS_11(a, ...) ARG(a), ARGS_10(__VA_ARGS__)
#define ARGS_12(a, ...) ARG(a), ARGS_11(__VA_ARGS__)
#define ARGS_13(a, ...) ARG(a), ARGS_12(__VA_ARGS__)
#define ARGS_14(a, ...) ARG(a), ARGS_13(__VA_ARGS__)
#define ARGS_15(a, ...) ARG(a), ARGS_14(__VA_ARGS__)
#define ARGS_16(a, ...) ARG(a), ARGS_15(__VA_ARGS__)
#define ARGS_17(a, ...) ARG(a), ARGS_16(__VA_ARGS__)
#define ARGS_18(a, ...) ARG(a), ARGS_17(__VA_ARGS__)
#define ARGS_COUNT_(_1, _2, _3, _4, _5, _6, _7, _8, _9, _10, _11, _12, _13, _14, _15, _16, _17, _18, N, ...) N
#define ARGS_COUNT(...) ARGS_COUNT_(__VA_ARGS__, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)
#define ARGS_PASTE_(a, b) a##b
#define ARGS_PASTE(a, b) ARGS_PASTE_(a, b)
#define ARGS_LIST(...) ARGS_PASTE(ARGS_, ARGS_COUNT(__VA_ARGS__))(__VA_ARGS__)
#define ARGS(...) \
    ((struct args){ (const struct arg[]){ ARGS_LIST(__VA_ARGS__) }, ARGS_COUNT(__VA_ARGS__) }) /* 1 to 18 values */
#define NO_ARGS ((struct args){ NULL, 0 })

/* ---- one row, while its reader runs: columns by number from 0. Strings live in the arena that the query was given. */
struct str row_str(struct row *row, int column); /* SQL NULL: absent. PostgreSQL: a view of the result, no copy */
int64_t row_int(struct row *row, int column);    /* SQL NULL: 0 */
double row_double(struct row *row, int column);
bool row_bool(struct row *row, int column);
bool row_is_null(struct row *row, int column);
struct arena *row_arena(struct row *row);
/* JSON columns: a JSON null is absent, as SQL NULL is (SQLAlchemy writes Python's None so). */
struct str row_json(struct row *row, int column);

typedef void row_reader(struct row *row, void *out);

/* The first row into *out (untouched unless DB_ROW). */
enum db_status db_one(struct db *db, struct arena *mem, row_reader *read, void *out, const char *sql, struct args args);

/* All rows into an array in the arena: *items points to *n structs of item_bytes. None: DB_DONE, *n 0. */
enum db_status db_all(struct db *db, struct arena *mem, row_reader *read, size_t item_bytes, void *items, size_t *n,
                      const char *sql, struct args args);

/* Calls read(row, out) for every row, same out each time (to print as they come; nothing is collected). */
enum db_status db_each(struct db *db, struct arena *mem, row_reader *read, void *out, const char *sql,
                       struct args args);

/* The same for results of any size: one row is in memory at a time, and what the reader takes from it, and from row_arena(),
 * ends with its return. The reader must not use the db. DB_ERROR may come after rows. */
enum db_status db_stream(struct db *db, row_reader *read, void *out, const char *sql, struct args args);

/* A statement that gives no rows. DB_ROW: *changed > 0 rows (changed may be NULL). DB_DONE: it changed nothing. */
enum db_status db_exec(struct db *db, const char *sql, struct args args, int64_t *changed);

/* A whole script of statements, no arguments (migrations). */
enum status db_script(struct db *db, const char *script, struct error *err);

/* For SQL made at run time from constants (order by a column of a list, a number of placeholders): not cached by address. The text must come from
 * constants alone, never from a client. */
enum db_status db_all_dynamic(struct db *db, struct arena *mem, row_reader *read, size_t item_bytes, void *items,
                              size_t *n, struct str sql, struct args args);
enum db_status db_exec_dynamic(struct db *db, struct str sql, struct args args, int64_t *changed);

/* %text% for LIKE … ESCAPE '\', its wildcards taken literally. */
struct str db_like_pattern(struct arena *mem, struct str text);

/* The text for this database, where the two differ. */
#define DB_SQL(db, sqlite_text, postgres_text) (db_kind(db) == DB_SQLITE ? (sqlite_text) : (postgres_text))

/* One short write transaction (SQLite: BEGIN IMMEDIATE). Nested begins are an error. A lost connection inside one is not retried. */
enum db_status db_begin(struct db *db); /* DB_DONE or DB_ERROR */
/* The last statement and the commit at once: on PostgreSQL one round trip. DB_ERROR: rolled back, and over either way. */
enum db_status db_exec_commit(struct db *db, const char *sql, struct args args, int64_t *changed);
enum db_status db_commit(struct db *db); /* DB_DONE, or DB_ERROR: rolled back, and over either way */
void db_rollback(struct db *db);         /* fine when no transaction runs */
bool db_in_transaction(const struct db *db);

#endif
