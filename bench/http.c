/* http.c: addresses, request files and an incremental HTTP/1.1 response parser for the measuring programs. */
#include "bench/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

void die(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(2);
}

uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void raise_file_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

struct sockaddr_in http_address(const char *host_port)
{
    struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM }, *found = NULL;
    const char *colon = strrchr(host_port, ':');
    struct sockaddr_in out;
    char host[256];

    if (!colon || (size_t)(colon - host_port) >= sizeof host)
        die("not HOST:PORT: %s", host_port);
    memcpy(host, host_port, (size_t)(colon - host_port));
    host[colon - host_port] = '\0';
    if (getaddrinfo(host, colon + 1, &hints, &found) != 0 || !found)
        die("no such address: %s", host_port);
    memcpy(&out, found->ai_addr, sizeof out);
    freeaddrinfo(found);
    return out;
}

int http_connect(const struct sockaddr_in *to)
{
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(fd, (const struct sockaddr *)to, sizeof *to) < 0 && errno != EINPROGRESS) {
        close(fd);
        return -1;
    }
    return fd;
}

struct bytes http_read_file(const char *path)
{
    struct bytes out = { 0 };
    size_t room = 0, got;
    FILE *f = fopen(path, "rb");

    if (!f)
        die("cannot read %s: %s", path, strerror(errno));
    do {
        if (out.len + 65537 > room) {
            room = room * 2 + 131072;
            out.data = realloc(out.data, room);
            if (!out.data)
                die("out of memory");
        }
        got = fread(out.data + out.len, 1, 65536, f);
        out.len += got;
    } while (got > 0);
    fclose(f);
    out.data[out.len] = '\0';
    return out;
}

static int compare_u32(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

void sort_u32(uint32_t *v, size_t n)
{
    if (n > 0)
        qsort(v, n, sizeof *v, compare_u32);
}

uint32_t percentile(const uint32_t *sorted, size_t n, double p)
{
    size_t i = (size_t)(p * (double)n);

    return n == 0 ? 0 : sorted[i < n ? i : n - 1];
}

/* The value of a header in a NUL-terminated head, or NULL; *len without the blanks around it. */
static const char *header(const char *head, const char *name, size_t *len)
{
    size_t n = strlen(name);

    for (const char *line = strstr(head, "\r\n"); line && line[2] != '\0'; line = strstr(line + 2, "\r\n")) {
        if (strncasecmp(line + 2, name, n) != 0 || line[2 + n] != ':')
            continue;
        const char *value = line + 3 + n, *end = strstr(value, "\r\n");

        while (*value == ' ' || *value == '\t')
            value++;
        while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
            end--;
        *len = (size_t)(end - value);
        return value;
    }
    return NULL;
}

static bool value_is(const char *value, size_t len, const char *want)
{
    return value && len == strlen(want) && strncasecmp(value, want, len) == 0;
}

/* The head is complete: how will the body end? */
static enum http_state read_head(struct http *h)
{
    char minor = '0';
    const char *v;
    size_t len = 0;

    if (sscanf(h->head, "HTTP/1.%c %d", &minor, &h->status) != 2)
        return HTTP_BROKEN;
    if (h->status >= 100 && h->status < 200) {
        h->head_len = 0;
        return HTTP_HEAD;
    }
    v = header(h->head, "Connection", &len);
    h->closes = value_is(v, len, "close") || (minor == '0' && !value_is(v, len, "keep-alive"));
    if (h->status == 204 || h->status == 304)
        return HTTP_DONE;
    v = header(h->head, "Transfer-Encoding", &len);
    if (v)
        return value_is(v, len, "chunked") ? HTTP_CHUNK_SIZE : HTTP_BROKEN;
    v = header(h->head, "Content-Length", &len);
    if (v) {
        char *end;

        h->left = strtoull(v, &end, 10);
        if (end == v)
            return HTTP_BROKEN;
        return h->left > 0 ? HTTP_LENGTH : HTTP_DONE;
    }
    h->closes = true;
    return HTTP_CLOSE;
}

/* Collects the head up to its empty line; returns how many bytes were taken. */
static size_t feed_head(struct http *h, const char *data, size_t n)
{
    size_t take = sizeof h->head - 1 - h->head_len, from = h->head_len > 3 ? h->head_len - 3 : 0, extra;
    char *end;

    if (take > n)
        take = n;
    memcpy(h->head + h->head_len, data, take);
    h->head_len += take;
    h->head[h->head_len] = '\0';
    end = memmem(h->head + from, h->head_len - from, "\r\n\r\n", 4);
    if (!end) {
        if (h->head_len == sizeof h->head - 1)
            h->state = HTTP_BROKEN;
        return take;
    }
    extra = h->head_len - (size_t)(end + 4 - h->head);
    end[2] = '\0'; /* every header keeps its CRLF, nothing follows */
    h->state = read_head(h);
    return take - extra;
}

static void body(struct http *h, const char *data, size_t n)
{
    h->body_bytes += n;
    if (h->on_body)
        h->on_body(h->context, data, n);
    if (n >= sizeof h->tail) {
        memcpy(h->tail, data + n - sizeof h->tail, sizeof h->tail);
        h->tail_len = sizeof h->tail;
        return;
    }
    if (h->tail_len + n > sizeof h->tail) {
        size_t drop = h->tail_len + n - sizeof h->tail;

        memmove(h->tail, h->tail + drop, h->tail_len - drop);
        h->tail_len -= drop;
    }
    memcpy(h->tail + h->tail_len, data, n);
    h->tail_len += n;
}

/* Collects a line of the chunked framing; true when it is complete (then without its CRLF in h->line). */
static bool feed_line(struct http *h, const char *data, size_t n, size_t *used)
{
    const char *end = memchr(data, '\n', n);
    size_t len = end ? (size_t)(end - data) : n, room = sizeof h->line - 1 - h->line_len,
           keep = len < room ? len : room;

    memcpy(h->line + h->line_len, data, keep);
    h->line_len += keep;
    *used = end ? len + 1 : len;
    if (!end)
        return false;
    if (h->line_len > 0 && h->line[h->line_len - 1] == '\r')
        h->line_len--;
    h->line[h->line_len] = '\0';
    return true;
}

static size_t feed_framing(struct http *h, const char *data, size_t n)
{
    size_t used = 0;
    char *end;

    if (!feed_line(h, data, n, &used))
        return used;
    if (h->state == HTTP_CHUNK_SIZE) {
        h->left = strtoull(h->line, &end, 16);
        if (end == h->line)
            h->state = HTTP_BROKEN;
        else
            h->state = h->left > 0 ? HTTP_CHUNK_DATA : HTTP_TRAILER;
    } else if (h->state == HTTP_CHUNK_END) {
        h->state = h->line_len == 0 ? HTTP_CHUNK_SIZE : HTTP_BROKEN;
    } else if (h->line_len == 0) {
        h->state = HTTP_DONE;
    }
    h->line_len = 0;
    return used;
}

static size_t feed_body(struct http *h, const char *data, size_t n)
{
    if (h->state == HTTP_CLOSE) {
        body(h, data, n);
        return n;
    }
    if (n > h->left)
        n = (size_t)h->left;
    body(h, data, n);
    h->left -= n;
    if (h->left == 0)
        h->state = h->state == HTTP_LENGTH ? HTTP_DONE : HTTP_CHUNK_END;
    return n;
}

size_t http_feed(struct http *h, const char *data, size_t n)
{
    size_t used = 0;

    h->began = h->began || n > 0;
    while (used < n && h->state != HTTP_DONE && h->state != HTTP_BROKEN) {
        if (h->state == HTTP_HEAD)
            used += feed_head(h, data + used, n - used);
        else if (h->state == HTTP_LENGTH || h->state == HTTP_CLOSE || h->state == HTTP_CHUNK_DATA)
            used += feed_body(h, data + used, n - used);
        else
            used += feed_framing(h, data + used, n - used);
    }
    return used;
}

void http_eof(struct http *h)
{
    if (h->state == HTTP_CLOSE)
        h->state = HTTP_DONE;
    else if (h->state != HTTP_DONE)
        h->state = HTTP_BROKEN;
}

bool http_tail_has(const struct http *h, const char *text)
{
    return memmem(h->tail, h->tail_len, text, strlen(text)) != NULL;
}
