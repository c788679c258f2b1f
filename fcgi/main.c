/* main.c: the responder's program: how it was started, and what it does then. */
#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fcgi/pool.h"
#include "fcgi/serve.h"
#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/shared.h"
#include "lib/db/migrate.h"

#define VERSION "0.1.0"

enum { EXIT_USAGE = 2, EXIT_REFUSED = 3, CHECK_BINARY_MS = 1000, IDLE_S = 2, WORN_AFTER = 200 };

static const char help[] =
    "webui.fcgi: the FastCGI responder of webui-fcgi\n"
    "\n"
    "  webui.fcgi                                    FastCGI on descriptor 0, or plain CGI: a web server starts it\n"
    "  webui.fcgi --listen PATH [--pool MIN:MAX]     a pool of responders at a unix socket (default 4:8)\n"
    "  webui.fcgi --listen PATH --worker             the sidecar's pool\n"
    "  webui.fcgi --sidecar-paths                    paths that the web server has to send to the sidecar, one regular "
    "expression\n"
    "  webui.fcgi --check                            settings, routes, database: says what is wrong, and ends\n"
    "  webui.fcgi --version\n"
    "\n"
    "Settings come from the environment and from .env; docs/settings.md lists them.\n";

struct options {
    const char *listen, *pool;
    bool worker, sidecar_paths, check, version, help;
};

static int say(const struct error *err)
{
    fprintf(stderr, "webui.fcgi: %s\n", err->text);
    return EXIT_FAILURE;
}

/* ---- answering */

/* A new version was put in our place: the process manager is to start that one. */
static bool binary_was_replaced(void)
{
    static char path[4200];
    static struct stat ours;
    static int64_t next_ms;
    struct stat now;
    ssize_t n;

    if (!path[0]) {
        n = readlink("/proc/self/exe", path, sizeof(path) - 1);
        if (n <= 0 || stat("/proc/self/exe", &ours) != 0)
            return false;
        path[n] = '\0';
    }
    if (mono_ms() < next_ms)
        return false;
    next_ms = mono_ms() + CHECK_BINARY_MS;
    return stat(path, &now) == 0 && (now.st_ino != ours.st_ino || now.st_dev != ours.st_dev);
}

/* What large requests needed is given back when none has come for a while. */
static volatile sig_atomic_t is_idle;

static void on_alarm(int signal_number)
{
    (void)signal_number;
    is_idle = 1;
}

/* A responder of a pool that is idle after many requests makes room for a new one: that shares its pages with the parent again, so that a
 * busy hour leaves nothing behind. Not all of them at the same moment. */
static unsigned idle_s(const struct pool_child *child)
{
    return child ? IDLE_S + (unsigned)child->slot % 4 : IDLE_S;
}

/* Requests from listen_fd until told to stop. child: NULL without a pool. */
static int answer_requests(struct server *s, int listen_fd, const struct pool_child *child)
{
    FCGX_Request q;
    int answered = 0;

    if (FCGX_InitRequest(&q, listen_fd, FCGI_FAIL_ACCEPT_ON_INTR) != 0)
        return EXIT_FAILURE;
    sigaction(SIGALRM, &(struct sigaction){ .sa_handler = on_alarm }, NULL);
    while (!stop_asked()) {
        struct wire w = { .fcgi = &q };

        if (FCGX_Accept_r(&q) < 0) {
            if (stop_asked() || errno != EINTR)
                break;
            if (is_idle) {
                is_idle = 0;
                if (child && answered >= WORN_AFTER)
                    break;
                malloc_trim(0);
            }
            continue;
        }
        alarm(0);
        if (child)
            pool_busy(child, true);
        w.params = q.envp;
        serve(s, &w);
        FCGX_Finish_r(&q);
        answered++;
        if (!q.keepConnection) /* a kept connection is waited on with read(), which must not be broken off */
            alarm(idle_s(child));
        if (child)
            pool_busy(child, false);
        else if (binary_was_replaced())
            break;
    }
    FCGX_Free(&q, 1);
    return EXIT_SUCCESS;
}

static int pool_work(const struct pool_child *child, void *arg)
{
    struct server *s = arg;
    int status;

    server_after_fork(s);
    server_warm(s);
    status = answer_requests(s, child->listen_fd, child);
    server_free(s);
    return status;
}

/* ---- starting */

static enum status open_run_dir(struct server *s, struct error *err)
{
    enum status st = dir_make(config_run_dir(s->config), 0700, err);

    return st == OK ? shared_open(config_run_dir(s->config), err) : st;
}

/* A chat is a few hundred kilobytes: kept by the process instead of being given back and faulted in anew for each request, which would cost as
 * much as all else. 2 MB are what one such request needs; larger ones go back. */
static void tune_malloc(void)
{
    mallopt(M_MMAP_THRESHOLD, 4 << 20);
    mallopt(M_TRIM_THRESHOLD, 2 << 20);
    mallopt(M_TOP_PAD, 64 << 10);
}

static enum status begin(struct server *s, bool worker, struct error *err)
{
    enum status st;

    tune_malloc();
    setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 }); /* a core would hold keys and chats */
    umask(0077);
    log_init(worker ? "worker" : "responder", STR_NONE);
    st = server_init(s, worker, err);
    if (st != OK)
        return st;
    log_init(worker ? "worker" : "responder", config_str(s->config, CFG_GLOBAL_LOG_LEVEL));
    return open_run_dir(s, err);
}

/* True: go on. A database that is away may come back; one that is not ours will not change. */
static bool prepare(struct server *s)
{
    struct error err = { "" };
    enum status st = server_prepare(s, &err);

    if (st != OK)
        log_error("%s", err.text);
    return st != INVALID;
}

/* In a process of its own: no connection may be open when the pool forks. */
static bool prepare_apart(struct server *s)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0)
        _exit(prepare(s) ? EXIT_SUCCESS : EXIT_REFUSED);
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return pid < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != EXIT_REFUSED;
}

static int run_alone(void)
{
    struct server s;
    struct error err = { "" };
    int status = EXIT_SUCCESS;

    if (begin(&s, false, &err) != OK)
        return say(&err);
    if (!prepare(&s))
        return EXIT_REFUSED;
    if (FCGX_IsCGI()) {
        struct wire w = { .params = environ };

        serve(&s, &w);
    } else {
        binary_was_replaced();
        stop_on_signals(STDIN_FILENO);
        FCGX_Init();
        status = answer_requests(&s, STDIN_FILENO, NULL);
    }
    server_free(&s);
    return status;
}

static bool read_pool(const char *text, int *min, int *max)
{
    struct str s = str_of(text);
    size_t colon = str_find_c(s, ':');
    int64_t a, b;

    if (!str_to_i64(str_sub(s, 0, colon), &a))
        return false;
    b = a;
    if (colon != STR_NPOS && !str_to_i64(str_from(s, colon + 1), &b))
        return false;
    if (a < 1 || b < a || b > 256)
        return false;
    *min = (int)a;
    *max = (int)b;
    return true;
}

static int run_pool(const struct options *o)
{
    struct server s;
    struct error err = { "" };
    struct pool_options pool = { .path = o->listen };
    const char *size = o->pool;
    int status;

    if (begin(&s, o->worker, &err) != OK)
        return say(&err);
    if (!size)
        size = str_c(s.start_mem, config_str(s.config, o->worker ? CFG_WEBUI_WORKERS : CFG_WEBUI_RESPONDERS));
    if (!read_pool(size, &pool.min, &pool.max)) {
        fprintf(stderr, "webui.fcgi: a pool is MIN:MAX processes, from 1 to 256, not %s\n", size);
        return EXIT_USAGE;
    }
    pool.drain_ms = (int)config_int(s.config, CFG_WEBUI_DRAIN_MS);
    if (!prepare_apart(&s))
        return EXIT_REFUSED;
    FCGX_Init();
    status = pool_run(&pool, pool_work, &s, &err);
    if (status != 0)
        say(&err);
    server_free(&s);
    return status;
}

/* ---- looking */

static int print_sidecar_paths(void)
{
    struct server s;
    struct error err = { "" };

    if (server_init(&s, false, &err) != OK)
        return say(&err);
    printf("%.*s\n", STR(router_sidecar_paths(s.router, s.mem)));
    server_free(&s);
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static void count_route(const struct route *route, void *arg)
{
    size_t *n = arg;

    n[route->server == SIDECAR ? 1 : 0]++;
}

static int check(void)
{
    struct server s;
    struct schema schema;
    struct error err = { "" };
    struct str refusal;
    size_t n[2] = { 0, 0 };

    if (server_init(&s, false, &err) != OK)
        return say(&err);
    router_each(s.router, count_route, n);
    printf("routes:    %zu, %zu of them for the sidecar\n", n[0] + n[1], n[1]);
    printf("data:      %s\nrun:       %s\n", config_data_dir(s.config), config_run_dir(s.config));
    if (db_connect(s.db, &err) != OK || migrate_check(s.db, s.mem, &schema, &err) != OK)
        return say(&err);
    refusal = migrate_refusal(s.mem, &schema);
    if (refusal.p && schema.state != SCHEMA_EMPTY) {
        printf("database:  %.*s\n", STR(refusal));
        return EXIT_FAILURE;
    }
    printf("database:  %s, %s\n", db_kind(s.db) == DB_SQLITE ? "SQLite" : "PostgreSQL",
           schema.state == SCHEMA_EMPTY ? "empty" : "ready");
    server_free(&s);
    return EXIT_SUCCESS;
}

static bool read_options(int argc, char **argv, struct options *o)
{
    static const struct option list[] = {
        { "listen", required_argument, NULL, 'l' }, { "pool", required_argument, NULL, 'p' },
        { "worker", no_argument, NULL, 'w' },       { "sidecar-paths", no_argument, NULL, 's' },
        { "check", no_argument, NULL, 'c' },        { "version", no_argument, NULL, 'v' },
        { "help", no_argument, NULL, 'h' },         { NULL, 0, NULL, 0 },
    };
    int c;

    while ((c = getopt_long(argc, argv, "", list, NULL)) != -1) {
        switch (c) {
        case 'l': o->listen = optarg; break;
        case 'p': o->pool = optarg; break;
        case 'w': o->worker = true; break;
        case 's': o->sidecar_paths = true; break;
        case 'c': o->check = true; break;
        case 'v': o->version = true; break;
        case 'h': o->help = true; break;
        default: return false;
        }
    }
    return optind == argc && ((!o->pool && !o->worker) || o->listen);
}

int main(int argc, char **argv)
{
    struct options o = { 0 };

    if (!read_options(argc, argv, &o)) {
        fputs(help, stderr);
        return EXIT_USAGE;
    }
    if (o.help || o.version) {
        fputs(o.help ? help : "webui.fcgi " VERSION " (Open WebUI 0.6.32)\n", stdout);
        return EXIT_SUCCESS;
    }
    if (o.sidecar_paths)
        return print_sidecar_paths();
    if (o.check)
        return check();
    return o.listen ? run_pool(&o) : run_alone();
}
