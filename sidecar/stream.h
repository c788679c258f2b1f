/* stream.h: a non-blocking socket on the loop: what arrives goes to a function, what is written and does not fit waits. */
#ifndef SIDECAR_STREAM_H
#define SIDECAR_STREAM_H

#include <sys/uio.h>
#include <uv.h>

#include "lib/base/str.h"

struct stream;
struct stream_ops {
    void (*readable)(struct stream *s, struct str piece); /* piece.p NULL: the other side has closed, or failed */
    void (*drained)(struct stream *s);                    /* all that waited is written; NULL: not of interest */
};

struct stream {
    int fd; /* -1: closed */
    const struct stream_ops *ops;
    void *owner;
    struct buf out; /* waits to be written */
    size_t written; /* of out */
    struct stream_poll *poll;
    bool paused;
};

void stream_open(struct stream *s, int fd, const struct stream_ops *ops, void *owner, size_t max_waiting);
/* false: the stream is dead (or too much is waiting); nothing is closed yet, and the reader hears of it if there is something to read. */
bool stream_writev(struct stream *s, const struct iovec *iov, int n);
bool stream_write(struct stream *s, struct str bytes);
size_t stream_waiting(const struct stream *s);
void stream_pause(struct stream *s, bool paused); /* stop reading */
void stream_close(struct stream *s);              /* safe in its own callbacks and twice */
int stream_detach(struct stream *s);              /* as close, but the descriptor is the caller's */

int listen_unix(const char *path, int mode); /* -1: errno says why. A socket file that nobody listens on is replaced */
int connect_unix(const char *path);          /* non-blocking; -1: errno */
struct listener;
struct listener *listen_start(int fd, void (*accepted)(int fd, void *arg), void *arg);
void listen_stop(struct listener *l);

#endif
