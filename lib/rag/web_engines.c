/* web_engines.c: the table of search engines. A new one is a new line. */
#include "lib/rag/web_engines.h"

#define PARAMS(...)               \
    (const struct engine_param[]) \
    {                             \
        __VA_ARGS__,              \
        {                         \
            NULL                  \
        }                         \
    }
#define BEARER PARAMS({ "Authorization", "Bearer $key" })
#define BOT "Open WebUI (https://github.com/open-webui/open-webui) RAG Bot"
#define NO_KEY(name) "No " name " found in environment variables"

/* Perplexity answers with text and a list of addresses. */
static void read_citations(struct arena *mem, json_object *answer, json_object *items)
{
    struct str text = json_str(json_get(json_at(json_get(answer, "choices"), 0), "message"), "content");

    JSON_EACH (json_get(answer, "citations"), i, link) {
        json_object *item = json_new_object(mem);

        json_set(item, "link", link);
        json_set_str(item, "title", str_f(mem, "Source %zu", i + 1));
        json_set_str(item, "snippet", i == 0 && text.p ? text : S(""));
        json_push(items, item);
    }
}

static void read_yacy(struct arena *mem, json_object *answer, json_object *items)
{
    (void)mem;
    JSON_EACH (json_get(json_at(json_get(answer, "channels"), 0), "items"), i, item)
        json_push(items, item);
}

static const struct web_engine engines[] = {
    { "searxng", CFG_COUNT, CFG_COUNT, NO_KEY("SEARXNG_QUERY_URL"), CFG_SEARXNG_QUERY_URL, "",
      PARAMS({ "q", "$q" }, { "format", "json" }, { "pageno", "1" }, { "safesearch", "1" }, { "language", "en-US" },
             { "time_range", "" }, { "categories", "" }, { "theme", "simple" }, { "image_proxy", "0" }),
      .headers = PARAMS({ "User-Agent", BOT }, { "Accept", "text/html" }, { "Accept-Language", "en-US,en;q=0.5" }),
      .results = "results", .link = "url", .title = "title", .snippet = "content", .order = "score",
      .best_is_highest = true },
    { "yacy", CFG_YACY_USERNAME, CFG_YACY_PASSWORD, NULL, CFG_YACY_QUERY_URL, "/yacysearch.json",
      PARAMS({ "query", "$q" }, { "contentdom", "text" }, { "resource", "global" }, { "maximumRecords", "$count" },
             { "nav", "none" }),
      .headers = PARAMS({ "User-Agent", BOT }), .link = "link", .title = "title", .snippet = "description",
      .order = "ranking", .best_is_highest = true, .digest = true, .read = read_yacy },
    { "google_pse", CFG_GOOGLE_PSE_API_KEY, CFG_GOOGLE_PSE_ENGINE_ID,
      "No GOOGLE_PSE_API_KEY or GOOGLE_PSE_ENGINE_ID found in environment variables", CFG_COUNT,
      "https://www.googleapis.com/customsearch/v1",
      PARAMS({ "cx", "$key2" }, { "q", "$q" }, { "key", "$key" }, { "num", "$count" }, { "start", "$start" }),
      .results = "items", .link = "link", .title = "title", .snippet = "snippet", .most = 10, .has_pages = true },
    { "brave", CFG_BRAVE_SEARCH_API_KEY, CFG_COUNT, NO_KEY("BRAVE_SEARCH_API_KEY"), CFG_COUNT,
      "https://api.search.brave.com/res/v1/web/search", PARAMS({ "q", "$q" }, { "count", "$count" }),
      .headers = PARAMS({ "Accept", "application/json" }, { "X-Subscription-Token", "$key" }), .results = "web.results",
      .link = "url", .title = "title", .snippet = "description" },
    { "kagi", CFG_KAGI_SEARCH_API_KEY, CFG_COUNT, NO_KEY("KAGI_SEARCH_API_KEY"), CFG_COUNT,
      "https://kagi.com/api/v0/search", PARAMS({ "q", "$q" }, { "limit", "$count" }),
      .headers = PARAMS({ "Authorization", "Bot $key" }), .results = "data", .link = "url", .title = "title",
      .snippet = "snippet", .only = "t" },
    { "mojeek", CFG_MOJEEK_SEARCH_API_KEY, CFG_COUNT, NO_KEY("MOJEEK_SEARCH_API_KEY"), CFG_COUNT,
      "https://api.mojeek.com/search",
      PARAMS({ "q", "$q" }, { "api_key", "$key" }, { "fmt", "json" }, { "t", "$count" }),
      .headers = PARAMS({ "Accept", "application/json" }), .results = "response.results", .link = "url",
      .title = "title", .snippet = "desc" },
    { "bocha", CFG_BOCHA_SEARCH_API_KEY, CFG_COUNT, NO_KEY("BOCHA_SEARCH_API_KEY"), CFG_COUNT,
      "https://api.bochaai.com/v1/web-search", PARAMS({ "utm_source", "ollama" }),
      .body = PARAMS({ "query", "$q" }, { "summary", "true", true }, { "freshness", "noLimit" },
                     { "count", "$count", true }),
      .headers = BEARER, .results = "data.webPages.value", .link = "url", .title = "name", .snippet = "summary" },
    { "serpstack", CFG_SERPSTACK_API_KEY, CFG_COUNT, NO_KEY("SERPSTACK_API_KEY"), CFG_COUNT,
      "http$s://api.serpstack.com/search", PARAMS({ "access_key", "$key" }, { "query", "$q" }), .is_post = true,
      .results = "organic_results", .link = "url", .title = "title", .snippet = "snippet", .order = "position" },
    { "serper", CFG_SERPER_API_KEY, CFG_COUNT, NO_KEY("SERPER_API_KEY"), CFG_COUNT, "https://google.serper.dev/search",
      .body = PARAMS({ "q", "$q" }), .headers = PARAMS({ "X-API-KEY", "$key" }), .results = "organic", .link = "link",
      .title = "title", .snippet = "description", .order = "position" },
    { "serply", CFG_SERPLY_API_KEY, CFG_COUNT, NO_KEY("SERPLY_API_KEY"), CFG_COUNT,
      "https://api.serply.io/v1/search/q=$url_q&language=en&num=10&gl=US&hl=us",
      .headers = PARAMS({ "X-API-KEY", "$key" }, { "X-User-Agent", "desktop" }, { "User-Agent", "open-webui" },
                        { "X-Proxy-Location", "US" }),
      .results = "results", .link = "link", .title = "title", .snippet = "description", .order = "realPosition" },
    { "tavily", CFG_TAVILY_API_KEY, CFG_COUNT, NO_KEY("TAVILY_API_KEY"), CFG_COUNT, "https://api.tavily.com/search",
      .body = PARAMS({ "query", "$q" }, { "max_results", "$count", true }), .headers = BEARER, .results = "results",
      .link = "url", .title = "title", .snippet = "content" },
    { "exa", CFG_EXA_API_KEY, CFG_COUNT, NO_KEY("EXA_API_KEY"), CFG_COUNT, "https://api.exa.ai/search",
      .body = PARAMS({ "query", "$q" }, { "numResults", "$count", true }, { "includeDomains", "$domains", true },
                     { "contents", "{\"text\":true,\"highlights\":true}", true }, { "type", "auto" }),
      .headers = BEARER, .results = "results", .link = "url", .title = "title", .snippet = "text" },
    { "searchapi", CFG_SEARCHAPI_API_KEY, CFG_SEARCHAPI_ENGINE, NO_KEY("SEARCHAPI_API_KEY"), CFG_COUNT,
      "https://www.searchapi.io/api/v1/search", PARAMS({ "engine", "$engine" }, { "q", "$q" }, { "api_key", "$key" }),
      .results = "organic_results", .link = "link", .title = "title", .snippet = "snippet", .order = "position" },
    { "serpapi", CFG_SERPAPI_API_KEY, CFG_SERPAPI_ENGINE, NO_KEY("SERPAPI_API_KEY"), CFG_COUNT,
      "https://serpapi.com/search", PARAMS({ "engine", "$engine" }, { "q", "$q" }, { "api_key", "$key" }),
      .results = "organic_results", .link = "link", .title = "title", .snippet = "snippet", .order = "position" },
    { "jina", CFG_JINA_API_KEY, CFG_COUNT, NULL, CFG_COUNT, "https://s.jina.ai/",
      .body = PARAMS({ "q", "$q" }, { "count", "$count", true }),
      .headers = PARAMS({ "Accept", "application/json" }, { "Authorization", "$key" }, { "X-Retain-Images", "none" }),
      .results = "data", .link = "url", .title = "title", .snippet = "content", .most = 10 },
    { "bing", CFG_BING_SEARCH_V7_SUBSCRIPTION_KEY, CFG_COUNT, NULL, CFG_BING_SEARCH_V7_ENDPOINT, "",
      PARAMS({ "q", "$q" }, { "mkt", "$locale" }, { "count", "$count" }),
      .headers = PARAMS({ "Ocp-Apim-Subscription-Key", "$key" }), .results = "webPages.value", .link = "url",
      .title = "name", .snippet = "snippet" },
    { "perplexity", CFG_PERPLEXITY_API_KEY, CFG_PERPLEXITY_MODEL, NULL, CFG_COUNT,
      "https://api.perplexity.ai/chat/completions",
      .body = PARAMS({ "model", "$key2" },
                     { "messages",
                       "[{\"role\":\"system\",\"content\":\"Answer with facts, and name where each comes from.\"},"
                       "{\"role\":\"user\",\"content\":$json_q}]",
                       true },
                     { "temperature", "0.2", true }, { "stream", "false", true },
                     { "web_search_options", "{\"search_context_usage\":$json_usage}", true }),
      .headers = BEARER, .link = "link", .title = "title", .snippet = "snippet", .read = read_citations },
    { "perplexity_search", CFG_PERPLEXITY_API_KEY, CFG_COUNT, NO_KEY("PERPLEXITY_API_KEY"), CFG_COUNT,
      "https://api.perplexity.ai/search", .body = PARAMS({ "query", "$q" }, { "max_results", "$count", true }),
      .headers = BEARER, .results = "results", .link = "url", .title = "title", .snippet = "snippet" },
    { "ollama_cloud", CFG_OLLAMA_CLOUD_WEB_SEARCH_API_KEY, CFG_COUNT, NULL, CFG_COUNT,
      "https://ollama.com/api/web_search", .body = PARAMS({ "query", "$q" }, { "max_results", "$count", true }),
      .headers = BEARER, .results = "results", .link = "url", .title = "title", .snippet = "content" },
    { "firecrawl", CFG_FIRECRAWL_API_KEY, CFG_COUNT, NULL, CFG_FIRECRAWL_API_BASE_URL, "/v1/search",
      .body = PARAMS({ "query", "$q" }, { "limit", "$count", true }),
      .headers = PARAMS({ "Authorization", "Bearer $key" }, { "User-Agent", BOT }), .results = "data", .link = "url",
      .title = "title", .snippet = "description" },
    { "external", CFG_EXTERNAL_WEB_SEARCH_API_KEY, CFG_COUNT, NULL, CFG_EXTERNAL_WEB_SEARCH_URL, "",
      .body = PARAMS({ "query", "$q" }, { "count", "$count", true }),
      .headers = PARAMS({ "Authorization", "Bearer $key" }, { "User-Agent", BOT }), .results = "", .link = "link",
      .title = "title", .snippet = "snippet" },
};

const struct web_engine *web_engine_by_name(struct str name)
{
    for (size_t i = 0; i < sizeof(engines) / sizeof(engines[0]); i++)
        if (str_is(name, engines[i].name))
            return &engines[i];
    return NULL;
}

bool web_engine_is_elsewhere(struct str name)
{
    return str_is(name, "duckduckgo") || str_is(name, "sougou");
}
