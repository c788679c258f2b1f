/* driver.h: what db.c asks of the two databases, and what they keep in a struct db. Private to lib/db. */
#ifndef LIB_DB_DRIVER_H
#define LIB_DB_DRIVER_H

#include <sys/types.h>

#include "lib/db/db.h"

struct sqlite3;
struct sqlite3_stmt;
struct pg_conn;
struct pg_result;

/* A prepared statement, or (number 0) a text that is run once. */
struct statement {
    const char *sql;     /* the caller's text: its address is the key */
    const char *copy;    /* the same, to notice a buffer that was handed in as if it were a constant */
    unsigned number;     /* PostgreSQL's name for it: s1, s2, … */
    unsigned connection; /* prepared on this one, see db->connection; 0: on none */
    bool reads;          /* a SELECT: may be run twice */
    bool busy;           /* a reader of its rows is running it again */
    struct sqlite3_stmt *sqlite;
    int *argument_of;          /* SQLite: parameter number, from 1 → n of its "$n" */
    int parameters, arguments; /* SQLite: how many there are, and the highest n */
};

struct row {
    struct db *db;
    struct statement *statement;
    struct statement once; /* what statement points to when it is not in the table */
    struct arena *mem;     /* NULL: nobody reads strings */
    struct sqlite3_stmt *sqlite;
    struct pg_result *result;
    int index, count; /* PostgreSQL: of the result's rows */
    bool single;      /* PostgreSQL: rows come one a result and die with the next */
    bool result_in_arena;
    bool at_end, failed;
    int64_t changed;
};

enum outcome {
    RAN,        /* rows may follow: driver->next, then driver->end */
    RAN_NOT,    /* refused; db->error says why */
    STALE,      /* the prepared statement is of no use any more; nothing was done */
    LOST,       /* the connection went away; what was asked may have been done */
    LOST_BEFORE /* the connection was gone before anything was asked */
};

struct driver {
    enum db_kind kind;
    enum status (*connect)(struct db *db, struct error *err);
    void (*disconnect)(struct db *db);
    void (*forget)(struct db *db); /* in a child: let go of the parent's connection without a word to the server */
    enum outcome (*run)(struct row *row, struct args args);
    enum db_status (*next)(struct row *row);
    enum db_status (*end)(struct row *row);                 /* after RAN, always; DB_ERROR: only now it failed */
    enum outcome (*script)(struct db *db, const char *sql); /* plain statements, no rows wanted */
    void (*drop)(struct statement *statement);
    void (*take_time)(struct db *db, bool on); /* around db_stream: its reader may be slow. May be NULL */
    enum status (*apply_wal)(struct db *db, struct error *err); /* connected. May be NULL */

    struct str (*text)(struct row *row, int column);
    int64_t (*integer)(struct row *row, int column);
    double (*real)(struct row *row, int column);
    bool (*truth)(struct row *row, int column);
    bool (*is_null)(struct row *row, int column);
};

extern const struct driver sqlite_driver, postgres_driver;

struct db {
    const struct driver *driver;
    const char *place;  /* SQLite: path; PostgreSQL: the URL as libpq reads it, with the password */
    const char *shown;  /* the same for people */
    const char *schema; /* PostgreSQL: search_path; NULL: the server's */
    bool wal;

    struct sqlite3 *sqlite;
    struct pg_conn *pg;
    pid_t owner;         /* the process that connected */
    unsigned connection; /* counts connections, from 1 */
    bool connected;
    bool reopen;            /* of no use any more: connect anew before the next statement */
    bool orphaned;          /* SQLite was open when this process was forked */
    bool unnamed_only;      /* PostgreSQL: a pooler mixes prepared statements up, do without */
    int statements_missing; /* PostgreSQL: how often one was gone */
    bool begin_pending;     /* PostgreSQL: BEGIN goes out with the first statement */
    bool commit_after;      /* PostgreSQL: COMMIT goes out with the next one; committed: it did, and all went well */
    bool committed;

    struct arena *memory;     /* lives as long as the db: the statements */
    struct statement **table; /* open addressing by the text's address */
    size_t table_size, statements;
    unsigned last_number;
    struct arena *scratch; /* arguments as text, during one call */

    int64_t lock_wait_since_ms; /* SQLite's busy handler */
    int active;                 /* rows being read right now */
    bool in_transaction, transaction_failed, streaming;
    bool unavailable, unique_violation, bad_input;
    char error[512];
};

/* The cause, with the text of the statement (may be NULL) behind it. Clears the flags. */
void db_fail(struct db *db, const char *sql, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* statements.c */
struct statement *statement_of(struct db *db, const char *sql);
void statement_once(struct statement *statement, const char *sql);
void statements_drop(struct db *db); /* what the connection holds of them; the table stays */

/* postgres_connect.c */
#define POSTGRES_LIMIT_STATEMENTS \
    "SELECT set_config('statement_timeout', '60s', false) WHERE current_setting('statement_timeout') = '0'"
enum status postgres_connect(struct db *db, struct error *err);

/* url.c: fills place, shown and driver. */
enum status db_url_parse(const char *url, struct db *db, struct error *err);

#endif
