/* child.c: runs another program with limits. */
#include "lib/base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"

enum { CHUNK = 64 * 1024, MAX_COMPLAINT = 16 * 1024, MAX_FILES = 64, MAX_ENV = 72, NO_PROGRAM = 127 };

static const char default_path[] = "/usr/local/bin:/usr/bin:/bin";

/* ---- what it is given */

static const char *search_path(void)
{
    const char *path = getenv("PATH");

    return path && *path ? path : default_path;
}

/* Where the program is; NULL: nowhere. */
static const char *find_program(struct arena *mem, const char *name)
{
    struct str path = str_of(search_path()), folder;

    if (strchr(name, '/'))
        return access(name, X_OK) == 0 ? name : NULL;
    while (str_split(&path, ':', &folder)) {
        const char *full = str_f(mem, "%.*s/%s", STR(folder), name).p;

        if (folder.n && folder.p[0] == '/' && access(full, X_OK) == 0)
            return full;
    }
    return NULL;
}

static const char **environment(struct arena *mem, const char *const *more)
{
    const char **env = arena_new_array(mem, const char *, MAX_ENV + 1);
    size_t n = 0;

    env[n++] = str_f(mem, "PATH=%s", search_path()).p;
    env[n++] = "LANG=C.UTF-8";
    if (getenv("TZ"))
        env[n++] = str_f(mem, "TZ=%s", getenv("TZ")).p;
    for (; more && *more && n < MAX_ENV; more++)
        env[n++] = *more;
    return env;
}

/* A file in memory with the bytes; -1: none could be made. */
static int file_of(struct str bytes)
{
    int fd = memfd_create("input", MFD_CLOEXEC);

    if (fd >= 0 && write_all(fd, bytes, NULL) != OK) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* ---- in the child */

static void limit(int what, rlim_t value)
{
    setrlimit((__rlimit_resource_t)what, &(struct rlimit){ value, value });
}

static void set_limits(const struct child *c)
{
    limit(RLIMIT_CORE, 0);
    if (!c->writes_files)
        limit(RLIMIT_FSIZE, 0);
    limit(RLIMIT_NOFILE, MAX_FILES);
    if (c->cpu_s)
        setrlimit(RLIMIT_CPU, &(struct rlimit){ (rlim_t)c->cpu_s, (rlim_t)c->cpu_s + 1 });
#ifndef __SANITIZE_ADDRESS__ /* which maps terabytes */
    if (c->memory_bytes)
        limit(RLIMIT_AS, c->memory_bytes);
#endif
}

struct ends { /* of the child: -1 stands for /dev/null, or for error: ours */
    int input, output, error;
};

/* Only what may follow a fork. */
static void become(const struct child *c, const char *program, const char **env, struct ends ends, pid_t parent)
{
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
    signal(SIGXFSZ, SIG_IGN); /* a library that cannot write its cache goes on without */
    dup2(ends.input >= 0 ? ends.input : null_fd, 0);
    dup2(ends.output, 1);
    if (ends.error >= 0)
        dup2(ends.error, 2);
    close_range(3, ~0u, 0);
    lseek(0, 0, SEEK_SET);
    set_limits(c);
    execve(program, c->argv, (char *const *)(uintptr_t)env);
    _exit(NO_PROGRAM);
}

/* ---- starting */

static void close_all(int *fds, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

/* error_fd NULL: its standard error is ours. */
static enum status start(struct arena *mem, struct child *c, pid_t *pid, int *output_fd, int *error_fd,
                         struct error *err)
{
    const char *program = find_program(mem, c->program), **env = environment(mem, c->env);
    int fds[] = { -1, -1, -1, -1, -1 }; /* output: read, write; error: read, write; input of our making */
    pid_t parent = getpid();
    struct ends ends;

    if (!program)
        return error_set(err, NOT_FOUND, "%s cannot be run: %s", c->program, strerror(errno ? errno : ENOENT));
    if (c->input_fd < 0 && c->input.n)
        fds[4] = file_of(c->input);
    if ((c->input_fd < 0 && c->input.n && fds[4] < 0) || pipe2(fds, O_CLOEXEC) != 0 ||
        (error_fd && pipe2(fds + 2, O_CLOEXEC) != 0)) {
        close_all(fds, 5);
        return error_set(err, FAILED, "could not make a pipe: %s", strerror(errno));
    }
    ends = (struct ends){ c->input_fd >= 0 ? c->input_fd : fds[4], fds[1], fds[3] };
    *pid = fork();
    if (*pid == 0)
        become(c, program, env, ends, parent);
    if (*pid < 0) {
        close_all(fds, 5);
        return error_set(err, FAILED, "could not start a process: %s", strerror(errno));
    }
    *output_fd = fds[0];
    if (error_fd)
        *error_fd = fds[2];
    close_all((int[]){ fds[1], fds[3], fds[4] }, 3);
    return OK;
}

enum status child_begin(struct arena *mem, struct child *c, pid_t *pid, int *output_fd, struct error *err)
{
    return start(mem, c, pid, output_fd, NULL, err);
}

static int reap(pid_t pid)
{
    int status = 0;

    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
}

static void end(pid_t pid)
{
    kill(-pid, SIGKILL);
    kill(pid, SIGKILL);
}

int child_wait(pid_t pid, bool kill_it)
{
    int status;

    if (kill_it)
        end(pid);
    status = reap(pid);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* ---- running to the end */

/* What is there now. *fd becomes -1 at its end. false: it does not fit. What does not fit and need not is dropped. */
static bool take(int *fd, struct buf *out, bool must_fit)
{
    char chunk[CHUNK];
    ssize_t n = read(*fd, chunk, sizeof(chunk));

    if (n < 0 && errno == EINTR)
        return true;
    if (n <= 0) {
        close(*fd);
        *fd = -1;
        return true;
    }
    if (!must_fit && (size_t)n > out->max - out->n)
        n = (ssize_t)(out->max - out->n);
    buf_add(out, chunk, (size_t)n);
    return !buf_failed(out);
}

/* Until the other side closes. */
static enum status read_both(const struct child *c, int *output_fd, struct buf *output, int *error_fd,
                             struct buf *complaint, struct error *err)
{
    int64_t until_ms = mono_ms() + c->timeout_ms;

    while (*output_fd >= 0 || *error_fd >= 0) {
        struct pollfd p[] = { { *output_fd, POLLIN, 0 }, { *error_fd, POLLIN, 0 } };
        int64_t left = until_ms - mono_ms();
        int ready = left > 0 ? poll(p, 2, (int)(left < INT_MAX ? left : INT_MAX)) : 0;

        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0)
            return error_set(err, TIMED_OUT, "it took too long");
        if (p[1].revents)
            take(error_fd, complaint, false);
        if (p[0].revents && !take(output_fd, output, true))
            return error_set(err, TOO_BIG, "its output is too large");
    }
    return OK;
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
    struct buf output = BUF(mem, c->max_output), complaint = BUF(mem, MAX_COMPLAINT);
    int output_fd, error_fd, status;
    pid_t pid;
    enum status st = start(mem, c, &pid, &output_fd, &error_fd, err);

    if (st != OK)
        return st;
    st = read_both(c, &output_fd, &output, &error_fd, &complaint, err);
    close_all((int[]){ output_fd, error_fd }, 2);
    if (st != OK)
        end(pid);
    status = reap(pid);
    if (st == OK)
        st = ended(c, status, err);
    c->output = buf_str(&output);
    c->complaint = buf_str(&complaint);
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
