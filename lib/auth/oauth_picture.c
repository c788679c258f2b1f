/* oauth_picture.c: one GET, and a look at the first bytes. */
#include "lib/auth/oauth_picture.h"

#include "lib/base/encode.h"
#include "lib/net/http.h"

enum { MAX_PICTURE = 2 * 1024 * 1024, TOTAL_MS = 8000, CONNECT_MS = 4000 };

static const char *raster_type(struct str s)
{
    if (str_starts(s, "\x89PNG\r\n\x1a\n"))
        return "image/png";
    if (str_starts(s, "\xff\xd8\xff"))
        return "image/jpeg";
    if (str_starts(s, "GIF87a") || str_starts(s, "GIF89a"))
        return "image/gif";
    return s.n >= 12 && memcmp(s.p, "RIFF", 4) == 0 && memcmp(s.p + 8, "WEBP", 4) == 0 ? "image/webp" : NULL;
}

/* "https://host:port", in small letters. */
static struct str origin(struct arena *mem, struct str url)
{
    size_t start = str_find(url, S("://")), end;

    if (start == STR_NPOS)
        return STR_NONE;
    for (end = start + 3; end < url.n && !strchr("/?#", url.p[end]); end++)
        ;
    return str_lower(mem, str_sub(url, 0, end));
}

/* The administrator's own address for pictures (Microsoft Graph) may be anywhere. */
static bool is_providers(struct arena *mem, const struct oauth_provider *p, struct str url)
{
    struct str a = origin(mem, url), b = origin(mem, p->userinfo_url);

    return str_eq(url, p->picture_url) || (a.n && str_eq(a, b));
}

enum status oauth_picture_fetch(struct arena *mem, struct config *c, const struct oauth_provider *p, struct str url,
                                struct str access_token, struct str *data_url, struct error *err)
{
    struct http_header header = { S("Authorization"), str_f(mem, "Bearer %.*s", STR(access_token)) };
    struct http_call call = { .url = url,
                              .connect_timeout_ms = CONNECT_MS,
                              .timeout_ms = TOTAL_MS,
                              .max_bytes = MAX_PICTURE,
                              .public_only = !is_providers(mem, p, url) &&
                                             !config_bool(c, CFG_ENABLE_RAG_LOCAL_WEB_FETCH) };
    const char *type;

    if (access_token.n && is_providers(mem, p, url)) {
        call.headers = &header;
        call.headers_n = 1;
    }
    http_run(mem, &call, 1);
    if (call.result != OK || call.status != 200)
        return error_set(err, call.result == OK ? INVALID : call.result, "the picture: %s",
                         call.result == OK ? str_f(mem, "answered with %d", call.status).p : call.err.text);
    type = raster_type(call.response);
    if (!type)
        return error_set(err, INVALID, "the picture is none that can be shown");
    *data_url = str_f(mem, "data:%s;base64,%.*s", type, STR(base64_encode(mem, call.response)));
    return OK;
}
