/* shared.c: RUN/counters, mapped by every process. Everything in it is an atomic word: a process that dies leaves no lock behind. */
#include "lib/base/shared.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/base/clock.h"

enum { WINDOWS = 4096 };

struct shared {
    _Atomic uint64_t counters[COUNTER_MAX];
    _Atomic int32_t busy;
    int32_t unused[15];
    _Atomic uint64_t windows[WINDOWS]; /* 24 bits of key, 24 bits of window number, 16 bits of count */
};

static struct shared own, *shared = &own; /* the process's own until the file is mapped */

enum status shared_open(const char *run_dir, struct error *err)
{
    char path[4200];
    int fd AUTO_CLOSE = -1;
    void *p;

    snprintf(path, sizeof(path), "%s/counters", run_dir);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return error_set(err, FAILED, "could not open %s: %s", path, strerror(errno));
    if (ftruncate(fd, sizeof(struct shared)) != 0)
        return error_set(err, FAILED, "could not size %s: %s", path, strerror(errno));
    p = mmap(NULL, sizeof(struct shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED)
        return error_set(err, FAILED, "could not map %s: %s", path, strerror(errno));
    if (shared != &own)
        munmap(shared, sizeof(struct shared));
    shared = p;
    return OK;
}

uint64_t counter_read(enum counter which)
{
    return atomic_load_explicit(&shared->counters[which], memory_order_acquire);
}

void counter_bump(enum counter which)
{
    atomic_fetch_add_explicit(&shared->counters[which], 1, memory_order_acq_rel);
}

void shared_busy(int change)
{
    atomic_fetch_add_explicit(&shared->busy, change, memory_order_relaxed);
}

int shared_busy_now(void)
{
    return atomic_load_explicit(&shared->busy, memory_order_relaxed);
}

static uint64_t hash(struct str key)
{
    uint64_t h = 1469598103934665603u; /* FNV-1a */

    for (size_t i = 0; i < key.n; i++)
        h = (h ^ (unsigned char)key.p[i]) * 1099511628211u;
    return h ^ h >> 29;
}

unsigned shared_window(struct str key, int64_t window_s, unsigned add)
{
    uint64_t h = hash(key), tag = (h >> 40) << 40,
             window = ((uint64_t)(mono_ms() / 1000 / (window_s > 0 ? window_s : 1)) & 0xffffff) << 16;
    _Atomic uint64_t *slot = &shared->windows[h % WINDOWS];
    uint64_t was = atomic_load(slot), next = 0;
    unsigned count;

    do {
        count = (was & ~(uint64_t)0xffff) == (tag | window) ? (unsigned)(was & 0xffff) : 0;
        count = count + add > 0xffff ? 0xffff : count + add;
        if (add == 0)
            break;
        next = tag | window | count;
    } while (!atomic_compare_exchange_weak(slot, &was, next));
    return count;
}
