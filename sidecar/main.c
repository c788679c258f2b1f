/* main.c: webui-sidecar: one event loop for sockets, streams and the calls to providers. */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/resource.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "sidecar/engineio.h"
#include "sidecar/fcgi_client.h"
#include "sidecar/http.h"
#include "sidecar/missed.h"
#include "sidecar/jobs.h"
#include "sidecar/nodes.h"
#include "sidecar/plans.h"
#include "sidecar/sessions.h"
#include "sidecar/sidecar.h"
#include "sidecar/spool.h"
#include "sidecar/tasks.h"
#include "sidecar/worker.h"
#include "sidecar/ws.h"
#include "sidecar/ws_chat.h"
#include "sidecar/ydoc.h"
#include "sidecar/ydoc_save.h"

enum { SAVE_MS = 1000, KILL_MS = 700 }; /* after the drain: for the finish steps; then for the workers to end */

static uv_timer_t ticker;
static uv_signal_t term, interrupt;
static struct delay *deadline;
static enum { RUNNING, DRAINING, SAVING, STOPPING } stage;

/* ---- settings of the process */

static const char *env_or(const char *name, const char *otherwise)
{
    const char *v = getenv(name);

    return v && *v ? v : otherwise;
}

static int64_t env_number(const char *name, int64_t otherwise)
{
    int64_t v;

    return str_to_i64(str_of(getenv(name)), &v) && v >= 0 ? v : otherwise;
}

static void read_workers(void)
{
    struct str text = str_of(env_or("WEBUI_WORKERS", "2:8")), min;
    int64_t low, high;

    sidecar.workers_min = 2;
    sidecar.workers_max = 8;
    if (!str_split(&text, ':', &min) || !str_to_i64(min, &low) || low < 1 || low > 256)
        return;
    if (!text.p || !str_to_i64(text, &high) || high < low || high > 256)
        high = low;
    sidecar.workers_min = (int)low;
    sidecar.workers_max = (int)high;
}

static void read_settings(const char *run_dir)
{
    struct buf dir = BUF(NULL, 4096);

    if (!run_dir)
        run_dir = getenv("WEBUI_RUN_DIR");
    if (run_dir && *run_dir)
        buf_add_c(&dir, run_dir);
    else
        buf_addf(&dir, "%s/run", env_or("DATA_DIR", "./data"));
    sidecar.run_dir = copy_str(buf_str(&dir));
    buf_free(&dir);
    setenv("WEBUI_RUN_DIR", sidecar.run_dir, 1); /* the workers are to use the same */
    read_workers();
    sidecar.websockets = str_ieq(str_of(env_or("ENABLE_WEBSOCKET_SUPPORT", "true")), "true");
    sidecar.cors_origins = str_of(copy_str(str_of(env_or("CORS_ALLOW_ORIGIN", "*"))));
    sidecar.deflate = str_ieq(str_of(env_or("WEBSOCKET_DEFLATE", "false")), "true");
    sidecar.ping_ms = 1000 * env_number("WEBSOCKET_SERVER_PING_INTERVAL", 25);
    sidecar.pong_ms = 1000 * env_number("WEBSOCKET_SERVER_PING_TIMEOUT", 20);
    sidecar.drain_ms = env_number("WEBUI_DRAIN_MS", 3000);
}

static void raise_limits(void)
{
    struct rlimit l;

    if (getrlimit(RLIMIT_NOFILE, &l) == 0 && l.rlim_cur < l.rlim_max) {
        l.rlim_cur = l.rlim_max > 65536 ? 65536 : l.rlim_max;
        setrlimit(RLIMIT_NOFILE, &l);
    }
}

/* One sidecar a folder: the lock lives as long as the process. */
static bool lock_run_dir(void)
{
    struct arena *mem = arena_new(512);
    struct str path = path_in_run(mem, "sidecar.running");
    struct error err;
    bool locked = false;
    int fd = -1;

    if (dir_make(sidecar.run_dir, 0700, &err) == OK)
        fd = open(path.p, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        log_error("could not use %s: %s", sidecar.run_dir, strerror(errno));
    else if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        log_error("another sidecar runs in %s", sidecar.run_dir);
    else
        locked = true;
    arena_free(mem);
    return locked;
}

/* ---- the end: no new work, streams may end, then they are cut and saved, then the workers stop */

static void stop_now(void *arg)
{
    (void)arg;
    pool_kill();
    uv_stop(sidecar.loop);
}

static void start_stopping(void *arg)
{
    (void)arg;
    stage = STOPPING;
    ws_chat_close_all();
    engineio_close_all();
    nodes_stop();
    http_stop_listening(true);
    http_close_all();
    worker_close_all();
    pool_stop();
    delay_start(&deadline, KILL_MS, stop_now, NULL);
}

static void start_saving(void *arg)
{
    (void)arg;
    stage = SAVING;
    tasks_drain();
    ydoc_save_now();
    delay_start(&deadline, SAVE_MS, start_stopping, NULL);
}

static void advance(void)
{
    if (stage == DRAINING && runs_count() == 0 && http_busy() == 0)
        start_saving(NULL);
    if (stage == SAVING && tasks_count() == 0 && runs_count() == 0 && !ydoc_saving())
        start_stopping(NULL);
    if (stage == STOPPING && !pool_running())
        uv_stop(sidecar.loop);
}

static void on_terminate(uv_signal_t *handle, int signum)
{
    (void)handle, (void)signum;
    if (stage != RUNNING) { /* asked twice: at once */
        if (stage == DRAINING)
            start_saving(NULL);
        return;
    }
    log_info("stopping, %u answers are being written", tasks_count());
    stage = DRAINING;
    sidecar.draining = true;
    jobs_stop();
    runs_stop_waiting();
    http_stop_listening(false); /* workers that finish an answer may still have something to say */
    delay_start(&deadline, sidecar.drain_ms, start_saving, NULL);
    uv_timer_set_repeat(&ticker, 50);
    uv_timer_again(&ticker);
}

/* Memory of a crowd that has gone goes back to the system: the allocator would keep it. */
static void give_back(void)
{
    static size_t most;
    size_t now = runs_count() + engineio_count();

    if (now > most)
        most = now;
    if (most < 32 || now > most / 2)
        return;
    malloc_trim(0);
    most = now;
}

/* ---- the loop */

static void on_tick(uv_timer_t *timer)
{
    static int64_t last_ms;
    int64_t now = mono_ms();

    (void)timer;
    if (stage != RUNNING)
        advance();
    if (now - last_ms < 900)
        return;
    last_ms = now;
    runs_tick(now);
    engineio_tick(now);
    socketio_tick(now);
    usage_tick(now);
    ydoc_tick(now);
    missed_tick(now);
    http_tick(now);
    worker_tick(now);
    upstream_tick(now);
    nodes_tick(now);
    give_back();
}

static bool start(void)
{
    uv_timer_init(sidecar.loop, &ticker);
    uv_timer_start(&ticker, on_tick, 1000, 1000);
    uv_signal_init(sidecar.loop, &term);
    uv_signal_start(&term, on_terminate, SIGTERM);
    uv_signal_init(sidecar.loop, &interrupt);
    uv_signal_start(&interrupt, on_terminate, SIGINT);
    upstream_init();
    if (!ws_init()) {
        log_error("could not start libwebsockets");
        return false;
    }
    pool_start();
    spool_recover();
    jobs_recover();
    nodes_start();
    return http_start();
}

int main(int argc, char **argv)
{
    const char *run_dir = NULL;

    if (argc == 3 && strcmp(argv[1], "--run") == 0) {
        run_dir = argv[2];
    } else if (argc != 1) {
        fprintf(stderr, "usage: webui-sidecar [--run DIR]\n");
        return 2;
    }
    log_init("webui-sidecar", str_of(env_or("GLOBAL_LOG_LEVEL", "INFO")));
    signal(SIGPIPE, SIG_IGN);
    read_settings(run_dir);
    raise_limits();
    sidecar.loop = uv_default_loop();
    if (!lock_run_dir())
        return 1;
    if (!start()) {
        pool_stop();
        return 1;
    }
    log_info("listening in %s", sidecar.run_dir);
    uv_run(sidecar.loop, UV_RUN_DEFAULT);
    log_info("stopped");
    return 0;
}
