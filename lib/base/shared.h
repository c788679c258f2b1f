/* shared.h: RUN/counters, a small file that every process maps: a change in one process is seen by all at once. */
#ifndef LIB_BASE_SHARED_H
#define LIB_BASE_SHARED_H

#include <stdint.h>

#include "lib/base/error.h"

enum counter {                    /* what a cache depends on; whoever changes it bumps the counter after the commit */
               COUNTER_SETTINGS,  /* the config row, .env */
               COUNTER_USERS,     /* user and auth rows, API keys, revoked tokens */
               COUNTER_GROUPS,    /* groups, their members and permissions */
               COUNTER_MODELS,    /* model rows, provider lists */
               COUNTER_FUNCTIONS, /* functions and tools */
               COUNTER_MAX = 64
};

/* Maps RUN/counters, made when missing (0600). Before this, or when it failed, counters are the process's own. */
enum status shared_open(const char *run_dir, struct error *err);
uint64_t counter_read(enum counter which);
void counter_bump(enum counter which);

/* How many requests the pool's processes are in, for the pool's growth and the operator. */
void shared_busy(int change);
int shared_busy_now(void);

/* Failures counted in a window, shared by all workers: sign-in limits. Adds `add` (0: only looks) to the count of key and
 * returns the count of the running window. Keys are hashed into a fixed table: old ones are overwritten. */
unsigned shared_window(struct str key, int64_t window_s, unsigned add);

#endif
