/* slots.c: a place is a locked file, which is free again whatever becomes of the worker. */
#include "lib/code/slots.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

/* A quarter of WEBUI_WORKERS' most, at least one. */
static int64_t places(const struct config *c)
{
    struct str size = config_str(c, CFG_WEBUI_WORKERS);
    int64_t most;

    if (!str_to_i64(str_from(size, str_find_c(size, ':') + 1), &most) || most < 8)
        return 1;
    return most / 4;
}

int code_slot_take(const struct config *c)
{
    for (int64_t i = 0; i < places(c); i++) {
        char path[4096];
        int fd;

        snprintf(path, sizeof(path), "%s/code-%lld.lock", config_run_dir(c), (long long)i);
        fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
            return fd;
        if (fd >= 0)
            close(fd);
    }
    return -1;
}
