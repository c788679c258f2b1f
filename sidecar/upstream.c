/* upstream.c: calls to providers: libcurl's multi interface on the loop. */
#include "sidecar/upstream.h"

#include <curl/curl.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/encode.h"
#include "lib/base/log.h"
#include "lib/net/address.h"
#include "sidecar/http.h"
#include "sidecar/sidecar.h"

enum { READ_BYTES = 4096, KEPT_CONNECTIONS = 200, HEADERS_BYTES = 16 * 1024 };

struct upstream {
    struct upstream *next, **prev;
    CURL *easy;
    struct curl_slist *headers;
    struct buf head, kept; /* header lines of interest of the last response; of those that were asked for */
    char *keep;            /* their names: "\nmcp-session-id\nlocation\n"; NULL: none */
    char *content_type;
    int status;
    bool got_head, paused, resume, in_callback, cancelled, unsettled;
    struct upstream *next_unsettled;
    int64_t last_ms, idle_ms; /* last byte; how long it may be silent */
    char error[CURL_ERROR_SIZE];
    const struct upstream_ops *ops;
    void *arg;
};

static CURLM *multi;
static CURLSH *share;
static uv_timer_t timer;
static struct upstream *all, *unsettled;
static bool working;        /* inside of libcurl, which must not be called again then */
static struct delay *later; /* sweeps and resumes */

static void do_later(void *arg);

/* ---- the end of a call */

static void unlink_call(struct upstream *u)
{
    struct upstream **at = &unsettled;

    while (*at && *at != u)
        at = &(*at)->next_unsettled;
    if (*at)
        *at = u->next_unsettled;
    *u->prev = u->next;
    if (u->next)
        u->next->prev = u->prev;
    stats.upstreams_now--;
}

static void call_free(struct upstream *u)
{
    unlink_call(u);
    curl_multi_remove_handle(multi, u->easy);
    curl_easy_cleanup(u->easy);
    curl_slist_free_all(u->headers);
    buf_free(&u->head);
    buf_free(&u->kept);
    free(u->keep);
    free(u->content_type);
    free(u);
}

void upstream_cancel(struct upstream *u)
{
    if (!u || u->cancelled)
        return;
    u->cancelled = true;
    if (working)
        delay_start(&later, 0, do_later, NULL);
    else if (!u->in_callback)
        call_free(u);
}

static void end(struct upstream *u, enum status st, const char *why)
{
    const struct upstream_ops *ops = u->ops;
    void *arg = u->arg;
    char text[CURL_ERROR_SIZE + 64];

    snprintf(text, sizeof(text), "%s", why);
    stats.upstream_failures += st != OK;
    call_free(u);
    ops->end(arg, st, text);
}

static void give_head(struct upstream *u)
{
    struct upstream_head head = { u->status, str_of(u->content_type), buf_str(&u->head), buf_str(&u->kept) };

    if (u->got_head)
        return;
    u->got_head = true;
    u->ops->head(u->arg, &head);
}

static void ended(struct upstream *u, CURLcode code)
{
    enum status st = code == CURLE_OK                   ? OK
                     : code == CURLE_OPERATION_TIMEDOUT ? TIMED_OUT
                     : u->got_head                      ? FAILED
                                                        : UNAVAILABLE;

    if (u->cancelled) {
        call_free(u);
        return;
    }
    u->in_callback = true;
    if (st == OK)
        give_head(u);
    if (!u->cancelled && u->unsettled && u->ops->settled)
        u->ops->settled(u->arg);
    u->in_callback = false;
    if (u->cancelled)
        call_free(u);
    else
        end(u, st, u->error[0] ? u->error : curl_easy_strerror(code));
}

static void collect(void)
{
    CURLMsg *m;
    int left;

    while ((m = curl_multi_info_read(multi, &left))) {
        struct upstream *u;

        if (m->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&u);
        ended(u, m->data.result);
    }
}

static void settle(void)
{
    while (unsettled) {
        struct upstream *u = unsettled;

        unsettled = u->next_unsettled;
        u->unsettled = false;
        if (u->cancelled)
            continue;
        u->in_callback = true;
        if (u->ops->settled)
            u->ops->settled(u->arg);
        u->in_callback = false;
        if (u->cancelled)
            call_free(u);
    }
}

static void work(curl_socket_t fd, int events)
{
    int running;

    if (working)
        return;
    working = true;
    curl_multi_socket_action(multi, fd, events, &running);
    working = false;
    settle();
    collect();
}

/* ---- libcurl's callbacks */

static size_t on_data(char *p, size_t size, size_t n, void *arg)
{
    struct upstream *u = arg;

    if (u->cancelled)
        return 0;
    if (u->paused)
        return CURL_WRITEFUNC_PAUSE;
    u->last_ms = mono_ms();
    u->in_callback = true;
    give_head(u);
    if (!u->cancelled)
        u->ops->data(u->arg, str_n(p, size * n));
    u->in_callback = false;
    if (u->cancelled)
        return 0;
    if (!u->unsettled) {
        u->unsettled = true;
        u->next_unsettled = unsettled;
        unsettled = u;
    }
    return size * n;
}

/* Which of the provider's headers may go further. */
static bool of_interest(struct str name)
{
    static const char *const names[] = { "content-type", "content-disposition", "content-language", "cache-control",
                                         "etag",         "last-modified",       "retry-after",      "x-request-id" };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (str_ieq(name, names[i]))
            return true;
    }
    return false;
}

static bool is_kept(const struct upstream *u, struct str lower)
{
    char line[96];

    snprintf(line, sizeof(line), "\n%.*s\n", STR(lower));
    return u->keep && lower.n && strstr(u->keep, line);
}

static void header_line(struct upstream *u, struct str line)
{
    size_t colon = str_find_c(line, ':');
    struct str name = str_sub(line, 0, colon == STR_NPOS ? 0 : colon),
               value = str_trim(str_from(line, colon == STR_NPOS ? line.n : colon + 1));
    char lower[64];

    if (str_ieq(name, "Content-Type") && value.n) {
        free(u->content_type);
        u->content_type = copy_str(value);
        return;
    }
    if (name.n > sizeof(lower))
        return;
    for (size_t i = 0; i < name.n; i++)
        lower[i] = (char)(name.p[i] >= 'A' && name.p[i] <= 'Z' ? name.p[i] + 32 : name.p[i]);
    if (of_interest(name) && u->head.n + line.n < HEADERS_BYTES)
        http_add_header(&u->head, str_n(lower, name.n), value);
    else if (is_kept(u, str_n(lower, name.n)) && u->kept.n + line.n < HEADERS_BYTES)
        http_add_header(&u->kept, str_n(lower, name.n), value);
}

static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
    struct upstream *u = arg;
    struct str line = str_trim(str_n(p, size * n));
    long status = 0;

    if (u->cancelled)
        return 0;
    u->last_ms = mono_ms();
    if (str_starts(line, "HTTP/")) { /* also of an interim response: what came before does not count */
        buf_reset(&u->head);
        buf_reset(&u->kept);
        free(u->content_type);
        u->content_type = NULL;
        u->got_head = false;
    } else if (line.n == 0 && !u->got_head) {
        curl_easy_getinfo(u->easy, CURLINFO_RESPONSE_CODE, &status);
        u->status = (int)status;
        if (status >= 200) {
            u->in_callback = true;
            give_head(u);
            u->in_callback = false;
        }
    } else if (!u->got_head) {
        header_line(u, line);
    }
    return u->cancelled ? 0 : size * n;
}

struct watch { /* a socket of libcurl's */
    uv_poll_t poll;
    curl_socket_t fd;
};

static void on_watch(uv_poll_t *poll, int status, int events)
{
    struct watch *w = poll->data;

    if (status < 0)
        work(w->fd, CURL_CSELECT_ERR);
    else
        work(w->fd, (events & UV_READABLE ? CURL_CSELECT_IN : 0) | (events & UV_WRITABLE ? CURL_CSELECT_OUT : 0));
}

static void watch_closed(uv_handle_t *h)
{
    free(h->data);
}

static int on_socket(CURL *easy, curl_socket_t fd, int action, void *arg, void *socket_arg)
{
    struct watch *w = socket_arg;
    int events = 0;

    (void)easy, (void)arg;
    if (action == CURL_POLL_REMOVE) {
        if (w) {
            curl_multi_assign(multi, fd, NULL);
            uv_poll_stop(&w->poll);
            uv_close((uv_handle_t *)&w->poll, watch_closed);
        }
        return 0;
    }
    if (!w) {
        w = calloc(1, sizeof(*w));
        if (!w)
            abort();
        w->fd = fd;
        w->poll.data = w;
        uv_poll_init(sidecar.loop, &w->poll, fd);
        curl_multi_assign(multi, fd, w);
    }
    if (action != CURL_POLL_IN)
        events |= UV_WRITABLE;
    if (action != CURL_POLL_OUT)
        events |= UV_READABLE;
    uv_poll_start(&w->poll, events, on_watch);
    return 0;
}

static void on_timer(uv_timer_t *t)
{
    (void)t;
    work(CURL_SOCKET_TIMEOUT, 0);
}

static int on_timeout(CURLM *m, long ms, void *arg)
{
    (void)m, (void)arg;
    if (ms < 0)
        uv_timer_stop(&timer);
    else
        uv_timer_start(&timer, on_timer, (uint64_t)ms, 0);
    return 0;
}

/* ---- the beginning of a call */

static bool add_headers(struct upstream *u, json_object *headers, bool has_body)
{
    bool has_type = false;

    if (json_is(headers, json_type_object)) {
        json_object_object_foreach(headers, name, value)
        {
            struct buf line = BUF(NULL, 32 * 1024);

            http_add_header(&line, str_of(name), json_str_value(value));
            has_type |= str_ieq(str_of(name), "Content-Type");
            if (line.n > 2 && !buf_failed(&line)) {
                line.p[line.n - 2] = '\0';
                if (!json_str_value(value).n) {
                    buf_reset(&line);
                    buf_addf(&line, "%s;", name); /* libcurl's way to send an empty header */
                }
                u->headers = curl_slist_append(u->headers, line.p);
            }
            buf_free(&line);
        }
    }
    if (has_body && !has_type)
        u->headers = curl_slist_append(u->headers, "Content-Type: application/json");
    if (has_body)
        u->headers = curl_slist_append(u->headers, "Expect:");
    curl_easy_setopt(u->easy, CURLOPT_HTTPHEADER, u->headers);
    return true;
}

static char *names_to_keep(json_object *list)
{
    struct buf b = BUF(NULL, 1024);
    char *text;

    JSON_EACH (list, i, name) {
        buf_add_char(&b, '\n');
        buf_add_str(&b, json_str_value(name));
    }
    buf_add_char(&b, '\n');
    text = json_length(list) && !buf_failed(&b) ? copy_str(buf_str(&b)) : NULL;
    buf_free(&b);
    return text;
}

static bool set_body(struct upstream *u, json_object *spec, struct arena *mem)
{
    struct str body = json_str(spec, "body"), coded = json_str(spec, "body_base64");

    if (coded.p && !base64_decode(mem, coded, &body))
        return false;
    if (!body.p)
        return true;
    curl_easy_setopt(u->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.n);
    curl_easy_setopt(u->easy, CURLOPT_COPYPOSTFIELDS, body.p);
    return true;
}

/* Of the addresses that a name has, each is looked at when it is about to be connected to: it cannot change in between. */
static curl_socket_t open_public(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
    (void)arg, (void)purpose;
    if (!address_is_public(&a->addr))
        return CURL_SOCKET_BAD;
    return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

static void set_options(struct upstream *u, json_object *spec)
{
    CURL *e = u->easy;
    bool verify = json_flag(spec, "verify_tls", true);

    curl_easy_setopt(e, CURLOPT_PRIVATE, u);
    curl_easy_setopt(e, CURLOPT_SHARE, share);
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_data);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, u);
    curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(e, CURLOPT_HEADERDATA, u);
    curl_easy_setopt(e, CURLOPT_ERRORBUFFER, u->error);
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_NOPROGRESS, 1L);
    curl_easy_setopt(e, CURLOPT_BUFFERSIZE, (long)READ_BYTES);
    curl_easy_setopt(e, CURLOPT_UPLOAD_BUFFERSIZE, 16384L);
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)json_int(spec, "connect_timeout_ms", 10000));
    curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)json_int(spec, "timeout_ms", 0));
    curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, verify ? 1L : 0L);
    curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, verify ? 2L : 0L);
    if (json_flag(spec, "public_only", false)) { /* a connection of others may be to anywhere */
        curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, open_public);
        curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, 1L);
        curl_easy_setopt(e, CURLOPT_FORBID_REUSE, 1L);
        curl_easy_setopt(e, CURLOPT_PROXY, "");
    }
    if (json_str(spec, "ca_file").n)
        curl_easy_setopt(e, CURLOPT_CAINFO, json_str(spec, "ca_file").p);
}

struct upstream *upstream_start(json_object *spec, const struct upstream_ops *ops, void *arg, struct error *err)
{
    struct str url = json_str(spec, "url"), method = json_str(spec, "method");
    struct arena *mem;
    struct upstream *u;
    bool has_body = json_str(spec, "body").p || json_str(spec, "body_base64").p, good;

    if (!url.n || strlen(url.p) != url.n)
        return error_set(err, INVALID, "the plan has no address to call"), NULL;
    u = calloc(1, sizeof(*u));
    if (!u)
        abort();
    *u = (struct upstream){ .next = all,
                            .prev = &all,
                            .head = BUF(NULL, HEADERS_BYTES * 2),
                            .kept = BUF(NULL, HEADERS_BYTES * 2),
                            .keep = names_to_keep(json_get(spec, "keep_headers")),
                            .easy = curl_easy_init(),
                            .ops = ops,
                            .arg = arg,
                            .last_ms = mono_ms(),
                            .idle_ms = json_int(spec, "idle_timeout_ms", 300000) };
    if (!u->easy)
        abort();
    if (all)
        all->prev = &u->next;
    all = u;
    stats.upstreams_now++;
    stats.upstreams++;
    mem = arena_new(256);
    set_options(u, spec);
    good = set_body(u, spec, mem) && add_headers(u, json_get(spec, "headers"), has_body) &&
           curl_easy_setopt(u->easy, CURLOPT_URL, url.p) == CURLE_OK;
    arena_free(mem);
    if (method.n && !str_is(method, has_body ? "POST" : "GET"))
        curl_easy_setopt(u->easy, CURLOPT_CUSTOMREQUEST, method.p);
    if (str_is(method, "HEAD"))
        curl_easy_setopt(u->easy, CURLOPT_NOBODY, 1L);
    if (good && curl_multi_add_handle(multi, u->easy) == CURLM_OK)
        return u;
    error_set(err, INVALID, "the provider's address cannot be called");
    call_free(u);
    return NULL;
}

static void do_later(void *arg)
{
    struct upstream *u, *next;

    (void)arg;
    for (u = all; u; u = next) {
        next = u->next;
        if (u->cancelled) {
            call_free(u);
        } else if (u->resume) {
            u->resume = false;
            working = true;
            curl_easy_pause(u->easy, CURLPAUSE_CONT); /* may call on_data at once */
            working = false;
        }
    }
    settle();
    collect();
}

void upstream_pause(struct upstream *u, bool paused)
{
    if (u->paused == paused)
        return;
    u->paused = paused;
    u->last_ms = mono_ms();
    u->resume = !paused;
    if (!paused)
        delay_start(&later, 0, do_later, NULL);
}

void upstream_tick(int64_t now_ms)
{
    for (struct upstream *u = all; u; u = u->next) {
        if (u->paused || u->cancelled || u->idle_ms <= 0 || now_ms - u->last_ms <= u->idle_ms)
            continue;
        end(u, TIMED_OUT, "The provider has been silent for too long.");
        return; /* the list may have changed: the others have another second */
    }
}

void upstream_init(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
    multi = curl_multi_init();
    share = curl_share_init();
    if (!multi || !share)
        abort();
    curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timeout);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)KEPT_CONNECTIONS);
    uv_timer_init(sidecar.loop, &timer);
}

void upstream_close_all(void)
{
    delay_stop(&later);
    while (all)
        call_free(all);
    curl_multi_cleanup(multi);
    curl_share_cleanup(share);
    uv_close((uv_handle_t *)&timer, NULL);
}
