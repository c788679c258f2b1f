/* transfer.c: a curl handle between a descriptor and a server. */
#include "lib/net/transfer.h"

#include <curl/curl.h>
#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/net/address.h"

enum { COMPLAINT_MAX = 4096, IDLE_S = 120, CONNECT_MS = 10 * 1000 };

struct running {
    struct transfer *t;
    CURL *easy;
    struct curl_slist *headers;
    struct buf complaint;
    int64_t had, done; /* bytes that were there before, and that are there now */
    int write_errno;
    bool too_big, started;
    char message[CURL_ERROR_SIZE];
};

static int64_t size_of(int fd)
{
    struct stat s;

    return fstat(fd, &s) == 0 ? s.st_size : 0;
}

static long status_of(struct running *run)
{
    long status = 0;

    curl_easy_getinfo(run->easy, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

/* A server that does not know Range sends all of it again. */
static bool start_writing(struct running *run)
{
    run->started = true;
    if (run->had && status_of(run) != 206) {
        run->had = run->done = 0;
        if (ftruncate(run->t->fd, 0) != 0)
            return false;
    }
    return lseek(run->t->fd, run->done, SEEK_SET) >= 0;
}

static size_t take(char *bytes, size_t size, size_t n, void *arg)
{
    struct running *run = arg;
    struct str piece = str_n(bytes, n);

    (void)size;
    if (status_of(run) >= 300) {
        buf_add_str(&run->complaint, str_sub(piece, 0, COMPLAINT_MAX - run->complaint.n));
        return n;
    }
    if (run->t->max_bytes && run->done + (int64_t)n > run->t->max_bytes) {
        run->too_big = true;
        return 0;
    }
    errno = 0;
    if ((!run->started && !start_writing(run)) || write_all(run->t->fd, piece, NULL) != OK) {
        run->write_errno = errno ? errno : EIO;
        return 0;
    }
    run->done += (int64_t)n;
    return n;
}

static size_t give(char *to, size_t size, size_t n, void *arg)
{
    struct running *run = arg;
    ssize_t got;

    while ((got = pread(run->t->fd, to, size * n, run->done)) < 0 && errno == EINTR) {
    }
    if (got < 0)
        return CURL_READFUNC_ABORT;
    run->done += got;
    return (size_t)got;
}

static int on_progress(void *arg, curl_off_t down_total, curl_off_t down, curl_off_t up_total, curl_off_t up)
{
    struct running *run = arg;

    if (!run->t->progress || status_of(run) >= 300)
        return 0;
    if (up_total)
        run->t->progress(run->t->arg, up, up_total);
    else if (run->started)
        run->t->progress(run->t->arg, run->had + down, down_total ? run->had + down_total : 0);
    return 0;
}

static curl_socket_t open_public(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
    (void)arg;
    (void)purpose;
    return address_is_public(&a->addr) ? socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol) : CURL_SOCKET_BAD;
}

static bool has_break(struct str s)
{
    return str_find_c(s, '\r') != STR_NPOS || str_find_c(s, '\n') != STR_NPOS || str_find_c(s, '\0') != STR_NPOS;
}

static bool add_headers(struct arena *mem, struct running *run)
{
    for (size_t i = 0; i < run->t->headers_n; i++) {
        const struct http_header *h = &run->t->headers[i];

        if (has_break(h->name) || has_break(h->value))
            return false;
        run->headers = curl_slist_append(run->headers, str_f(mem, "%.*s: %.*s", STR(h->name), STR(h->value)).p);
    }
    run->headers = curl_slist_append(run->headers, "Expect:");
    return true;
}

static bool begin(struct arena *mem, struct transfer *t, struct running *run)
{
    *run = (struct running){ .t = t, .easy = curl_easy_init(), .complaint = BUF(mem, COMPLAINT_MAX) };
    if (!run->easy || has_break(t->url) || !add_headers(mem, run))
        return false;
    curl_easy_setopt(run->easy, CURLOPT_URL, str_c(mem, t->url));
    curl_easy_setopt(run->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(run->easy, CURLOPT_REDIR_PROTOCOLS_STR, str_starts(t->url, "https:") ? "https" : "http,https");
    curl_easy_setopt(run->easy, CURLOPT_HTTPHEADER, run->headers);
    curl_easy_setopt(run->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(run->easy, CURLOPT_ERRORBUFFER, run->message);
    curl_easy_setopt(run->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    curl_easy_setopt(run->easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(run->easy, CURLOPT_LOW_SPEED_TIME, (long)(t->idle_s ? t->idle_s : IDLE_S));
    curl_easy_setopt(run->easy, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(run->easy, CURLOPT_WRITEDATA, run);
    curl_easy_setopt(run->easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(run->easy, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(run->easy, CURLOPT_XFERINFODATA, run);
    if (t->public_only) {
        curl_easy_setopt(run->easy, CURLOPT_PROXY, "");
        curl_easy_setopt(run->easy, CURLOPT_OPENSOCKETFUNCTION, open_public);
    }
    if (t->insecure) {
        curl_easy_setopt(run->easy, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(run->easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    return true;
}

static enum status outcome(struct running *run, CURLcode code, struct error *err)
{
    struct transfer *t = run->t;

    t->status = (int)status_of(run);
    t->complaint = buf_str(&run->complaint);
    if (run->too_big)
        return error_set(err, TOO_BIG, "the file is larger than %lld bytes", (long long)t->max_bytes);
    if (run->write_errno)
        return error_set(err, run->write_errno == ENOSPC || run->write_errno == EDQUOT ? NO_SPACE : FAILED,
                         "could not write the file: %s", strerror(run->write_errno));
    if (code != CURLE_OK)
        return error_set(err, code == CURLE_OPERATION_TIMEDOUT ? TIMED_OUT : UNAVAILABLE, "%s",
                         run->message[0] ? run->message : curl_easy_strerror(code));
    if (t->status >= 300 || t->status == 0)
        return error_set(err, t->status == 404 ? NOT_FOUND : FAILED, "status %d", t->status);
    return OK;
}

static enum status end(struct running *run, CURLcode code, struct error *err)
{
    enum status st = outcome(run, code, err);

    curl_easy_cleanup(run->easy);
    curl_slist_free_all(run->headers);
    return st;
}

static enum status cannot(struct running *run, struct error *err)
{
    curl_easy_cleanup(run->easy);
    curl_slist_free_all(run->headers);
    return error_set(err, INVALID, "a line break in a header or address");
}

enum status transfer_get(struct arena *mem, struct transfer *t, struct error *err)
{
    struct running run;
    CURLcode code;

    if (!begin(mem, t, &run))
        return cannot(&run, err);
    run.had = run.done = size_of(t->fd);
    if (run.had)
        curl_easy_setopt(run.easy, CURLOPT_RESUME_FROM_LARGE, (curl_off_t)run.had);
    if (t->redirects) {
        curl_easy_setopt(run.easy, CURLOPT_FOLLOWLOCATION, 1L);
        curl_easy_setopt(run.easy, CURLOPT_MAXREDIRS, (long)t->redirects);
    }
    code = curl_easy_perform(run.easy);
    if (run.had && status_of(&run) == 416) { /* it was whole already */
        end(&run, CURLE_OK, NULL);
        t->status = 200;
        return OK;
    }
    if (code == CURLE_RANGE_ERROR && run.had) { /* no Range there: from the start */
        end(&run, code, NULL);
        if (ftruncate(t->fd, 0) != 0)
            return error_set(err, FAILED, "could not empty the file: %s", strerror(errno));
        return transfer_get(mem, t, err);
    }
    return end(&run, code, err);
}

enum status transfer_post(struct arena *mem, struct transfer *t, struct error *err)
{
    struct running run;

    if (!begin(mem, t, &run))
        return cannot(&run, err);
    curl_easy_setopt(run.easy, CURLOPT_POST, 1L);
    curl_easy_setopt(run.easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)size_of(t->fd));
    curl_easy_setopt(run.easy, CURLOPT_READFUNCTION, give);
    curl_easy_setopt(run.easy, CURLOPT_READDATA, &run);
    return end(&run, curl_easy_perform(run.easy), err);
}
