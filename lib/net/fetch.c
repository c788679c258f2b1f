/* fetch.c: guarded HTTP over libcurl. A multi handle of its own each time: no connection is used that was opened without the guard. */
#include "lib/net/fetch.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "lib/net/address.h"

struct running {
    struct fetch *fetch;
    const struct fetch_rules *rules;
    CURL *easy;
    struct curl_slist *headers;
    struct buf body;
    bool refused; /* the guard has refused an address */
    char *message;
};

static curl_socket_t open_checked(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct running *run = arg;

    if (purpose != CURLSOCKTYPE_IPCXN ||
        (!run->rules->allow_private && !run->rules->proxy && !address_is_public(&address->addr))) {
        run->refused = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static size_t take_body(char *bytes, size_t size, size_t n, void *arg)
{
    struct running *run = arg;

    (void)size;
    buf_add(&run->body, bytes, n);
    return buf_failed(&run->body) ? 0 : n;
}

static bool add_header(struct running *run, const char *text)
{
    struct curl_slist *more = curl_slist_append(run->headers, text);

    if (more)
        run->headers = more;
    return more != NULL;
}

static bool prepare(struct arena *mem, struct running *run)
{
    struct fetch *f = run->fetch;
    const struct fetch_rules *rules = run->rules;

    run->body = BUF(mem, rules->max_bytes ? rules->max_bytes : FETCH_MAX_BYTES);
    run->message = arena_zalloc(mem, CURL_ERROR_SIZE);
    run->easy = curl_easy_init();
    if (!run->easy || !add_header(run, "Expect:") ||
        (f->accept.p && !add_header(run, str_f(mem, "Accept: %.*s", STR(f->accept)).p)) ||
        (f->body.p && !add_header(run, "Content-Type: application/json")))
        return false;
    curl_easy_setopt(run->easy, CURLOPT_URL, str_c(mem, f->url));
    curl_easy_setopt(run->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(run->easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(run->easy, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(run->easy, CURLOPT_MAXREDIRS, (long)FETCH_REDIRECTS);
    curl_easy_setopt(run->easy, CURLOPT_OPENSOCKETFUNCTION, open_checked);
    curl_easy_setopt(run->easy, CURLOPT_OPENSOCKETDATA, run);
    curl_easy_setopt(run->easy, CURLOPT_PROXY, rules->proxy ? rules->proxy : "");
    curl_easy_setopt(run->easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(run->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(run->easy, CURLOPT_ERRORBUFFER, run->message);
    curl_easy_setopt(run->easy, CURLOPT_USERAGENT, "webui-fcgi");
    curl_easy_setopt(run->easy, CURLOPT_CONNECTTIMEOUT_MS, 10000L);
    curl_easy_setopt(run->easy, CURLOPT_TIMEOUT_MS, (long)(rules->timeout_ms ? rules->timeout_ms : FETCH_TIMEOUT_MS));
    curl_easy_setopt(run->easy, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(run->easy, CURLOPT_HTTPHEADER, run->headers);
    curl_easy_setopt(run->easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(run->easy, CURLOPT_WRITEDATA, run);
    curl_easy_setopt(run->easy, CURLOPT_PRIVATE, run);
    if (rules->insecure) {
        curl_easy_setopt(run->easy, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(run->easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (getenv("SSL_CERT_FILE") &&
        *getenv("SSL_CERT_FILE")) /* OpenSSL's own variable, which libcurl does not look at */
        curl_easy_setopt(run->easy, CURLOPT_CAINFO, getenv("SSL_CERT_FILE"));
    if (f->body.p) {
        curl_easy_setopt(run->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)f->body.n);
        curl_easy_setopt(run->easy, CURLOPT_POSTFIELDS, f->body.p);
    }
    return true;
}

static void ended(struct arena *mem, struct running *run, CURLcode code)
{
    struct fetch *f = run->fetch;
    char *type = NULL, *url = NULL;
    long status = 0;

    curl_easy_getinfo(run->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(run->easy, CURLINFO_CONTENT_TYPE, &type);
    curl_easy_getinfo(run->easy, CURLINFO_EFFECTIVE_URL, &url);
    f->status = (int)status;
    f->content_type = str_copy(mem, str_of(type));
    f->final_url = str_copy(mem, str_of(url));
    f->response = buf_str(&run->body);
    if (code == CURLE_OK)
        f->result = OK;
    else if (run->refused)
        f->result = error_set(&f->err, INVALID, "%.*s is not on the public Internet", STR(f->final_url));
    else if (buf_failed(&run->body))
        f->result = error_set(&f->err, TOO_BIG, "%.*s is larger than %zu bytes", STR(f->url), run->body.max);
    else
        f->result = error_set(&f->err, code == CURLE_OPERATION_TIMEDOUT ? TIMED_OUT : UNAVAILABLE, "%.*s: %s",
                              STR(f->url), run->message[0] ? run->message : curl_easy_strerror(code));
}

static void let_go(CURLM *multi, struct running *run)
{
    if (run->easy) {
        curl_multi_remove_handle(multi, run->easy);
        curl_easy_cleanup(run->easy);
        run->easy = NULL;
    }
    curl_slist_free_all(run->headers);
    run->headers = NULL;
}

/* Starts the next that can be started; false: there is none. */
static bool start_next(struct arena *mem, CURLM *multi, struct running *v, size_t n, size_t *next)
{
    while (*next < n) {
        struct running *run = &v[(*next)++];

        if (prepare(mem, run) && curl_multi_add_handle(multi, run->easy) == CURLM_OK)
            return true;
        run->fetch->result = error_set(&run->fetch->err, FAILED, "%.*s: out of memory", STR(run->fetch->url));
    }
    return false;
}

void fetch_run(struct arena *mem, const struct fetch_rules *rules, struct fetch *v, size_t n)
{
    struct running *runs = arena_new_array(mem, struct running, n + 1);
    CURLM *multi = curl_multi_init();
    size_t good = 0, next = 0;
    int left = 0, queued, still;
    CURLMsg *m;

    for (size_t i = 0; i < n; i++) {
        v[i].result = error_set(&v[i].err, INVALID, "%.*s is no address of a page", STR(v[i].url));
        if (multi && fetch_url_valid(v[i].url))
            runs[good++] = (struct running){ .fetch = &v[i], .rules = rules };
    }
    while (left < (rules->at_a_time > 0 ? rules->at_a_time : 10) && start_next(mem, multi, runs, good, &next))
        left++;
    while (left > 0 && curl_multi_perform(multi, &still) == CURLM_OK) {
        while ((m = curl_multi_info_read(multi, &queued))) {
            struct running *run = NULL;
            CURLcode code = m->data.result;

            if (m->msg != CURLMSG_DONE)
                continue;
            curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&run);
            ended(mem, run, code);
            let_go(multi, run);
            if (!start_next(mem, multi, runs, good, &next))
                left--;
        }
        if (left > 0 && curl_multi_poll(multi, NULL, 0, 1000, NULL) != CURLM_OK)
            break;
    }
    for (size_t i = 0; i < good; i++)
        let_go(multi, &runs[i]);
    curl_multi_cleanup(multi);
}
