/* ws_client.c: the handshake, then frames. curl connects and encrypts, and knows nothing of what goes through. */
#include "lib/net/ws_client.h"

#include <curl/curl.h>
#include <errno.h>
#include <openssl/sha.h>
#include <poll.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/encode.h"
#include "lib/base/random.h"
#include "lib/net/ws_frame.h"

enum { HANDSHAKE_MS = 10 * 1000, MESSAGE_MAX = 16 * 1024 * 1024, HEAD_MAX = 32 * 1024, CHUNK = 64 * 1024 };

struct ws_client {
    CURL *easy;
    struct ws_reader reader;
};

/* ---- bytes */

static enum status wait_for(struct ws_client *w, short events, int64_t until_ms, struct error *err)
{
    curl_socket_t fd = CURL_SOCKET_BAD;
    int64_t left = until_ms - mono_ms();
    struct pollfd p;
    int n;

    curl_easy_getinfo(w->easy, CURLINFO_ACTIVESOCKET, &fd);
    p = (struct pollfd){ fd, events, 0 };
    if (left <= 0)
        return error_set(err, TIMED_OUT, "no answer in time");
    n = poll(&p, 1, left > INT32_MAX ? INT32_MAX : (int)left);
    if (n == 0)
        return error_set(err, TIMED_OUT, "no answer in time");
    if (n < 0 && errno != EINTR)
        return error_set(err, UNAVAILABLE, "could not wait: %s", strerror(errno));
    return OK;
}

static enum status send_bytes(struct ws_client *w, struct str bytes, int64_t until_ms, struct error *err)
{
    while (bytes.n) {
        size_t put = 0;
        CURLcode code = curl_easy_send(w->easy, bytes.p, bytes.n, &put);
        enum status st = OK;

        if (code == CURLE_AGAIN)
            st = wait_for(w, POLLOUT, until_ms, err);
        else if (code != CURLE_OK)
            st = error_set(err, UNAVAILABLE, "could not send: %s", curl_easy_strerror(code));
        if (st != OK)
            return st;
        bytes = str_from(bytes, put);
    }
    return OK;
}

/* At least one byte. NOT_FOUND: the other end has closed. */
static enum status receive_bytes(struct ws_client *w, char *to, size_t room, size_t *got, int64_t until_ms,
                                 struct error *err)
{
    for (;;) {
        CURLcode code = curl_easy_recv(w->easy, to, room, got);
        enum status st;

        if (code == CURLE_OK && *got > 0)
            return OK;
        if (code == CURLE_OK)
            return error_set(err, NOT_FOUND, "the connection was closed");
        if (code != CURLE_AGAIN)
            return error_set(err, UNAVAILABLE, "could not receive: %s", curl_easy_strerror(code));
        st = wait_for(w, POLLIN, until_ms, err);
        if (st != OK)
            return st;
    }
}

/* ---- the handshake */

struct place {
    struct str http_url, host, target;
};

static bool read_url(struct arena *mem, struct str url, struct place *out)
{
    struct str rest;
    size_t end;

    if (str_starts(url, "ws:") || str_starts(url, "wss:"))
        url = str_cat(mem, S("http"), str_from(url, 2));
    if (!str_starts(url, "http://") && !str_starts(url, "https://"))
        return false;
    for (size_t i = 0; i < url.n; i++)
        if ((unsigned char)url.p[i] <= ' ' || url.p[i] == 0x7f)
            return false;
    rest = str_from(url, str_find(url, S("://")) + 3);
    for (end = 0; end < rest.n && !strchr("/?#", rest.p[end]); end++) {
    }
    out->http_url = str_sub(url, 0, url.n - rest.n + end);
    out->host = str_sub(rest, 0, end);
    if (str_rfind_c(out->host, '@') != STR_NPOS)
        out->host = str_from(out->host, str_rfind_c(out->host, '@') + 1);
    out->target = str_from(rest, end);
    if (!out->target.n || out->target.p[0] != '/')
        out->target = str_cat(mem, S("/"), out->target);
    return out->host.n > 0;
}

static struct str accept_key(struct arena *mem, struct str key)
{
    struct str text = str_cat(mem, key, S("258EAFA5-E914-47DA-95CA-C5AB0DC85B11"));
    unsigned char digest[SHA_DIGEST_LENGTH];

    SHA1((const unsigned char *)text.p, text.n, digest);
    return base64_encode(mem, str_n((const char *)digest, sizeof(digest)));
}

static bool line_is_clean(struct str s)
{
    return str_find_c(s, '\r') == STR_NPOS && str_find_c(s, '\n') == STR_NPOS && str_find_c(s, '\0') == STR_NPOS;
}

static enum status send_request(struct arena *mem, struct ws_client *w, const struct ws_options *o,
                                const struct place *at, struct str key, int64_t until_ms, struct error *err)
{
    struct buf b = BUF(mem, 256 * 1024);

    buf_addf(&b, "GET %.*s HTTP/1.1\r\nHost: %.*s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n", STR(at->target),
             STR(at->host));
    buf_addf(&b, "Sec-WebSocket-Key: %.*s\r\nSec-WebSocket-Version: 13\r\n", STR(key));
    for (size_t i = 0; i < o->headers_n; i++) {
        if (!line_is_clean(o->headers[i].name) || !line_is_clean(o->headers[i].value))
            return error_set(err, INVALID, "a line break in a header");
        buf_addf(&b, "%.*s: %.*s\r\n", STR(o->headers[i].name), STR(o->headers[i].value));
    }
    buf_add_c(&b, "\r\n");
    if (buf_failed(&b))
        return error_set(err, INVALID, "the headers are too long");
    return send_bytes(w, buf_str(&b), until_ms, err);
}

/* The value of a header in the lines of an answer; absent. */
static struct str header_in(struct str lines, const char *name)
{
    struct str line;

    while (str_split(&lines, '\n', &line)) {
        size_t colon = str_find_c(line, ':');

        if (colon != STR_NPOS && str_ieq(str_sub(line, 0, colon), name))
            return str_trim(str_from(line, colon + 1));
    }
    return STR_NONE;
}

static enum status read_answer(struct arena *mem, struct ws_client *w, struct str key, int64_t until_ms,
                               struct error *err)
{
    struct buf b = BUF(mem, HEAD_MAX);
    size_t end;
    int64_t status;

    while ((end = str_find(buf_str(&b), S("\r\n\r\n"))) == STR_NPOS) {
        char chunk[4096];
        size_t got;
        enum status st = receive_bytes(w, chunk, sizeof(chunk), &got, until_ms, err);

        if (st != OK)
            return st == NOT_FOUND ? UNAVAILABLE : st;
        buf_add(&b, chunk, got);
        if (buf_failed(&b))
            return error_set(err, FAILED, "the answer's head is too long");
    }
    if (!str_starts(buf_str(&b), "HTTP/1.1 ") || !str_to_i64(str_sub(buf_str(&b), 9, 3), &status))
        return error_set(err, FAILED, "the answer is no HTTP");
    if (status != 101)
        return error_set(err, FAILED, "no WebSocket: status %d", (int)status);
    if (!str_eq(header_in(str_sub(buf_str(&b), 0, end), "Sec-WebSocket-Accept"), accept_key(mem, key)))
        return error_set(err, FAILED, "no WebSocket: the handshake's key is wrong");
    ws_reader_add(&w->reader, str_from(buf_str(&b), end + 4));
    return OK;
}

static enum status dial(struct ws_client *w, const struct ws_options *o, const char *url, struct error *err)
{
    long timeout_ms = o->timeout_ms ? o->timeout_ms : HANDSHAKE_MS;
    CURLcode code;

    curl_easy_setopt(w->easy, CURLOPT_URL, url);
    curl_easy_setopt(w->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(w->easy, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(w->easy, CURLOPT_HTTPPROXYTUNNEL, 1L);
    curl_easy_setopt(w->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(w->easy, CURLOPT_SSL_ENABLE_ALPN, 0L);
    curl_easy_setopt(w->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(w->easy, CURLOPT_CONNECTTIMEOUT_MS, timeout_ms);
    if (o->insecure) {
        curl_easy_setopt(w->easy, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(w->easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    code = curl_easy_perform(w->easy);
    if (code == CURLE_OK)
        return OK;
    return error_set(err, code == CURLE_OPERATION_TIMEDOUT ? TIMED_OUT : UNAVAILABLE, "could not connect: %s",
                     curl_easy_strerror(code));
}

enum status ws_open(struct arena *mem, const struct ws_options *o, struct ws_client **out, struct error *err)
{
    int64_t until_ms = mono_ms() + (o->timeout_ms ? o->timeout_ms : HANDSHAKE_MS);
    struct ws_client *w = arena_new_one(mem, struct ws_client);
    unsigned char nonce[16];
    struct place at;
    struct str key;
    enum status st;

    if (!read_url(mem, o->url, &at))
        return error_set(err, INVALID, "not an address of a WebSocket");
    random_bytes(nonce, sizeof(nonce));
    key = base64_encode(mem, str_n((const char *)nonce, sizeof(nonce)));
    ws_reader_init(&w->reader, o->max_bytes ? o->max_bytes : MESSAGE_MAX);
    w->easy = curl_easy_init();
    st = w->easy ? dial(w, o, str_c(mem, at.http_url), err) : error_set(err, FAILED, "curl does not start");
    if (st == OK)
        st = send_request(mem, w, o, &at, key, until_ms, err);
    if (st == OK)
        st = read_answer(mem, w, key, until_ms, err);
    if (st == OK)
        *out = w;
    else
        ws_close(w);
    return st;
}

/* ---- messages */

static enum status send_frame(struct ws_client *w, enum ws_opcode opcode, struct str data, int64_t until_ms,
                              struct error *err)
{
    struct buf b = BUF(NULL, data.n + 64);
    unsigned char mask[4];
    enum status st;

    random_bytes(mask, sizeof(mask));
    ws_frame_add(&b, opcode, data, mask);
    st = send_bytes(w, buf_str(&b), until_ms, err);
    buf_free(&b);
    return st;
}

enum status ws_send(struct ws_client *w, struct str text, int timeout_ms, struct error *err)
{
    return send_frame(w, WS_TEXT, text, mono_ms() + timeout_ms, err);
}

enum status ws_receive(struct ws_client *w, int64_t until_ms, struct str *text, struct error *err)
{
    for (;;) {
        enum ws_opcode opcode = WS_TEXT;
        struct str data;
        enum status st = ws_reader_next(&w->reader, &opcode, &data, err);

        if (st == NOT_FOUND) {
            char chunk[CHUNK];
            size_t got = 0;

            st = receive_bytes(w, chunk, sizeof(chunk), &got, until_ms, err);
            if (st != OK)
                return st;
            ws_reader_add(&w->reader, str_n(chunk, got));
            continue;
        }
        if (st != OK)
            return st;
        if (opcode == WS_TEXT) {
            *text = data;
            return OK;
        }
        if (opcode == WS_CLOSE)
            return error_set(err, NOT_FOUND, "the connection was closed");
        if (opcode == WS_PING)
            st = send_frame(w, WS_PONG, data, until_ms, err);
        if (st != OK)
            return st;
    }
}

void ws_close(struct ws_client *w)
{
    if (!w)
        return;
    curl_easy_cleanup(w->easy);
    ws_reader_free(&w->reader);
    *w = (struct ws_client){ 0 };
}
