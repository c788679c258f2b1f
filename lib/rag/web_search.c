/* web_search.c: from queries to results: one request a query (and page), all at once. */
#include "lib/rag/web_search.h"

#include "lib/base/encode.h"
#include "lib/base/log.h"
#include "lib/net/http.h"
#include "lib/rag/web.h"
#include "lib/rag/web_engines.h"

#define NO_ENGINE "No search engine API key found in environment variables"
enum { TIMEOUT_MS = 30000, MAX_HEADERS = ENGINE_PARAMS + 1, MAX_PAGES = 10, MAX_QUERIES = 50 };

/* ---- what is asked */

struct variable {
    const char *name; /* one that begins like another stands before it */
    struct str value;
};

struct asking {
    const struct rag *rag;
    const struct web_engine *engine;
    struct variable variables[16];
};

static struct str setting(const struct rag *rag, enum setting_id id)
{
    struct str s = id == CFG_COUNT ? STR_NONE : config_str(rag->config, id);

    return s.p ? s : S("");
}

static void set_variables(struct asking *a, struct str query, int64_t count, int64_t start)
{
    const struct rag *rag = a->rag;
    struct str key2 = setting(rag, a->engine->key2);
    const struct variable all[] = {
        { "$json_usage", json_text(rag->mem, config_json(rag->config, CFG_PERPLEXITY_SEARCH_CONTEXT_USAGE)) },
        { "$json_q", json_text(rag->mem, json_new_str(rag->mem, query)) },
        { "$url_q", url_encode(rag->mem, query) },
        { "$domains", json_text(rag->mem, config_json(rag->config, CFG_WEB_SEARCH_DOMAIN_FILTER_LIST)) },
        { "$locale", setting(rag, CFG_DEFAULT_LOCALE) },
        { "$engine", key2.n ? key2 : S("google") },
        { "$count", str_f(rag->mem, "%lld", (long long)count) },
        { "$start", str_f(rag->mem, "%lld", (long long)start) },
        { "$key2", key2 },
        { "$key", setting(rag, a->engine->key) },
        { "$q", query },
        { "$s", config_bool(rag->config, CFG_SERPSTACK_HTTPS) ? S("s") : S("") },
    };

    _Static_assert(sizeof(all) < sizeof(a->variables), "the last is empty");
    memcpy(a->variables, all, sizeof(all));
}

static struct str filled(const struct asking *a, const char *text)
{
    struct buf b = BUF(a->rag->mem, STR_NPOS);

    for (struct str rest = str_of(text); rest.n;) {
        const struct variable *v = a->variables;

        while (v->name && !str_starts(rest, v->name))
            v++;
        if (v->name)
            buf_add_str(&b, v->value);
        else
            buf_add_char(&b, rest.p[0]);
        rest = str_from(rest, v->name ? strlen(v->name) : 1);
    }
    return buf_str(&b);
}

static struct str address(const struct asking *a)
{
    struct str base = setting(a->rag, a->engine->at);
    struct buf b = BUF(a->rag->mem, 64 * 1024);

    if (str_has(base, "<query>")) /* how addresses were written in earlier versions */
        base = str_sub(base, 0, str_find_c(base, '?'));
    while (a->engine->url[0] && base.n && base.p[base.n - 1] == '/')
        base.n--;
    buf_add_str(&b, base);
    if (!str_ends(base, a->engine->url) || !base.n)
        buf_add_str(&b, filled(a, a->engine->url));
    for (const struct engine_param *p = a->engine->params; p && p->name; p++) {
        buf_add_char(&b, str_find_c(buf_str(&b), '?') == STR_NPOS ? '?' : '&');
        buf_add_urlencoded(&b, str_of(p->name));
        buf_add_char(&b, '=');
        buf_add_urlencoded(&b, filled(a, p->value));
    }
    return buf_str(&b);
}

static struct str body_of(const struct asking *a)
{
    json_object *o = json_new_object(a->rag->mem);

    if (!a->engine->body)
        return a->engine->is_post ? S("") : STR_NONE;
    for (const struct engine_param *p = a->engine->body; p->name; p++) {
        if (p->is_json)
            json_set(o, p->name, json_parse_or_null(a->rag->mem, filled(a, p->value)));
        else
            json_set_str(o, p->name, filled(a, p->value));
    }
    return json_text(a->rag->mem, o);
}

static struct http_call call_for(const struct asking *a)
{
    struct http_header *headers = arena_new_array(a->rag->mem, struct http_header, MAX_HEADERS);
    struct http_call call = { .url = address(a), .headers = headers, .body = body_of(a), .timeout_ms = TIMEOUT_MS };

    for (const struct engine_param *p = a->engine->headers; p && p->name && call.headers_n < MAX_HEADERS; p++)
        headers[call.headers_n++] = (struct http_header){ str_of(p->name), filled(a, p->value) };
    if (call.body.p)
        call.method = "POST";
    if (a->engine->digest && (setting(a->rag, a->engine->key).n || setting(a->rag, a->engine->key2).n)) {
        call.user_and_password = str_f(a->rag->mem, "%.*s:%.*s", STR(setting(a->rag, a->engine->key)),
                                       STR(setting(a->rag, a->engine->key2)))
                                     .p;
        call.digest = true;
    }
    return call;
}

/* ---- what is answered */

struct item {
    json_object *o;
    double order;
    size_t place;
};

static int compare(const void *x, const void *y)
{
    const struct item *a = x, *b = y;

    if (a->order != b->order)
        return a->order < b->order ? -1 : 1;
    return a->place < b->place ? -1 : a->place > b->place;
}

static bool is_of_domains(struct str link, json_object *domains)
{
    size_t at = str_find(link, S("://")), end = 0;
    struct str host = at == STR_NPOS ? STR_NONE : str_from(link, at + 3);

    if (json_length(domains) == 0)
        return true;
    while (end < host.n && !strchr("/?#", host.p[end]))
        end++;
    host.n = end;
    JSON_EACH (domains, i, domain)
        if (json_str_value(domain).p && str_ends(host, json_str_value(domain).p))
            return true;
    return false;
}

static void push(struct arena *mem, struct web_results *to, struct web_result one)
{
    if (to->n % 16 == 0)
        to->v = arena_grow(mem, to->v, to->n * sizeof(*to->v), (to->n + 16) * sizeof(*to->v));
    to->v[to->n++] = one;
}

/* The items of one answer, ordered, filtered, up to count. */
static size_t take_items(const struct rag *rag, const struct web_engine *e, json_object *answer, size_t count,
                         struct web_results *out)
{
    json_object *list = e->results && e->results[0] ? json_path(answer, e->results) : answer,
                *domains = config_json(rag->config, CFG_WEB_SEARCH_DOMAIN_FILTER_LIST);
    struct item *items;
    size_t n = 0, taken = 0;

    if (e->read) {
        list = json_new_array(rag->mem);
        e->read(rag->mem, answer, list);
    }
    items = arena_new_array(rag->mem, struct item, json_length(list) + 1);
    JSON_EACH (list, i, one) {
        double order = e->order ? json_double(one, e->order, 0) : 0;

        if (json_is(one, json_type_object) && json_str(one, e->link).n && (!e->only || json_int(one, e->only, -1) == 0))
            items[n++] = (struct item){ one, e->best_is_highest ? -order : order, i };
    }
    qsort(items, n, sizeof(*items), compare);
    for (size_t i = 0; i < n && taken < count; i++) {
        struct str link = json_str(items[i].o, e->link);

        if (!is_of_domains(link, domains))
            continue;
        push(rag->mem, out,
             (struct web_result){ link, json_str(items[i].o, e->title), json_str(items[i].o, e->snippet) });
        taken++;
    }
    return taken;
}

static enum status check_answer(struct arena *mem, const struct http_call *call, json_object **out, struct error *err)
{
    if (call->result != OK) {
        log_warning("web search: %s", call->err.text);
        return error_set(err, FAILED, "The search engine could not be reached");
    }
    if (call->status >= 400) {
        log_warning("web search: status %d: %.*s", call->status, STR(str_sub(call->response, 0, 300)));
        return error_set(err, FAILED, "The search engine answered with status %d", call->status);
    }
    if (json_parse(mem, call->response, out, err) != OK)
        return error_set(err, FAILED, "The search engine did not answer with JSON");
    return OK;
}

static enum status find_engine(const struct rag *rag, const struct web_engine **out, struct error *err)
{
    struct str name = config_str(rag->config, CFG_WEB_SEARCH_ENGINE);
    const struct web_engine *e = web_engine_by_name(name);

    if (web_engine_is_elsewhere(name))
        return error_set(err, NOT_FOUND, "The search engine %.*s is not available here yet", STR(name));
    if (!e)
        return error_set(err, INVALID, NO_ENGINE);
    if (e->missing &&
        ((e->key != CFG_COUNT && !setting(rag, e->key).n) || (e->at != CFG_COUNT && !setting(rag, e->at).n) ||
         (e->key2 == CFG_GOOGLE_PSE_ENGINE_ID && !setting(rag, e->key2).n)))
        return error_set(err, INVALID, "%s", e->missing);
    *out = e;
    return OK;
}

enum status web_search(const struct rag *rag, json_object *queries, struct web_results *out, struct error *err)
{
    int64_t count = config_int(rag->config, CFG_WEB_SEARCH_RESULT_COUNT), pages = 1, some;
    struct asking a = { .rag = rag };
    int64_t limit = config_int(rag->config, CFG_WEB_SEARCH_CONCURRENT_REQUESTS);
    size_t n = 0, at_once = limit > 0 ? (size_t)limit : 1;
    struct http_call *calls;
    enum status st = find_engine(rag, &a.engine, err);

    if (st != OK)
        return st;
    if (json_length(queries) > MAX_QUERIES)
        return error_set(err, INVALID, "More than %d queries at once", MAX_QUERIES);
    count = count < 1 ? 1 : count;
    some = a.engine->most && count > a.engine->most ? a.engine->most : count;
    if (a.engine->has_pages)
        pages = (count + some - 1) / some < MAX_PAGES ? (count + some - 1) / some : MAX_PAGES;
    calls = arena_new_array(rag->mem, struct http_call, json_length(queries) * (size_t)pages + 1);
    JSON_EACH (queries, i, query) {
        for (int64_t page = 0; page < pages; page++) {
            set_variables(&a, json_str_value(query), some, 1 + page * some);
            calls[n++] = call_for(&a);
        }
    }
    for (size_t i = 0; i < n; i += at_once)
        http_run(rag->mem, calls + i, n - i < at_once ? n - i : at_once);
    for (size_t i = 0; i < n; i += (size_t)pages) {
        size_t left = (size_t)count;

        for (size_t page = 0; page < (size_t)pages && left; page++) {
            json_object *answer = NULL;

            st = check_answer(rag->mem, &calls[i + page], &answer, err);
            if (st != OK)
                return st;
            left -= take_items(rag, a.engine, answer, left, out);
        }
    }
    return OK;
}

/* ---- what becomes of it */

static enum status take_snippets(const struct rag *rag, const struct web_results *found, struct rag_documents *out)
{
    *out = (struct rag_documents){ arena_new_array(rag->mem, struct rag_document, found->n + 1), 0 };
    for (size_t i = 0; i < found->n; i++) {
        const struct web_result *r = &found->v[i];
        json_object *metadata;

        if (!r->snippet.p)
            continue;
        metadata = json_new_object(rag->mem);
        json_set_str(metadata, "source", r->link);
        json_set_str(metadata, "title", r->title);
        json_set_str(metadata, "snippet", r->snippet);
        json_set_str(metadata, "link", r->link);
        out->v[out->n++] = (struct rag_document){ r->snippet, metadata };
    }
    return OK;
}

enum status web_load_results(const struct rag *rag, const struct web_results *found, struct rag_documents *out,
                             struct error *err)
{
    struct str *urls = arena_new_array(rag->mem, struct str, found->n + 1);
    size_t n = 0;

    if (config_bool(rag->config, CFG_BYPASS_WEB_SEARCH_WEB_LOADER))
        return take_snippets(rag, found, out);
    for (size_t i = 0; i < found->n; i++) {
        size_t k = 0;

        while (k < n && !str_eq(urls[k], found->v[i].link))
            k++;
        if (k == n)
            urls[n++] = found->v[i].link;
    }
    return web_load(rag, urls, n, out, err);
}

json_object *web_results_json(struct arena *mem, const struct web_results *found, json_object *urls)
{
    json_object *list = json_new_array(mem);

    for (size_t i = 0; i < found->n; i++) {
        json_object *o;

        JSON_EACH (urls, k, url) {
            if (!str_eq(json_str_value(url), found->v[i].link))
                continue;
            o = json_new_object(mem);
            json_set_str(o, "link", found->v[i].link);
            json_set_str(o, "title", found->v[i].title);
            json_set_str(o, "snippet", found->v[i].snippet);
            json_push(list, o);
            break;
        }
    }
    return list;
}

struct str web_search_collection(struct arena *mem, json_object *queries)
{
    struct buf b = BUF(mem, STR_NPOS);

    JSON_EACH (queries, i, query) {
        buf_add_c(&b, i ? "-" : "");
        buf_add_str(&b, json_str_value(query));
    }
    return str_sub(str_cat(mem, S("web-search-"), sha256_hex(mem, buf_str(&b))), 0, 63);
}
