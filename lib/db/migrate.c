/* migrate.c: what state a database is in; making an empty one; adding our indexes. */
#include "lib/db/migrate.h"

#include "lib/db/schema.h"

#define TABLE_WORDS "CREATE TABLE "
#define INDEX_WORDS "CREATE INDEX IF NOT EXISTS "
#define OURS SCHEMA_MADE_BY " (revision " SCHEMA_REVISION ")"

/* ---- what is there */

struct names {
    struct str *v;
    size_t n;
};

static void read_name(struct row *row, void *out)
{
    *(struct str *)out = row_str(row, 0);
}

static bool holds(const struct names *names, struct str name)
{
    for (size_t i = 0; i < names->n; i++)
        if (str_eq(names->v[i], name))
            return true;
    return false;
}

static enum status read_failed(struct db *db, struct error *err)
{
    return error_set(err, db_unavailable(db) ? UNAVAILABLE : FAILED, "could not read the database's schema: %s",
                     db_error(db));
}

static enum status list(struct db *db, struct arena *mem, struct names *out, const char *sql, struct args args,
                        struct error *err)
{
    return db_all(db, mem, read_name, sizeof(struct str), &out->v, &out->n, sql, args) == DB_ERROR
               ? read_failed(db, err)
               : OK;
}

static enum status list_tables(struct db *db, struct arena *mem, struct names *out, struct error *err)
{
    if (db_kind(db) == DB_SQLITE)
        return list(db, mem, out,
                    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
                    NO_ARGS, err);
    return list(db, mem, out,
                "SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = coalesce($1::text, current_schema())",
                ARGS(db_schema(db)), err);
}

static enum status list_indexes(struct db *db, struct arena *mem, struct names *out, struct error *err)
{
    if (db_kind(db) == DB_SQLITE)
        return list(db, mem, out, "SELECT name FROM sqlite_master WHERE type = 'index'", NO_ARGS, err);
    return list(db, mem, out,
                "SELECT indexname FROM pg_catalog.pg_indexes WHERE schemaname = coalesce($1::text, current_schema())",
                ARGS(db_schema(db)), err);
}

/* As "table.column". */
static enum status list_columns(struct db *db, struct arena *mem, struct names *out, struct error *err)
{
    if (db_kind(db) == DB_SQLITE)
        return list(db, mem, out,
                    "SELECT t.name || '.' || c.name FROM sqlite_master t JOIN pragma_table_info(t.name) c WHERE t.type "
                    "= 'table'",
                    NO_ARGS, err);
    return list(
        db, mem, out,
        "SELECT t.relname || '.' || c.attname FROM pg_catalog.pg_attribute c"
        " JOIN pg_catalog.pg_class t ON t.oid = c.attrelid JOIN pg_catalog.pg_namespace s ON s.oid = t.relnamespace"
        " WHERE s.nspname = coalesce($1::text, current_schema()) AND t.relkind IN ('r', 'p') AND c.attnum > 0"
        " AND NOT c.attisdropped",
        ARGS(db_schema(db)), err);
}

/* ---- what should be there: the scripts say it */

static const char *tables_script(const struct db *db)
{
    return DB_SQL(db, schema_sqlite_tables, schema_postgres_tables);
}

static const char *indexes_script(const struct db *db)
{
    return DB_SQL(db, schema_sqlite_indexes, schema_postgres_indexes);
}

/* The name after the next words in *script, which moves on. */
static bool next_name(const char **script, const char *words, struct str *name)
{
    const char *p = strstr(*script, words);

    if (!p)
        return false;
    p += strlen(words);
    if (*p == '"')
        p++;
    *name = str_n(p, strcspn(p, "\" (\n"));
    *script = p;
    return true;
}

static bool any_of_ours(const struct db *db, const struct names *tables)
{
    const char *script = tables_script(db);
    struct str name;

    while (next_name(&script, TABLE_WORDS, &name))
        if (holds(tables, name))
            return true;
    return false;
}

static struct str first_missing(const struct db *db, const struct names *tables)
{
    const char *script = tables_script(db);
    struct str name;

    while (next_name(&script, TABLE_WORDS, &name))
        if (!holds(tables, name))
            return name;
    return STR_NONE;
}

/* The name at the head of a part of CREATE TABLE's list; absent: a constraint. */
static struct str column_name(const char *part)
{
    static const char *const others[] = { "CONSTRAINT ", "PRIMARY KEY", "UNIQUE ", "FOREIGN KEY", "CHECK " };

    part += strspn(part, " \t\n\"");
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
        if (strncmp(part, others[i], strlen(others[i])) == 0)
            return STR_NONE;
    return str_n(part, strcspn(part, "\" \t\n,)"));
}

/* Of the list that begins at *text, after its parenthesis: moves on to the next part. False: that was the last. */
static bool next_part(const char **text)
{
    const char *p = *text;
    int depth = 0;

    for (; *p && (depth > 0 || (*p != ',' && *p != ')')); p++)
        depth += *p == '(' ? 1 : *p == ')' ? -1 : 0;
    *text = *p ? p + 1 : p;
    return *p == ',';
}

/* The first column that should be there and is not. */
static void find_missing_column(struct db *db, struct arena *mem, const struct names *columns, struct schema *out)
{
    const char *script = tables_script(db), *part;
    struct str table, column;

    while (next_name(&script, TABLE_WORDS, &table)) {
        part = strchr(script, '(') + 1;
        do {
            column = column_name(part);
            if (column.n && !holds(columns, str_f(mem, "%.*s.%.*s", STR(table), STR(column)))) {
                out->missing = table;
                out->missing_column = column;
                return;
            }
        } while (next_part(&part));
    }
}

static size_t count_missing_indexes(const struct db *db, const struct names *indexes)
{
    const char *script = indexes_script(db);
    struct str name;
    size_t n = 0;

    while (next_name(&script, INDEX_WORDS, &name))
        n += !holds(indexes, name);
    return n;
}

/* ---- the state */

static void compare_revision(struct arena *mem, struct schema *out)
{
    const char *first, *last, *our_first, *our_last;
    size_t order, ours = 0;

    if (!schema_versions(out->revision, &first, &last, &order))
        return;
    schema_versions(S(SCHEMA_REVISION), &our_first, &our_last, &ours);
    out->state = order < ours ? SCHEMA_OLDER : order > ours ? SCHEMA_NEWER : SCHEMA_CURRENT;
    if (!last)
        out->made_by = str_f(mem, "Open WebUI %s or later", first);
    else if (strcmp(first, last) == 0)
        out->made_by = str_f(mem, "Open WebUI %s", first);
    else
        out->made_by = str_f(mem, "Open WebUI %s to %s", first, last);
}

static void join(struct arena *mem, const struct names *names, struct str *out)
{
    for (size_t i = 0; i < names->n; i++)
        *out = i == 0 ? names->v[0] : str_cat(mem, str_cat(mem, *out, S(", ")), names->v[i]);
}

enum status migrate_check(struct db *db, struct arena *mem, struct schema *out, struct error *err)
{
    struct schema found = { .state = SCHEMA_UNKNOWN };
    struct names tables = { 0 }, revisions = { 0 }, indexes = { 0 }, columns = { 0 };
    enum status st = list_tables(db, mem, &tables, err);

    if (st == OK && holds(&tables, S("alembic_version")))
        st = list(db, mem, &revisions, "SELECT version_num FROM alembic_version ORDER BY version_num", NO_ARGS, err);
    else if (st == OK && (db_kind(db) == DB_SQLITE ? tables.n == 0 : !any_of_ours(db, &tables)))
        found.state = SCHEMA_EMPTY; /* other programs' tables may stand beside ours in PostgreSQL */
    if (st == OK)
        st = list_indexes(db, mem, &indexes, err);
    if (st == OK)
        st = list_columns(db, mem, &columns, err);
    if (st != OK)
        return st;
    join(mem, &revisions, &found.revision);
    if (revisions.n == 1)
        compare_revision(mem, &found);
    if (found.state == SCHEMA_CURRENT) {
        found.missing = first_missing(db, &tables);
        if (!found.missing.p)
            find_missing_column(db, mem, &columns, &found);
        found.indexes_missing = count_missing_indexes(db, &indexes);
        if (found.missing.p)
            found.state = SCHEMA_UNKNOWN;
    }
    *out = found;
    return OK;
}

struct str migrate_refusal(struct arena *mem, const struct schema *s)
{
    struct str by = s->made_by.p ? s->made_by : S("no Open WebUI known to this program");

    switch (s->state) {
    case SCHEMA_CURRENT: return STR_NONE;
    case SCHEMA_EMPTY: return S("the database is empty: its tables have yet to be made, by webuictl migrate");
    case SCHEMA_OLDER:
        return str_f(mem,
                     "the database is of %.*s (revision %.*s), this program works on that of " OURS
                     ": make a backup and start " SCHEMA_MADE_BY " once on it to bring it up",
                     STR(by), STR(s->revision));
    case SCHEMA_NEWER:
        return str_f(mem,
                     "the database is of %.*s (revision %.*s), this program works on that of " OURS
                     ": go on with that Open WebUI, or "
                     "restore a backup from before the update",
                     STR(by), STR(s->revision));
    case SCHEMA_UNKNOWN: break;
    }
    if (s->missing_column.p)
        return str_f(mem,
                     "the database says it is that of " OURS
                     " but its table \"%.*s\" has no column \"%.*s\": restore a backup, or name an empty database",
                     STR(s->missing), STR(s->missing_column));
    if (s->missing.p)
        return str_f(mem,
                     "the database says it is that of " OURS
                     " but has no table \"%.*s\": restore a backup, or name an empty database",
                     STR(s->missing));
    if (s->revision.p)
        return str_f(mem,
                     "the database is of %.*s (revision %.*s), this program works on that of " OURS
                     ": if a later Open WebUI made it, "
                     "go on with that or restore a backup from before the update",
                     STR(by), STR(s->revision));
    return str_f(mem, "the database has tables but no revision, so it is half made, older than Open WebUI 0.3.8 or "
                      "another program's; this "
                      "program works on that of " OURS ": start " SCHEMA_MADE_BY
                      " once on it to bring it up, or name an empty database");
}

/* ---- doing it */

/* The first process in does the work; the others wait here, and then find it done. */
static enum status lock(struct db *db, struct error *err)
{
    if (db_begin(db) == DB_ERROR)
        return error_set(err, db_unavailable(db) ? UNAVAILABLE : FAILED, "%s", db_error(db));
    if (db_kind(db) == DB_SQLITE)
        return OK;
    return db_script(db, "SET LOCAL statement_timeout = 0; SELECT pg_advisory_xact_lock(512970978665)", err);
}

static enum status make_schema(struct db *db, struct arena *mem, struct error *err)
{
    struct str name = str_of(db_schema(db));

    if (db_kind(db) == DB_SQLITE || !name.n)
        return OK;
    return db_script(
        db, str_f(mem, "CREATE SCHEMA IF NOT EXISTS \"%.*s\"", STR(str_replace(mem, name, S("\""), S("\"\"")))).p, err);
}

static enum status commit(struct db *db, struct error *err)
{
    if (db_commit(db) == DB_DONE)
        return OK;
    return error_set(err, db_unavailable(db) ? UNAVAILABLE : FAILED, "%s", db_error(db));
}

static enum status make_tables(struct db *db, struct arena *mem, struct schema *out, struct error *err)
{
    enum status st = lock(db, err);

    if (st == OK)
        st = migrate_check(db, mem, out, err);
    if (st == OK && out->state == SCHEMA_EMPTY) {
        st = make_schema(db, mem, err);
        if (st == OK)
            st = db_script(db, tables_script(db), err);
        if (st == OK)
            st = db_script(db, indexes_script(db), err);
        if (st == OK)
            st = commit(db, err);
        if (st == OK)
            *out = (struct schema){
                .state = SCHEMA_CURRENT, .revision = S(SCHEMA_REVISION), .made_by = S(SCHEMA_MADE_BY), .created = true
            };
    }
    db_rollback(db);
    return error_add(err, st, "could not make the tables");
}

static enum status add_indexes(struct db *db, struct error *err)
{
    enum status st = lock(db, err);

    if (st == OK)
        st = db_script(db, indexes_script(db), err);
    if (st == OK)
        st = commit(db, err);
    db_rollback(db);
    return st;
}

enum status migrate_up(struct db *db, struct arena *mem, struct schema *out, struct error *err)
{
    struct error why;
    enum status st = migrate_check(db, mem, out, err);

    if (st == OK && (out->state == SCHEMA_EMPTY || out->state == SCHEMA_CURRENT))
        st = db_apply_wal(db, err);
    if (st == OK && out->state == SCHEMA_EMPTY)
        st = make_tables(db, mem, out, err);
    if (st != OK)
        return st;
    if (out->state != SCHEMA_CURRENT)
        return error_set(err, INVALID, "%.*s", STR(migrate_refusal(mem, out)));
    if (out->indexes_missing == 0)
        return OK;
    if (add_indexes(db, &why) == OK)
        out->indexes_missing = 0;
    else /* the role may not be the tables' owner */
        out->note = str_f(mem, "could not add indexes: %s", why.text);
    return OK;
}
