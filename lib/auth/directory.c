/* directory.c: libldap over a connection of libcurl's (openldap.h's ldap_init_fd, with a Sockbuf_IO of ours). */
#include "lib/auth/directory.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <ldap.h>
#include <openldap.h>
#include <poll.h>
#include <sys/time.h>

#include "lib/base/clock.h"

enum { MAX_ANSWER = 4 * 1024 * 1024, MAX_ENTRIES = 10, PORT_PLAIN = 389, PORT_TLS = 636 };

/* libldap connects again by itself when its connection is gone: here it finds nobody, and no password goes anywhere in the clear. */
#define NOWHERE "ldapi://%2Fdev%2Fnull"

struct directory {
    CURL *easy;
    LDAP *ld;
    LDAPMessage *found;
    int64_t until_ms; /* mono_ms() */
    curl_socket_t fd;
    bool ended;      /* the server closed it */
    size_t at, held; /* what was read ahead */
    char ahead[4096];
};

/* ---- where it is */

static bool takes(struct str *s, const char *prefix)
{
    size_t n = strlen(prefix);

    if (!str_ieq(str_sub(*s, 0, n), prefix))
        return false;
    *s = str_from(*s, n);
    return true;
}

static bool host_possible(struct str host)
{
    for (size_t i = 0; i < host.n; i++) {
        unsigned char c = (unsigned char)host.p[i];

        if (c <= ' ' || c == 0x7F || strchr("/\\@?#%[]<>\"", c))
            return false;
    }
    return host.n > 0 && host.n < 256;
}

bool directory_address(struct arena *mem, struct str host, int64_t port, bool tls, struct directory_address *out)
{
    struct str number = STR_NONE;
    struct in6_addr v6;
    size_t end;

    host = str_trim(host);
    if (takes(&host, "ldap://"))
        tls = false, host = str_trim_c(host, "/");
    else if (takes(&host, "ldaps://"))
        tls = true, host = str_trim_c(host, "/");
    if (inet_pton(AF_INET6, str_c(mem, host), &v6) == 1) {
        end = host.n;
    } else if (str_starts(host, "[")) {
        end = str_find_c(host, ']');
        if (end == STR_NPOS)
            return false;
        number = str_from(host, end + 1);
        if (number.n && number.p[0] != ':')
            return false;
        host = str_sub(host, 1, end - 1);
        number = str_from(number, 1);
        if (inet_pton(AF_INET6, str_c(mem, host), &v6) != 1)
            return false;
    } else {
        end = str_find_c(host, ':');
        if (end != STR_NPOS) {
            number = str_from(host, end + 1);
            host = str_sub(host, 0, end);
        }
        if (str_find_c(number, ':') != STR_NPOS)
            return false;
    }
    if (number.n && !str_to_i64(number, &port))
        return false;
    if (port == 0)
        port = tls ? PORT_TLS : PORT_PLAIN;
    if (port < 1 || port > 65535 || !host_possible(host))
        return false;
    *out = (struct directory_address){ .host = str_copy(mem, host), .port = (int)port, .tls = tls };
    return true;
}

/* ---- its bytes: what libldap calls */

static int wire_setup(Sockbuf_IO_Desc *desc, void *arg)
{
    desc->sbiod_pvt = arg;
    return 0;
}

static int wire_nothing(Sockbuf_IO_Desc *desc)
{
    (void)desc;
    return 0;
}

/* libldap asks before it waits for the socket: OpenSSL may hold decrypted bytes that the socket no longer tells of. */
static int wire_ctrl(Sockbuf_IO_Desc *desc, int what, void *arg)
{
    struct directory *d = desc->sbiod_pvt;
    size_t n = 0;

    (void)arg;
    if (what != LBER_SB_OPT_DATA_READY)
        return 0;
    if (!d->held && !d->ended) {
        CURLcode code = curl_easy_recv(d->easy, d->ahead, sizeof(d->ahead), &n);

        d->at = 0;
        d->held = code == CURLE_OK ? n : 0;
        d->ended = code == CURLE_OK ? n == 0 : code != CURLE_AGAIN;
    }
    return d->held || d->ended;
}

static ber_slen_t wire_read(Sockbuf_IO_Desc *desc, void *out, ber_len_t n)
{
    struct directory *d = desc->sbiod_pvt;

    if (!wire_ctrl(desc, LBER_SB_OPT_DATA_READY, NULL)) {
        errno = EAGAIN;
        return -1;
    }
    if (!d->held)
        return 0;
    if (n > d->held)
        n = d->held;
    memcpy(out, d->ahead + d->at, n);
    d->at += n;
    d->held -= n;
    return (ber_slen_t)n;
}

static ber_slen_t wire_write(Sockbuf_IO_Desc *desc, void *bytes, ber_len_t n)
{
    struct directory *d = desc->sbiod_pvt;
    struct pollfd p = { .fd = d->fd, .events = POLLOUT };
    size_t sent = 0;
    CURLcode code;

    while ((code = curl_easy_send(d->easy, bytes, n, &sent)) == CURLE_AGAIN) {
        int64_t left_ms = d->until_ms - mono_ms();

        if (left_ms <= 0 || (poll(&p, 1, (int)left_ms) < 0 && errno != EINTR))
            break;
    }
    if (code == CURLE_OK)
        return (ber_slen_t)sent;
    errno = code == CURLE_AGAIN ? ETIMEDOUT : EPIPE;
    return -1;
}

static Sockbuf_IO wire = { wire_setup, wire_nothing, wire_ctrl, wire_read, wire_write, wire_nothing };

/* ---- opening and closing */

static enum status connect_error(CURLcode code, const char *message, struct error *err)
{
    enum status st;

    switch (code) {
    case CURLE_OPERATION_TIMEDOUT: st = TIMED_OUT; break;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT: st = UNAVAILABLE; break;
    default: st = FAILED; break;
    }
    return error_set(err, st, "could not connect: %s", message[0] ? message : curl_easy_strerror(code));
}

/* An http address with CURLOPT_CONNECT_ONLY is a TCP connection, an https one the same with TLS: nothing of HTTP is spoken. */
static enum status connect_to(struct arena *mem, CURL *easy, const struct directory_options *o, struct error *err)
{
    bool v6 = str_find_c(o->address.host, ':') != STR_NPOS;
    char *message = arena_zalloc(mem, CURL_ERROR_SIZE);
    CURLcode code;

    curl_easy_setopt(easy, CURLOPT_URL,
                     str_f(mem, "%s://%s%.*s%s:%d/", o->address.tls ? "https" : "http", v6 ? "[" : "",
                           STR(o->address.host), v6 ? "]" : "", o->address.port)
                         .p);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* not even the environment's */
    curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, message);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)DIRECTORY_CONNECT_MS);
    curl_easy_setopt(easy, CURLOPT_SSL_ENABLE_ALPN, 0L);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, o->verify ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, o->verify ? 2L : 0L);
    if (o->ca_file)
        curl_easy_setopt(easy, CURLOPT_CAINFO, o->ca_file);
    if (o->ca_file)
        curl_easy_setopt(easy, CURLOPT_CAPATH, NULL); /* these and no others */
    if (o->ciphers)
        curl_easy_setopt(easy, CURLOPT_SSL_CIPHER_LIST, o->ciphers);
    code = curl_easy_perform(easy);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, NULL);
    return code == CURLE_OK ? OK : connect_error(code, message, err);
}

static bool set_up(struct directory *d)
{
    int version = LDAP_VERSION3, deref = LDAP_DEREF_ALWAYS;
    ber_len_t most = MAX_ANSWER;
    Sockbuf *sb;

    if (curl_easy_getinfo(d->easy, CURLINFO_ACTIVESOCKET, &d->fd) != CURLE_OK || d->fd == CURL_SOCKET_BAD)
        return false;
    if (ldap_init_fd(d->fd, LDAP_PROTO_EXT, NOWHERE, &d->ld) != LDAP_SUCCESS)
        return false;
    /* Referrals would send the password to a server that nobody has named. */
    return ldap_set_option(d->ld, LDAP_OPT_PROTOCOL_VERSION, &version) == LDAP_OPT_SUCCESS &&
           ldap_set_option(d->ld, LDAP_OPT_REFERRALS, LDAP_OPT_OFF) == LDAP_OPT_SUCCESS &&
           ldap_set_option(d->ld, LDAP_OPT_DEREF, &deref) == LDAP_OPT_SUCCESS &&
           ldap_get_option(d->ld, LDAP_OPT_SOCKBUF, &sb) == LDAP_OPT_SUCCESS &&
           ber_sockbuf_add_io(sb, &wire, LBER_SBIOD_LEVEL_PROVIDER, d) == 0 &&
           ber_sockbuf_ctrl(sb, LBER_SB_OPT_SET_MAX_INCOMING, &most) == 1;
}

enum status directory_open(struct arena *mem, const struct directory_options *o, struct directory **out,
                           struct error *err)
{
    struct directory *d = arena_new_one(mem, struct directory);
    enum status st;

    d->until_ms = mono_ms() + DIRECTORY_TOTAL_MS;
    d->easy = curl_easy_init();
    st = d->easy ? connect_to(mem, d->easy, o, err) : error_set(err, FAILED, "libcurl cannot start");
    if (st == OK && !set_up(d))
        st = error_set(err, FAILED, "libldap cannot use the connection");
    if (st == OK)
        *out = d;
    else
        directory_close(d);
    return error_add(err, st, "directory %.*s:%d", STR(o->address.host), o->address.port);
}

void directory_close(struct directory *d)
{
    if (!d)
        return;
    ldap_msgfree(d->found);
    if (d->ld)
        ldap_unbind_ext(d->ld, NULL, NULL);
    if (d->easy)
        curl_easy_cleanup(d->easy);
}

/* ---- what is asked of it */

/* What is left of the time; at least a moment, as none means for ever. */
static struct timeval left(const struct directory *d)
{
    int64_t ms = d->until_ms - mono_ms();

    if (ms < 10)
        ms = 10;
    return (struct timeval){ .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
}

static enum status answer(struct directory *d, int rc, enum status refused, const char *doing, struct error *err)
{
    char *more = NULL;
    enum status st;

    switch (rc) {
    case LDAP_SUCCESS: return OK;
    case LDAP_TIMEOUT:
    case LDAP_TIMELIMIT_EXCEEDED: st = TIMED_OUT; break;
    case LDAP_SERVER_DOWN:
    case LDAP_CONNECT_ERROR:
    case LDAP_BUSY:
    case LDAP_UNAVAILABLE: st = UNAVAILABLE; break;
    default: st = LDAP_API_ERROR(rc) ? FAILED : refused; break;
    }
    ldap_get_option(d->ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, &more);
    error_set(err, st, "%s: %s%s%s", doing, ldap_err2string(rc), more && more[0] ? ": " : "", more ? more : "");
    ldap_memfree(more);
    return st;
}

enum status directory_bind(struct directory *d, struct str dn, struct str password, struct error *err)
{
    struct berval secret = { .bv_len = password.n, .bv_val = (char *)(password.p ? password.p : "") };
    struct timeval time = left(d);
    char name[4096];

    if (dn.n >= sizeof(name) || (dn.n && memchr(dn.p, 0, dn.n)))
        return error_set(err, FAILED, "a name that cannot be");
    memcpy(name, dn.p ? dn.p : "", dn.n);
    name[dn.n] = '\0';
    ldap_set_option(d->ld, LDAP_OPT_TIMEOUT, &time);
    return answer(d, ldap_sasl_bind_s(d->ld, name, LDAP_SASL_SIMPLE, &secret, NULL, NULL, NULL), NOT_FOUND,
                  "the name and password are not taken", err);
}

enum status directory_bind_as(struct directory *d, struct str dn, struct str password, struct error *err)
{
    if (!dn.n || !password.n)
        return error_set(err, NOT_FOUND, "no name or no password");
    return directory_bind(d, dn, password, err);
}

enum status directory_search(struct directory *d, const char *base, const char *filter, char **attributes,
                             struct error *err)
{
    struct timeval time = left(d);
    enum status st;
    int rc;

    ldap_msgfree(d->found);
    d->found = NULL;
    rc = ldap_search_ext_s(d->ld, base, LDAP_SCOPE_SUBTREE, filter, attributes, 0, NULL, NULL, &time, MAX_ENTRIES,
                           &d->found);
    if (rc == LDAP_SIZELIMIT_EXCEEDED)
        rc = LDAP_SUCCESS;
    st = rc == LDAP_NO_SUCH_OBJECT ? error_set(err, NOT_FOUND, "the search base is not there")
                                   : answer(d, rc, FAILED, "the search is refused", err);
    return st != OK || ldap_first_entry(d->ld, d->found) ? st : error_set(err, NOT_FOUND, "nobody of that name");
}

size_t directory_values(struct arena *mem, struct directory *d, const char *attribute, struct str **out)
{
    struct berval **values = ldap_get_values_len(d->ld, ldap_first_entry(d->ld, d->found), attribute);
    size_t n = values ? (size_t)ldap_count_values_len(values) : 0;

    *out = arena_new_array(mem, struct str, n ? n : 1);
    for (size_t i = 0; i < n; i++)
        (*out)[i] = str_copy(mem, str_n(values[i]->bv_val, values[i]->bv_len));
    ldap_value_free_len(values);
    return n;
}

struct str directory_dn(struct arena *mem, struct directory *d)
{
    char *dn = ldap_get_dn(d->ld, ldap_first_entry(d->ld, d->found));
    struct str out = dn ? str_copy(mem, str_of(dn)) : STR_NONE;

    ldap_memfree(dn);
    return out;
}
