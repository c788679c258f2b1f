/* pool.h: a parent and its responders: one socket, one copy of what all share, more processes while all are busy. */
#ifndef FCGI_POOL_H
#define FCGI_POOL_H

#include "lib/base/error.h"

struct pool_options {
    const char *path; /* of the unix socket */
    int min, max;     /* processes */
    int drain_ms;     /* how long requests may go on after SIGTERM */
};

/* A child tells its parent when it is in a request, and asks whether it should end. */
struct pool_child {
    int listen_fd;
    int slot;
};
void pool_busy(const struct pool_child *child, bool is_busy);

/* Binds the socket (0660; a file that nobody listens at is replaced; FAILED if somebody does), forks min children that run work(), and keeps the pool
 * until SIGTERM or SIGINT; then the children finish their requests. Returns the status to exit with; err holds the reason of a failed start.
 * In a child: work() returns when it is to end, and the process exits with what it returned. */
int pool_run(const struct pool_options *options, int (*work)(const struct pool_child *child, void *arg), void *arg,
             struct error *err);

/* For a child and for a responder without a pool: after SIGTERM, accept(2) on the descriptor fails and the process may end after its request. */
void stop_on_signals(int listen_fd);
bool stop_asked(void);

#endif
