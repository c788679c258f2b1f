/* pool.c: preforks responders, replaces those that die, grows while all are busy, shrinks again. The parent does nothing else: it sleeps until
 * a child ends, a signal comes, or the last idle child has become busy and writes to the parent's eventfd. */
#include "fcgi/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fcgi/listen.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/shared.h"

enum {
    MAX_CHILDREN = 256,
    BUSY_BEFORE_GROWTH_MS = 100,
    IDLE_BEFORE_END_MS = 60 * 1000,
    SHORT_LIFE_MS = 1000, /* who dies sooner is replaced more slowly each time */
    LONGEST_BACKOFF_MS = 5000,
    TICK_MS = 1000,
    KILL_AFTER_MS = 1000 /* behind the time to drain */
};

/* Shared with the children: a word each, so that a child that dies leaves no lock behind. */
struct state {
    _Atomic int64_t since_ms; /* busy or idle */
    _Atomic int is_busy;
};
struct board {
    _Atomic int busy, children;
    struct state states[MAX_CHILDREN];
};

struct slot {  /* the parent's own */
    pid_t pid; /* 0: free */
    int64_t born_ms;
    bool is_ending;
    struct state *state;
};

static struct board *board;
static struct slot slots[MAX_CHILDREN];
static int wake_fd = -1;
static int stop_fd = -1, null_fd = -1; /* see stop_on_signals */
static volatile sig_atomic_t stop_flag;
static volatile sig_atomic_t stop_drain_s = 30;

struct pool {
    const struct pool_options *options;
    int listen_fd, children;
    int64_t all_busy_since_ms; /* 0: somebody is idle */
    int64_t next_birth_ms;
    int backoff_ms;
    int (*work)(const struct pool_child *child, void *arg);
    void *arg;
    pid_t pid;
};

/* ---- in a child */

void pool_busy(const struct pool_child *child, bool is_busy)
{
    struct state *s = &board->states[child->slot];
    int busy;

    atomic_store_explicit(&s->is_busy, is_busy, memory_order_relaxed);
    atomic_store_explicit(&s->since_ms, mono_ms(), memory_order_relaxed);
    busy = atomic_fetch_add(&board->busy, is_busy ? 1 : -1) + (is_busy ? 1 : -1);
    if (is_busy && busy >= atomic_load(&board->children)) {
        uint64_t one = 1;
        ssize_t ignored = write(wake_fd, &one, sizeof(one));

        (void)ignored;
    }
}

/* /dev/null takes the place of the listening socket: an accept(2) that is about to begin fails as one that waits does. */
static void on_stop(int signal_number)
{
    (void)signal_number;
    stop_flag = 1;
    if (stop_fd >= 0)
        dup2(null_fd, stop_fd);
    alarm((unsigned)stop_drain_s); /* its default action ends a request that will not */
}

void stop_on_signals(int listen_fd)
{
    struct sigaction action = { .sa_handler = on_stop };
    sigset_t none;

    if (null_fd < 0)
        null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    stop_fd = listen_fd;
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGUSR1, &action, NULL); /* what FastCGI process managers send for "end after this request" */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGCHLD, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

bool stop_asked(void)
{
    return stop_flag;
}

static void be_child(struct pool *p, int slot)
{
    struct pool_child child = { p->listen_fd, slot };

    stop_drain_s = (p->options->drain_ms + 999) / 1000;
    if (stop_drain_s < 1)
        stop_drain_s = 1;
    stop_on_signals(p->listen_fd);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != p->pid) /* it died before the line above */
        _exit(0);
    _exit(p->work(&child, p->arg));
}

/* ---- the parent */

static void on_nothing(int signal_number)
{
    (void)signal_number;
}

static bool birth(struct pool *p)
{
    struct slot *s;
    int i;

    for (i = 0; i < MAX_CHILDREN && slots[i].pid; i++)
        ;
    if (i == MAX_CHILDREN)
        return false;
    s = &slots[i];
    s->state = &board->states[i];
    atomic_store(&s->state->is_busy, 0);
    atomic_store(&s->state->since_ms, mono_ms());
    s->born_ms = mono_ms();
    s->is_ending = false;
    s->pid = fork();
    if (s->pid == 0)
        be_child(p, i);
    if (s->pid < 0) {
        log_error("could not fork: %s", strerror(errno));
        s->pid = 0;
        p->next_birth_ms = mono_ms() + LONGEST_BACKOFF_MS;
        return false;
    }
    p->children++;
    atomic_fetch_add(&board->children, 1);
    return true;
}

static void forget(struct pool *p, struct slot *s)
{
    if (atomic_exchange(&s->state->is_busy, 0)) { /* it died in a request */
        atomic_fetch_sub(&board->busy, 1);
        shared_busy(-1);
    }
    s->pid = 0;
    p->children--;
    if (!s->is_ending)
        atomic_fetch_sub(&board->children, 1);
}

static void mourn(struct pool *p, struct slot *s, int status)
{
    int64_t lived_ms = mono_ms() - s->born_ms;
    bool well = WIFEXITED(status) && WEXITSTATUS(status) == 0;

    if (WIFSIGNALED(status))
        log_error("responder %d was ended by signal %d", (int)s->pid, WTERMSIG(status));
    else if (!well)
        log_error("responder %d ended with status %d", (int)s->pid, WEXITSTATUS(status));
    if (well || lived_ms >= SHORT_LIFE_MS) {
        p->backoff_ms = 0;
    } else {
        p->backoff_ms = p->backoff_ms ? p->backoff_ms * 2 : 100;
        if (p->backoff_ms > LONGEST_BACKOFF_MS)
            p->backoff_ms = LONGEST_BACKOFF_MS;
        p->next_birth_ms = mono_ms() + p->backoff_ms;
    }
    forget(p, s);
}

static void reap(struct pool *p)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        for (int i = 0; i < MAX_CHILDREN; i++)
            if (slots[i].pid == pid)
                mourn(p, &slots[i], status);
}

static int alive(void)
{
    return atomic_load(&board->children); /* without those that were told to end */
}

static void keep_number(struct pool *p)
{
    while (alive() < p->options->min && mono_ms() >= p->next_birth_ms)
        if (!birth(p))
            break;
}

static void grow(struct pool *p, int64_t now)
{
    int more;

    if (atomic_load(&board->busy) < alive() || alive() >= p->options->max) {
        p->all_busy_since_ms = 0;
        return;
    }
    if (!p->all_busy_since_ms)
        p->all_busy_since_ms = now;
    if (now - p->all_busy_since_ms < BUSY_BEFORE_GROWTH_MS || now < p->next_birth_ms)
        return;
    p->all_busy_since_ms = now;
    for (more = (alive() + 1) / 2; more > 0 && alive() < p->options->max; more--)
        if (!birth(p))
            break;
}

/* One at a time: the one that has been idle for longest. */
static void shrink(struct pool *p, int64_t now)
{
    struct slot *oldest = NULL;

    if (alive() <= p->options->min)
        return;
    for (int i = 0; i < MAX_CHILDREN; i++) {
        struct slot *s = &slots[i];

        if (!s->pid || s->is_ending || atomic_load(&s->state->is_busy) ||
            now - atomic_load(&s->state->since_ms) < IDLE_BEFORE_END_MS)
            continue;
        if (!oldest || atomic_load(&s->state->since_ms) < atomic_load(&oldest->state->since_ms))
            oldest = s;
    }
    if (!oldest)
        return;
    oldest->is_ending = true;
    atomic_fetch_sub(&board->children, 1);
    kill(oldest->pid, SIGTERM);
}

/* Until something happens, or it is time to look again. */
static int wait_ms(const struct pool *p, int64_t now)
{
    int64_t ms = TICK_MS;

    if (p->all_busy_since_ms)
        ms = BUSY_BEFORE_GROWTH_MS / 2;
    if (alive() < p->options->min && p->next_birth_ms > now && p->next_birth_ms - now < ms)
        ms = p->next_birth_ms - now;
    if (alive() == p->options->min && !p->all_busy_since_ms)
        ms = -1; /* nothing to shrink: a child's end or its eventfd wakes us */
    return (int)ms;
}

static void sleep_until_news(int ms, const sigset_t *open_mask)
{
    struct pollfd fd = { wake_fd, POLLIN, 0 };
    struct timespec t = { ms / 1000, ms % 1000 * 1000000L };

    if (ppoll(&fd, 1, ms < 0 ? NULL : &t, open_mask) > 0) {
        uint64_t count;
        ssize_t ignored = read(wake_fd, &count, sizeof(count));

        (void)ignored;
    }
}

static void tell_all(int signal_number)
{
    for (int i = 0; i < MAX_CHILDREN; i++)
        if (slots[i].pid)
            kill(slots[i].pid, signal_number);
}

static void drain(struct pool *p, const sigset_t *open_mask)
{
    int64_t until = mono_ms() + p->options->drain_ms + KILL_AFTER_MS;

    tell_all(SIGTERM);
    for (reap(p); p->children > 0; reap(p)) {
        if (mono_ms() >= until) {
            log_warning("%d responders did not end in time: they are killed", p->children);
            tell_all(SIGKILL);
            until = INT64_MAX;
        }
        sleep_until_news(TICK_MS / 10, open_mask);
    }
}

static void keep(struct pool *p, const sigset_t *open_mask)
{
    while (!stop_flag) {
        int64_t now = mono_ms();

        reap(p);
        keep_number(p);
        grow(p, now);
        shrink(p, now);
        sleep_until_news(wait_ms(p, now), open_mask);
    }
}

/* Signals are blocked but while the parent sleeps, so that none is missed between looking and sleeping. *open_mask: the mask to sleep with. */
static void take_signals(sigset_t *open_mask)
{
    struct sigaction stop = { .sa_handler = on_stop }, nothing = { .sa_handler = on_nothing };
    sigset_t blocked;

    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigaddset(&blocked, SIGINT);
    sigaddset(&blocked, SIGCHLD);
    sigprocmask(SIG_BLOCK, &blocked, open_mask);
    sigdelset(open_mask, SIGTERM);
    sigdelset(open_mask, SIGINT);
    sigdelset(open_mask, SIGCHLD);
    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGCHLD, &nothing, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static enum status make_board(struct error *err)
{
    void *shared = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (shared == MAP_FAILED)
        return error_set(err, FAILED, "could not map the pool's memory: %s", strerror(errno));
    board = shared;
    wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return wake_fd >= 0 ? OK : error_set(err, FAILED, "could not make an eventfd: %s", strerror(errno));
}

int pool_run(const struct pool_options *options, int (*work)(const struct pool_child *child, void *arg), void *arg,
             struct error *err)
{
    struct pool p = { .options = options, .work = work, .arg = arg, .pid = getpid(), .listen_fd = -1 };
    sigset_t open_mask;

    if (options->min < 1 || options->max < options->min || options->max > MAX_CHILDREN) {
        error_set(err, INVALID, "a pool has from 1 to %d processes", MAX_CHILDREN);
        return 2;
    }
    if (make_board(err) != OK || listen_unix(options->path, &p.listen_fd, err) != OK)
        return 1;
    take_signals(&open_mask);
    keep(&p, &open_mask);
    alarm(0); /* the parent has a time limit of its own */
    close(p.listen_fd);
    unlink(options->path);
    drain(&p, &open_mask);
    return 0;
}
