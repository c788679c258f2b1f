/* listen.h: the unix socket that a pool listens at. */
#ifndef FCGI_LISTEN_H
#define FCGI_LISTEN_H

#include "lib/base/error.h"

/* A listening descriptor in *fd. FAILED: another process listens there, or the path cannot be used. */
enum status listen_unix(const char *path, int *fd, struct error *err);

#endif
