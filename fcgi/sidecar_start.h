/* sidecar_start.h: reaches the sidecar, and starts it where nobody else does. */
#ifndef FCGI_SIDECAR_START_H
#define FCGI_SIDECAR_START_H

#include "lib/base/error.h"

/* A connected socket (the caller closes it), or -1 with the reason in err. If nobody listens at run_dir/sidecar.sock, one process starts the sidecar
 * (the program named by WEBUI_SIDECAR, else webui-sidecar beside our own), and all wait for it, at most five seconds. */
int sidecar_connect(const char *run_dir, struct error *err);

#endif
