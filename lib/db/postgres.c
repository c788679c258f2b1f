/* postgres.c: the PostgreSQL side of db.h. Text format both ways; the server infers the types of parameters. */
#include "lib/db/driver.h"

#include <fcntl.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void postgres_disconnect(struct db *db)
{
    db->begin_pending = false;
    PQfinish(db->pg);
    db->pg = NULL;
    db->connected = db->reopen = false;
}

/* PQfinish() would say goodbye on the parent's behalf: it may talk to /dev/null. */
static void postgres_forget(struct db *db)
{
    int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (nowhere >= 0 && PQsocket(db->pg) >= 0)
        dup2(nowhere, PQsocket(db->pg));
    if (nowhere >= 0)
        close(nowhere);
    postgres_disconnect(db);
}

/* The server's last words to an idle connection have arrived already: a restart costs no statement. */
static bool still_there(PGconn *c)
{
    for (int i = 0; i < 4; i++) {
        struct pollfd p = { .fd = PQsocket(c), .events = POLLIN };

        if (PQstatus(c) != CONNECTION_OK)
            return false;
        if (poll(&p, 1, 0) <= 0)
            return true;
        if (!PQconsumeInput(c))
            return false;
        PQisBusy(c); /* reads notices and changed settings */
    }
    return PQstatus(c) == CONNECTION_OK;
}

/* ---- what went wrong */

static bool is_class(const char *state, const char *class)
{
    return strncmp(state, class, strlen(class)) == 0;
}

static const char *state_of(const PGresult *result)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);

    return state ? state : "";
}

static void describe(struct db *db, const char *sql, const PGresult *result)
{
    const char *state = state_of(result);
    const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *text = primary ? primary : PQerrorMessage(db->pg);
    const char *value = is_class(state, "22") ? strstr(text, ": \"")
                                              : NULL; /* "invalid input …": the input is no matter for a log */
    int n = (int)(value ? (size_t)(value - text) : strcspn(text, "\n"));

    db_fail(db, sql, "%.*s (SQLSTATE %s)", n, text, *state ? state : "unknown");
    db->unique_violation = strcmp(state, "23505") == 0;
    db->bad_input = strcmp(state, "22021") == 0 || strcmp(state, "22P05") == 0;
    /* 40: deadlock and the like; 53: out of something; 55P03: locked; 57014: took too long; 25006: a standby now */
    db->unavailable = is_class(state, "40") || is_class(state, "53") || strcmp(state, "55P03") == 0 ||
                      strcmp(state, "57014") == 0 || strcmp(state, "25006") == 0;
}

/* s is NULL for plain scripts. */
static enum outcome why_not(struct db *db, struct statement *s, const char *sql, const PGresult *result)
{
    const char *state = state_of(result);
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

    describe(db, sql, result);
    if (PQstatus(db->pg) != CONNECTION_OK || is_class(state, "080") ||
        is_class(state, "57P0")) { /* not 08P01, a wrong number of values */
        db->unavailable = true;
        return LOST;
    }
    if (!s || !s->number)
        return RAN_NOT;
    if (strcmp(state, "42P05") == 0) { /* the name is taken: somebody else's session, through a pooler */
        db->unnamed_only = true;
        return STALE;
    }
    if (strcmp(state, "26000") == 0 || (strcmp(state, "0A000") == 0 && message && strstr(message, "cached plan"))) {
        if (state[0] == '2' && ++db->statements_missing >= 3)
            db->unnamed_only = true;
        s->connection = 0;
        s->number = ++db->last_number; /* the old name may still stand for the old plan */
        return STALE;
    }
    return RAN_NOT;
}

static bool is_fine(const PGresult *result)
{
    ExecStatusType st = PQresultStatus(result);

    return st == PGRES_COMMAND_OK || st == PGRES_TUPLES_OK || st == PGRES_SINGLE_TUPLE || st == PGRES_EMPTY_QUERY;
}

/* ---- statements */

static const char *argument_text(struct arena *mem, const struct arg *a)
{
    switch (a->type) {
    case ARG_TEXT: return str_c(mem, a->text);
    case ARG_INT: return str_f(mem, "%lld", (long long)a->i).p;
    case ARG_DOUBLE: return str_f(mem, "%.17g", a->d).p;
    case ARG_BOOL: return a->i ? "t" : "f";
    case ARG_NULL: break;
    }
    return NULL;
}

static PGresult *execute(struct row *row, const char *name, int n, const char *const *values)
{
    PGconn *c = row->db->pg;
    const char *sql = row->statement->sql;

    if (!row->single)
        return name ? PQexecPrepared(c, name, n, values, NULL, NULL, 0)
                    : PQexecParams(c, sql, n, NULL, values, NULL, NULL, 0);
    if (name ? PQsendQueryPrepared(c, name, n, values, NULL, NULL, 0)
             : PQsendQueryParams(c, sql, n, NULL, values, NULL, NULL, 0)) {
        PQsetSingleRowMode(c);
        return PQgetResult(c);
    }
    return NULL;
}

/* BEGIN before the statement, COMMIT behind it, in one go (libpq's pipeline mode): each would be a round trip, during which others wait for our locks. */
static PGresult *execute_piped(struct db *db, const char *name, int n, const char *const *values)
{
    PGconn *c = db->pg;
    bool begins = db->begin_pending, commits = db->commit_after;
    PGresult *result = NULL, *other;

    if (!PQenterPipelineMode(c))
        return NULL;
    if ((!begins || PQsendQueryParams(c, "BEGIN", 0, NULL, NULL, NULL, NULL, 0)) &&
        PQsendQueryPrepared(c, name, n, values, NULL, NULL, 0) &&
        (!commits || PQsendQueryParams(c, "COMMIT", 0, NULL, NULL, NULL, NULL, 0)) && PQpipelineSync(c)) {
        if (begins) {
            other = PQgetResult(c);
            db->begin_pending = !is_fine(other);
            PQclear(other);
            PQclear(PQgetResult(c)); /* the NULL behind each result */
        }
        result = PQgetResult(c);
        PQclear(PQgetResult(c));
        if (commits) {
            other = PQgetResult(c);
            db->committed = is_fine(other) && strcmp(PQcmdStatus(other), "COMMIT") == 0;
            if (is_fine(result) && !db->committed) { /* a check at the end failed: that is the statement's outcome */
                PQclear(result);
                result = other;
            } else {
                PQclear(other);
            }
            PQclear(PQgetResult(c));
        }
        PQclear(PQgetResult(c)); /* of the sync */
    }
    PQexitPipelineMode(c);
    return result;
}

static void read_to_end(PGconn *c)
{
    PGresult *result;

    while ((result = PQgetResult(c)))
        PQclear(result);
}

static void clear_result(void *result)
{
    PQclear(result);
}

static enum outcome prepare(struct row *row, const char *name)
{
    struct statement *s = row->statement;
    PGresult *result = PQprepare(row->db->pg, name, s->sql, 0, NULL);
    enum outcome o = is_fine(result) ? RAN : why_not(row->db, s, s->sql, result);

    PQclear(result);
    if (o == RAN)
        s->connection = row->db->connection;
    return o;
}

/* What cannot be piped finds its transaction begun. */
static enum outcome begin_now(struct db *db)
{
    PGresult *result;
    enum outcome o;

    if (!db->begin_pending)
        return RAN;
    result = PQexec(db->pg, "BEGIN");
    o = is_fine(result) ? RAN : why_not(db, NULL, "BEGIN", result);
    db->begin_pending = o != RAN;
    PQclear(result);
    return o;
}

static enum outcome run_bound(struct row *row, int n, const char *const *values)
{
    struct db *db = row->db;
    struct statement *s = row->statement;
    bool named = s->number && !db->unnamed_only;
    char name[16];
    enum outcome o;

    snprintf(name, sizeof(name), "s%u", s->number);
    if (named && s->connection != db->connection) {
        o = prepare(row, name);
        if (o != RAN)
            return o;
    }
    if (named && !row->single && (db->begin_pending || db->commit_after)) {
        row->result = execute_piped(db, name, n, values);
    } else {
        o = begin_now(db);
        if (o != RAN)
            return o;
        row->result = execute(row, named ? name : NULL, n, values);
    }
    if (is_fine(row->result))
        return RAN;
    o = why_not(db, s, s->sql, row->result);
    PQclear(row->result);
    row->result = NULL;
    if (row->single)
        read_to_end(db->pg);
    return o;
}

static enum outcome postgres_run(struct row *row, struct args args)
{
    struct db *db = row->db;
    struct arena_mark mark = arena_mark(db->scratch);
    const char **values;
    enum outcome o;

    if (!db->in_transaction && !still_there(db->pg)) {
        db_fail(db, row->statement->sql, "the server closed the connection");
        db->unavailable = true;
        return LOST_BEFORE;
    }
    values = arena_new_array(db->scratch, const char *, (size_t)args.n + 1);
    for (int i = 0; i < args.n; i++)
        values[i] = argument_text(db->scratch, &args.v[i]);
    o = run_bound(row, args.n, values);
    arena_rewind(db->scratch, mark);
    if (o != RAN)
        return o;
    row->index = -1;
    row->count = PQntuples(row->result);
    row->changed = strtoll(PQcmdTuples(row->result), NULL, 10);
    if (row->mem && !row->single && row->count > 0) {
        arena_at_end(row->mem, clear_result, row->result); /* its strings are handed out as they stand */
        row->result_in_arena = true;
    }
    return RAN;
}

static enum db_status next_single(struct row *row)
{
    struct db *db = row->db;

    if (row->index >= 0) { /* the first one came with run */
        PQclear(row->result);
        row->result = PQgetResult(db->pg);
    }
    if (PQresultStatus(row->result) == PGRES_SINGLE_TUPLE) {
        row->index = 0;
        return DB_ROW;
    }
    row->at_end = true;
    if (is_fine(row->result))
        return DB_DONE;
    if (why_not(db, NULL, row->statement->sql, row->result) == LOST)
        db->reopen = true;
    return DB_ERROR;
}

static enum db_status postgres_next(struct row *row)
{
    if (row->single)
        return next_single(row);
    return ++row->index < row->count ? DB_ROW : DB_DONE;
}

static enum db_status postgres_end(struct row *row)
{
    if (!row->result_in_arena)
        PQclear(row->result);
    row->result = NULL;
    if (row->single)
        read_to_end(row->db->pg);
    return DB_DONE;
}

static enum outcome postgres_script(struct db *db, const char *sql)
{
    PGresult *result;
    enum outcome o = RAN;

    if (!db->in_transaction && !still_there(db->pg)) {
        db_fail(db, sql, "the server closed the connection");
        db->unavailable = true;
        return LOST_BEFORE;
    }
    if (strcmp(sql, "BEGIN") == 0) {
        db->begin_pending = true;
        return RAN;
    }
    if (db->begin_pending && (strcmp(sql, "COMMIT") == 0 || strcmp(sql, "ROLLBACK") == 0)) {
        db->begin_pending = false; /* nothing was done in it */
        return RAN;
    }
    o = begin_now(db);
    if (o != RAN)
        return o;
    result = PQexec(db->pg, sql);
    if (!is_fine(result)) {
        o = why_not(db, NULL, sql, result);
    } else if (strcmp(sql, "COMMIT") == 0 && strcmp(PQcmdStatus(result), "COMMIT") != 0) {
        db_fail(db, sql, "the transaction had failed and was rolled back");
        o = RAN_NOT;
    }
    PQclear(result);
    return o;
}

/* The time that the client of an export takes counts as the statement's. A failure here shows in the next statement. */
static void postgres_take_time(struct db *db, bool on)
{
    PQclear(PQexec(db->pg, on ? "SET statement_timeout = 0" : "RESET statement_timeout; " POSTGRES_LIMIT_STATEMENTS));
}

/* A new connection knows none of the old one's statements; on this one a name that is no longer used does no harm. */
static void postgres_drop(struct statement *s)
{
    s->connection = 0;
}

/* ---- rows */

static bool postgres_is_null(struct row *row, int column)
{
    return PQgetisnull(row->result, row->index, column);
}

static struct str postgres_text(struct row *row, int column)
{
    if (postgres_is_null(row, column))
        return STR_NONE;
    return str_n(PQgetvalue(row->result, row->index, column), (size_t)PQgetlength(row->result, row->index, column));
}

static int64_t postgres_integer(struct row *row, int column)
{
    const char *p = PQgetvalue(row->result, row->index, column);

    return *p == 't' ? 1 : strtoll(p, NULL, 10);
}

static double postgres_real(struct row *row, int column)
{
    return strtod(PQgetvalue(row->result, row->index, column), NULL);
}

static bool postgres_truth(struct row *row, int column)
{
    const char *p = PQgetvalue(row->result, row->index, column);

    return *p == 't' || strtod(p, NULL) != 0;
}

const struct driver postgres_driver = {
    .kind = DB_POSTGRES,
    .connect = postgres_connect,
    .disconnect = postgres_disconnect,
    .forget = postgres_forget,
    .run = postgres_run,
    .next = postgres_next,
    .end = postgres_end,
    .script = postgres_script,
    .drop = postgres_drop,
    .take_time = postgres_take_time,
    .text = postgres_text,
    .integer = postgres_integer,
    .real = postgres_real,
    .truth = postgres_truth,
    .is_null = postgres_is_null,
};
