/* vectors_file.c: the SQLite file of the vectors. */
#include "lib/rag/vectors_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/log.h"

#define MMAP "PRAGMA mmap_size = 2147418112;"

enum { BUSY_MS = 30000, STATEMENTS = 32 };

static const char schema[] =
    "PRAGMA page_size = 32768; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;"
    "BEGIN IMMEDIATE;"
    "CREATE TABLE IF NOT EXISTS collection (id INTEGER PRIMARY KEY AUTOINCREMENT, owner TEXT NOT NULL, name TEXT NOT "
    "NULL,"
    " dim INTEGER NOT NULL, next INTEGER NOT NULL, UNIQUE (owner, name));"
    "CREATE INDEX IF NOT EXISTS collection_name ON collection (name);"
    "CREATE TABLE IF NOT EXISTS item (number INTEGER PRIMARY KEY, id TEXT NOT NULL, file_id TEXT, hash TEXT,"
    " metadata TEXT NOT NULL, text TEXT NOT NULL);"
    "CREATE INDEX IF NOT EXISTS item_id ON item (id);"
    "CREATE INDEX IF NOT EXISTS item_file_id ON item (file_id) WHERE file_id IS NOT NULL;"
    "CREATE INDEX IF NOT EXISTS item_hash ON item (hash) WHERE hash IS NOT NULL;"
    "CREATE TABLE IF NOT EXISTS vector (number INTEGER PRIMARY KEY, v BLOB NOT NULL);"
    "PRAGMA user_version = 1;"
    "COMMIT";

static struct {
    sqlite3 *db;
    pid_t owner; /* SQLite's locks do not pass to a child */
    char path[4200];
    int64_t waiting_since_ms;
    struct {
        const char *sql;
        sqlite3_stmt *stmt;
    } statements[STATEMENTS];
} file;

static int wait_for_lock(void *arg, int tries)
{
    (void)arg;
    if (tries == 0)
        file.waiting_since_ms = mono_ms();
    if (mono_ms() - file.waiting_since_ms >= BUSY_MS)
        return 0;
    usleep(tries < 20 ? 500 : 5000);
    return 1;
}

enum status vectors_fault(sqlite3 *db, struct error *err)
{
    int code = sqlite3_errcode(db) & 0xFF;

    return error_set(err, code == SQLITE_BUSY || code == SQLITE_LOCKED ? UNAVAILABLE : FAILED, "the vector file %s: %s",
                     file.path, sqlite3_errmsg(db));
}

static void forget(void)
{
    for (int i = 0; i < STATEMENTS && file.statements[i].sql; i++) {
        sqlite3_finalize(file.statements[i].stmt);
        file.statements[i].sql = NULL;
    }
    sqlite3_close(file.db);
    file.db = NULL;
}

static enum status failed(struct error *err, const char *why)
{
    log_error("could not open %s: %s", file.path, why);
    return error_set(err, FAILED, "The vectors cannot be used");
}

static enum status make_file(const char *folder, struct error *err)
{
    struct error why = { "" };
    int fd;

    if (dir_make(folder, 0700, &why) != OK)
        return failed(err, why.text);
    fd = open(file.path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return failed(err, strerror(errno));
    close(fd);
    return OK;
}

static enum status set_up(sqlite3 *db, struct error *err)
{
    sqlite3_stmt *s = NULL;
    int version = 0;

    sqlite3_busy_handler(db, wait_for_lock, NULL);
    if (sqlite3_exec(db,
                     MMAP
                     "PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -2048",
                     NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &s, NULL) != SQLITE_OK)
        return vectors_fault(db, err);
    if (sqlite3_step(s) == SQLITE_ROW)
        version = sqlite3_column_int(s, 0);
    sqlite3_finalize(s);
    if (version == 1)
        return OK;
    /* Several may be at it: the statements do nothing where the tables are there. The journal mode does not wait for a lock. */
    for (int64_t since = mono_ms(); sqlite3_exec(db, schema, NULL, NULL, NULL) != SQLITE_OK; usleep(5000)) {
        enum status st = vectors_fault(db, err);

        if (!sqlite3_get_autocommit(db))
            sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
        if (st != UNAVAILABLE || mono_ms() - since > BUSY_MS)
            return st;
    }
    return OK;
}

/* The file was replaced or removed by an operator. */
static bool is_gone(void)
{
    return access(file.path, F_OK) != 0;
}

sqlite3 *vectors_open(struct config *c, bool make, enum status *st, struct error *err)
{
    char folder[4096];

    *st = OK;
    snprintf(folder, sizeof(folder), "%s/vector_db", config_data_dir(c));
    if (file.db && file.owner != getpid()) { /* the parent's: neither used nor closed here */
        file.db = NULL;
        memset(file.statements, 0, sizeof(file.statements));
    }
    if (file.db && strncmp(file.path, folder, strlen(folder)) == 0 && !is_gone())
        return file.db;
    if (file.db)
        forget();
    snprintf(file.path, sizeof(file.path), "%s/webui-fcgi.db", folder);
    if (is_gone()) {
        *st = make ? make_file(folder, err) : NOT_FOUND;
        if (*st != OK)
            return NULL;
    }
    file.owner = getpid();
    if (sqlite3_open_v2(file.path, &file.db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
        *st = failed(err, sqlite3_errmsg(file.db));
    else
        *st = set_up(file.db, err);
    if (*st != OK)
        forget();
    return file.db;
}

void vectors_unmap(sqlite3 *db)
{
    sqlite3_exec(db, "PRAGMA mmap_size = 0;" MMAP, NULL, NULL, NULL);
}

sqlite3_stmt *vectors_statement(sqlite3 *db, const char *sql, struct error *err)
{
    int i = 0;

    while (i < STATEMENTS && file.statements[i].sql && file.statements[i].sql != sql)
        i++;
    if (i < STATEMENTS && file.statements[i].sql)
        return file.statements[i].stmt;
    if (i == STATEMENTS) { /* there are fewer texts than places */
        failed(err, "too many statements");
        return NULL;
    }
    if (sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &file.statements[i].stmt, NULL) != SQLITE_OK) {
        vectors_fault(db, err);
        return NULL;
    }
    file.statements[i].sql = sql;
    return file.statements[i].stmt;
}

void vectors_bind_str(sqlite3_stmt *s, int n, struct str text)
{
    if (text.p)
        sqlite3_bind_text64(s, n, text.p, text.n, SQLITE_STATIC, SQLITE_UTF8);
    else
        sqlite3_bind_null(s, n);
}

void vectors_done(sqlite3_stmt *s)
{
    sqlite3_reset(s);
    sqlite3_clear_bindings(s);
}

enum status vectors_step(sqlite3 *db, sqlite3_stmt *s, struct error *err)
{
    enum status st = sqlite3_step(s) == SQLITE_DONE ? OK : vectors_fault(db, err);

    vectors_done(s);
    return st;
}

static enum status run(sqlite3 *db, const char *sql, struct error *err)
{
    sqlite3_stmt *s = vectors_statement(db, sql, err);

    return s ? vectors_step(db, s, err) : FAILED;
}

enum status vectors_begin(sqlite3 *db, bool to_write, struct error *err)
{
    static const char read[] = "BEGIN", write[] = "BEGIN IMMEDIATE";

    return run(db, to_write ? write : read, err);
}

enum status vectors_end(sqlite3 *db, enum status st, struct error *err)
{
    static const char commit[] = "COMMIT", rollback[] = "ROLLBACK";

    if (st == OK)
        st = run(db, commit, err);
    if (st != OK && !sqlite3_get_autocommit(db))
        run(db, rollback, NULL);
    return st;
}

enum status vectors_find(sqlite3 *db, struct collection which, struct collection_row *out, struct error *err)
{
    static const char sql[] = "SELECT id, dim, next FROM collection WHERE owner = ?1 AND name = ?2";
    sqlite3_stmt *s = vectors_statement(db, sql, err);
    enum status st;

    if (!s)
        return FAILED;
    vectors_bind_str(s, 1, which.owner.p ? which.owner : S(""));
    vectors_bind_str(s, 2, which.name);
    switch (sqlite3_step(s)) {
    case SQLITE_ROW:
        *out = (struct collection_row){ .id = sqlite3_column_int64(s, 0),
                                        .dim = (size_t)sqlite3_column_int64(s, 1),
                                        .next = sqlite3_column_int64(s, 2) };
        st = OK;
        break;
    case SQLITE_DONE: st = error_set(err, NOT_FOUND, "no collection %.*s", STR(which.name)); break;
    default: st = vectors_fault(db, err);
    }
    vectors_done(s);
    return st;
}

static struct str column(struct arena *mem, sqlite3_stmt *s, int i)
{
    const char *p = (const char *)sqlite3_column_text(s, i);

    return str_copy(mem, str_n(p ? p : "", (size_t)sqlite3_column_bytes(s, i)));
}

struct vector_hit vectors_read_hit(struct arena *mem, sqlite3_stmt *s)
{
    return (struct vector_hit){ .id = column(mem, s, 0),
                                .text = column(mem, s, 1),
                                .metadata = column(mem, s, 2),
                                .number = sqlite3_column_int64(s, 3) };
}
