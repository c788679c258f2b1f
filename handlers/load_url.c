/* load_url.c: POST /api/v1/tools/load/url and its like. Addresses of private networks are refused unless ENABLE_RAG_LOCAL_WEB_FETCH allows them. */
#include "handlers/load_url.h"

#include "lib/net/fetch.h"
#include "lib/tools/code_url.h"

enum { URL_MAX = 2083, CODE_MAX = 4 << 20 };

const struct field load_url_form[] = { FIELD(ANY, "url", REQUIRED), END };

static int wrong_url(struct request *r, struct response *out, const char *type, const char *msg, const char *ctx_name,
                     json_object *ctx_value)
{
    json_object *ctx = NULL;

    if (ctx_name) {
        ctx = json_new_object(r->mem);
        json_set(ctx, ctx_name, ctx_value);
    }
    return fail_form(out, "body", "url", type, msg, form_json(r, "url"), ctx);
}

static int broken_url(struct request *r, struct response *out, const char *why)
{
    return wrong_url(r, out, "url_parsing", str_f(r->mem, "Input should be a valid URL, %s", why).p, "error",
                     json_new_str(r->mem, str_of(why)));
}

/* 0, or the status of the complaint that pydantic's HttpUrl has. */
static int check_url(struct request *r, struct response *out, struct str url)
{
    size_t colon = str_find(url, S("://")), scheme_end = str_find_c(url, ':');
    struct str scheme = str_sub(url, 0, scheme_end), rest;

    if (!json_is(form_json(r, "url"), json_type_string))
        return wrong_url(r, out, "url_type", "URL input should be a string or URL", NULL, NULL);
    if (url.n > URL_MAX)
        return wrong_url(r, out, "url_too_long", "URL should have at most 2083 characters", "max_length",
                         json_new_int(r->mem, URL_MAX));
    if (url.n == 0)
        return broken_url(r, out, "input is empty");
    if (scheme_end == STR_NPOS || scheme_end == 0)
        return broken_url(r, out, "relative URL without a base");
    if (!str_ieq(scheme, "http") && !str_ieq(scheme, "https"))
        return wrong_url(r, out, "url_scheme", "URL scheme should be 'http' or 'https'", "expected_schemes",
                         json_new_str(r->mem, S("'http' or 'https'")));
    rest = str_from(url, colon + 3);
    if (colon != scheme_end || rest.n == 0 || strchr("/?#:", rest.p[0]))
        return broken_url(r, out, "empty host");
    return 0;
}

static int fail_load(struct response *out, int status, const char *what, const char *why)
{
    return fail(out, status, "Error importing %s: %s", what, why);
}

int load_code(struct request *r, struct response *out, const char *what)
{
    struct fetch_rules rules = { .allow_private = config_bool(r->config, CFG_ENABLE_RAG_LOCAL_WEB_FETCH),
                                 .max_bytes = CODE_MAX };
    struct fetch page = { .url = code_url_raw(r->mem, form_str(r, "url")) };
    json_object *o = json_new_object(r->mem);
    int status = check_url(r, out, form_str(r, "url"));

    if (status)
        return status;
    fetch_run(r->mem, &rules, &page, 1);
    if (page.result != OK)
        return fail_load(out,
                         page.result == UNAVAILABLE ? 502
                         : page.result == TIMED_OUT ? 504
                                                    : 400,
                         what, page.err.text);
    if (page.status != 200)
        return fail_load(out, 500, what, str_f(r->mem, "%d: Failed to fetch the %s", page.status, what).p);
    if (page.response.n == 0)
        return fail_load(out, 500, what, "400: No data received from the URL");
    if (!str_utf8_valid(page.response))
        return fail_load(out, 400, what, "what is there is no text");
    json_set_str(o, "name", code_url_name(page.url));
    json_set_str(o, "content", page.response);
    return reply_json(out, o);
}
