/* streams.c: opens N concurrent answers as Server-Sent Events, each on its own connection, and times their first
 * tokens.
 *
 *     streams [-n STREAMS] [-r RAMP_MS] [-t TOKENS] [-p PART]… [-g GRACE_S] HOST:PORT REQUEST
 *
 * The streams are opened evenly within RAMP_MS (2000). A token is a "data:" line with a non-empty "content". A stream
 * is complete when it has brought TOKENS of them (0: any number above none) and [DONE]. With -p (see usage.h) memory is
 * sampled before, twice a second while streams run, and GRACE_S (2) after the last one; CPU time before and after.
 * Prints one line of JSON. */
#include "bench/http.h"
#include "bench/usage.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { IDLE_S = 180, MAX_PARTS = 64, LINE_MAX_BYTES = 4096 };

struct stream {
    int fd;
    bool opened, ended, complete;
    size_t sent;
    uint64_t opened_ns, first_ns, last_ns;
    uint32_t tokens;
    size_t line_len;
    char line[LINE_MAX_BYTES]; /* of a longer line the start is kept */
    struct http response;
};

static struct {
    int n, tokens;
    uint64_t ramp_ns;
    double grace_s;
    char *parts[MAX_PARTS];
    int part_count;
} o = { .n = 1000, .ramp_ns = 2000000000u, .grace_s = 2 };

static struct sockaddr_in server;
static struct bytes request;
static struct stream *streams;
static struct usage before, peak, after;
static atomic_bool sampling;
static int poller, running, peak_running, errors;
static char first_error[256];

static bool is_token(const char *line)
{
    const char *at = strncmp(line, "data:", 5) == 0 ? strstr(line, "\"content\"") : NULL;

    if (!at)
        return false;
    at += strlen("\"content\"");
    at += strspn(at, " ");
    if (*at != ':')
        return false;
    at += 1 + strspn(at + 1, " ");
    return at[0] == '"' && at[1] != '"' && at[1] != '\0';
}

static void take_line(struct stream *s)
{
    s->line[s->line_len] = '\0';
    s->line_len = 0;
    if (!is_token(s->line))
        return;
    if (s->tokens++ == 0)
        s->first_ns = now_ns();
}

static void take_body(void *context, const char *data, size_t n)
{
    struct stream *s = context;

    while (n > 0) {
        const char *end = memchr(data, '\n', n);
        size_t len = end ? (size_t)(end - data) : n, room = sizeof s->line - 1 - s->line_len,
               keep = len < room ? len : room;

        memcpy(s->line + s->line_len, data, keep);
        s->line_len += keep;
        if (!end)
            return;
        take_line(s);
        n -= len + 1;
        data = end + 1;
    }
}

static void finish(struct stream *s, const char *problem)
{
    if (!problem && s->response.status != 200)
        problem = "unexpected status";
    if (!problem && (s->tokens == 0 || (o.tokens > 0 && s->tokens != (uint32_t)o.tokens)))
        problem = "wrong number of tokens";
    if (!problem && !http_tail_has(&s->response, "[DONE]"))
        problem = "no [DONE] at the end";
    s->complete = problem == NULL;
    s->ended = true;
    s->last_ns = now_ns();
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
    running--;
    errors += problem != NULL;
    if (problem && first_error[0] == '\0')
        snprintf(first_error, sizeof first_error, "%s (status %d, %u tokens)", problem, s->response.status, s->tokens);
}

static void open_stream(struct stream *s)
{
    struct epoll_event e = { .events = EPOLLIN | EPOLLOUT, .data.ptr = s };

    s->opened = true;
    s->opened_ns = s->last_ns = now_ns();
    s->response.on_body = take_body;
    s->response.context = s;
    s->fd = http_connect(&server);
    if (++running > peak_running)
        peak_running = running;
    if (s->fd < 0 || epoll_ctl(poller, EPOLL_CTL_ADD, s->fd, &e) < 0)
        finish(s, strerror(errno));
}

static void send_some(struct stream *s)
{
    struct epoll_event e = { .events = EPOLLIN, .data.ptr = s };

    while (s->sent < request.len) {
        ssize_t n = send(s->fd, request.data + s->sent, request.len - s->sent, MSG_NOSIGNAL);

        if (n < 0 && errno == EAGAIN)
            return;
        if (n < 0) {
            finish(s, strerror(errno));
            return;
        }
        s->sent += (size_t)n;
    }
    epoll_ctl(poller, EPOLL_CTL_MOD, s->fd, &e);
}

static void read_some(struct stream *s)
{
    static char data[65536];

    for (;;) {
        ssize_t n = recv(s->fd, data, sizeof data, 0);

        if (n < 0 && errno == EAGAIN)
            return;
        if (n < 0) {
            finish(s, strerror(errno));
            return;
        }
        s->last_ns = now_ns();
        if (n == 0)
            http_eof(&s->response);
        else
            http_feed(&s->response, data, (size_t)n);
        if (s->response.state == HTTP_BROKEN || s->response.state == HTTP_DONE) {
            finish(s, s->response.state == HTTP_BROKEN ? "the connection broke off" : NULL);
            return;
        }
    }
}

static void expire(uint64_t now)
{
    for (int i = 0; i < o.n; i++) {
        if (streams[i].fd >= 0 && !streams[i].ended && now - streams[i].last_ns > IDLE_S * 1000000000ull)
            finish(&streams[i], "nothing came for 180 s");
    }
}

/* Opens what is due; returns how long epoll may wait for the next, in ms. */
static int open_due(int *opened, uint64_t begin)
{
    while (*opened < o.n) {
        uint64_t due = begin + o.ramp_ns / (uint64_t)o.n * (uint64_t)*opened, now = now_ns();

        if (now < due)
            return (int)((due - now) / 1000000u) + 1;
        open_stream(&streams[(*opened)++]);
    }
    return 1000;
}

static void run(uint64_t begin)
{
    struct epoll_event ready[256];
    uint64_t looked_ns = begin;
    int opened = 0;

    while (opened < o.n || running > 0) {
        int wait_ms = open_due(&opened, begin), n = epoll_wait(poller, ready, 256, wait_ms);

        for (int i = 0; i < n; i++) {
            struct stream *s = ready[i].data.ptr;

            if (s->fd >= 0 && (ready[i].events & EPOLLOUT))
                send_some(s);
            if (s->fd >= 0 && (ready[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
                read_some(s);
        }
        if (now_ns() - looked_ns > 1000000000u)
            expire(looked_ns = now_ns());
    }
}

static void *sample(void *unused)
{
    while (sampling) {
        struct usage u = usage_of(o.parts, o.part_count);

        if (u.pss_kb > peak.pss_kb)
            peak = u;
        usleep(500000);
    }
    return unused;
}

static void report(double seconds)
{
    uint32_t *first = calloc((size_t)o.n, sizeof *first);
    unsigned long long tokens = 0;
    size_t n = 0;
    int complete = 0;

    for (int i = 0; i < o.n && first; i++) {
        tokens += streams[i].tokens;
        complete += streams[i].complete;
        if (streams[i].tokens > 0)
            first[n++] = (uint32_t)((streams[i].first_ns - streams[i].opened_ns) / 1000u);
    }
    sort_u32(first, n);
    printf("{\"streams\": %d, \"completed\": %d, \"errors\": %d, \"at_once\": %d, \"tokens\": %llu, \"first_p50_ms\": "
           "%.1f, "
           "\"first_p99_ms\": %.1f, \"first_max_ms\": %.1f, \"seconds\": %.2f, \"first_error\": \"%s\"",
           o.n, complete, errors, peak_running, tokens, percentile(first, n, 0.5) / 1e3,
           percentile(first, n, 0.99) / 1e3, percentile(first, n, 1) / 1e3, seconds, first_error);
    if (o.part_count > 0) {
        printf(", \"before\": ");
        usage_print(stdout, &before);
        printf(", \"peak\": ");
        usage_print(stdout, &peak);
        printf(", \"after\": ");
        usage_print(stdout, &after);
    }
    printf("}\n");
    free(first);
}

static void read_options(int argc, char **argv)
{
    int c;

    while ((c = getopt(argc, argv, "n:r:t:p:g:")) != -1) {
        switch (c) {
        case 'n': o.n = (int)strtol(optarg, NULL, 10); break;
        case 'r': o.ramp_ns = strtoull(optarg, NULL, 10) * 1000000u; break;
        case 't': o.tokens = (int)strtol(optarg, NULL, 10); break;
        case 'g': o.grace_s = strtod(optarg, NULL); break;
        case 'p':
            if (o.part_count == MAX_PARTS)
                die("too many -p");
            o.parts[o.part_count++] = optarg;
            break;
        default: exit(2);
        }
    }
    if (argc - optind != 2 || o.n < 1)
        die("usage: streams [-n STREAMS] [-r RAMP_MS] [-t TOKENS] [-p PART]... [-g GRACE_S] HOST:PORT REQUEST");
    server = http_address(argv[optind]);
    request = http_read_file(argv[optind + 1]);
}

int main(int argc, char **argv)
{
    pthread_t sampler;
    uint64_t begin;
    double seconds;

    read_options(argc, argv);
    raise_file_limit();
    streams = calloc((size_t)o.n, sizeof *streams);
    poller = epoll_create1(EPOLL_CLOEXEC);
    if (!streams || poller < 0)
        die("cannot start: %s", strerror(errno));
    for (int i = 0; i < o.n; i++)
        streams[i].fd = -1;
    if (o.part_count > 0) {
        before = peak = usage_of(o.parts, o.part_count);
        sampling = true;
        if (pthread_create(&sampler, NULL, sample, NULL) != 0)
            die("cannot start a thread");
    }
    begin = now_ns();
    run(begin);
    seconds = (double)(now_ns() - begin) / 1e9;
    if (o.part_count > 0) {
        sampling = false;
        pthread_join(sampler, NULL);
        usleep((useconds_t)(o.grace_s * 1e6));
        after = usage_of(o.parts, o.part_count);
    }
    report(seconds);
    free(streams);
    free(request.data);
    return 0;
}
