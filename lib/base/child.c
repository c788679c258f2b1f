/* child.c: runs another program with limits. */
#include "lib/base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"

enum { CHUNK = 64 * 1024, MAX_FILES = 64, NO_PROGRAM = 127 };

static void limit(int what, rlim_t value)
{
    setrlimit((__rlimit_resource_t)what, &(struct rlimit){ value, value });
}

static void set_limits(const struct child *c)
{
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_FSIZE, 0);
    limit(RLIMIT_NOFILE, MAX_FILES);
    if (c->cpu_s)
        setrlimit(RLIMIT_CPU, &(struct rlimit){ (rlim_t)c->cpu_s, (rlim_t)c->cpu_s + 1 });
#ifndef __SANITIZE_ADDRESS__ /* which maps terabytes */
    if (c->memory_bytes)
        limit(RLIMIT_AS, c->memory_bytes);
#endif
}

/* In the child: only what may follow a fork. */
static void become(const struct child *c, int output_fd, pid_t parent)
{
    static char *const environment[] = { "PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8", NULL };
    int null_fd = open("/dev/null", O_RDWR);
    sigset_t none;

    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (getppid() != parent)
        _exit(NO_PROGRAM);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int s = 1; s < 32; s++)
        signal(s, SIG_DFL);
    dup2(c->input_fd >= 0 ? c->input_fd : null_fd, 0);
    dup2(output_fd, 1);
    dup2(null_fd, 2);
    close_range(3, ~0u, 0);
    lseek(0, 0, SEEK_SET);
    set_limits(c);
    execve(c->program, c->argv, environment);
    _exit(NO_PROGRAM);
}

/* Until the other side closes. */
static enum status read_output(struct child *c, int fd, struct buf *out, struct error *err)
{
    int64_t until_ms = mono_ms() + c->timeout_ms;

    for (;;) {
        struct pollfd p = { .fd = fd, .events = POLLIN };
        int64_t left = until_ms - mono_ms();
        int ready = left > 0 ? poll(&p, 1, (int)(left < INT_MAX ? left : INT_MAX)) : 0;
        char *to;
        ssize_t n;

        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0)
            return error_set(err, TIMED_OUT, "it took too long");
        to = buf_reserve(out, CHUNK);
        if (!to)
            return error_set(err, TOO_BIG, "its output is too large");
        n = read(fd, to, CHUNK);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n == 0 ? OK : error_set(err, FAILED, "could not read its output: %s", strerror(errno));
        buf_used(out, (size_t)n);
    }
}

static enum status ended(struct child *c, int status, struct error *err)
{
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
        return error_set(err, TIMED_OUT, "it took too long");
    if (!WIFEXITED(status))
        return error_set(err, FAILED, "it was ended by signal %d", WTERMSIG(status));
    c->exit_status = WEXITSTATUS(status);
    return c->exit_status == NO_PROGRAM ? error_set(err, FAILED, "%s could not be started", c->program) : OK;
}

enum status child_run(struct arena *mem, struct child *c, struct error *err)
{
    struct buf out = BUF(mem, c->max_output + CHUNK);
    pid_t parent = getpid(), pid;
    int ends[2], status = 0;
    enum status st;

    if (access(c->program, X_OK) != 0)
        return error_set(err, NOT_FOUND, "%s cannot be run: %s", c->program, strerror(errno));
    if (pipe2(ends, O_CLOEXEC) != 0)
        return error_set(err, FAILED, "could not make a pipe: %s", strerror(errno));
    pid = fork();
    if (pid == 0)
        become(c, ends[1], parent);
    close(ends[1]);
    st = pid < 0 ? error_set(err, FAILED, "could not start a process: %s", strerror(errno))
                 : read_output(c, ends[0], &out, err);
    close(ends[0]);
    if (pid < 0)
        return st;
    if (st != OK) {
        kill(-pid, SIGKILL);
        kill(pid, SIGKILL);
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (st == OK)
        st = ended(c, status, err);
    c->output = buf_str(&out);
    return st;
}

struct str child_beside(struct arena *mem, const char *variable, const char *name)
{
    struct str own = { arena_alloc(mem, PATH_MAX), 0 };
    const char *named = getenv(variable);
    ssize_t n;
    size_t slash;

    if (named && *named)
        return str_copy(mem, str_of(named));
    n = readlink("/proc/self/exe", (char *)own.p, PATH_MAX - 1);
    own.n = n > 0 ? (size_t)n : 0;
    slash = str_rfind_c(own, '/');
    return str_f(mem, "%.*s/%s", slash == STR_NPOS ? 1 : (int)slash, slash == STR_NPOS ? "." : own.p, name);
}
