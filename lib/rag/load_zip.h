/* load_zip.h: files in a zip archive of a stranger's: bounded in number and in what they unpack to. */
#ifndef LIB_RAG_LOAD_ZIP_H
#define LIB_RAG_LOAD_ZIP_H

#include "lib/base/error.h"

struct zip_files; /* lives in the arena */

/* INVALID: no zip archive, encrypted, or too many files in it. bytes must live as long. */
enum status zip_files_open(struct arena *mem, struct str bytes, struct zip_files **out, struct error *err);

size_t zip_files_n(const struct zip_files *z);
struct str zip_files_name(const struct zip_files *z, size_t i);

/* Unpacks one. NOT_FOUND: no file of that name; TOO_BIG: all that was read of the archive is over the limits of load_read.h; INVALID: broken. */
enum status zip_files_read(struct zip_files *z, const char *name, struct str *out, struct error *err);

#endif
