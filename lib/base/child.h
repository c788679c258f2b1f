/* child.h: another program for a moment: with limits, without anything of ours but the bytes it is given, its output read whole. */
#ifndef LIB_BASE_CHILD_H
#define LIB_BASE_CHILD_H

#include "lib/base/error.h"

struct child {
    const char *program; /* its path; argv[0] may be any name */
    char *const *argv;   /* NULL-terminated */
    int input_fd;        /* its standard input, from the beginning of the file; stays the caller's. -1: none */
    int timeout_ms, cpu_s;
    size_t memory_bytes; /* address space; 0: as ours */
    size_t max_output;

    /* the answer */
    struct str output;
    int exit_status; /* of OK */
};

/* The program gets no environment but PATH and LANG, no open files but 0, 1 and 2 (2 is /dev/null), cannot write files, gets no new privileges, and dies
 * with us. OK: it has ended by itself, whatever its status. TIMED_OUT: wall clock or CPU; TOO_BIG: its output; NOT_FOUND: no such program; FAILED: killed, or could
 * not be started. */
enum status child_run(struct arena *mem, struct child *c, struct error *err);

/* The path of a program of ours: what the environment variable says, else beside the running program. */
struct str child_beside(struct arena *mem, const char *variable, const char *name);

#endif
