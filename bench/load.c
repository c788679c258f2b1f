/* load.c: a closed-loop HTTP load generator: each of N connections sends a request when it has read the last answer.
 *
 *     load [-c CONNECTIONS] [-d SECONDS [-w SECONDS] | -n COUNT] [-s STATUS] [-b BYTES] [-e TEXT]
 *          HOST:PORT REQUEST[*WEIGHT]…
 *
 * A REQUEST is a file with the whole request as it goes over the wire; several are sent in turn, each WEIGHT times a
 * round. An answer counts as an error unless its status is STATUS (200), its body has at least BYTES (1) bytes and TEXT
 * stands in the last 64 bytes of it. What the first -w seconds bring is not counted, except errors. Prints one line of
 * JSON. Times are from the first byte sent to the last byte read; a server that closes a kept connection between two
 * requests costs the reconnect, but is no error. */
#include "bench/http.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TIMEOUT_S = 60 };

struct options {
    int connections, status;
    double seconds, warm_s;
    uint64_t count, min_bytes;
    const char *ending;
};

struct connection {
    int fd;
    bool reused; /* has carried a whole exchange: a server may close it at any moment */
    bool busy;   /* between a request and its answer */
    bool want_write;
    size_t sent;
    uint64_t started_ns;
    const struct bytes *request;
    struct http response;
};

struct tally {
    uint64_t started, finished, errors, reconnects, bytes;
    uint64_t warm_up; /* finished before counting began */
    uint32_t *tenths; /* latencies of what was counted, in units of 100 ns */
    size_t n, room;
    char first_error[256];
};

static struct options o = { .connections = 1, .status = 200, .min_bytes = 1 };
static struct sockaddr_in server;
static struct bytes *round_of;
static size_t round_len;
static struct tally t;
static uint64_t stop_ns;
static int poller;

static void fail(const char *what, int number)
{
    t.errors++;
    if (t.first_error[0] == '\0')
        snprintf(t.first_error, sizeof t.first_error, what, number);
}

static void keep_latency(uint64_t ns)
{
    if (t.n == t.room) {
        t.room = t.room * 2 + 65536;
        t.tenths = realloc(t.tenths, t.room * sizeof *t.tenths);
        if (!t.tenths)
            die("out of memory");
    }
    t.tenths[t.n++] = ns / 100 > UINT32_MAX ? UINT32_MAX : (uint32_t)(ns / 100);
}

static bool more(void)
{
    return o.count > 0 ? t.started < o.count : now_ns() < stop_ns;
}

static void watch(struct connection *c, bool want_write)
{
    struct epoll_event e = { .events = want_write ? EPOLLIN | EPOLLOUT : EPOLLIN, .data.ptr = c };

    if (want_write != c->want_write && epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &e) < 0)
        die("epoll: %s", strerror(errno));
    c->want_write = want_write;
}

static void drop(struct connection *c)
{
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
    c->reused = false;
}

static void open_connection(struct connection *c)
{
    struct epoll_event e = { .events = EPOLLIN | EPOLLOUT, .data.ptr = c };

    c->fd = http_connect(&server);
    if (c->fd < 0)
        die("cannot connect: %s", strerror(errno));
    if (epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &e) < 0)
        die("epoll: %s", strerror(errno));
    c->want_write = true;
    c->reused = false;
}

static void forget_response(struct connection *c)
{
    c->response.head_len = 0; /* not the whole struct: its head is 16 KB */
    memset(&c->response, 0, offsetof(struct http, head));
    c->response.line_len = 0;
}

static void send_some(struct connection *c)
{
    while (c->sent < c->request->len) {
        ssize_t n = send(c->fd, c->request->data + c->sent, c->request->len - c->sent, MSG_NOSIGNAL);

        if (n < 0) {
            /* A refused connection or a reset is told by the read that follows. */
            watch(c, errno == EAGAIN);
            return;
        }
        c->sent += (size_t)n;
    }
    watch(c, false);
}

static void next_request(struct connection *c)
{
    c->busy = more();
    if (!c->busy)
        return;
    c->request = &round_of[t.started++ % round_len];
    c->sent = 0;
    forget_response(c);
    c->started_ns = now_ns();
    if (c->fd < 0)
        open_connection(c);
    else
        send_some(c);
}

static void check(struct connection *c, uint64_t now)
{
    const struct http *h = &c->response;

    t.finished++;
    if (h->state == HTTP_BROKEN)
        fail(h->began ? "answer broke off (status %d)" : "connection closed without an answer", h->status);
    else if (h->status != o.status)
        fail("status %d", h->status);
    else if (h->body_bytes < o.min_bytes)
        fail("body of %d bytes is too short", (int)h->body_bytes);
    else if (o.ending && !http_tail_has(h, o.ending))
        fail("body of %d bytes ends wrongly", (int)h->body_bytes);
    else {
        keep_latency(now - c->started_ns);
        t.bytes += h->body_bytes;
    }
}

static void finish(struct connection *c)
{
    bool closes = c->response.closes || c->response.state == HTTP_BROKEN;

    check(c, now_ns());
    if (closes)
        drop(c);
    else
        c->reused = true;
    next_request(c);
}

static void read_some(struct connection *c)
{
    static char data[262144];
    struct http *h = &c->response;

    for (;;) {
        ssize_t n = recv(c->fd, data, sizeof data, 0);

        if (n < 0 && errno == EAGAIN)
            return;
        if (!c->busy) {
            drop(c);
            return;
        }
        if (n <= 0 && c->reused && !h->began) {
            t.reconnects++;
            drop(c);
            c->sent = 0;
            open_connection(c);
            return;
        }
        if (n <= 0)
            http_eof(h);
        else if (http_feed(h, data, (size_t)n) < (size_t)n)
            h->state = HTTP_BROKEN; /* bytes after the answer */
        if (h->state == HTTP_DONE || h->state == HTTP_BROKEN) {
            finish(c);
            return;
        }
        if ((size_t)n < sizeof data)
            return;
    }
}

static void expire(struct connection *all, uint64_t now)
{
    for (int i = 0; i < o.connections; i++) {
        if (!all[i].busy || now - all[i].started_ns < TIMEOUT_S * 1000000000ull)
            continue;
        t.finished++;
        fail("no answer in %d s", TIMEOUT_S);
        drop(&all[i]);
        next_request(&all[i]);
    }
}

static bool any_busy(const struct connection *all)
{
    for (int i = 0; i < o.connections; i++) {
        if (all[i].busy)
            return true;
    }
    return false;
}

/* Sends until the time is up or the count is reached, and waits for the last answers; returns the seconds it took. They
 * belong to the rate: a server that answers 32 requests in one go after a second would otherwise be measured by luck. */
static double run(struct connection *all, double seconds)
{
    struct epoll_event ready[64];
    uint64_t begin_ns = now_ns(), looked_ns = begin_ns;

    stop_ns = begin_ns + (uint64_t)(seconds * 1e9);
    for (int i = 0; i < o.connections; i++)
        next_request(&all[i]);
    while (any_busy(all)) {
        int n = epoll_wait(poller, ready, 64, 1000);

        for (int i = 0; i < n; i++) {
            struct connection *c = ready[i].data.ptr;

            if (c->fd >= 0 && (ready[i].events & EPOLLOUT))
                send_some(c);
            if (c->fd >= 0 && (ready[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
                read_some(c);
        }
        if (now_ns() - looked_ns > 1000000000ull) {
            looked_ns = now_ns();
            expire(all, looked_ns);
        }
    }
    return (double)(now_ns() - begin_ns) / 1e9;
}

static double own_cpu_s(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void report(double seconds, double cpu_s)
{
    double sum = 0;

    for (size_t i = 0; i < t.n; i++)
        sum += t.tenths[i];
    sort_u32(t.tenths, t.n);
    printf("{\"requests\": %zu, \"finished\": %llu, \"warm_up\": %llu, \"errors\": %llu, "
           "\"reconnects\": %llu, \"bytes\": %llu, \"seconds\": %.3f, \"per_second\": %.2f, \"mean_ms\": %.4f, "
           "\"p50_ms\": %.4f, \"p90_ms\": %.4f, \"p99_ms\": %.4f, \"max_ms\": %.4f, \"own_cpu\": %.3f, "
           "\"first_error\": \"%s\"}\n",
           t.n, (unsigned long long)t.finished, (unsigned long long)t.warm_up, (unsigned long long)t.errors,
           (unsigned long long)t.reconnects, (unsigned long long)t.bytes, seconds, (double)t.n / seconds,
           t.n ? sum / (double)t.n / 1e4 : 0, percentile(t.tenths, t.n, 0.5) / 1e4,
           percentile(t.tenths, t.n, 0.9) / 1e4, percentile(t.tenths, t.n, 0.99) / 1e4,
           percentile(t.tenths, t.n, 1) / 1e4, cpu_s / seconds, t.first_error);
}

static void add_request(const char *argument)
{
    char *path = strdup(argument), *star = path ? strrchr(path, '*') : NULL;
    long weight = star ? strtol(star + 1, NULL, 10) : 1;
    struct bytes request;

    if (!path || weight < 1 || weight > 10000)
        die("not FILE or FILE*WEIGHT: %s", argument);
    if (star)
        *star = '\0';
    request = http_read_file(path);
    round_of = realloc(round_of, (round_len + (size_t)weight) * sizeof *round_of);
    if (!round_of)
        die("out of memory");
    while (weight-- > 0)
        round_of[round_len++] = request;
    free(path);
}

/* Otherwise a round would send all of one kind before the next. The seed is fixed: every server gets the same order. */
static void shuffle_round(void)
{
    uint32_t x = 2463534242u;

    for (size_t i = round_len; i > 1; i--) {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        struct bytes swap = round_of[i - 1];
        round_of[i - 1] = round_of[x % i];
        round_of[x % i] = swap;
    }
}

static void read_options(int argc, char **argv)
{
    int c;

    while ((c = getopt(argc, argv, "c:d:n:w:s:b:e:")) != -1) {
        switch (c) {
        case 'c': o.connections = (int)strtol(optarg, NULL, 10); break;
        case 'd': o.seconds = strtod(optarg, NULL); break;
        case 'n': o.count = strtoull(optarg, NULL, 10); break;
        case 'w': o.warm_s = strtod(optarg, NULL); break;
        case 's': o.status = (int)strtol(optarg, NULL, 10); break;
        case 'b': o.min_bytes = strtoull(optarg, NULL, 10); break;
        case 'e': o.ending = optarg; break;
        default: exit(2);
        }
    }
    if (argc - optind < 2 || o.connections < 1 || (o.count > 0) == (o.seconds > 0) || (o.count > 0 && o.warm_s > 0))
        die("usage: load [-c CONNECTIONS] [-d SECONDS [-w WARM_SECONDS] | -n COUNT] [-s STATUS] [-b BYTES] [-e TEXT] "
            "HOST:PORT REQUEST[*WEIGHT]...");
    server = http_address(argv[optind]);
    for (int i = optind + 1; i < argc; i++)
        add_request(argv[i]);
    shuffle_round();
}

int main(int argc, char **argv)
{
    struct connection *all;
    double seconds, cpu_s;

    read_options(argc, argv);
    raise_file_limit();
    all = calloc((size_t)o.connections, sizeof *all);
    poller = epoll_create1(EPOLL_CLOEXEC);
    if (!all || poller < 0)
        die("cannot start: %s", strerror(errno));
    for (int i = 0; i < o.connections; i++)
        all[i].fd = -1;
    if (o.warm_s > 0) {
        run(all, o.warm_s);
        t.warm_up = t.finished;
        t.started = t.finished = t.reconnects = t.bytes = t.n = 0; /* an error is an error in the warm-up too */
    }
    cpu_s = own_cpu_s();
    seconds = run(all, o.seconds);
    report(seconds, own_cpu_s() - cpu_s);
    free(all);
    return 0;
}
