/* http.h: what the load generator and the stream reader share: addresses, request files, and a response parser that is
 * fed whatever a read returned and never keeps a body. */
#ifndef BENCH_HTTP_H
#define BENCH_HTTP_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
    char *data;
    size_t len;
};

enum http_state {
    HTTP_HEAD,       /* status line and headers */
    HTTP_LENGTH,     /* body of a known length */
    HTTP_CLOSE,      /* body that ends with the connection */
    HTTP_CHUNK_SIZE, /* the size line of a chunk */
    HTTP_CHUNK_DATA,
    HTTP_CHUNK_END, /* the empty line after a chunk's data */
    HTTP_TRAILER,
    HTTP_DONE,
    HTTP_BROKEN
};

/* One response. Set to zero before each. */
struct http {
    enum http_state state;
    int status;          /* of the final response; 0 until the head is read */
    bool closes;         /* the server will not take another request on this connection */
    bool began;          /* at least one byte has arrived */
    uint64_t body_bytes; /* of the body, without the chunks' framing */
    uint64_t left;       /* of HTTP_LENGTH, HTTP_CHUNK_DATA */
    char tail[64];       /* the body's last bytes, for "does it end as it should" */
    size_t tail_len;
    char head[16384];
    size_t head_len;
    char line[64];
    size_t line_len;
    void (*on_body)(void *context, const char *data, size_t len); /* may be NULL */
    void *context;
};

/* Takes n bytes; returns how many belonged to this response (less than n only when state is HTTP_DONE or HTTP_BROKEN). */
size_t http_feed(struct http *h, const char *data, size_t n);

/* The server has closed: the state becomes HTTP_DONE if that is how the body ends, else HTTP_BROKEN. */
void http_eof(struct http *h);

/* True if text stands among the body's last 64 bytes. */
bool http_tail_has(const struct http *h, const char *text);

/* "127.0.0.1:8080" or "localhost:8080" (IPv4). Ends the program with a message if it cannot be read. */
struct sockaddr_in http_address(const char *host_port);

/* A non-blocking socket on its way to the address, or -1. */
int http_connect(const struct sockaddr_in *to);

/* A whole file, NUL-terminated; ends the program if it cannot be read. */
struct bytes http_read_file(const char *path);

uint64_t now_ns(void);

/* As many descriptors as the hard limit allows. */
void raise_file_limit(void);

/* Sorts v and returns the value below which the share p (0..1) of the n values lies; 0 if there are none. */
void sort_u32(uint32_t *v, size_t n);
uint32_t percentile(const uint32_t *sorted, size_t n, double p);

_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
