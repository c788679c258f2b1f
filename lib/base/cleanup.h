/* cleanup.h: closes a foreign handle at the end of its scope. */
#ifndef LIB_BASE_CLEANUP_H
#define LIB_BASE_CLEANUP_H

#include <unistd.h>

static inline void cleanup_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

#define AUTO_CLOSE __attribute__((cleanup(cleanup_fd))) /* int fd AUTO_CLOSE = open(…) */

#endif
