/* sqlite.c: the SQLite side of db.h. */
#include "lib/db/driver.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/clock.h"

#define BUSY_TIMEOUT_MS 5000

/* SQLite's own handler sleeps up to 100 ms at a time; writers here are done in less than one. */
static int wait_for_lock(void *since_ms, int tries)
{
    int64_t *since = since_ms;

    if (tries == 0)
        *since = mono_ms();
    if (mono_ms() - *since >= BUSY_TIMEOUT_MS)
        return 0;
    usleep(tries < 20 ? 500 : tries < 100 ? 2000 : 10000);
    return 1;
}

static bool may_help_to_try_again(int code)
{
    switch (code & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN: return true;
    }
    return false;
}

static void fail(struct db *db, const char *sql, int code)
{
    db_fail(db, sql, "%s (SQLite %d)", sqlite3_errmsg(db->sqlite), code);
    db->unavailable = may_help_to_try_again(code);
    db->unique_violation = code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY ||
                           code == SQLITE_CONSTRAINT_ROWID;
    switch (code & 0xFF) {
    case SQLITE_IOERR:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_READONLY: /* the file was replaced or removed, among other things */ db->reopen = true;
    }
}

/* ---- connecting */

static enum status make_private_file(const char *path, struct error *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0 && errno != EEXIST)
        return error_set(err, UNAVAILABLE, "cannot make %s: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return OK;
}

/* The mode is a property of the file, and processes that start together fight for it: SQLite does not wait here by
 * itself. */
static int set_journal_mode(struct db *db)
{
    const char *sql = db->wal ? "PRAGMA journal_mode = WAL" : "PRAGMA journal_mode = DELETE";
    int64_t since = mono_ms();
    int code;

    while ((code = sqlite3_exec(db->sqlite, sql, NULL, NULL, NULL)) != SQLITE_OK) {
        if ((code & 0xFF) != SQLITE_BUSY && (code & 0xFF) != SQLITE_LOCKED)
            return code;
        if (mono_ms() - since > BUSY_TIMEOUT_MS)
            return db->wal ? code : SQLITE_OK; /* somebody else has it open in WAL: that works too */
        usleep(5000);
    }
    return SQLITE_OK;
}

static int set_up(struct db *db)
{
    int code;

    sqlite3_extended_result_codes(db->sqlite, 1);
    sqlite3_busy_handler(db->sqlite, wait_for_lock, &db->lock_wait_since_ms);
    /* Python leaves foreign keys off, and its rows may not satisfy them */
    code = sqlite3_exec(db->sqlite,
                        "PRAGMA foreign_keys = OFF; PRAGMA mmap_size = 134217728; PRAGMA temp_store = MEMORY;"
                        "PRAGMA journal_size_limit = 67108864",
                        NULL, NULL, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_exec(db->sqlite, db->wal ? "PRAGMA synchronous = NORMAL" : "PRAGMA synchronous = FULL", NULL,
                            NULL, NULL);
    return code;
}

static enum status sqlite_apply_wal(struct db *db, struct error *err)
{
    int code = set_journal_mode(db);

    if (code == SQLITE_OK)
        return OK;
    return error_set(err, may_help_to_try_again(code) ? UNAVAILABLE : FAILED, "cannot set the journal mode of %s: %s",
                     db->place, sqlite3_errmsg(db->sqlite));
}

static enum status sqlite_connect(struct db *db, struct error *err)
{
    bool in_memory = strcmp(db->place, ":memory:") == 0;
    enum status st = in_memory ? OK : make_private_file(db->place, err);
    int code;

    if (st != OK)
        return st;
    code = sqlite3_open_v2(db->place, &db->sqlite, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code == SQLITE_OK)
        code = set_up(db);
    if (code == SQLITE_OK) {
        db->connection++;
        db->connected = true;
        db->owner = getpid();
        return OK;
    }
    error_set(err, FAILED, "cannot open %s: %s", db->place, db->sqlite ? sqlite3_errmsg(db->sqlite) : "out of memory");
    sqlite3_close(db->sqlite);
    db->sqlite = NULL;
    return may_help_to_try_again(code) ? UNAVAILABLE : FAILED;
}

static void sqlite_disconnect(struct db *db)
{
    statements_drop(db);
    sqlite3_close_v2(db->sqlite);
    db->sqlite = NULL;
    db->connected = db->reopen = false;
}

/* SQLite cannot be carried over a fork, not even to be closed or opened again: its locks belong to the parent, while
 * the child's copy of its books says that they are held. The handle stays where it is, untouched. */
static void sqlite_forget(struct db *db)
{
    db->connected = false;
    db->orphaned = true;
}

/* ---- statements */

static void sqlite_drop(struct statement *s)
{
    sqlite3_finalize(s->sqlite);
    s->sqlite = NULL;
}

static int argument_number(struct statement *s, int parameter)
{
    const char *name = sqlite3_bind_parameter_name(s->sqlite, parameter);

    /* "$1::text" is one name to SQLite: a cast for PostgreSQL does no harm */
    return name && name[0] == '$' ? (int)strtol(name + 1, NULL, 10) : 0;
}

static bool prepare(struct db *db, struct statement *s)
{
    int code = sqlite3_prepare_v3(db->sqlite, s->sql, -1, s->number ? SQLITE_PREPARE_PERSISTENT : 0, &s->sqlite, NULL);

    if (code != SQLITE_OK) {
        fail(db, s->sql, code);
        return false;
    }
    s->parameters = sqlite3_bind_parameter_count(s->sqlite);
    if (s->number && s->parameters && !s->argument_of)
        s->argument_of = arena_new_array(db->memory, int, (size_t)s->parameters + 1);
    s->arguments = 0;
    for (int i = 1; i <= s->parameters; i++) {
        int n = argument_number(s, i);

        if (s->argument_of)
            s->argument_of[i] = n;
        if (n > s->arguments)
            s->arguments = n;
    }
    return true;
}

static int bind_one(sqlite3_stmt *stmt, int parameter, const struct arg *a)
{
    switch (a->type) {
    case ARG_TEXT: return sqlite3_bind_text64(stmt, parameter, a->text.p, a->text.n, SQLITE_STATIC, SQLITE_UTF8);
    case ARG_INT:
    case ARG_BOOL: return sqlite3_bind_int64(stmt, parameter, a->i);
    case ARG_DOUBLE: return sqlite3_bind_double(stmt, parameter, a->d);
    case ARG_NULL: break;
    }
    return sqlite3_bind_null(stmt, parameter);
}

static bool bind(struct db *db, struct statement *s, struct args args)
{
    if (s->arguments != args.n) {
        db_fail(db, s->sql, "the statement takes %d values and was given %d", s->arguments, args.n);
        return false;
    }
    for (int i = 1; i <= s->parameters; i++) {
        int n = s->argument_of ? s->argument_of[i] : argument_number(s, i);
        int code;

        if (n < 1) {
            db_fail(db, s->sql, "a placeholder that is not $1, $2, …");
            return false;
        }
        code = bind_one(s->sqlite, i, &args.v[n - 1]);
        if (code != SQLITE_OK) {
            fail(db, s->sql, code);
            return false;
        }
    }
    return true;
}

static enum db_status sqlite_end(struct row *row);

static enum outcome sqlite_run(struct row *row, struct args args)
{
    struct db *db = row->db;

    if (row->statement->busy) { /* one of its own rows' readers asks the same again */
        statement_once(&row->once, row->statement->sql);
        row->statement = &row->once;
    }
    if (!row->statement->sqlite && !prepare(db, row->statement))
        return RAN_NOT;
    row->sqlite = row->statement->sqlite;
    row->statement->busy = true;
    row->changed = sqlite3_total_changes(db->sqlite);
    if (bind(db, row->statement, args))
        return RAN;
    row->failed = true;
    sqlite_end(row);
    return RAN_NOT;
}

static enum db_status sqlite_next(struct row *row)
{
    int code = sqlite3_step(row->sqlite);

    if (code == SQLITE_ROW)
        return DB_ROW;
    if (code == SQLITE_DONE) {
        row->at_end = true;
        return DB_DONE;
    }
    fail(row->db, row->statement->sql, code);
    row->failed = true;
    return DB_ERROR;
}

static enum db_status sqlite_end(struct row *row)
{
    struct statement *s = row->statement;
    enum db_status st = DB_DONE;

    if (!row->at_end && !row->failed && !sqlite3_stmt_readonly(row->sqlite))
        while ((st = sqlite_next(row)) == DB_ROW) /* INSERT … RETURNING is done, and can still fail, at its end */
            ;
    row->changed = sqlite3_total_changes(row->db->sqlite) - row->changed;
    sqlite3_reset(row->sqlite);
    sqlite3_clear_bindings(row->sqlite);
    s->busy = false;
    if (!s->number)
        sqlite_drop(s);
    return st;
}

static enum outcome sqlite_script(struct db *db, const char *sql)
{
    int code;

    if (strcmp(sql, "ROLLBACK") == 0 && sqlite3_get_autocommit(db->sqlite))
        return RAN; /* some errors roll back by themselves */
    code = sqlite3_exec(db->sqlite, sql, NULL, NULL, NULL);
    if (code == SQLITE_OK)
        return RAN;
    fail(db, sql, code);
    return RAN_NOT;
}

/* ---- rows */

static struct str sqlite_text(struct row *row, int column)
{
    const char *p = (const char *)sqlite3_column_text(row->sqlite, column);

    if (!p)
        return STR_NONE;
    return str_copy(row->mem, str_n(p, (size_t)sqlite3_column_bytes(row->sqlite, column)));
}

static int64_t sqlite_integer(struct row *row, int column)
{
    return sqlite3_column_int64(row->sqlite, column);
}

static double sqlite_real(struct row *row, int column)
{
    return sqlite3_column_double(row->sqlite, column);
}

static bool sqlite_truth(struct row *row, int column)
{
    if (sqlite3_column_type(row->sqlite, column) == SQLITE_TEXT) {
        const char *p = (const char *)sqlite3_column_text(row->sqlite, column);

        return p && (p[0] == 't' || p[0] == 'T' || p[0] == '1');
    }
    return sqlite3_column_double(row->sqlite, column) != 0;
}

static bool sqlite_is_null(struct row *row, int column)
{
    return sqlite3_column_type(row->sqlite, column) == SQLITE_NULL;
}

const struct driver sqlite_driver = {
    .kind = DB_SQLITE,
    .connect = sqlite_connect,
    .disconnect = sqlite_disconnect,
    .forget = sqlite_forget,
    .run = sqlite_run,
    .next = sqlite_next,
    .end = sqlite_end,
    .script = sqlite_script,
    .drop = sqlite_drop,
    .apply_wal = sqlite_apply_wal,
    .text = sqlite_text,
    .integer = sqlite_integer,
    .real = sqlite_real,
    .truth = sqlite_truth,
    .is_null = sqlite_is_null,
};
