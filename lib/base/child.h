/* child.h: another program for a moment: with limits, without anything of ours but the bytes it is given, its output read whole. There is no shell. */
#ifndef LIB_BASE_CHILD_H
#define LIB_BASE_CHILD_H

#include <sys/types.h>

#include "lib/base/error.h"

struct child {
    const char *program; /* its path; a name without a slash is looked up in PATH. argv[0] may be any name */
    char *const *argv;   /* NULL-terminated */
    int input_fd;     /* its standard input, from the beginning of the file; stays the caller's. -1: none, or input */
    struct str input; /* its standard input as bytes; looked at with input_fd -1 */
    const char *const *env; /* more of its environment, "NAME=value", NULL-terminated; NULL: none */
    bool writes_files;      /* it may; else it can only print */
    int timeout_ms, cpu_s;
    size_t memory_bytes; /* address space; 0: as ours */
    size_t max_output;

    /* the answer */
    struct str output;
    struct str complaint; /* the first 16 KiB of its standard error */
    int exit_status;      /* of OK */
};

/* The program gets no environment but PATH, LANG, TZ and env, no open files but 0, 1 and 2, gets no new privileges, and dies
 * with us. OK: it has ended by itself, whatever its status. TIMED_OUT: wall clock or CPU; TOO_BIG: its output; NOT_FOUND: no such program; FAILED: killed, or could
 * not be started. */
enum status child_run(struct arena *mem, struct child *c, struct error *err);

/* Starts it without input, and returns: the caller reads *output_fd to its end, closes it, and calls child_wait(). Its standard error is where ours is; timeout_ms and
 * max_output are the caller's business. */
enum status child_begin(struct arena *mem, struct child *c, pid_t *pid, int *output_fd, struct error *err);
/* Its exit status; 128 + n: ended by signal n. kill_it: it is ended first. */
int child_wait(pid_t pid, bool kill_it);

/* The path of a program of ours: what the environment variable says, else beside the running program. */
struct str child_beside(struct arena *mem, const char *variable, const char *name);

#endif
