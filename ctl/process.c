/* process.c: children that end with us: each in a process group of its own, started again when it ends, gone when we go. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

enum { SOON_MS = 2000, LONGEST_WAIT_MS = 10000, GUARD_MS = 4000 };

static pid_t guard_pid;
static int guard_fd = -1; /* closed: we are gone */

bool child_start(struct child *c)
{
    pid_t parent = getpid(), pid;

    c->started_ms = mono_ms();
    pid = fork();
    if (pid == 0) { /* which must not touch *c: the guard shares it */
        sigset_t none;

        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        setpgid(0, 0);
        if (!owner_become(c->owner))
            _exit(126);
        prctl(PR_SET_PDEATHSIG, SIGTERM); /* after the change of user, which clears it */
        if (getppid() != parent)
            _exit(0);
        execv(c->argv[0], c->argv);
        ctl_fail("could not start %s: %s", c->argv[0], strerror(errno));
        _exit(127);
    }
    if (pid < 0)
        return false;
    c->pid = pid;
    setpgid(pid, pid);
    return true;
}

void child_ended(struct child *c, int wait_status)
{
    int64_t now = mono_ms(), wait_ms;

    c->failures = now - c->started_ms < SOON_MS ? c->failures + 1 : 0;
    wait_ms = c->failures ? 250LL << (c->failures < 6 ? c->failures : 6) : 0;
    c->next_start_ms = now + (wait_ms < LONGEST_WAIT_MS ? wait_ms : LONGEST_WAIT_MS);
    if (WIFSIGNALED(wait_status))
        log_warning("%s was ended by signal %d; it starts again", c->name, WTERMSIG(wait_status));
    else
        log_warning("%s ended with status %d; it starts again", c->name, WEXITSTATUS(wait_status));
    kill(-c->pid, c->holds_port ? SIGKILL : SIGTERM); /* what it may have left behind */
    c->pid = 0;
}

/* Processes whose parent we are (as a subreaper also those whose own parent is gone): sends them a signal, tells how many there are. */
static int signal_descendants(int signal_number)
{
    DIR *proc = opendir("/proc");
    struct dirent *entry;
    int n = 0;

    while (proc && (entry = readdir(proc))) {
        char path[300], line[512], *after;
        int64_t pid;
        int parent;
        FILE *f;

        if (!str_to_i64(str_of(entry->d_name), &pid))
            continue;
        snprintf(path, sizeof(path), "/proc/%s/stat", entry->d_name);
        f = fopen(path, "re");
        if (!f)
            continue;
        after = fgets(line, sizeof(line), f) ? strrchr(line, ')') : NULL;
        fclose(f);
        if (!after || sscanf(after + 1, " %*c %d", &parent) != 1 || parent != getpid() || pid == guard_pid)
            continue;
        n++;
        if (signal_number)
            kill((pid_t)pid, signal_number);
    }
    if (proc)
        closedir(proc);
    return n;
}

static void reap(void)
{
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
}

void children_stop(struct child *v, size_t n, int within_ms)
{
    int64_t end = mono_ms() + within_ms;

    for (size_t i = 0; i < n; i++)
        if (v[i].pid > 0)
            kill(v[i].pid, SIGTERM);
    for (reap(); signal_descendants(0) > 0 && mono_ms() < end; reap())
        usleep(20000);
    for (size_t i = 0; i < n; i++)
        if (v[i].pid > 0)
            kill(-v[i].pid, SIGKILL);
    for (int round = 0; round < 50 && signal_descendants(SIGKILL) > 0; round++) {
        usleep(10000);
        reap();
    }
}

/* ---- the guard */

static bool signal_groups(struct child *v, size_t n, int signal_number)
{
    bool any = false;

    for (size_t i = 0; i < n; i++)
        any |= v[i].pid > 0 && kill(-v[i].pid, signal_number) == 0;
    return any;
}

/* The first of each group ends the others in their order (the sidecar needs its workers to save what it has); without it they hear of it themselves. */
static void ask_to_end(struct child *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (v[i].pid > 0 && kill(v[i].pid, SIGTERM) != 0)
            kill(-v[i].pid, SIGTERM);
}

static void guard(struct child *v, size_t n, int fd)
{
    int64_t end;
    char byte;

    setsid(); /* Ctrl-C and the end of a terminal are for its parent */
    prctl(PR_SET_NAME, "webuictl-guard");
    while (read(fd, &byte, 1) < 0 && errno == EINTR)
        ;
    if (!signal_groups(v, n, 0))
        _exit(0);
    log_warning("webuictl was killed: ending its processes");
    ask_to_end(v, n);
    for (end = mono_ms() + GUARD_MS; mono_ms() < end && signal_groups(v, n, 0);)
        usleep(50000);
    signal_groups(v, n, SIGKILL);
    _exit(0);
}

bool guard_start(struct child *v, size_t n)
{
    int fds[2];

    if (pipe2(fds, O_CLOEXEC) != 0)
        return false;
    guard_pid = fork();
    if (guard_pid == 0) {
        close(fds[1]);
        guard(v, n, fds[0]);
    }
    close(fds[0]);
    if (guard_pid < 0)
        close(fds[1]);
    guard_fd = fds[1];
    return guard_pid > 0;
}

void guard_stop(void)
{
    kill(guard_pid, SIGKILL);
    waitpid(guard_pid, NULL, 0);
    close(guard_fd);
}
