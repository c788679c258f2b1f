/* serve.c: webuictl serve: responders, sidecar and web server in the foreground, until a signal ends them all. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <poll.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "lib/auth/auth.h"
#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/log.h"

enum { STOP_MS = 4200, START_MS = 20000, LOCK_MS = 8000, TICK_MS = 500, CHILDREN = 3 };

/* ---- what must be in order before anything starts */

static bool make_dir(struct ctl *ctl, const char *path, const char *variable)
{
    struct error err = { "" };
    struct stat st;

    (void)ctl;
    if (dir_make(path, 0700, &err) != OK)
        return ctl_fail("%s; %s names another place", err.text, variable), false;
    if (access(path, W_OK | X_OK) != 0)
        return ctl_fail("%s cannot be written: %s; change its owner, or name another place in %s", path,
                        strerror(errno), variable),
               false;
    if (stat(path, &st) == 0 && (st.st_mode & 077) && st.st_uid == geteuid())
        chmod(path, 0700);
    return true;
}

/* Unix socket paths are short: 107 bytes on Linux. */
static bool sockets_fit(const char *run)
{
    if (strlen(run) + sizeof("/responder.sock") <= sizeof(((struct sockaddr_un *)0)->sun_path))
        return true;
    return ctl_fail("the path %s is too long for sockets: name a shorter one in WEBUI_RUN_DIR", run), false;
}

static bool port_is_free(const char *host, int port)
{
    struct addrinfo hints = { .ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM }, *list, *a;
    char text[16];
    int failed = 0, fd, one = 1;

    snprintf(text, sizeof(text), "%d", port);
    if (getaddrinfo(host, text, &hints, &list) != 0)
        return ctl_fail("\"%s\" is no address of this machine: correct HOST", host), false;
    for (a = list; a; a = a->ai_next) {
        fd = socket(a->ai_family, a->ai_socktype, a->ai_protocol);
        if (fd < 0)
            continue;
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
        failed = bind(fd, a->ai_addr, a->ai_addrlen) != 0 ? errno : 0;
        close(fd);
        if (failed)
            break;
    }
    freeaddrinfo(list);
    if (failed == EADDRINUSE)
        return ctl_fail("port %d is in use by another program: choose another with PORT=", port), false;
    if (failed == EACCES)
        return ctl_fail("port %d needs root (or CAP_NET_BIND_SERVICE): choose one above 1023 with PORT=", port), false;
    return failed ? (ctl_fail("%s:%d cannot be used: %s; correct HOST or PORT", host, port, strerror(failed)), false)
                  : true;
}

/* It becomes part of URLs and of the web server's configuration. */
static bool path_is_plain(const char *path, const char *variable)
{
    for (const char *c = path; *c; c++)
        if (strchr("\"\\?|#$", *c) || (unsigned char)*c < ' ')
            return ctl_fail("the path %s has a control character or one of \" \\ ? | # $ in it: name another in %s",
                            path, variable),
                   false;
    return true;
}

/* As webui.fcgi --pool reads it. */
static bool pool_is_good(struct ctl *ctl, enum setting_id id, const char *variable)
{
    struct str text = config_str(ctl->config, id), rest = text, min;
    int64_t low = 0, high = 0;

    if (str_split(&rest, ':', &min) && str_to_i64(min, &low) && (rest.p ? str_to_i64(rest, &high) : (high = low)) &&
        low >= 1 && high >= low && high <= 256)
        return true;
    return ctl_fail("%s is MIN:MAX processes, from 1 to 256 (4:8, say), not \"%.*s\"", variable, STR(text)), false;
}

/* One server a folder: the lock lives as long as the process, and as long as what is left of one that was killed (see guard_start). */
static bool lock_run_dir(struct ctl *ctl)
{
    const char *path = str_c(ctl->mem, str_f(ctl->mem, "%s/serve.running", config_run_dir(ctl->config)));
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    int64_t end = mono_ms() + LOCK_MS, other = 0;
    char text[24] = "";

    if (fd < 0)
        return ctl_fail("%s cannot be opened: %s; change its owner, or name another place in DATA_DIR", path,
                        strerror(errno)),
               false;
    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (pread(fd, text, sizeof(text) - 1, 0) > 0)
            str_to_i64(str_trim(str_of(text)), &other);
        if (other <= 0 || kill((pid_t)other, 0) == 0 || errno != ESRCH || mono_ms() > end)
            return ctl_fail("another server (process %lld) works on %s: end it, or name another place in DATA_DIR",
                            (long long)other, config_data_dir(ctl->config)),
                   false;
        usleep(50000);
    }
    snprintf(text, sizeof(text), "%d\n", (int)getpid());
    if (ftruncate(fd, 0) != 0 || pwrite(fd, text, strlen(text), 0) < 0)
        return ctl_fail("%s cannot be written: %s", path, strerror(errno)), false;
    return true;
}

static bool prepare(struct ctl *ctl, struct owner *o, struct web *web)
{
    struct str host = config_str(ctl->config, CFG_HOST), key;
    const char *data = config_data_dir(ctl->config), *run = config_run_dir(ctl->config);
    struct error err = { "" };

    web->host = host.n ? str_c(ctl->mem, host) : "127.0.0.1";
    web->port = (int)config_int(ctl->config, CFG_PORT);
    if (web->port < 1 || web->port > 65535)
        return ctl_fail("PORT is a number from 1 to 65535"), false;
    if (!path_is_plain(data, "DATA_DIR") || !path_is_plain(run, "WEBUI_RUN_DIR") ||
        !path_is_plain(frontend_dir(ctl), "WEBUI_FRONTEND_DIR"))
        return false;
    if (!pool_is_good(ctl, CFG_WEBUI_RESPONDERS, "WEBUI_RESPONDERS") ||
        !pool_is_good(ctl, CFG_WEBUI_WORKERS, "WEBUI_WORKERS"))
        return false;
    if (!web_kind(str_c(ctl->mem, config_str(ctl->config, CFG_WEB_SERVER)), &web->kind) ||
        !port_is_free(web->host, web->port) || !owner_find(ctl, o) || !make_dir(ctl, data, "DATA_DIR") ||
        !make_dir(ctl, run, "WEBUI_RUN_DIR") || !sockets_fit(run) || !lock_run_dir(ctl))
        return false;
    if (config_secret_key(ctl->config, true, &key, &err) != OK)
        return ctl_fail("%s", err.text), false;
    if (!frontend_is_there(ctl) && !frontend_fetch(ctl))
        return false;
    setenv("WEBUI_FRONTEND_DIR", frontend_dir(ctl), 1);
    if (!ctl_database_ready(ctl))
        return false;
    if (config_start(ctl->config, ctl->db, &err) != OK)
        return ctl_fail("%s", err.text), false;
    if (config_bool(ctl->config, CFG_DEMO_ACCOUNT) && auth_make_demo_account(ctl->db, ctl->config, &err) != OK)
        return ctl_fail("%s", err.text), false;
    return true;
}

/* Folders that the web server's configuration names, and their owner. */
static bool hand_over(struct ctl *ctl, struct owner *o)
{
    static const char *const below[] = { "deflate", "fcgid", "spool" };
    const char *data = config_data_dir(ctl->config), *run = config_run_dir(ctl->config),
               *program = ctl_program(ctl, "webui.fcgi");
    const char *page = str_c(ctl->mem, str_f(ctl->mem, "%s/index.html", frontend_dir(ctl)));

    if (!program)
        return false;
    for (size_t i = 0; i < sizeof(below) / sizeof(below[0]); i++)
        if (!make_dir(ctl, str_c(ctl->mem, str_f(ctl->mem, "%s/%s", run, below[i])), "WEBUI_RUN_DIR"))
            return false;
    if (!owner_give(o, data) || !owner_give(o, run))
        return false;
    o->passes_closed_folders = !owner_can_reach(o, run, W_OK | X_OK) || !owner_can_reach(o, data, W_OK | X_OK) ||
                               !owner_can_reach(o, page, R_OK) || !owner_can_reach(o, program, X_OK);
    if (o->passes_closed_folders) {
        if (!owner_can_reach(o, data, W_OK | X_OK))
            return ctl_fail("the user %s cannot reach %s: name a place in DATA_DIR that is not below a closed folder, "
                            "or another user in "
                            "WEBUI_USER (WEBUI_USER=root to go on as root)",
                            o->user, data),
                   false;
        log_warning("something that %s needs lies below a folder that is closed to him: the right to pass it is left "
                    "to our programs",
                    o->user);
    }
    return true;
}

/* What the sidecar reads, which knows the environment only. */
static void hand_on_settings(struct ctl *ctl)
{
    static const enum setting_id v[] = { CFG_WEBUI_WORKERS, CFG_WEBUI_DRAIN_MS, CFG_ENABLE_WEBSOCKET_SUPPORT,
                                         CFG_CORS_ALLOW_ORIGIN, CFG_GLOBAL_LOG_LEVEL };

    for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
        json_object *value = config_source(ctl->config, v[i]) == FROM_DOTENV ? config_json(ctl->config, v[i]) : NULL;

        if (value)
            setenv(settings[v[i]].env, json_object_get_string(value), 1);
    }
}

static void hand_on_environment(struct ctl *ctl)
{
    setenv("DATA_DIR", config_data_dir(ctl->config), 1); /* absolute: each program may work elsewhere */
    setenv("WEBUI_RUN_DIR", config_run_dir(ctl->config), 1);
    setenv("DATABASE_URL", config_database_url(ctl->config), 1);
    hand_on_settings(ctl);
    setenv("WEBUI_DRAIN_MS", "2500", 0);
}

/* ---- running */

/* Asks the web server for /health, as a browser would. */
static bool answers(const struct web *w)
{
    static const char request[] = "GET /health HTTP/1.0\r\nHost: localhost\r\n\r\n";
    const char *host = !strcmp(w->host, "0.0.0.0") || !strcmp(w->host, "::") ? "127.0.0.1" : w->host;
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list;
    struct timeval wait = { 2, 0 };
    char text[16], reply[16] = "";
    bool ok = false;
    int fd;

    snprintf(text, sizeof(text), "%d", w->port);
    if (getaddrinfo(host, text, &hints, &list) != 0)
        return false;
    fd = socket(list->ai_family, list->ai_socktype | SOCK_CLOEXEC, list->ai_protocol);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    if (fd >= 0 && connect(fd, list->ai_addr, list->ai_addrlen) == 0 &&
        send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) > 0)
        ok = recv(fd, reply, 12, MSG_WAITALL) == 12 && !strncmp(reply + 8, " 200", 4);
    if (fd >= 0)
        close(fd);
    freeaddrinfo(list);
    return ok;
}

static void show_log(struct ctl *ctl)
{
    struct str text, line;
    struct error err;

    if (file_read(ctl->mem, str_c(ctl->mem, str_f(ctl->mem, "%s/web.log", config_run_dir(ctl->config))), 1 << 20, &text,
                  &err) != OK)
        return;
    text = text.n > 1500 ? str_from(text, text.n - 1500) : text;
    while (str_split(&text, '\n', &line))
        if (line.n)
            fprintf(stderr, "    %.*s\n", STR(line));
}

/* A signal from signals_fd within the time; 0: none. Children that ended are taken note of. */
static int wait_signal(int signals_fd, int timeout_ms, struct child *v)
{
    struct pollfd p = { signals_fd, POLLIN, 0 };
    struct signalfd_siginfo info;
    int status;
    pid_t pid;

    if (poll(&p, 1, timeout_ms) <= 0 || read(signals_fd, &info, sizeof(info)) != sizeof(info))
        return 0;
    if (info.ssi_signo != SIGCHLD)
        return (int)info.ssi_signo;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        for (int i = 0; i < CHILDREN; i++)
            if (v[i].pid == pid)
                child_ended(&v[i], status);
    return 0;
}

/* SIGINT sent to make alone: it waits for us then, and tells us nothing. What shows is that it blocks the signal, which it does only while it
 * handles it, or for a moment when it starts a program. */
static bool make_was_interrupted(void)
{
    static int seen;
    char path[64], line[256] = "";
    unsigned long long blocked = 0;
    bool is_make = false;
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%d/status", (int)getppid());
    f = fopen(path, "re");
    while (f && fgets(line, sizeof(line), f)) {
        if (!strcmp(line, "Name:\tmake\n"))
            is_make = true;
        else if (sscanf(line, "SigBlk: %llx", &blocked) == 1)
            break;
    }
    if (f)
        fclose(f);
    seen = is_make && (blocked & 1ull << (SIGINT - 1)) ? seen + 1 : 0;
    return seen > 1;
}

static int supervise(struct ctl *ctl, const struct web *web, struct child *v, int signals_fd)
{
    int64_t deadline = mono_ms() + START_MS;
    bool announced = false;
    int stop = 0;

    while (!stop) {
        for (int i = 0; i < CHILDREN; i++)
            if (v[i].argv && v[i].pid == 0 && mono_ms() >= v[i].next_start_ms && !child_start(&v[i]))
                log_error("could not start %s: %s", v[i].name, strerror(errno));
        stop = wait_signal(signals_fd, announced ? TICK_MS : 50, v);
        if (!stop && make_was_interrupted())
            stop = SIGINT;
        if (!announced && answers(web)) {
            announced = true;
            printf("webui-fcgi is ready: http://%s:%d (Ctrl-C ends it)\n",
                   strcmp(web->host, "0.0.0.0") ? web->host : "127.0.0.1", web->port);
            fflush(stdout);
        }
        for (int i = 0; i < CHILDREN && !stop && !announced; i++) {
            if (v[i].failures < 3 && mono_ms() < deadline)
                continue;
            ctl_fail("%s", v[i].failures >= 3 ? str_f(ctl->mem, "%s does not start; its last words:", v[i].name).p
                                              : "the server does not answer; the web server's last words:");
            show_log(ctl);
            return 1;
        }
    }
    log_info("ending: signal %d", stop);
    return 0;
}

int ctl_serve(struct ctl *ctl, int argc, char **argv)
{
    struct owner o;
    struct web web = { 0 };
    struct child *v = mmap(NULL, CHILDREN * sizeof(*v), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct rlimit files;
    sigset_t set;
    int status, signals_fd;

    (void)argv;
    if (argc != 1)
        return ctl_fail("serve takes its settings from the environment (docs/settings.md), not from arguments"), 2;
    if (!prepare(ctl, &o, &web) || !hand_over(ctl, &o))
        return 1;
    hand_on_environment(ctl);
    if (!web_prepare(ctl, &o, &web) || !owner_give(&o, config_run_dir(ctl->config)))
        return 1;
    if (v == MAP_FAILED)
        return ctl_fail("out of memory");
    v[0] = (struct child){ .name = "the pool of responders", .owner = &o };
    v[1] = (struct child){ .name = "the sidecar", .owner = &o };
    v[2] = (struct child){ .name = "the web server", .holds_port = true };
    if (o.passes_closed_folders)
        v[2].owner = &o; /* a web server that gives up root by itself would lose that right */
    db_close(ctl->db);   /* a supervisor needs none */
    ctl->db = NULL;

    char *pool = str_c(ctl->mem, config_str(ctl->config, CFG_WEBUI_RESPONDERS));
    char *socket_path = str_c(ctl->mem, str_f(ctl->mem, "%s/responder.sock", config_run_dir(ctl->config)));
    char *responder[] = { (char *)ctl_program(ctl, "webui.fcgi"), "--listen", socket_path, "--pool", pool, NULL };
    char *sidecar[] = { (char *)ctl_program(ctl, "webui-sidecar"), NULL };

    if (!responder[0] || !sidecar[0])
        return 1;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    v[0].argv = web.kind == APACHE_FCGID ? NULL : responder;
    v[1].argv = sidecar;
    v[2].argv = web.argv;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    signals_fd = signalfd(-1, &set, SFD_CLOEXEC);
    prctl(PR_SET_CHILD_SUBREAPER, 1); /* what mod_fcgid or a crashed pool leaves behind comes to us */
    if (!guard_start(v, CHILDREN))
        return ctl_fail("could not start a process: %s", strerror(errno));
    status = supervise(ctl, &web, v, signals_fd);
    children_stop(v, CHILDREN, STOP_MS);
    guard_stop();
    close(signals_fd);
    return status;
}
