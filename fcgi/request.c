/* request.c: what a handler asks its request for. */
#include "fcgi/request.h"

#include <ctype.h>

#include "fcgi/query.h"

static struct str param_n(const struct request *r, const char *name, size_t n)
{
    for (char **p = r->params; p && *p; p++)
        if (strncmp(*p, name, n) == 0 && (*p)[n] == '=')
            return str_of(*p + n + 1);
    return STR_NONE;
}

struct str request_param(const struct request *r, const char *name)
{
    return param_n(r, name, strlen(name));
}

struct str request_header(const struct request *r, const char *name)
{
    char param[128] = "HTTP_";
    size_t n = sizeof("HTTP_") - 1;

    if (str_ieq(str_of(name), "Content-Type") || str_ieq(str_of(name), "Content-Length"))
        n = 0;
    else if (str_ieq(str_of(name), "Proxy")) /* would become HTTP_PROXY (httpoxy): nobody asks for it in earnest */
        return STR_NONE;
    for (const char *p = name; *p && n < sizeof(param) - 1; p++)
        param[n++] = *p == '-' ? '_' : (char)toupper((unsigned char)*p);
    return param_n(r, param, n);
}

struct str request_cookie(const struct request *r, const char *name)
{
    return cookie_find(request_header(r, "Cookie"), name);
}

/* X-Forwarded-Proto is anybody's word; a web server that trusts its proxy says so by HTTPS (lighttpd: mod_extforward, Apache: mod_remoteip). */
bool request_is_https(const struct request *r)
{
    return str_ieq(request_param(r, "HTTPS"), "on") || str_is(request_param(r, "HTTPS"), "1") ||
           str_is(request_param(r, "REQUEST_SCHEME"), "https");
}

/* A client's Host stands in addresses that we give out: only what a host and a port may hold is taken. */
static bool host_is_clean(struct str host)
{
    for (size_t i = 0; i < host.n; i++)
        if (!isalnum((unsigned char)host.p[i]) && !strchr(".-_:[]", host.p[i]))
            return false;
    return host.n > 0 && host.n < 300;
}

struct str request_base_url(const struct request *r)
{
    struct str host = request_header(r, "Host"), url = config_str(r->config, CFG_WEBUI_URL), rest;
    const char *scheme = request_is_https(r) ? "https" : "http";
    size_t n;

    if (!host_is_clean(host)) {
        host = request_param(r, "SERVER_NAME");
        if (!host_is_clean(host))
            host = S("localhost");
    }
    n = str_find(url, S("://"));
    rest = n == STR_NPOS ? STR_NONE : str_from(url, n + 3);
    rest = str_sub(rest, 0, str_find_c(rest, '/'));
    if (rest.n && str_eq(str_lower(r->mem, rest), str_lower(r->mem, host)))
        scheme = str_starts(url, "https://") ? "https" : scheme;
    return str_f(r->mem, "%s://%.*s/", scheme, STR(host));
}

struct str path_arg(const struct request *r, const char *name)
{
    for (int i = 0; i < r->args_n; i++)
        if (str_is(r->args[i].name, name))
            return r->args[i].value;
    return STR_NONE;
}

bool query_has(const struct request *r, const char *name)
{
    return query_last(r->mem, r->query, name).p != NULL;
}

struct str query_str(const struct request *r, const char *name)
{
    return query_last(r->mem, r->query, name);
}

int64_t query_int(const struct request *r, const char *name, int64_t otherwise)
{
    int64_t v;

    return lax_int(query_last(r->mem, r->query, name), &v) == NUMBER_OK ? v : otherwise;
}

bool query_bool(const struct request *r, const char *name, bool otherwise)
{
    bool v;

    return lax_bool(query_last(r->mem, r->query, name), &v) ? v : otherwise;
}

const struct part *request_part(const struct request *r, const char *name)
{
    for (size_t i = r->parts_n; i-- > 0;)
        if (str_is(r->parts[i].name, name))
            return &r->parts[i];
    return NULL;
}
