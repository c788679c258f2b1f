/* fetch_url.c: which addresses of pages are any. */
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>

#include "lib/net/address.h"
#include "lib/net/fetch.h"

static bool host_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_' || (unsigned char)c >= 0x80;
}

static bool host_valid(struct str host)
{
    struct in6_addr v6;
    char text[64];

    if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']') {
        struct str inner = str_sub(host, 1, host.n - 2);

        if (inner.n >= sizeof(text))
            return false;
        memcpy(text, inner.p, inner.n);
        text[inner.n] = '\0';
        return inet_pton(AF_INET6, text, &v6) == 1;
    }
    for (size_t i = 0; i < host.n; i++)
        if (!host_char(host.p[i]))
            return false;
    return host.n > 2 && host.n < 254 && str_find_c(host, '.') != STR_NPOS && host.p[0] != '.' && !str_has(host, "..");
}

/* The host of a valid address of a page, in brackets if it is an IPv6 address; false: it is none. */
static bool host_of(struct str url, struct str *out)
{
    struct str rest, host, user;
    size_t end, at, colon;

    for (size_t i = 0; i < url.n; i++)
        if ((unsigned char)url.p[i] <= ' ' || url.p[i] == 0x7F || strchr("\"<>\\^`{|}", url.p[i]))
            return false;
    if (str_ieq(str_sub(url, 0, 7), "http://"))
        rest = str_from(url, 7);
    else if (str_ieq(str_sub(url, 0, 8), "https://"))
        rest = str_from(url, 8);
    else
        return false;
    for (end = 0; end < rest.n && !strchr("/?#", rest.p[end]); end++)
        ;
    host = str_sub(rest, 0, end);
    at = str_rfind_c(host, '@');
    user = at == STR_NPOS ? STR_NONE : str_sub(host, 0, at);
    if (str_find_c(user, '@') != STR_NPOS)
        return false;
    if (at != STR_NPOS)
        host = str_from(host, at + 1);
    colon = str_rfind_c(host, ':');
    if (colon != STR_NPOS && (host.n == 0 || host.p[host.n - 1] != ']')) {
        int64_t port;

        if (!str_to_i64(str_from(host, colon + 1), &port) || port < 1 || port > 65535)
            return false;
        host = str_sub(host, 0, colon);
    }
    *out = host;
    return host_valid(host) || str_ieq(host, "localhost");
}

bool fetch_url_valid(struct str url)
{
    struct str host;

    return host_of(url, &host);
}

bool fetch_host_public(struct arena *mem, struct str url)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *all = NULL;
    struct str host;
    bool good;

    if (!host_of(url, &host) || getaddrinfo(str_c(mem, str_trim_c(host, "[]")), NULL, &hints, &all) != 0)
        return false;
    good = all != NULL;
    for (struct addrinfo *a = all; a; a = a->ai_next)
        good = good && address_is_public(a->ai_addr);
    freeaddrinfo(all);
    return good;
}
