/* url.c: DATABASE_URL as the Python backend reads it. */
#include "lib/db/driver.h"

#include <ctype.h>
#include <libpq-fe.h>

/* "scheme+driver://rest": SQLAlchemy's driver is of no interest here. False: another scheme. */
static bool after_scheme(const char *url, const char *scheme, const char **rest)
{
    size_t n = strlen(scheme);

    if (strncmp(url, scheme, n) != 0)
        return false;
    url += n;
    if (*url == '+')
        url += 1 + strspn(url + 1, "abcdefghijklmnopqrstuvwxyz0123456789_");
    if (strncmp(url, "://", 3) != 0)
        return false;
    *rest = url + 3;
    return true;
}

static enum status sqlite_place(const char *rest, struct db *db, struct error *err)
{
    struct str path = str_of(rest);
    size_t query;

    if (path.n > 0 && *path.p != '/')
        return error_set(err, INVALID,
                         "database URL: sqlite has no host; write sqlite:///relative or sqlite:////absolute");
    path = str_from(path, 1);
    query = str_find_c(path, '?'); /* options of Python's driver: none concerns us */
    path = str_sub(path, 0, query);
    db->place = db->shown = path.n ? str_c(db->memory, path) : ":memory:";
    db->driver = &sqlite_driver;
    return OK;
}

/* Python leaves a "%" alone that is no escape; libpq refuses it. */
static const char *mend_percent(struct arena *mem, const char *rest)
{
    struct buf b = BUF(mem, 64 * 1024);

    buf_add_c(&b, "postgresql://");
    for (const char *p = rest; *p; p++) {
        buf_add_char(&b, *p);
        if (*p == '%' && !(isxdigit((unsigned char)p[1]) && isxdigit((unsigned char)p[2])))
            buf_add_c(&b, "25");
    }
    return buf_failed(&b) ? "" : b.p;
}

static const char *option_value(const PQconninfoOption *options, const char *keyword, const char *otherwise)
{
    for (const PQconninfoOption *o = options; o->keyword; o++)
        if (strcmp(o->keyword, keyword) == 0 && o->val && *o->val)
            return o->val;
    return otherwise;
}

static enum status postgres_place(const char *rest, struct db *db, struct error *err)
{
    char *why = NULL;
    PQconninfoOption *options;

    db->place = mend_percent(db->memory, rest);
    options = PQconninfoParse(db->place, &why);
    if (!options) {
        /* libpq's other texts quote parts of the URL, and the password with them */
        if (why && strncmp(why, "invalid URI query parameter", 27) == 0)
            error_set(err, INVALID, "database URL: %.*s", (int)strcspn(why, "\n"), why);
        else
            error_set(err, INVALID,
                      "database URL: PostgreSQL's library cannot read it; special characters in the password "
                      "must be percent-encoded");
        PQfreemem(why);
        return INVALID;
    }
    db->shown = str_f(db->memory, "postgresql://%s:%s/%s", option_value(options, "host", "(default host)"),
                      option_value(options, "port", "5432"),
                      option_value(options, "dbname", option_value(options, "user", "(default)")))
                    .p;
    PQconninfoFree(options);
    db->driver = &postgres_driver;
    return OK;
}

enum status db_url_parse(const char *url, struct db *db, struct error *err)
{
    const char *rest;

    if (strncmp(url, "sqlite+sqlcipher:", 17) == 0)
        return error_set(err, INVALID, "database URL: encrypted SQLite databases (sqlcipher) are not supported");
    if (after_scheme(url, "sqlite", &rest))
        return sqlite_place(rest, db, err);
    if (after_scheme(url, "postgresql", &rest) || after_scheme(url, "postgres", &rest))
        return postgres_place(rest, db, err);
    return error_set(err, INVALID, "database URL: neither sqlite:///… nor postgresql://…");
}
