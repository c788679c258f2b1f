/* file.h: whole files and directories. Paths are the operator's, not a client's (for those: lib/storage). */
#ifndef LIB_BASE_FILE_H
#define LIB_BASE_FILE_H

#include <sys/types.h>

#include "lib/base/error.h"

enum status file_read(struct arena *mem, const char *path, size_t max_bytes, struct str *out,
                      struct error *err); /* NOT_FOUND: no such file */
/* The same of an open file, from where it stands; it stays open. */
enum status fd_read(struct arena *mem, int fd, size_t max_bytes, struct str *out, struct error *err);
/* Written aside, fsynced, renamed: a reader sees the old file or the new one whole. */
enum status file_write(const char *path, struct str bytes, mode_t mode, struct error *err);
enum status dir_make(const char *path, mode_t mode, struct error *err); /* with its parents; existing is fine */
enum status write_all(int fd, struct str bytes, struct error *err);     /* short writes and EINTR are handled */

#endif
