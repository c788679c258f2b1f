/* db.c: what is the same for both databases: connecting, running again after a lost connection, collecting rows,
 * transactions. */
#include "lib/db/driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- the handle */

enum status db_open(const char *url, struct db **out, struct error *err)
{
    struct arena *mem = arena_new(4096);
    struct db *db = arena_new_one(mem, struct db);
    enum status st;

    db->memory = mem;
    db->scratch = arena_new(4096);
    db->wal = true;
    st = db_url_parse(url ? url : "", db, err);
    if (st == OK) {
        *out = db;
    } else {
        arena_free(db->scratch);
        arena_free(mem);
    }
    return st;
}

void db_set_wal(struct db *db, bool on)
{
    db->wal = on;
}

enum status db_apply_wal(struct db *db, struct error *err)
{
    enum status st = db_connect(db, err);

    return st == OK && db->driver->apply_wal ? db->driver->apply_wal(db, err) : st;
}

void db_set_schema(struct db *db, struct str schema)
{
    db->schema = schema.n ? str_c(db->memory, schema) : NULL;
}

void db_forget_after_fork(struct db *db)
{
    if (!db->connected || db->owner == getpid())
        return;
    db->driver->forget(db);
    db->in_transaction = db->transaction_failed = db->streaming = false;
    db->active = 0;
}

void db_disconnect(struct db *db)
{
    db_forget_after_fork(db);
    if (db->connected)
        db->driver->disconnect(db);
}

void db_close(struct db *db)
{
    if (!db)
        return;
    db_disconnect(db);
    arena_free(db->scratch);
    arena_free(db->memory);
}

enum db_kind db_kind(const struct db *db)
{
    return db->driver->kind;
}

const char *db_place(const struct db *db)
{
    return db->shown;
}

const char *db_schema(const struct db *db)
{
    return db->schema;
}

const char *db_error(const struct db *db)
{
    return db->error;
}

bool db_unavailable(const struct db *db)
{
    return db->unavailable;
}

bool db_unique_violation(const struct db *db)
{
    return db->unique_violation;
}

bool db_bad_input(const struct db *db)
{
    return db->bad_input;
}

bool db_in_transaction(const struct db *db)
{
    return db->in_transaction;
}

/* The statement is a constant of ours, so it may go to a log; its line breaks may not. */
static void add_statement(char *text, size_t size, const char *sql)
{
    size_t n = strlen(text), start;

    if (n + 8 >= size)
        return;
    n += (size_t)snprintf(text + n, size - n, " in \"");
    start = n;
    for (; *sql && n < size - 8; sql++) {
        char c = *sql == '\n' || *sql == '\t' ? ' ' : *sql;

        if (n - start > 120) {
            n += (size_t)snprintf(text + n, size - n, "…");
            break;
        }
        if (c != ' ' || text[n - 1] != ' ')
            text[n++] = c;
    }
    snprintf(text + n, size - n, "\"");
}

void db_fail(struct db *db, const char *sql, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(db->error, sizeof(db->error), format, args);
    va_end(args);
    if (sql && strncmp(sql, "--", 2) != 0) /* a whole script's beginning says nothing */
        add_statement(db->error, sizeof(db->error), sql);
    db->unavailable = db->unique_violation = db->bad_input = false;
}

static bool connect_now(struct db *db, enum status *st, struct error *err)
{
    db_forget_after_fork(db);
    if (db->reopen && db->connected && !db->active && !db->in_transaction)
        db->driver->disconnect(db);
    if (db->connected)
        return true;
    *st = db->orphaned ? error_set(err, FAILED, "%s was open when this process was forked", db->shown)
                       : db->driver->connect(db, err);
    return *st == OK;
}

enum status db_connect(struct db *db, struct error *err)
{
    enum status st = OK;

    connect_now(db, &st, err);
    return st;
}

/* ---- running a statement */

static bool connected(struct db *db)
{
    struct error err;
    enum status st;

    if (connect_now(db, &st, &err))
        return true;
    db_fail(db, NULL, "%s", err.text);
    db->unavailable = true;
    return false;
}

static bool arguments_are_good(struct db *db, const char *sql, struct args args)
{
    for (int i = 0; i < args.n; i++) {
        struct str text = args.v[i].text;

        if (args.v[i].type != ARG_TEXT)
            continue;
        if (text.n && memchr(text.p, '\0', text.n))
            db_fail(db, sql, "$%d holds a NUL byte", i + 1);
        else if (!str_utf8_valid(text))
            db_fail(db, sql, "$%d is not UTF-8", i + 1);
        else
            continue;
        db->bad_input = true;
        return false;
    }
    return true;
}

static bool may_run(struct db *db, const char *sql, struct args args)
{
    if (db->transaction_failed) /* db_error() keeps the first cause */
        return false;
    if (!db->streaming)
        return arguments_are_good(db, sql, args);
    db_fail(db, sql, "the database was used by a reader of db_stream");
    return false;
}

/* True: rows may follow, and close_rows() must. */
static bool open_rows(struct db *db, struct row *row, struct args args)
{
    enum outcome o;

    if (may_run(db, row->statement->sql, args)) {
        for (int attempt = 0;; attempt++) {
            if (!connected(db))
                break;
            o = db->driver->run(row, args);
            if (o == RAN) {
                db->active++;
                return true;
            }
            if (o == LOST || o == LOST_BEFORE)
                db->driver->disconnect(db);
            if (o == RAN_NOT || attempt > 0 || db->in_transaction || (o == LOST && !row->statement->reads))
                break;
        }
    }
    db->transaction_failed = db->in_transaction;
    return false;
}

static enum db_status close_rows(struct row *row, enum db_status st)
{
    struct db *db = row->db;
    enum db_status ended = db->driver->end(row);

    db->active--;
    if (st != DB_ERROR && ended == DB_ERROR)
        st = DB_ERROR;
    if (st == DB_ERROR)
        db->transaction_failed = db->in_transaction;
    return st;
}

static void row_of(struct row *row, struct db *db, struct arena *mem, const char *sql)
{
    *row = (struct row){ .db = db, .mem = mem };
    row->statement = statement_of(db, sql);
}

static void row_once(struct row *row, struct db *db, struct arena *mem, const char *sql)
{
    *row = (struct row){ .db = db, .mem = mem };
    statement_once(&row->once, sql);
    row->statement = &row->once;
}

enum db_status db_one(struct db *db, struct arena *mem, row_reader *read, void *out, const char *sql, struct args args)
{
    struct row row;
    enum db_status st;

    row_of(&row, db, mem, sql);
    if (!open_rows(db, &row, args))
        return DB_ERROR;
    st = db->driver->next(&row);
    if (st == DB_ROW)
        read(&row, out);
    return close_rows(&row, st);
}

static enum db_status each(struct row *row, row_reader *read, void *out, struct args args)
{
    struct db *db = row->db;
    enum db_status st, result = DB_DONE;

    if (!open_rows(db, row, args))
        return DB_ERROR;
    while ((st = db->driver->next(row)) == DB_ROW) {
        read(row, out);
        result = DB_ROW;
    }
    return close_rows(row, st == DB_ERROR ? st : result);
}

enum db_status db_each(struct db *db, struct arena *mem, row_reader *read, void *out, const char *sql, struct args args)
{
    struct row row;

    row_of(&row, db, mem, sql);
    return each(&row, read, out, args);
}

struct stream {
    row_reader *read;
    void *out;
};

static void read_streamed(struct row *row, void *out)
{
    struct stream *s = out;

    row->db->streaming = true;
    s->read(row, s->out);
    row->db->streaming = false;
    arena_reset(row->mem);
}

enum db_status db_stream(struct db *db, row_reader *read, void *out, const char *sql, struct args args)
{
    struct stream s = { read, out };
    struct arena *mem = arena_new(4096);
    enum db_status st;
    struct row row;

    row_of(&row, db, mem, sql);
    row.single = true;
    if (db->driver->take_time && connected(db) && !db->transaction_failed && !db->streaming)
        db->driver->take_time(db, true);
    st = each(&row, read_streamed, &s, args);
    if (db->driver->take_time && db->connected && !db->transaction_failed && !db->streaming)
        db->driver->take_time(db, false);
    arena_free(mem);
    return st;
}

/* ---- all rows into an array. PostgreSQL knows how many there are; SQLite's are gathered outside, so that the arena's
 * strings do not force a copy of the array at each growth. */

struct gathering {
    char *items;
    size_t n, capacity, item_bytes;
};

static void *next_item(struct gathering *g)
{
    if (g->n == g->capacity) {
        size_t capacity = g->capacity ? g->capacity * 2 : 16;
        char *p = reallocarray(g->items, capacity, g->item_bytes);

        if (!p)
            return NULL;
        g->items = p;
        g->capacity = capacity;
    }
    return memset(g->items + g->n++ * g->item_bytes, 0, g->item_bytes);
}

static enum db_status gather(struct row *row, row_reader *read, struct gathering *g)
{
    enum db_status st;

    while ((st = row->db->driver->next(row)) == DB_ROW) {
        void *item = next_item(g);

        if (!item) {
            db_fail(row->db, row->statement->sql, "out of memory after %zu rows", g->n);
            return DB_ERROR;
        }
        read(row, item);
    }
    return st;
}

static enum db_status all(struct row *row, row_reader *read, size_t item_bytes, void *items, size_t *n,
                          struct args args)
{
    struct gathering g = { .item_bytes = item_bytes };
    bool counted;
    enum db_status st;

    *n = 0;
    *(void **)items = NULL;
    if (!open_rows(row->db, row, args))
        return DB_ERROR;
    counted = row->count > 0;
    if (counted) {
        g.capacity = (size_t)row->count;
        g.items = arena_array(row->mem, item_bytes, g.capacity);
    }
    st = close_rows(row, gather(row, read, &g));
    if (st != DB_ERROR && g.n > 0) {
        if (!counted)
            *(void **)items = memcpy(arena_array(row->mem, item_bytes, g.n), g.items, g.n * item_bytes);
        else
            *(void **)items = g.items;
        *n = g.n;
        st = DB_ROW;
    }
    if (!counted)
        free(g.items);
    return st;
}

enum db_status db_all(struct db *db, struct arena *mem, row_reader *read, size_t item_bytes, void *items, size_t *n,
                      const char *sql, struct args args)
{
    struct row row;

    row_of(&row, db, mem, sql);
    return all(&row, read, item_bytes, items, n, args);
}

enum db_status db_all_dynamic(struct db *db, struct arena *mem, row_reader *read, size_t item_bytes, void *items,
                              size_t *n, struct str sql, struct args args)
{
    struct row row;

    row_once(&row, db, mem, str_c(mem, sql));
    return all(&row, read, item_bytes, items, n, args);
}

static enum db_status exec(struct row *row, struct args args, int64_t *changed)
{
    enum db_status st;

    if (!open_rows(row->db, row, args))
        return DB_ERROR;
    while ((st = row->db->driver->next(row)) == DB_ROW)
        ;
    st = close_rows(row, st);
    if (st == DB_ERROR)
        return st;
    if (changed)
        *changed = row->changed;
    return row->changed > 0 ? DB_ROW : DB_DONE;
}

enum db_status db_exec(struct db *db, const char *sql, struct args args, int64_t *changed)
{
    struct row row;

    row_of(&row, db, NULL, sql);
    return exec(&row, args, changed);
}

enum db_status db_exec_dynamic(struct db *db, struct str sql, struct args args, int64_t *changed)
{
    struct arena_mark mark = arena_mark(db->scratch);
    enum db_status st;
    struct row row;

    row_once(&row, db, NULL, str_c(db->scratch, sql));
    st = exec(&row, args, changed);
    arena_rewind(db->scratch, mark);
    return st;
}

/* ---- scripts and transactions */

/* Repeatable: the script does no harm when it ran already. */
static bool script(struct db *db, const char *sql, bool repeatable)
{
    for (int attempt = 0;; attempt++) {
        enum outcome o;

        if (!connected(db))
            return false;
        o = db->driver->script(db, sql);
        if (o == RAN)
            return true;
        if (o == LOST || o == LOST_BEFORE)
            db->driver->disconnect(db);
        if (o == RAN_NOT || attempt > 0 || db->in_transaction || (o == LOST && !repeatable))
            return false;
    }
}

enum status db_script(struct db *db, const char *sql, struct error *err)
{
    if (may_run(db, sql, NO_ARGS) && script(db, sql, false))
        return OK;
    db->transaction_failed = db->in_transaction;
    return error_set(err, db->unavailable ? UNAVAILABLE : FAILED, "%s", db->error);
}

enum db_status db_begin(struct db *db)
{
    if (db->in_transaction) {
        db_fail(db, NULL, "a transaction was begun inside another");
        return DB_ERROR;
    }
    if (!may_run(db, "BEGIN", NO_ARGS) || !script(db, DB_SQL(db, "BEGIN IMMEDIATE", "BEGIN"), true))
        return DB_ERROR;
    db->in_transaction = true;
    return DB_DONE;
}

void db_rollback(struct db *db)
{
    enum outcome o = RAN;

    db_forget_after_fork(db);
    if (db->in_transaction && db->connected)
        o = db->driver->script(db, "ROLLBACK");
    if (o != RAN)
        db->driver->disconnect(db);
    db->in_transaction = db->transaction_failed = false;
}

enum db_status db_commit(struct db *db)
{
    if (!db->in_transaction) {
        db_fail(db, NULL, "a commit without a transaction");
        return DB_ERROR;
    }
    if (!db->transaction_failed && script(db, "COMMIT", false)) {
        db->in_transaction = false;
        return DB_DONE;
    }
    db_rollback(db);
    return DB_ERROR;
}

enum db_status db_exec_commit(struct db *db, const char *sql, struct args args, int64_t *changed)
{
    enum db_status st;

    db->commit_after = db->driver->kind == DB_POSTGRES && db->in_transaction;
    db->committed = false;
    st = db_exec(db, sql, args, changed);
    db->commit_after = false;
    if (st != DB_ERROR && db->committed) {
        db->in_transaction = false;
        return st;
    }
    if (st != DB_ERROR && db_commit(db) != DB_ERROR)
        return st;
    db_rollback(db);
    return DB_ERROR;
}

/* ---- columns */

struct str row_str(struct row *row, int column)
{
    return row->db->driver->text(row, column);
}

int64_t row_int(struct row *row, int column)
{
    return row->db->driver->integer(row, column);
}

double row_double(struct row *row, int column)
{
    return row->db->driver->real(row, column);
}

bool row_bool(struct row *row, int column)
{
    return row->db->driver->truth(row, column);
}

bool row_is_null(struct row *row, int column)
{
    return row->db->driver->is_null(row, column);
}

struct arena *row_arena(struct row *row)
{
    return row->mem;
}

struct str row_json(struct row *row, int column)
{
    struct str s = row_str(row, column);

    return str_is(s, "null") ? STR_NONE : s;
}

struct str db_like_pattern(struct arena *mem, struct str text)
{
    struct buf b = BUF(mem, STR_NPOS);

    buf_add_char(&b, '%');
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '%' || text.p[i] == '_' || text.p[i] == '\\')
            buf_add_char(&b, '\\');
        buf_add_char(&b, text.p[i]);
    }
    buf_add_char(&b, '%');
    return buf_str(&b);
}
