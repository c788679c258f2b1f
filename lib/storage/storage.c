/* storage.c: the folder of uploads. */
#include "lib/storage/storage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/base/file.h"
#include "lib/base/random.h"

enum { NAME_BYTES = 255, MAX_DEPTH = 16 };

enum status storage_ready(const struct config *c, struct error *err)
{
    struct str provider = config_str(c, CFG_STORAGE_PROVIDER);

    if (provider.n == 0 || str_is(provider, "local"))
        return OK;
    return error_set(err, FAILED, "the storage provider \"%.*s\" is not supported yet: STORAGE_PROVIDER must be local",
                     STR(provider));
}

bool storage_base_name(struct str filename, struct str *out)
{
    size_t slash = str_rfind_c(filename, '/');
    struct str name = slash == STR_NPOS ? filename : str_from(filename, slash + 1);

    if (str_find_c(name, '\0') != STR_NPOS || str_find_c(name, '\\') != STR_NPOS || name.n + 37 > NAME_BYTES)
        return false;
    *out = name.p ? name : S("");
    return true;
}

/* ---- the folder */

static struct str folder_path(struct arena *mem, const struct config *c)
{
    return str_f(mem, "%s/uploads", config_data_dir(c));
}

static enum status open_folder(struct arena *mem, const struct config *c, bool make, int *out, struct error *err)
{
    struct str path = folder_path(mem, c);
    enum status st = make ? dir_make(path.p, 0700, err) : OK;
    int fd = st == OK ? open(path.p, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

    if (st != OK)
        return st;
    if (fd < 0)
        return error_set(err, errno == ENOENT ? NOT_FOUND : FAILED, "could not open %s: %s", path.p, strerror(errno));
    *out = fd;
    return OK;
}

/* The last part of a row's path; NULL: there is none that could be a file's. */
static const char *stored_name(struct arena *mem, struct str path)
{
    size_t slash = str_rfind_c(path, '/');
    struct str name = slash == STR_NPOS ? path : str_from(path, slash + 1);

    if (name.n == 0 || name.n > NAME_BYTES || str_is(name, ".") || str_is(name, "..") ||
        str_find_c(name, '\0') != STR_NPOS)
        return NULL;
    return str_c(mem, name);
}

/* ---- one file */

static enum status failed(struct error *err, const char *what)
{
    int why = errno;

    return error_set(err, why == ENOSPC || why == EDQUOT || why == EFBIG ? NO_SPACE : FAILED,
                     "could not %s an upload: %s", what, strerror(why));
}

static enum status write_file(int fd, struct str bytes, struct error *err)
{
    errno = 0;
    if (write_all(fd, bytes, NULL) != OK || fsync(fd) != 0)
        return failed(err, "write");
    return OK;
}

enum status storage_create(struct arena *mem, const struct config *c, struct str id, struct str name, struct str bytes,
                           struct str *path, struct error *err)
{
    struct str stored = str_f(mem, "%.*s_%.*s", STR(id), STR(name)),
               aside = str_f(mem, ".%s.part", random_hex(mem, 12).p);
    int dir AUTO_CLOSE = -1, fd;
    enum status st;

    if (stored.n > NAME_BYTES || str_find_c(stored, '/') != STR_NPOS || stored.n != id.n + 1 + name.n)
        return error_set(err, INVALID, "a name that cannot be stored");
    st = open_folder(mem, c, true, &dir, err);
    if (st != OK)
        return st;
    fd = openat(dir, aside.p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return failed(err, "create");
    st = write_file(fd, bytes, err);
    if (close(fd) != 0 && st == OK)
        st = failed(err, "write");
    if (st == OK && renameat(dir, aside.p, dir, stored.p) != 0)
        st = failed(err, "rename");
    if (st == OK && fsync(dir) != 0)
        st = failed(err, "flush");
    if (st != OK) {
        unlinkat(dir, aside.p, 0);
        unlinkat(dir, stored.p, 0);
        return st;
    }
    *path = str_f(mem, "%.*s/%.*s", STR(folder_path(mem, c)), STR(stored));
    return OK;
}

enum status storage_open(struct arena *mem, const struct config *c, struct str path, int *fd, int64_t *bytes,
                         struct error *err)
{
    const char *name = stored_name(mem, path);
    int dir AUTO_CLOSE = -1, file;
    struct stat s;
    enum status st;

    if (!name)
        return error_set(err, INVALID, "the file has no place in the storage");
    st = open_folder(mem, c, false, &dir, err);
    if (st != OK)
        return st;
    file = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (file < 0)
        return error_set(err, errno == ENOENT || errno == ELOOP ? NOT_FOUND : FAILED,
                         "could not open the upload %s: %s", name, strerror(errno));
    if (fstat(file, &s) != 0 || !S_ISREG(s.st_mode)) {
        close(file);
        return error_set(err, NOT_FOUND, "the upload %s is no file", name);
    }
    *fd = file;
    *bytes = s.st_size;
    return OK;
}

enum status storage_delete(struct arena *mem, const struct config *c, struct str path, struct error *err)
{
    const char *name = stored_name(mem, path);
    int dir AUTO_CLOSE = -1;
    enum status st;

    if (!name)
        return OK;
    st = open_folder(mem, c, false, &dir, err);
    if (st != OK)
        return st == NOT_FOUND ? OK : st;
    if (unlinkat(dir, name, 0) != 0 && errno != ENOENT && errno != EISDIR && errno != EPERM)
        return error_set(err, FAILED, "could not delete the upload %s: %s", name, strerror(errno));
    return OK;
}

/* ---- all of them */

static enum status empty_folder(int fd, int depth, struct error *err)
{
    DIR *d = fdopendir(fd); /* takes fd over */
    struct dirent *e;
    enum status st = OK;

    if (!d) {
        close(fd);
        return error_set(err, FAILED, "could not read the uploads: %s", strerror(errno));
    }
    while ((e = readdir(d))) {
        int inner;

        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        if (unlinkat(dirfd(d), e->d_name, 0) == 0 || errno == ENOENT)
            continue;
        inner = depth < MAX_DEPTH ? openat(dirfd(d), e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW) : -1;
        if (inner < 0 || empty_folder(inner, depth + 1, err) != OK || unlinkat(dirfd(d), e->d_name, AT_REMOVEDIR) != 0)
            st = error_set(err, FAILED, "could not delete all uploads: %s", strerror(errno));
    }
    closedir(d);
    return st;
}

enum status storage_delete_all(struct arena *mem, const struct config *c, struct error *err)
{
    int dir = -1;
    enum status st = open_folder(mem, c, false, &dir, err);

    if (st != OK)
        return st == NOT_FOUND ? OK : st;
    return empty_folder(dir, 0, err);
}
