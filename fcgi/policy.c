/* policy.c: CORS as Starlette's middleware has it, but "*" never comes with credentials; security headers from the environment. */
#include "fcgi/policy.h"

#include <ctype.h>
#include <strings.h>

#include "fcgi/router.h"

/* ---- security headers */

static bool one_of(struct str s, const char *list)
{
    struct str rest = str_of(list), word;

    while (str_split(&rest, ' ', &word))
        if (word.n == s.n && strncasecmp(word.p, s.p, s.n) == 0)
            return true;
    return false;
}

static size_t digits(struct str s)
{
    size_t n = 0;

    while (n < s.n && isdigit((unsigned char)s.p[n]))
        n++;
    return n;
}

static bool starts_nocase(struct str s, const char *prefix)
{
    return s.n >= strlen(prefix) && strncasecmp(s.p, prefix, strlen(prefix)) == 0;
}

static bool valid_hsts(struct str s)
{
    static const char *const more[] = { ";includeSubDomains", ";preload" };
    size_t n;

    if (!starts_nocase(s, "max-age="))
        return false;
    s = str_from(s, sizeof("max-age=") - 1);
    n = digits(s);
    if (n == 0)
        return false;
    s = str_from(s, n);
    for (size_t i = 0; i < 2; i++)
        if (starts_nocase(s, more[i]))
            s = str_from(s, strlen(more[i]));
    return s.n == 0;
}

static bool valid_xframe(struct str s)
{
    return one_of(s, "DENY SAMEORIGIN");
}

/* "camera=(),microphone=(self)" of the features that there are. */
static bool valid_permissions(struct str s)
{
    static const char features[] =
        "accelerometer autoplay camera clipboard-read clipboard-write fullscreen geolocation gyroscope magnetometer "
        "microphone midi payment picture-in-picture sync-xhr usb xr-spatial-tracking";

    while (s.n) {
        size_t eq = str_find_c(s, '=');

        if (eq == STR_NPOS || !one_of(str_sub(s, 0, eq), features))
            return false;
        s = str_from(s, eq + 1);
        if (!starts_nocase(s, "()") && !starts_nocase(s, "(self)"))
            return false;
        s = str_from(s, str_find_c(s, ')') + 1);
        if (s.n && s.p[0] == ',')
            s = str_from(s, 1);
    }
    return true;
}

static bool valid_referrer(struct str s)
{
    return one_of(s, "no-referrer no-referrer-when-downgrade origin origin-when-cross-origin same-origin strict-origin "
                     "strict-origin-when-cross-origin unsafe-url");
}

static bool valid_cache_control(struct str s)
{
    struct str word;

    while (str_split(&s, ',', &word)) {
        word = str_trim(word);
        if (one_of(word, "public private no-cache no-store must-revalidate proxy-revalidate no-transform immutable"))
            continue;
        if (starts_nocase(word, "s-maxage="))
            word = str_from(word, sizeof("s-maxage=") - 1);
        else if (starts_nocase(word, "max-age="))
            word = str_from(word, sizeof("max-age=") - 1);
        else
            return false;
        if (word.n == 0 || digits(word) != word.n)
            return false;
    }
    return true;
}

static bool valid_noopen(struct str s)
{
    return str_is(s, "noopen");
}

static bool valid_nosniff(struct str s)
{
    return str_is(s, "nosniff");
}

static bool valid_cross_domain(struct str s)
{
    return one_of(s, "none master-only by-content-type by-ftp-filename");
}

static bool valid_any(struct str s)
{
    return s.n > 0;
}

static const struct {
    const char *variable, *name, *otherwise; /* what a value that makes no sense becomes */
    bool (*valid)(struct str value);
} security[] = {
    { "CACHE_CONTROL", "Cache-Control", "no-store, max-age=0", valid_cache_control },
    { "HSTS", "Strict-Transport-Security", "max-age=31536000;includeSubDomains", valid_hsts },
    { "PERMISSIONS_POLICY", "Permissions-Policy", "none", valid_permissions },
    { "REFERRER_POLICY", "Referrer-Policy", "no-referrer", valid_referrer },
    { "XCONTENT_TYPE", "X-Content-Type-Options", "nosniff", valid_nosniff },
    { "XDOWNLOAD_OPTIONS", "X-Download-Options", "noopen", valid_noopen },
    { "XFRAME_OPTIONS", "X-Frame-Options", "DENY", valid_xframe },
    { "XPERMITTED_CROSS_DOMAIN_POLICIES", "X-Permitted-Cross-Domain-Policies", "none", valid_cross_domain },
    { "CONTENT_SECURITY_POLICY", "Content-Security-Policy", "", valid_any },
};
enum { SECURITY_N = sizeof(security) / sizeof(*security) };

bool policy_security_header(const char *variable, struct str value, const char **name, struct str *header_value)
{
    for (size_t i = 0; i < SECURITY_N; i++) {
        if (strcmp(security[i].variable, variable) != 0 || value.n == 0)
            continue;
        *name = security[i].name;
        *header_value = security[i].valid(value) ? value : str_of(security[i].otherwise);
        return true;
    }
    return false;
}

/* The variable's value from the settings (the environment or .env), or from the environment where they do not list it. */
static struct str variable(const struct config *config, const char *name)
{
    for (size_t i = 0; i < CFG_COUNT; i++)
        if (strcmp(settings[i].env, name) == 0)
            return config_str(config, (enum setting_id)i);
    return str_of(getenv(name));
}

void policy_init(struct policy *p, struct arena *mem, const struct config *config)
{
    struct response lines;
    json_object *origins = config_json(config, CFG_CORS_ALLOW_ORIGIN);

    memset(p, 0, sizeof(*p));
    response_init(&lines, mem);
    for (size_t i = 0; i < SECURITY_N; i++) {
        const char *name;
        struct str value;

        if (policy_security_header(security[i].variable, variable(config, security[i].variable), &name, &value))
            response_header(&lines, name, value);
    }
    p->security = str_copy(mem, buf_str(&lines.headers));
    p->origins = arena_new_array(mem, struct str, json_length(origins));
    JSON_EACH (origins, i, item) {
        struct str origin = str_copy(mem, json_str_value(item));

        if (str_is(origin, "*"))
            p->any_origin = true;
        else if (origin.n)
            p->origins[p->origins_n++] = origin;
    }
}

/* ---- CORS */

static bool is_listed(const struct policy *p, struct str origin)
{
    for (size_t i = 0; i < p->origins_n; i++)
        if (str_eq(p->origins[i], origin))
            return true;
    return false;
}

bool policy_preflight(const struct policy *p, const struct request *r, struct response *out)
{
    struct str origin = request_header(r, "Origin"), method = request_header(r, "Access-Control-Request-Method");
    struct str headers = request_header(r, "Access-Control-Request-Headers");
    bool bad_origin, bad_method;

    if (r->method != OPTIONS || !origin.p || !method.p)
        return false;
    bad_origin = !p->any_origin && !is_listed(p, origin);
    bad_method = method_of(method) == METHOD_OTHER;
    reply_text(out, bad_origin || bad_method ? 400 : 200, "text/plain; charset=utf-8",
               !bad_origin && !bad_method ? S("OK")
                                          : str_f(out->mem, "Disallowed CORS %s%s%s", bad_origin ? "origin" : "",
                                                  bad_origin && bad_method ? ", " : "", bad_method ? "method" : ""));
    if (p->any_origin) {
        response_header(out, "Access-Control-Allow-Origin", S("*"));
    } else {
        response_header(out, "Vary", S("Origin"));
        response_header(out, "Access-Control-Allow-Credentials", S("true"));
        if (!bad_origin)
            response_header(out, "Access-Control-Allow-Origin", origin);
    }
    response_header(out, "Access-Control-Allow-Methods", S("DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"));
    response_header(out, "Access-Control-Max-Age", S("600"));
    if (headers.p)
        response_header(out, "Access-Control-Allow-Headers", headers);
    return true;
}

void policy_apply(const struct policy *p, const struct request *r, struct response *out)
{
    struct str origin = request_header(r, "Origin");

    buf_add_str(&out->headers, p->security);
    if (!origin.p)
        return;
    if (p->any_origin) {
        response_header(out, "Access-Control-Allow-Origin", S("*"));
    } else if (is_listed(p, origin)) {
        response_header(out, "Access-Control-Allow-Origin", origin);
        response_header(out, "Access-Control-Allow-Credentials", S("true"));
        response_header(out, "Vary", S("Origin"));
    }
}
