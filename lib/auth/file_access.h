/* file_access.h: who may read and write a file: its owner, administrators, and whoever may read or write the knowledge base that it is in (the one its
 * meta.collection_name names, as long as that lists it). */
#ifndef LIB_AUTH_FILE_ACCESS_H
#define LIB_AUTH_FILE_ACCESS_H

#include "lib/auth/auth.h"
#include "lib/store/files.h"

/* type is "read" or "write". DB_ROW: yes; DB_DONE: no; DB_ERROR. */
enum db_status file_access(struct db *db, struct arena *mem, const struct user *u, const struct file *f,
                           const char *type);

#endif
