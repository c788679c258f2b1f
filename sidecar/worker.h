/* worker.h: the worker pool: started, restarted when it dies, stopped at the end. */
#ifndef SIDECAR_WORKER_H
#define SIDECAR_WORKER_H

#include <stdbool.h>

void pool_start(void);
void pool_stop(void); /* SIGTERM; SIGKILL after 3 s by pool_wait() */
bool pool_running(void);
void pool_kill(void);

#endif
