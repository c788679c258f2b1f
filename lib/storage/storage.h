/* storage.h: uploaded files, as the Python backend keeps them: DATA_DIR/uploads/ID_NAME. A row holds the absolute path; only its last part is ever used,
 * so no row leads out of the folder, and rows survive a move of DATA_DIR. Nothing there is followed if it is a symbolic link.
 *
 * STORAGE_PROVIDER other than "local" (s3, gcs, azure): not there yet. storage_ready() says so; what such a provider left in the folder can be read. */
#ifndef LIB_STORAGE_STORAGE_H
#define LIB_STORAGE_STORAGE_H

#include "lib/config/config.h"

/* OK, or FAILED: err says that this provider is not supported yet. */
enum status storage_ready(const struct config *c, struct error *err);

/* What a file is called: the last part of the name that a client sent. false: it cannot be stored (NUL, a backslash, too long). */
bool storage_base_name(struct str filename, struct str *out);

/* Writes a new file and says its path, for the row. Written aside, flushed, renamed: it is there whole or not at all.
 * INVALID: the name; NO_SPACE: the disk is full, nothing is left behind; FAILED. */
enum status storage_create(struct arena *mem, const struct config *c, struct str id, struct str name, struct str bytes,
                           struct str *path, struct error *err);

/* Opens the file of a row for reading: *fd is the caller's. NOT_FOUND: it is not stored (any more); INVALID: no path of ours; FAILED. */
enum status storage_open(struct arena *mem, const struct config *c, struct str path, int *fd, int64_t *bytes,
                         struct error *err);

/* A file that is gone already is OK. */
enum status storage_delete(struct arena *mem, const struct config *c, struct str path, struct error *err);
/* Everything in the folder, what is in its folders too. */
enum status storage_delete_all(struct arena *mem, const struct config *c, struct error *err);

#endif
