/* sidecar_start.c: shared hosting has no service manager: the first responder that needs the sidecar starts it. */
#include "fcgi/sidecar_start.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/cleanup.h"
#include "lib/base/log.h"

enum { WAIT_MS = 5000, STEP_MS = 20 };

static int connect_once(const char *run_dir)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd, n = snprintf(address.sun_path, sizeof(address.sun_path), "%s/sidecar.sock", run_dir);

    if (n < 0 || (size_t)n >= sizeof(address.sun_path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        int why = errno;

        close(fd);
        errno = why;
        return -1;
    }
    return fd;
}

static bool find_program(char *path, size_t size)
{
    const char *named = getenv("WEBUI_SIDECAR");
    ssize_t n;
    char *slash;

    if (named && *named)
        return snprintf(path, size, "%s", named) < (int)size;
    n = readlink("/proc/self/exe", path, size - 1);
    if (n <= 0)
        return false;
    path[n] = '\0';
    slash = strrchr(path, '/');
    if (!slash)
        return false;
    return snprintf(slash, size - (size_t)(slash - path), "/webui-sidecar") < (int)(size - (size_t)(slash - path));
}

/* In the grandchild: nothing of the request or of the web server stays open. */
static void become_sidecar(const char *program, int log_fd)
{
    int null_fd = open("/dev/null", O_RDWR);
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    dup2(null_fd, STDIN_FILENO);
    dup2(null_fd, STDOUT_FILENO);
    dup2(log_fd >= 0 ? log_fd : null_fd, STDERR_FILENO);
    close_range(3, ~0u, 0);
    execl(program, "webui-sidecar", (char *)NULL);
    _exit(127);
}

/* A child of init in a session of its own, so that it outlives this process and its web server's kill. */
static enum status start_detached(const char *program, const char *run_dir, struct error *err)
{
    char log_path[4200];
    int log_fd AUTO_CLOSE = -1;
    pid_t pid;

    snprintf(log_path, sizeof(log_path), "%s/sidecar.log", run_dir);
    log_fd = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    pid = fork();
    if (pid < 0)
        return error_set(err, FAILED, "could not fork: %s", strerror(errno));
    if (pid == 0) {
        setsid();
        pid = fork();
        if (pid == 0)
            become_sidecar(program, log_fd);
        _exit(pid < 0);
    }
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    return OK;
}

static int wait_for_it(const char *run_dir, int64_t until_ms)
{
    int fd = -1;

    while (fd < 0 && mono_ms() < until_ms) {
        usleep(STEP_MS * 1000);
        fd = connect_once(run_dir);
    }
    return fd;
}

static enum status start_once(const char *run_dir, struct error *err)
{
    char lock_path[4200], program[4200];
    int lock AUTO_CLOSE = -1;
    int probe;
    enum status st;

    snprintf(lock_path, sizeof(lock_path), "%s/sidecar.lock", run_dir);
    lock = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (lock < 0)
        return error_set(err, FAILED, "could not open %s: %s", lock_path, strerror(errno));
    if (flock(lock, LOCK_EX | LOCK_NB) != 0)
        return OK; /* another process starts it: wait with it */
    probe = connect_once(run_dir);
    if (probe >= 0) {
        close(probe);
        return OK;
    }
    if (!find_program(program, sizeof(program)) || access(program, X_OK) != 0)
        return error_set(err, NOT_FOUND, "no sidecar runs, and there is no program %s to start", program);
    log_info("starting %s", program);
    st = start_detached(program, run_dir, err);
    if (st == OK) { /* held until it listens, so that nobody starts a second one */
        probe = wait_for_it(run_dir, mono_ms() + WAIT_MS);
        if (probe >= 0)
            close(probe);
    }
    return st;
}

int sidecar_connect(const char *run_dir, struct error *err)
{
    int64_t until_ms = mono_ms() + WAIT_MS;
    int fd = connect_once(run_dir);

    if (fd >= 0)
        return fd;
    if (errno != ENOENT && errno != ECONNREFUSED) {
        error_set(err, UNAVAILABLE, "could not reach the sidecar: %s", strerror(errno));
        return -1;
    }
    if (start_once(run_dir, err) != OK)
        return -1;
    fd = connect_once(run_dir);
    if (fd < 0)
        fd = wait_for_it(run_dir, until_ms);
    if (fd < 0)
        error_set(err, UNAVAILABLE, "the sidecar was started and does not listen; see %s/sidecar.log", run_dir);
    return fd;
}
