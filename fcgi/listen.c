/* listen.c: binds a unix socket, and takes the place of one whose owner died. */
#include "fcgi/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/cleanup.h"

enum { BACKLOG = 1024 };

static bool somebody_listens(const struct sockaddr_un *address)
{
    int fd AUTO_CLOSE = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    return fd >= 0 && (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 || errno == EAGAIN);
}

static enum status clear_path(const struct sockaddr_un *address, struct error *err)
{
    struct stat st;

    if (lstat(address->sun_path, &st) != 0)
        return errno == ENOENT ? OK
                               : error_set(err, FAILED, "could not look at %s: %s", address->sun_path, strerror(errno));
    if (!S_ISSOCK(st.st_mode))
        return error_set(err, FAILED, "%s exists and is no socket", address->sun_path);
    if (somebody_listens(address))
        return error_set(err, FAILED, "another process listens at %s", address->sun_path);
    if (unlink(address->sun_path) != 0 && errno != ENOENT)
        return error_set(err, FAILED, "could not remove %s: %s", address->sun_path, strerror(errno));
    return OK;
}

static enum status bind_and_listen(int fd, const struct sockaddr_un *address, struct error *err)
{
    mode_t before = umask(0117);
    int bound = bind(fd, (const struct sockaddr *)address, sizeof(*address));

    umask(before);
    if (bound != 0)
        return error_set(err, FAILED, "could not bind %s: %s", address->sun_path, strerror(errno));
    if (listen(fd, BACKLOG) != 0)
        return error_set(err, FAILED, "could not listen at %s: %s", address->sun_path, strerror(errno));
    return OK;
}

enum status listen_unix(const char *path, int *fd, struct error *err)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    char lock_path[sizeof(address.sun_path) + 8];
    int lock AUTO_CLOSE = -1;
    int s;
    enum status st;

    if (snprintf(address.sun_path, sizeof(address.sun_path), "%s", path) >= (int)sizeof(address.sun_path))
        return error_set(err, FAILED, "the path of the socket is too long: %s", path);
    /* Two that start at once must not both find a dead socket and remove each other's new one. */
    snprintf(lock_path, sizeof(lock_path), "%s.lock", path);
    lock = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (lock < 0)
        return error_set(err, FAILED, "could not open %s: %s", lock_path, strerror(errno));
    if (flock(lock, LOCK_EX) != 0)
        return error_set(err, FAILED, "could not lock %s: %s", lock_path, strerror(errno));
    st = clear_path(&address, err);
    if (st != OK)
        return st;
    s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (s < 0)
        return error_set(err, FAILED, "could not make a socket: %s", strerror(errno));
    st = bind_and_listen(s, &address, err);
    if (st != OK) {
        close(s);
        return st;
    }
    *fd = s;
    return OK;
}
