/* postgres_connect.c: a connection to PostgreSQL, set up as every statement expects it. */
#include "lib/db/driver.h"

#include <libpq-fe.h>
#include <unistd.h>

#define OPTIONS_MAX 64

/* What the URL does not say. A server that vanished without a word is noticed within a minute. */
static const struct {
    const char *keyword, *value;
} defaults[] = {
    { "connect_timeout", "5" },      { "fallback_application_name", "webui-fcgi" },
    { "keepalives", "1" },           { "keepalives_idle", "30" },
    { "keepalives_interval", "10" }, { "keepalives_count", "3" },
    { "tcp_user_timeout", "30000" },
};

/* Limits apply unless the role or the URL has its own; a wrong guess of the planner must not compile machine code for a
 * small query. */
static const char session_sql[] = POSTGRES_LIMIT_STATEMENTS
    ";"
    "SELECT set_config('idle_in_transaction_session_timeout', '60s', false)"
    " WHERE current_setting('idle_in_transaction_session_timeout') = '0';"
    "SET jit = off";

static void quiet(void *arg, const char *message)
{
    (void)arg;
    (void)message;
}

static const char *default_of(const char *keyword)
{
    if (strcmp(keyword, "client_encoding") == 0)
        return "UTF8";
    for (size_t i = 0; i < sizeof(defaults) / sizeof(*defaults); i++)
        if (strcmp(keyword, defaults[i].keyword) == 0)
            return defaults[i].value;
    return NULL;
}

static PGconn *dial(struct db *db)
{
    const char *keywords[OPTIONS_MAX + 1], *values[OPTIONS_MAX + 1];
    PQconninfoOption *options = PQconninfoParse(db->place, NULL);
    PGconn *c;
    int n = 0;

    if (!options)
        return NULL;
    for (PQconninfoOption *o = options; o->keyword && n < OPTIONS_MAX; o++) {
        const char *otherwise = default_of(o->keyword);

        if ((!o->val || strcmp(o->keyword, "client_encoding") == 0) && !otherwise)
            continue;
        keywords[n] = o->keyword;
        values[n++] = o->val && strcmp(o->keyword, "client_encoding") != 0 ? o->val : otherwise;
    }
    keywords[n] = values[n] = NULL;
    c = PQconnectdbParams(keywords, values, 0);
    PQconninfoFree(options);
    return c;
}

static bool set_up(struct db *db)
{
    char *schema = db->schema ? PQescapeIdentifier(db->pg, db->schema, strlen(db->schema)) : NULL;
    struct buf sql = BUF(db->scratch, 4096);
    PGresult *result;
    bool worked;

    if (db->schema && !schema)
        return false;
    buf_add_c(&sql, session_sql);
    if (schema) /* public stays in sight: extensions put their types there */
        buf_addf(&sql, "; SET search_path TO %s, public", schema);
    PQfreemem(schema);
    result = PQexec(db->pg, buf_str(&sql).p);
    worked = PQresultStatus(result) == PGRES_COMMAND_OK || PQresultStatus(result) == PGRES_TUPLES_OK;
    PQclear(result);
    return worked;
}

/* Trying again does not help. libpq gives no code for these, only the server's text. */
static bool is_final(const char *message)
{
    return strstr(message, "authentication failed") || strstr(message, "no pg_hba.conf entry") ||
           strstr(message, "no password supplied") || (strstr(message, "does not exist") && !strstr(message, "socket"));
}

enum status postgres_connect(struct db *db, struct error *err)
{
    struct arena_mark mark = arena_mark(db->scratch);
    enum status st = OK;

    db->pg = dial(db);
    if (db->pg)
        PQsetNoticeProcessor(db->pg, quiet, NULL);
    if (PQstatus(db->pg) != CONNECTION_OK || !set_up(db)) {
        const char *message = db->pg ? PQerrorMessage(db->pg) : "out of memory";
        struct str text = str_replace(db->scratch, str_of(message), S("\n"), S(" "));

        text = str_trim(str_replace(db->scratch, text, S("\t"), S("")));
        st = is_final(message) ? FAILED : UNAVAILABLE;
        error_set(err, st, "cannot connect to %s: %.*s", db->shown, STR(text));
        PQfinish(db->pg);
        db->pg = NULL;
    } else {
        db->connection++;
        db->connected = true;
        db->owner = getpid();
    }
    arena_rewind(db->scratch, mark);
    return st;
}
