/* backup.h: the whole database for an operator to take away. */
#ifndef LIB_DB_BACKUP_H
#define LIB_DB_BACKUP_H

#include <sys/types.h>

#include "lib/db/db.h"

/* SQLite: a consistent copy of the file as it is now; writers go on meanwhile. It is made in folder and has no name any more: *fd is the caller's, at its
 * start. UNAVAILABLE: locked for too long; FAILED (no room …). */
enum status db_copy_file(struct db *db, const char *folder, int *fd, int64_t *bytes, struct error *err);

/* PostgreSQL: starts pg_dump, whose SQL comes out of *fd; end it with child_wait() (lib/base/child.h). NOT_FOUND: it is not installed. The password goes by its
 * environment, never by its arguments. */
enum status db_start_dump(struct arena *mem, struct db *db, pid_t *pid, int *fd, struct error *err);

#endif
