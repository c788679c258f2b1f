/* worker.c: the worker pool is a child process: webui.fcgi --worker. */
#include "sidecar/worker.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "sidecar/sidecar.h"

static pid_t pid = -1;
static uv_signal_t child_signal;
static struct delay *again;
static int64_t started_ms;
static unsigned failures;
static bool stopping;

static void start(void *arg);

/* Beside our own program, unless WEBUI_FCGI names it. */
static struct str program(struct arena *mem)
{
    struct str own = { arena_alloc(mem, PATH_MAX), 0 };
    ssize_t n = readlink("/proc/self/exe", (char *)own.p, PATH_MAX - 1);
    size_t slash;

    if (getenv("WEBUI_FCGI"))
        return str_copy(mem, str_of(getenv("WEBUI_FCGI")));
    own.n = n > 0 ? (size_t)n : 0;
    slash = str_rfind_c(own, '/');
    return str_f(mem, "%.*s/webui.fcgi", slash == STR_NPOS ? 1 : (int)slash, slash == STR_NPOS ? "." : own.p);
}

static void child(char *const argv[], pid_t parent)
{
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int s = 1; s < 32; s++)
        signal(s, SIG_DFL);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(0);
    execv(argv[0], argv);
    log_error("could not start %s: %s", argv[0], strerror(errno));
    _exit(127);
}

static void start(void *arg)
{
    struct arena *mem = arena_new(PATH_MAX * 2);
    char *argv[8], *name = str_c(mem, program(mem));
    pid_t parent = getpid();

    (void)arg;
    argv[0] = name;
    argv[1] = "--worker";
    argv[2] = "--listen";
    argv[3] = str_c(mem, path_in_run(mem, "worker.sock"));
    argv[4] = "--pool";
    argv[5] = str_c(mem, str_f(mem, "%d:%d", sidecar.workers_min, sidecar.workers_max));
    argv[6] = NULL;
    unlink(argv[3]); /* of an earlier pool, which may still be listening while it dies */
    started_ms = mono_ms();
    pid = fork();
    if (pid == 0)
        child(argv, parent);
    if (pid < 0) {
        log_error("could not start the workers: %s", strerror(errno));
        delay_start(&again, 1000, start, NULL);
    } else {
        stats.workers_started++;
        log_info("workers started as process %d", (int)pid);
    }
    arena_free(mem);
}

static void on_child(uv_signal_t *handle, int signum)
{
    int status;

    (void)handle, (void)signum;
    if (pid <= 0 || waitpid(pid, &status, WNOHANG) != pid)
        return;
    pid = -1;
    if (stopping)
        return;
    log_error("workers ended (%s %d), starting them again", WIFSIGNALED(status) ? "signal" : "status",
              WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    failures = mono_ms() - started_ms > 10 * 1000 ? 0 : failures + 1;
    delay_start(&again, failures < 3 ? 100 : failures < 10 ? 1000 : 5000, start, NULL);
}

void pool_start(void)
{
    uv_signal_init(sidecar.loop, &child_signal);
    uv_signal_start(&child_signal, on_child, SIGCHLD);
    uv_unref((uv_handle_t *)&child_signal);
    start(NULL);
}

void pool_stop(void)
{
    stopping = true;
    delay_stop(&again);
    if (pid > 0)
        kill(pid, SIGTERM);
}

void pool_kill(void)
{
    if (pid > 0)
        kill(pid, SIGKILL);
}

bool pool_running(void)
{
    return pid > 0;
}
