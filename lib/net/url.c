/* url.c: URLs as curl reads them, which is who follows them. */
#include "lib/net/url.h"

#include <curl/curl.h>
#include <strings.h>

struct origin {
    char *scheme, *host, *port;
};

static bool origin_of(struct str url, struct origin *o)
{
    struct arena *mem = arena_new(512);
    CURLU *u = curl_url();
    bool good = u && !memchr(url.p ? url.p : "", '\0', url.n) &&
                curl_url_set(u, CURLUPART_URL, str_c(mem, url), 0) == CURLUE_OK &&
                curl_url_get(u, CURLUPART_SCHEME, &o->scheme, 0) == CURLUE_OK &&
                curl_url_get(u, CURLUPART_HOST, &o->host, 0) == CURLUE_OK &&
                curl_url_get(u, CURLUPART_PORT, &o->port, CURLU_DEFAULT_PORT) == CURLUE_OK;

    curl_url_cleanup(u);
    arena_free(mem);
    return good && (strcmp(o->scheme, "http") == 0 || strcmp(o->scheme, "https") == 0);
}

static void origin_free(struct origin *o)
{
    curl_free(o->scheme);
    curl_free(o->host);
    curl_free(o->port);
}

bool url_same_origin(struct str a, struct str b)
{
    struct origin one = { 0 }, two = { 0 };
    bool good = origin_of(a, &one), same;

    good &= origin_of(b, &two);
    same = good && strcmp(one.scheme, two.scheme) == 0 && strcasecmp(one.host, two.host) == 0 &&
           strcmp(one.port, two.port) == 0;
    origin_free(&one);
    origin_free(&two);
    return same;
}
