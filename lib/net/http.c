/* http.c: blocking HTTP over libcurl's multi interface; one multi handle a process keeps the connections. */
#include "lib/net/http.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/net/address.h"

struct running {
    struct arena *mem;
    struct http_call *call;
    CURL *easy;
    struct curl_slist *headers;
    struct buf body, head;
    char *message; /* CURL_ERROR_SIZE */
};

static CURLM *connections;
static pid_t owner; /* a forked child must not use its parent's connections */

static CURLM *multi(void)
{
    if (connections && owner == getpid())
        return connections;
    if (!connections)
        curl_global_init(CURL_GLOBAL_DEFAULT);
    connections = curl_multi_init();
    owner = getpid();
    if (connections) {
        curl_multi_setopt(connections, CURLMOPT_MAXCONNECTS, 16L);
        curl_multi_setopt(connections, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
    }
    return connections;
}

static size_t take_body(char *bytes, size_t size, size_t n, void *arg)
{
    struct running *run = arg;

    (void)size;
    buf_add(&run->body, bytes, n);
    return buf_failed(&run->body) ? 0 : n;
}

/* The address that curl has resolved and is about to connect to: nobody can give another one between the check and its use. */
static curl_socket_t open_public(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
    (void)arg;
    (void)purpose;
    if (!address_is_public(&a->addr))
        return CURL_SOCKET_BAD;
    return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

static size_t take_header(char *bytes, size_t size, size_t n, void *arg)
{
    struct running *run = arg;
    struct str line = str_n(bytes, n);
    size_t colon = str_find_c(line, ':');

    (void)size;
    if (str_starts(line, "HTTP/")) { /* an interim answer (100) is forgotten */
        buf_reset(&run->head);
        return n;
    }
    if (run->call->keep_header && colon != STR_NPOS && str_ieq(str_sub(line, 0, colon), run->call->keep_header))
        run->call->kept_header = str_copy(run->mem, str_trim(str_from(line, colon + 1)));
    if (run->call->wants_head)
        buf_add_str(&run->head, line);
    return buf_failed(&run->head) ? 0 : n;
}

static bool has_break(struct str s)
{
    return str_find_c(s, '\r') != STR_NPOS || str_find_c(s, '\n') != STR_NPOS || str_find_c(s, '\0') != STR_NPOS;
}

static bool add_headers(struct arena *mem, struct running *run)
{
    bool has_type = false;

    for (size_t i = 0; i < run->call->headers_n; i++) {
        const struct http_header *h = &run->call->headers[i];
        struct curl_slist *more;

        if (has_break(h->name) || has_break(h->value))
            return false;
        has_type |= str_ieq(h->name, "content-type");
        /* curl leaves a header without a value out unless it ends in a semicolon */
        more = curl_slist_append(run->headers, h->value.n ? str_f(mem, "%.*s: %.*s", STR(h->name), STR(h->value)).p
                                                          : str_f(mem, "%.*s;", STR(h->name)).p);
        if (!more)
            return false;
        run->headers = more;
    }
    if (run->call->body.p && !has_type)
        run->headers = curl_slist_append(run->headers, "Content-Type: application/json");
    run->headers = curl_slist_append(run->headers, "Expect:");
    return true;
}

static bool start(struct arena *mem, struct running *run)
{
    struct http_call *c = run->call;

    run->body = BUF(mem, c->max_bytes ? c->max_bytes : 32u << 20);
    run->message = arena_zalloc(mem, CURL_ERROR_SIZE);
    if (!str_starts(c->url, "http://") && !str_starts(c->url, "https://")) {
        c->result = error_set(&c->err, INVALID, "not an http address: %.*s", STR(c->url));
        return false;
    }
    run->easy = curl_easy_init();
    if (!run->easy || has_break(c->url) || !add_headers(mem, run)) {
        c->result = error_set(&c->err, INVALID, "a line break in a header or address");
        return false;
    }
    curl_easy_setopt(run->easy, CURLOPT_URL, str_c(mem, c->url));
    curl_easy_setopt(run->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(run->easy, CURLOPT_HTTPHEADER, run->headers);
    curl_easy_setopt(run->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(run->easy, CURLOPT_ERRORBUFFER, run->message);
    curl_easy_setopt(run->easy, CURLOPT_CONNECTTIMEOUT_MS,
                     (long)(c->connect_timeout_ms ? c->connect_timeout_ms : 5000));
    curl_easy_setopt(run->easy, CURLOPT_TIMEOUT_MS, (long)(c->timeout_ms ? c->timeout_ms : 300000));
    curl_easy_setopt(run->easy, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(run->easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(run->easy, CURLOPT_WRITEDATA, run);
    curl_easy_setopt(run->easy, CURLOPT_PRIVATE, run);
    if (c->public_only) {
        curl_easy_setopt(run->easy, CURLOPT_PROXY, "");
        curl_easy_setopt(run->easy, CURLOPT_OPENSOCKETFUNCTION, open_public);
        curl_easy_setopt(run->easy, CURLOPT_FRESH_CONNECT, 1L); /* one that is open may lead elsewhere */
    }
    if (c->insecure) {
        curl_easy_setopt(run->easy, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(run->easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (getenv("SSL_CERT_FILE") &&
        *getenv("SSL_CERT_FILE")) /* OpenSSL's own variable, which libcurl does not look at */
        curl_easy_setopt(run->easy, CURLOPT_CAINFO, getenv("SSL_CERT_FILE"));
    if (c->keep_header || c->wants_head) {
        run->head = BUF(mem, 256 * 1024);
        curl_easy_setopt(run->easy, CURLOPT_HEADERFUNCTION, take_header);
        curl_easy_setopt(run->easy, CURLOPT_HEADERDATA, run);
    }
    if (c->user_and_password) {
        curl_easy_setopt(run->easy, CURLOPT_USERPWD, c->user_and_password);
        curl_easy_setopt(run->easy, CURLOPT_HTTPAUTH, (long)(c->digest ? CURLAUTH_DIGEST : CURLAUTH_BASIC));
    }
    if (c->body.p) {
        curl_easy_setopt(run->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)c->body.n);
        curl_easy_setopt(run->easy, CURLOPT_POSTFIELDS, c->body.p);
    }
    if (c->method)
        curl_easy_setopt(run->easy, CURLOPT_CUSTOMREQUEST, c->method);
    return curl_multi_add_handle(multi(), run->easy) == CURLM_OK;
}

static void ended(struct arena *mem, struct running *run, CURLcode code)
{
    struct http_call *c = run->call;
    long status = 0;
    char *type = NULL;

    curl_easy_getinfo(run->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(run->easy, CURLINFO_CONTENT_TYPE, &type);
    c->status = (int)status;
    c->content_type = str_copy(mem, str_of(type));
    c->response = buf_str(&run->body);
    c->head = c->wants_head ? buf_str(&run->head) : STR_NONE;
    if (code == CURLE_OK)
        c->result = OK;
    else if (buf_failed(&run->body))
        c->result = error_set(&c->err, TOO_BIG, "the answer is larger than %zu bytes", run->body.max);
    else
        c->result = error_set(&c->err,
                              code == CURLE_OPERATION_TIMEDOUT ? TIMED_OUT
                              : code == CURLE_URL_MALFORMAT    ? INVALID
                                                               : UNAVAILABLE,
                              "%s", run->message[0] ? run->message : curl_easy_strerror(code));
}

void http_add_call_header(struct arena *mem, struct http_call *call, const char *name, struct str value)
{
    struct http_header *v = arena_new_array(mem, struct http_header, call->headers_n + 1);

    for (size_t i = 0; i < call->headers_n; i++)
        v[i] = call->headers[i];
    v[call->headers_n++] = (struct http_header){ str_of(name), value };
    call->headers = v;
}

void http_run(struct arena *mem, struct http_call *calls, size_t n)
{
    struct running *v = arena_new_array(mem, struct running, n ? n : 1);
    int left = 0, queued;
    CURLMsg *m;

    for (size_t i = 0; i < n; i++) {
        calls[i].result = UNAVAILABLE;
        v[i].call = &calls[i];
        v[i].mem = mem;
        left += start(mem, &v[i]);
    }
    while (left > 0) {
        int still;

        if (curl_multi_perform(multi(), &still) != CURLM_OK)
            break;
        while ((m = curl_multi_info_read(multi(), &queued))) {
            struct running *run = NULL;

            if (m->msg != CURLMSG_DONE)
                continue;
            curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&run);
            ended(mem, run, m->data.result);
            left--;
        }
        if (left > 0 && curl_multi_poll(multi(), NULL, 0, 1000, NULL) != CURLM_OK)
            break;
    }
    for (size_t i = 0; i < n; i++) {
        if (v[i].easy) {
            curl_multi_remove_handle(multi(), v[i].easy);
            curl_easy_cleanup(v[i].easy);
        }
        curl_slist_free_all(v[i].headers);
    }
}
