/* load_zip.c: zip archives of strangers, over libzip. */
#include "lib/rag/load_zip.h"

#include <zip.h>

#include "lib/rag/load_read.h"

enum { MAX_FILES = 20000, CHUNK = 64 * 1024 };

struct zip_files {
    struct arena *mem;
    zip_t *zip;
    size_t n, packed, unpacked; /* unpacked: so far */
};

static void close_zip(void *zip)
{
    zip_discard(zip);
}

enum status zip_files_open(struct arena *mem, struct str bytes, struct zip_files **out, struct error *err)
{
    struct zip_files *z = arena_new_one(mem, struct zip_files);
    zip_error_t why;
    zip_source_t *source;
    zip_int64_t n;

    zip_error_init(&why);
    source = zip_source_buffer_create(bytes.p, bytes.n, 0, &why);
    z->zip = source ? zip_open_from_source(source, ZIP_RDONLY, &why) : NULL;
    zip_error_fini(&why);
    if (!z->zip) {
        if (source)
            zip_source_free(source);
        return error_set(err, INVALID, "The file is broken: it is no zip archive");
    }
    arena_at_end(mem, close_zip, z->zip);
    n = zip_get_num_entries(z->zip, 0);
    if (n < 0 || n > MAX_FILES)
        return error_set(err, INVALID, "The file is an archive with too many files in it");
    z->mem = mem;
    z->n = (size_t)n;
    z->packed = bytes.n;
    *out = z;
    return OK;
}

size_t zip_files_n(const struct zip_files *z)
{
    return z->n;
}

struct str zip_files_name(const struct zip_files *z, size_t i)
{
    const char *name = zip_get_name(z->zip, i, 0);

    return name ? str_of(name) : S("");
}

/* What is unpacked counts as it comes: what the archive says of its sizes is a stranger's word. */
static enum status unpack(struct zip_files *z, zip_file_t *f, struct buf *b, struct error *err)
{
    for (;;) {
        char *p = buf_reserve(b, CHUNK);
        zip_int64_t got = p ? zip_fread(f, p, CHUNK) : 0;

        if (!p)
            return error_set(err, TOO_BIG, "The file unpacks to more than %d MB", LOAD_MAX_TEXT >> 20);
        if (got < 0)
            return error_set(err, INVALID, "The file is a broken archive");
        if (got == 0)
            return OK;
        buf_used(b, (size_t)got);
        z->unpacked += (size_t)got;
        if (z->unpacked > LOAD_MAX_TEXT)
            return error_set(err, TOO_BIG, "The file unpacks to more than %d MB", LOAD_MAX_TEXT >> 20);
        if (z->unpacked > LOAD_FREE_UNPACKED && z->unpacked / LOAD_MAX_RATIO > z->packed)
            return error_set(err, TOO_BIG, "The file unpacks to more than %d times its size", LOAD_MAX_RATIO);
    }
}

enum status zip_files_read(struct zip_files *z, const char *name, struct str *out, struct error *err)
{
    struct buf b = BUF(z->mem, LOAD_MAX_TEXT + 2 * CHUNK);
    zip_int64_t at = zip_name_locate(z->zip, name, 0);
    zip_file_t *f = at < 0 ? NULL : zip_fopen_index(z->zip, (zip_uint64_t)at, 0);
    enum status st;

    if (at < 0)
        return error_set(err, NOT_FOUND, "The file is broken: it has no %s", name);
    if (!f)
        return error_set(err, INVALID, "The file is encrypted or broken");
    st = unpack(z, f, &b, err);
    zip_fclose(f);
    if (st == OK)
        *out = buf_str(&b);
    return st;
}
