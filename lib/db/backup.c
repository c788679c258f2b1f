/* backup.c: SQLite's backup API, and pg_dump. */
#include "lib/db/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/child.h"
#include "lib/base/clock.h"
#include "lib/base/random.h"
#include "lib/db/driver.h"

enum { LOCK_MS = 15 * 1000, OPTIONS_MAX = 64 };

/* ---- SQLite */

static int copy_pages(sqlite3 *to, sqlite3 *from)
{
    sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
    int64_t end_ms = mono_ms() + LOCK_MS;
    int code;

    if (!backup)
        return sqlite3_errcode(to);
    while ((code = sqlite3_backup_step(backup, -1)) == SQLITE_BUSY || code == SQLITE_LOCKED) {
        if (mono_ms() > end_ms)
            break;
        usleep(20 * 1000);
    }
    sqlite3_backup_finish(backup);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

static enum status copy_to(struct db *db, const char *path, struct error *err)
{
    sqlite3 *from = NULL, *to = NULL;
    int code = sqlite3_open_v2(db->place, &from, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
    enum status st = OK;

    if (code == SQLITE_OK)
        code = sqlite3_open_v2(path, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code == SQLITE_OK) /* a copy that is cut short by a crash is nobody's */
        code = sqlite3_exec(to, "PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF", NULL, NULL, NULL);
    if (code == SQLITE_OK)
        code = copy_pages(to, from);
    if (code != SQLITE_OK)
        st = error_set(err, (code & 0xff) == SQLITE_BUSY || (code & 0xff) == SQLITE_LOCKED ? UNAVAILABLE : FAILED,
                       "could not copy the database: %s", sqlite3_errstr(code));
    sqlite3_close(to);
    sqlite3_close(from);
    return st;
}

enum status db_copy_file(struct db *db, const char *folder, int *fd, int64_t *bytes, struct error *err)
{
    struct arena *mem = arena_new(1024);
    const char *path = str_f(mem, "%s/.copy-%s.db", folder, random_hex(mem, 12).p).p;
    int made = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    struct stat s;
    enum status st;

    if (made < 0) {
        st = error_set(err, FAILED, "could not make %s: %s", path, strerror(errno));
        arena_free(mem);
        return st;
    }
    st = copy_to(db, path, err);
    unlink(path);
    if (st == OK && fstat(made, &s) != 0)
        st = error_set(err, FAILED, "could not look at the copy: %s", strerror(errno));
    if (st == OK) {
        *fd = made;
        *bytes = s.st_size;
    } else {
        close(made);
    }
    arena_free(mem);
    return st;
}

/* ---- PostgreSQL */

enum status db_start_dump(struct arena *mem, struct db *db, pid_t *pid, int *fd, struct error *err)
{
    char *argv[] = { "pg_dump", "--no-password", "--no-owner", "--no-privileges", NULL, NULL };
    const char *env[OPTIONS_MAX + 1];
    PQconninfoOption *options = PQconninfoParse(db->place, NULL);
    struct child dump = { .program = "pg_dump", .argv = argv, .input_fd = -1, .env = env };
    size_t n = 0;

    if (!options)
        return error_set(err, FAILED, "the database URL cannot be read");
    for (PQconninfoOption *o = options; o->keyword && n < OPTIONS_MAX; o++)
        if (o->val && *o->val && o->envvar)
            env[n++] = str_f(mem, "%s=%s", o->envvar, o->val).p;
    env[n] = NULL;
    PQconninfoFree(options);
    if (db->schema)
        argv[4] = str_c(mem, str_f(mem, "--schema=%s", db->schema));
    return child_begin(mem, &dump, pid, fd, err);
}
