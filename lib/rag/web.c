/* web.c: pages, fetched here or by a service. */
#include "lib/rag/web.h"

#include "lib/base/log.h"
#include "lib/net/fetch.h"
#include "lib/net/http.h"
#include "lib/rag/load.h"

#define PLAYWRIGHT_TEXT \
    "The Playwright loader is not available here: choose another web loader in the admin settings, Web Search"
#define USER_AGENT "webui-fcgi web loader"

const char *web_missing(struct config *c)
{
    return str_is(config_str(c, CFG_WEB_LOADER_ENGINE), "playwright") ? PLAYWRIGHT_TEXT : NULL;
}

static struct fetch_rules rules_of(struct config *c)
{
    return (struct fetch_rules){ .allow_private = config_bool(c, CFG_ENABLE_RAG_LOCAL_WEB_FETCH),
                                 .insecure = !config_bool(c, CFG_ENABLE_WEB_LOADER_SSL_VERIFICATION),
                                 .at_a_time = (int)config_int(c, CFG_WEB_LOADER_CONCURRENT_REQUESTS) };
}

static void push(struct rag_documents *to, struct str text, json_object *metadata)
{
    to->v[to->n++] = (struct rag_document){ text, metadata };
}

/* ---- by ourselves */

/* "text/html; charset=utf-8" → utf-8 */
static struct str charset_of(struct str type)
{
    size_t at = str_find(type, S("charset="));
    struct str s = at == STR_NPOS ? STR_NONE : str_from(type, at + 8);

    return str_trim_c(str_sub(s, 0, str_find_c(s, ';')), "\"' ");
}

static bool is_text(struct str type)
{
    static const char *const kinds[] = { "text/",           "application/xhtml", "application/xml", "application/json",
                                         "application/rss", "application/atom" };

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (str_starts(type, kinds[i]))
            return true;
    return type.n == 0;
}

static bool is_plain(struct str type)
{
    return str_starts(type, "text/plain") || str_starts(type, "application/json") || str_starts(type, "text/csv") ||
           str_starts(type, "text/markdown");
}

static enum status read_page(struct arena *mem, const struct fetch *f, struct rag_documents *out, struct error *err)
{
    struct str type = str_lower(mem, f->content_type);
    json_object *metadata = json_new_object(mem);
    struct rag_documents read = { NULL, 0 };
    enum status st;

    if (f->result != OK)
        return error_set(err, f->result, "%s", f->err.text);
    if (!is_text(type))
        return error_set(err, INVALID, "%.*s is no page but %.*s", STR(f->url), STR(type));
    json_set_str(metadata, "source", f->url);
    if (is_plain(type) && str_utf8_valid(f->response) && str_find_c(f->response, '\0') == STR_NPOS) {
        push(out, f->response, metadata);
        return OK;
    }
    st = rag_load_page(mem, f->response, charset_of(type), &read, err);
    if (st != OK)
        return st;
    if (read.n != 1)
        return error_set(err, FAILED, "%.*s is no single page", STR(f->url));
    json_merge(metadata, read.v[0].metadata);
    push(out, read.v[0].text, metadata);
    return OK;
}

static enum status load_here(const struct rag *rag, const struct str *urls, size_t n, struct rag_documents *out,
                             struct error *err)
{
    struct fetch_rules rules = rules_of(rag->config);
    struct fetch *pages = arena_new_array(rag->mem, struct fetch, n + 1);

    (void)err;
    for (size_t i = 0; i < n; i++)
        pages[i] = (struct fetch){ .url = urls[i],
                                   .accept = S("text/html,application/xhtml+xml,text/plain;q=0.9,*/*;q=0.8") };
    fetch_run(rag->mem, &rules, pages, n);
    for (size_t i = 0; i < n; i++) {
        struct error why = { "" };

        if (read_page(rag->mem, &pages[i], out, &why) != OK)
            log_warning("a page is left out: %s", why.text);
    }
    return OK;
}

/* ---- by services, which are asked for addresses that we might fetch ourselves and for no others */

static json_object *ask(const struct rag *rag, struct str url, struct str key, json_object *body)
{
    struct http_header headers[] = { { S("Content-Type"), S("application/json") },
                                     { S("User-Agent"), S(USER_AGENT) },
                                     { S("Authorization"), str_f(rag->mem, "Bearer %.*s", STR(key)) } };
    struct http_call call = { .method = "POST",
                              .url = url,
                              .headers = headers,
                              .headers_n = 3,
                              .body = json_text(rag->mem, body),
                              .timeout_ms = 60000 };

    http_run(rag->mem, &call, 1);
    if (call.result == OK && call.status < 400)
        return json_parse_or_null(rag->mem, call.response);
    log_warning("pages are left out: %.*s: %s (%d)", STR(url), call.err.text, call.status);
    return NULL;
}

static json_object *list_of(const struct rag *rag, const struct str *urls, size_t n)
{
    json_object *list = json_new_array(rag->mem);

    for (size_t i = 0; i < n; i++)
        json_push_str(list, urls[i]);
    return list;
}

static void take_results(const struct rag *rag, json_object *results, const char *text, size_t room,
                         struct rag_documents *out)
{
    JSON_EACH (results, i, one) {
        json_object *metadata = json_get(one, "metadata");

        if (out->n == room || !json_str(one, text).n)
            continue;
        if (!json_is(metadata, json_type_object)) {
            metadata = json_new_object(rag->mem);
            json_set_str(metadata, "source", json_str(one, "url"));
        }
        push(out, json_str(one, text), metadata);
    }
}

static enum status load_external(const struct rag *rag, const struct str *urls, size_t n, struct rag_documents *out,
                                 struct error *err)
{
    json_object *body = json_new_object(rag->mem);

    (void)err;
    json_set(body, "urls", list_of(rag, urls, n));
    take_results(rag,
                 ask(rag, config_str(rag->config, CFG_EXTERNAL_WEB_LOADER_URL),
                     config_str(rag->config, CFG_EXTERNAL_WEB_LOADER_API_KEY), body),
                 "page_content", n, out);
    return OK;
}

static enum status load_tavily(const struct rag *rag, const struct str *urls, size_t n, struct rag_documents *out,
                               struct error *err)
{
    json_object *body = json_new_object(rag->mem);

    (void)err;
    json_set(body, "urls", list_of(rag, urls, n));
    json_set_str(body, "extract_depth", config_str(rag->config, CFG_TAVILY_EXTRACT_DEPTH));
    take_results(rag,
                 json_get(ask(rag, S("https://api.tavily.com/extract"), config_str(rag->config, CFG_TAVILY_API_KEY),
                              body),
                          "results"),
                 "raw_content", n, out);
    return OK;
}

static enum status load_firecrawl(const struct rag *rag, const struct str *urls, size_t n, struct rag_documents *out,
                                  struct error *err)
{
    struct str base = str_trim_c(config_str(rag->config, CFG_FIRECRAWL_API_BASE_URL), "/");

    (void)err;
    for (size_t i = 0; i < n; i++) {
        json_object *body = json_new_object(rag->mem), *data, *metadata;

        json_set_str(body, "url", urls[i]);
        json_push_str(json_set_array(body, "formats"), S("markdown"));
        data = json_get(ask(rag, str_f(rag->mem, "%.*s/v1/scrape", STR(base)),
                            config_str(rag->config, CFG_FIRECRAWL_API_KEY), body),
                        "data");
        if (!json_str(data, "markdown").n)
            continue;
        metadata = json_new_object(rag->mem);
        if (json_is(json_get(data, "metadata"), json_type_object))
            json_merge(metadata, json_get(data, "metadata"));
        if (!json_str(metadata, "source").n)
            json_set_str(metadata, "source", urls[i]);
        push(out, json_str(data, "markdown"), metadata);
    }
    return OK;
}

static enum status load_playwright(const struct rag *rag, const struct str *urls, size_t n, struct rag_documents *out,
                                   struct error *err)
{
    (void)rag;
    (void)urls;
    (void)n;
    (void)out;
    return error_set(err, INVALID, PLAYWRIGHT_TEXT);
}

static const struct {
    const char *engine;
    bool elsewhere;
    enum status (*load)(const struct rag *rag, const struct str *urls, size_t n, struct rag_documents *out,
                        struct error *err);
} loaders[] = {
    { "", false, load_here },        { "safe_web", false, load_here },      { "external", true, load_external },
    { "tavily", true, load_tavily }, { "firecrawl", true, load_firecrawl }, { "playwright", true, load_playwright },
};

/* What a service may be asked for: an address that is one, and of a public server unless the settings allow others. */
static bool may_ask_for(const struct rag *rag, struct str url)
{
    if (fetch_url_valid(url) &&
        (config_bool(rag->config, CFG_ENABLE_RAG_LOCAL_WEB_FETCH) || fetch_host_public(rag->mem, url)))
        return true;
    log_warning("a page is left out: %.*s is not to be fetched", STR(url));
    return false;
}

enum status web_load(const struct rag *rag, const struct str *urls, size_t n, struct rag_documents *out,
                     struct error *err)
{
    struct str name = config_str(rag->config, CFG_WEB_LOADER_ENGINE);
    struct str *asked = arena_new_array(rag->mem, struct str, n + 1);
    size_t asked_n = 0;

    for (size_t i = 0; i < sizeof(loaders) / sizeof(loaders[0]); i++) {
        if (!str_is(name, loaders[i].engine))
            continue;
        for (size_t k = 0; k < n; k++)
            if (!loaders[i].elsewhere || may_ask_for(rag, urls[k]))
                asked[asked_n++] = urls[k];
        *out = (struct rag_documents){ arena_new_array(rag->mem, struct rag_document, n + 1), 0 };
        return loaders[i].load(rag, asked, asked_n, out, err);
    }
    return error_set(
        err, INVALID,
        "Invalid WEB_LOADER_ENGINE: %.*s. Please set it to 'safe_web', 'firecrawl', 'tavily' or 'external'.",
        STR(name));
}
