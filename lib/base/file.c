/* file.c: whole files: read within a limit, written so that nobody sees half of one. */
#include "lib/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/base/random.h"

enum status fd_read(struct arena *mem, int fd, size_t max_bytes, struct str *out, struct error *err)
{
    struct buf b = BUF(mem, max_bytes + 1); /* one more, to see that there is more */
    struct stat st;

    if (fstat(fd, &st) == 0 && st.st_size > 0)
        buf_reserve(&b, (size_t)st.st_size < max_bytes ? (size_t)st.st_size + 1 : max_bytes + 1);
    for (;;) {
        size_t left = max_bytes + 1 - b.n, room = b.capacity > b.n + 1 ? b.capacity - b.n - 1 : 4096;
        char *p = buf_reserve(&b, room < left ? room : left);
        ssize_t got = read(fd, p, room < left ? room : left);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set(err, FAILED, "could not read: %s", strerror(errno));
        if (got == 0)
            break;
        buf_used(&b, (size_t)got);
        if (b.n > max_bytes)
            return error_set(err, TOO_BIG, "larger than %zu bytes", max_bytes);
    }
    *out = buf_str(&b);
    return OK;
}

enum status file_read(struct arena *mem, const char *path, size_t max_bytes, struct str *out, struct error *err)
{
    int fd AUTO_CLOSE = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return error_set(err, errno == ENOENT ? NOT_FOUND : FAILED, "could not open %s: %s", path, strerror(errno));
    return error_add(err, fd_read(mem, fd, max_bytes, out, err), "%s", path);
}

enum status write_all(int fd, struct str bytes, struct error *err)
{
    while (bytes.n) {
        ssize_t put = write(fd, bytes.p, bytes.n);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return error_set(err, FAILED, "could not write: %s", strerror(errno));
        bytes = str_from(bytes, (size_t)put);
    }
    return OK;
}

enum status file_write(const char *path, struct str bytes, mode_t mode, struct error *err)
{
    struct arena *mem = arena_new(512);
    char *aside = str_c(mem, str_f(mem, "%s.%s", path, random_hex(mem, 6).p));
    int fd = open(aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    enum status st;

    if (fd < 0) {
        st = error_set(err, FAILED, "could not create %s: %s", aside, strerror(errno));
    } else {
        st = write_all(fd, bytes, err);
        if (st == OK && fsync(fd) != 0)
            st = error_set(err, FAILED, "could not write %s: %s", aside, strerror(errno));
        if (close(fd) != 0 && st == OK)
            st = error_set(err, FAILED, "could not write %s: %s", aside, strerror(errno));
        if (st == OK && rename(aside, path) != 0)
            st = error_set(err, FAILED, "could not rename to %s: %s", path, strerror(errno));
        if (st != OK)
            unlink(aside);
    }
    arena_free(mem);
    return st;
}

enum status dir_make(const char *path, mode_t mode, struct error *err)
{
    char part[4096];
    size_t n = strlen(path);

    if (n == 0 || n >= sizeof(part))
        return error_set(err, INVALID, "bad directory name");
    memcpy(part, path, n + 1);
    for (size_t i = 1; i <= n; i++) {
        if (part[i] != '/' && part[i] != '\0')
            continue;
        part[i] = '\0';
        if (mkdir(part, mode) != 0 && errno != EEXIST && errno != EISDIR)
            return error_set(err, FAILED, "could not make directory %s: %s", part, strerror(errno));
        part[i] = path[i];
    }
    return OK;
}
