/* process.c: children that end with us: each in a process group of its own, started again when it ends, gone when we go. */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

enum { SOON_MS = 2000, LONGEST_WAIT_MS = 10000 };

bool child_start(struct child *c)
{
    pid_t parent = getpid();

    c->started_ms = mono_ms();
    c->pid = fork();
    if (c->pid == 0) {
        sigset_t none;

        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        setpgid(0, 0);
        if (!owner_become(c->owner))
            _exit(126);
        prctl(PR_SET_PDEATHSIG, SIGTERM);            /* after the change of user, which clears it */
        if (getppid() != parent)
            _exit(0);
        execv(c->argv[0], c->argv);
        ctl_fail("could not start %s: %s", c->argv[0], strerror(errno));
        _exit(127);
    }
    if (c->pid < 0) {
        c->pid = 0;
        return false;
    }
    setpgid(c->pid, c->pid);
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
    kill(-c->pid, SIGTERM);                          /* what it may have left behind */
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
        if (!after || sscanf(after + 1, " %*c %d", &parent) != 1 || parent != getpid())
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
