/* stream.c: a non-blocking socket on the loop. */
#include "sidecar/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "lib/base/log.h"
#include "sidecar/sidecar.h"

enum { KEEP_BYTES = 32 * 1024 };

struct stream_poll { /* outlives its stream until the loop has closed it */
    uv_poll_t poll;
    struct stream *stream; /* NULL: closed */
};

static char shared_buffer[64 * 1024]; /* one read at a time: a callback never keeps what it is given */

static void set_events(struct stream *s);

static void poll_closed(uv_handle_t *h)
{
    free(h->data);
}

static void compact(struct stream *s)
{
    size_t max = s->out.max;

    s->written = 0;
    if (s->out.capacity > KEEP_BYTES) {
        buf_free(&s->out);
        s->out = BUF(NULL, max);
    } else {
        buf_reset(&s->out);
    }
}

static void write_waiting(struct stream *s)
{
    while (s->written < s->out.n) {
        ssize_t n = send(s->fd, s->out.p + s->written, s->out.n - s->written, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return;
        if (n < 0) { /* the reader will find out */
            compact(s);
            return;
        }
        s->written += (size_t)n;
    }
    compact(s);
}

static void read_some(struct stream_poll *p)
{
    struct stream *s = p->stream;
    ssize_t n = recv(s->fd, shared_buffer, sizeof(shared_buffer), 0);

    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    s->ops->readable(s, n > 0 ? str_n(shared_buffer, (size_t)n) : STR_NONE);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct stream_poll *p = poll->data;
    struct stream *s = p->stream;

    if (!s)
        return;
    if (status < 0) {
        s->ops->readable(s, STR_NONE);
        return;
    }
    if ((events & UV_WRITABLE) && stream_waiting(s)) {
        write_waiting(s);
        set_events(s);
        if (stream_waiting(s) == 0 && s->ops->drained)
            s->ops->drained(s);
        s = p->stream;
    }
    if (s && (events & UV_READABLE) && !s->paused)
        read_some(p);
    s = p->stream;
    if (s && (events & UV_DISCONNECT) && s->paused)
        s->ops->readable(s, STR_NONE);
}

static void set_events(struct stream *s)
{
    int events = (s->paused ? UV_DISCONNECT : UV_READABLE) | (stream_waiting(s) ? UV_WRITABLE : 0);

    uv_poll_start(&s->poll->poll, events, on_poll);
}

void stream_open(struct stream *s, int fd, const struct stream_ops *ops, void *owner, size_t max_waiting)
{
    *s = (struct stream){ .fd = fd, .ops = ops, .owner = owner, .out = BUF(NULL, max_waiting) };
    s->poll = calloc(1, sizeof(*s->poll));
    if (!s->poll)
        abort();
    s->poll->stream = s;
    s->poll->poll.data = s->poll;
    uv_poll_init(sidecar.loop, &s->poll->poll, fd);
    set_events(s);
}

size_t stream_waiting(const struct stream *s)
{
    return s->out.n - s->written;
}

bool stream_writev(struct stream *s, const struct iovec *iov, int n)
{
    struct msghdr m = { .msg_iov = (struct iovec *)iov, .msg_iovlen = (size_t)n };
    ssize_t sent = 0;

    if (s->fd < 0)
        return false;
    if (stream_waiting(s) == 0) {
        do
            sent = sendmsg(s->fd, &m, MSG_NOSIGNAL);
        while (sent < 0 && errno == EINTR);
        if (sent < 0 && errno != EAGAIN)
            return false;
        if (sent < 0)
            sent = 0;
    } else if (s->written > KEEP_BYTES) {
        buf_drop_front(&s->out, s->written);
        s->written = 0;
    }
    for (int i = 0; i < n; i++) {
        size_t skip = (size_t)sent < iov[i].iov_len ? (size_t)sent : iov[i].iov_len;

        sent -= (ssize_t)skip;
        if (iov[i].iov_len > skip)
            buf_add(&s->out, (char *)iov[i].iov_base + skip, iov[i].iov_len - skip);
    }
    if (stream_waiting(s))
        set_events(s);
    return !buf_failed(&s->out);
}

bool stream_write(struct stream *s, struct str bytes)
{
    struct iovec iov = { (void *)bytes.p, bytes.n };

    return stream_writev(s, &iov, 1);
}

void stream_pause(struct stream *s, bool paused)
{
    if (s->fd < 0 || s->paused == paused)
        return;
    s->paused = paused;
    set_events(s);
}

int stream_detach(struct stream *s)
{
    int fd = s->fd;

    if (fd < 0)
        return -1;
    s->fd = -1;
    s->poll->stream = NULL;
    uv_poll_stop(&s->poll->poll);
    uv_close((uv_handle_t *)&s->poll->poll, poll_closed);
    s->poll = NULL;
    buf_free(&s->out);
    s->written = 0;
    return fd;
}

void stream_close(struct stream *s)
{
    int fd = stream_detach(s);

    if (fd >= 0)
        close(fd);
}

/* ---- unix sockets */

static bool address_of(const char *path, struct sockaddr_un *a)
{
    *a = (struct sockaddr_un){ .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof(a->sun_path)) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(a->sun_path, path, strlen(path));
    return true;
}

int connect_unix(const char *path)
{
    struct sockaddr_un a;
    int fd, e;

    if (!address_of(path, &a))
        return -1;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
        return fd;
    e = errno;
    close(fd);
    errno = e;
    return -1;
}

int listen_unix(const char *path, int mode)
{
    struct sockaddr_un a;
    int fd, e, probe = connect_unix(path);
    mode_t mask;

    if (probe >= 0) {
        close(probe);
        errno = EADDRINUSE;
        return -1;
    }
    if (!address_of(path, &a))
        return -1;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    unlink(path);
    mask = umask(0777); /* nobody gets in between bind and chmod */
    e = bind(fd, (struct sockaddr *)&a, sizeof(a));
    umask(mask);
    if (e == 0 && chmod(path, (mode_t)mode) == 0 && listen(fd, 4096) == 0)
        return fd;
    e = errno;
    close(fd);
    errno = e;
    return -1;
}

struct listener {
    uv_poll_t poll;
    int fd;
    void (*accepted)(int fd, void *arg);
    void *arg;
};

static void on_listen(uv_poll_t *poll, int status, int events)
{
    struct listener *l = poll->data;

    (void)events;
    for (int i = 0; status == 0 && i < 256 && l->fd >= 0; i++) {
        int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
            continue;
        if (fd < 0) {
            if (errno != EAGAIN)
                log_error("could not accept a connection: %s", strerror(errno));
            return;
        }
        l->accepted(fd, l->arg);
    }
}

struct listener *listen_start(int fd, void (*accepted)(int fd, void *arg), void *arg)
{
    struct listener *l = calloc(1, sizeof(*l));

    if (!l)
        abort();
    *l = (struct listener){ .fd = fd, .accepted = accepted, .arg = arg };
    uv_poll_init(sidecar.loop, &l->poll, fd);
    l->poll.data = l;
    uv_poll_start(&l->poll, UV_READABLE, on_listen);
    return l;
}

static void listener_closed(uv_handle_t *h)
{
    free(h->data);
}

void listen_stop(struct listener *l)
{
    if (!l || l->fd < 0)
        return;
    uv_poll_stop(&l->poll);
    close(l->fd);
    l->fd = -1;
    uv_close((uv_handle_t *)&l->poll, listener_closed);
}
