/* ollama.c: Ollama servers: settings, what models they have, which of them are loaded, their version. */
#include "handlers/ollama.h"

#include "handlers/routes.h"
#include "lib/base/clock.h"
#include "lib/llm/catalog.h"

/* ---- settings */

static int get_status(struct request *r, struct response *out)
{
    json_object *o = json_new_object(r->mem);

    json_set_bool(o, "status", true);
    return reply_json(out, o);
}

static int show_config(struct request *r, struct response *out)
{
    json_object *o = json_new_object(r->mem);

    json_set_bool(o, "ENABLE_OLLAMA_API", config_bool(r->config, CFG_ENABLE_OLLAMA_API));
    json_set(o, "OLLAMA_BASE_URLS", config_json(r->config, CFG_OLLAMA_BASE_URLS));
    json_set(o, "OLLAMA_API_CONFIGS", config_json(r->config, CFG_OLLAMA_API_CONFIGS));
    return reply_json(out, o);
}

static int save_config(struct request *r, struct response *out)
{
    struct config_change *change = config_change_begin(r->config, r->mem);
    json_object *urls = form_json(r, "OLLAMA_BASE_URLS"), *left = json_new_object(r->mem);
    struct error err = { "" };
    enum status st;

    for (size_t i = 0; i < json_length(urls); i++) {
        const char *key = str_f(r->mem, "%zu", i).p;

        if (json_has(form_json(r, "OLLAMA_API_CONFIGS"), key))
            json_set(left, key, json_get(form_json(r, "OLLAMA_API_CONFIGS"), key));
    }
    config_change_set(change, CFG_ENABLE_OLLAMA_API, json_new_bool(r->mem, form_bool(r, "ENABLE_OLLAMA_API", false)));
    config_change_set(change, CFG_OLLAMA_BASE_URLS, urls);
    config_change_set(change, CFG_OLLAMA_API_CONFIGS, left);
    st = config_change_commit(change, r->db, &err);
    return st == OK ? show_config(r, out) : fail_status(out, st, &err);
}

static const struct field config_form[] = { FIELD(BOOLEAN, "ENABLE_OLLAMA_API", OPTIONAL),
                                            FIELD(LIST_OF_STRINGS, "OLLAMA_BASE_URLS", REQUIRED),
                                            FIELD(OBJECT, "OLLAMA_API_CONFIGS", REQUIRED), END };

/* A connection that an administrator is about to make. */
static int verify(struct request *r, struct response *out)
{
    json_object *config = json_new_object(r->mem);
    struct provider p = { .kind = PROVIDER_OLLAMA,
                          .index = -1,
                          .url = form_str(r, "url"),
                          .key = form_str(r, "key"),
                          .config = config,
                          .is_enabled = true,
                          .auth_type = S("bearer") };
    struct http_call call = provider_call(r, &p, "GET", str_f(r->mem, "%.*s/api/version", STR(p.url)), STR_NONE);

    http_run(r->mem, &call, 1);
    if (call.result == INVALID)
        return fail(out, 400, "This is not the address of a server");
    return reply_http_call(r, out, ANSWER_VERSION, &call);
}

static const struct field verify_form[] = { FIELD(STRING, "url", REQUIRED), FIELD(STRING, "key", OPTIONAL), END };

/* ---- models */

int64_t ollama_index(const struct request *r)
{
    int64_t index;

    if (path_arg(r, "url_idx").p)
        return str_to_i64(path_arg(r, "url_idx"), &index) && index >= 0 && index < INT32_MAX ? index : INT32_MAX;
    if (!query_has(r, "url_idx"))
        return -1;
    index = query_int(r, "url_idx", INT32_MAX);
    return index >= 0 && index < INT32_MAX ? index : INT32_MAX;
}

static json_object *catalog(struct request *r)
{
    return catalog_get(r->mem, r->config, r->user, false, NULL);
}

json_object *ollama_model(struct request *r, struct str id)
{
    JSON_EACH (catalog(r), i, m)
        if (json_has(m, "ollama") && str_eq(json_str(m, "id"), id))
            return json_get(m, "ollama");
    return NULL;
}

static bool is_on(json_object *m, int64_t index)
{
    JSON_EACH (json_get(m, "urls"), i, url)
        if (json_object_get_int64(url) == index)
            return true;
    return index < 0;
}

static json_object *openai_entry(struct request *r, json_object *m)
{
    json_object *o = json_new_object(r->mem);

    json_set(o, "id", json_get(m, "model"));
    json_set_c(o, "object", "model");
    json_set_int(o, "created", now_s());
    json_set_c(o, "owned_by", "openai");
    return o;
}

/* Models of the catalog that the caller may use, of one server (index < 0: of all). */
static int list_known(struct request *r, struct response *out, int64_t index, bool as_openai)
{
    json_object *o = json_new_object(r->mem), *data = json_set_array(o, as_openai ? "data" : "models");
    const struct models *list;
    struct error err = { "" };
    enum status st = models_all(r->mem, r->db, r->config, r->user, false, &list, &err);

    if (st != OK)
        return fail_status(out, st, &err);
    JSON_EACH (catalog(r), i, m) {
        json_object *shown = json_get(m, "ollama");

        if (shown && is_on(shown, index) && may_use_model(r, list, json_str(m, "id")))
            json_push(data, as_openai ? openai_entry(r, shown) : shown);
    }
    if (as_openai)
        json_set_c(o, "object", "list");
    return reply_json(out, o);
}

static int list_tags(struct request *r, struct response *out)
{
    int64_t index = ollama_index(r);
    struct http_call call;
    struct provider p;
    int status;

    if (index < 0)
        return list_known(r, out, -1, false);
    if (!provider_for(r, out, PROVIDER_OLLAMA, index, &p, &status))
        return status;
    if (!r->user->is_admin)
        return list_known(r, out, index, false);
    call = provider_call(r, &p, "GET", str_f(r->mem, "%.*s/api/tags", STR(p.url)), STR_NONE);
    http_run(r->mem, &call, 1);
    return reply_http_call(r, out, ANSWER_OLLAMA_MANAGED, &call);
}

static int list_openai(struct request *r, struct response *out)
{
    int64_t index = ollama_index(r);
    struct provider p;
    int status;

    if (index >= 0 && !provider_for(r, out, PROVIDER_OLLAMA, index, &p, &status))
        return status;
    return list_known(r, out, index, true);
}

/* One call of every server that is switched on, all at once. */
static struct http_call *ask_all(struct request *r, const struct providers *all, const char *path, int most_ms,
                                 size_t *n)
{
    struct http_call *calls = arena_new_array(r->mem, struct http_call, all->n + 1);

    *n = 0;
    for (size_t i = 0; i < all->n; i++) {
        if (!all->v[i].is_enabled)
            continue;
        calls[*n] = provider_call(r, &all->v[i], "GET", str_f(r->mem, "%.*s%s", STR(all->v[i].url), path), STR_NONE);
        if (most_ms && calls[*n].timeout_ms > most_ms)
            calls[*n].timeout_ms = most_ms;
        (*n)++;
    }
    http_run(r->mem, calls, *n);
    return calls;
}

static json_object *by_name(json_object *list, struct str name)
{
    JSON_EACH (list, i, m)
        if (str_eq(json_str(m, "model"), name))
            return m;
    return NULL;
}

/* What is in memory, and on which server. */
static int list_loaded(struct request *r, struct response *out)
{
    struct providers all = providers_of(r->mem, r->config, PROVIDER_OLLAMA);
    json_object *o = json_new_object(r->mem), *models = json_set_array(o, "models");
    size_t n, k = 0;
    struct http_call *calls = ask_all(r, &all, "/api/ps", 0, &n);

    for (size_t i = 0; i < all.n; i++) {
        const struct provider *p = &all.v[i];
        json_object *answer;

        if (!p->is_enabled)
            continue;
        answer = calls[k].result == OK ? json_parse_or_null(r->mem, calls[k].response) : NULL;
        k++;
        JSON_EACH (json_get(answer, "models"), j, m) {
            struct str name = json_str(m, "model");
            json_object *known;

            if (!name.p)
                continue;
            if (p->prefix_id.n)
                json_set_str(m, "model", name = str_f(r->mem, "%.*s.%.*s", STR(p->prefix_id), STR(name)));
            known = by_name(models, name);
            if (!known) {
                json_set_array(m, "urls");
                json_push(models, known = m);
            }
            json_push(json_get(known, "urls"), json_new_int(r->mem, p->index));
        }
    }
    return reply_json(out, o);
}

/* ---- version: anybody may ask for it, so a process asks the servers at most every few seconds */

enum { VERSION_KEEP_MS = 5000, VERSION_MOST_MS = 3000, VERSIONS_KEPT = 8, VERSION_BYTES = 128 };

static struct {
    int64_t index, until_ms;
    uint64_t generation;
    int status;
    char body[VERSION_BYTES];
} versions[VERSIONS_KEPT];

/* "v0.12.3-rc1" → 0, 12, 3. */
static void version_numbers(struct str text, int64_t numbers[4])
{
    struct str piece;

    if (str_starts(text, "v"))
        text = str_from(text, 1);
    text = str_sub(text, 0, str_find_c(text, '-'));
    for (int i = 0; i < 4; i++)
        if (!text.p || !str_split(&text, '.', &piece) || !str_to_i64(piece, &numbers[i]))
            numbers[i] = -1;
}

static bool is_lower(struct str a, struct str b)
{
    int64_t x[4], y[4];

    version_numbers(a, x);
    version_numbers(b, y);
    for (int i = 0; i < 4; i++)
        if (x[i] != y[i])
            return x[i] < y[i];
    return false;
}

/* The lowest version of the calls' answers; absent: nobody has told one. */
static struct str lowest_version(struct request *r, const struct http_call *calls, size_t n)
{
    struct str lowest = STR_NONE;

    for (size_t i = 0; i < n; i++) {
        struct str version = calls[i].result == OK ? json_str(json_parse_or_null(r->mem, calls[i].response), "version")
                                                   : STR_NONE;

        if (version.n && version.n < 64 && (!lowest.p || is_lower(version, lowest)))
            lowest = version;
    }
    return lowest;
}

static int ask_version(struct request *r, struct response *out, int64_t index)
{
    struct providers all = providers_of(r->mem, r->config, PROVIDER_OLLAMA), one = { NULL, 1 };
    json_object *o = json_new_object(r->mem);
    struct http_call *calls;
    struct provider p;
    struct str version;
    size_t n;
    int status;

    if (index >= 0) {
        if (!provider_for(r, out, PROVIDER_OLLAMA, index, &p, &status))
            return status;
        one.v = &p;
        all = one;
    }
    calls = ask_all(r, &all, "/api/version", VERSION_MOST_MS, &n);
    version = lowest_version(r, calls, n);
    if (!version.p)
        return fail(out, 500, index < 0 ? "WebUI could not connect to Ollama" : CONNECTION_ERROR);
    json_set_str(o, "version", version);
    return reply_json(out, o);
}

static int get_version(struct request *r, struct response *out)
{
    int64_t index = ollama_index(r);
    size_t at = (size_t)((index < 0 ? 0 : index + 1) % VERSIONS_KEPT);
    json_object *o = json_new_object(r->mem);

    if (!config_bool(r->config, CFG_ENABLE_OLLAMA_API)) {
        json_set_bool(o, "version", false);
        return reply_json(out, o);
    }
    if (versions[at].status && versions[at].index == index && versions[at].generation == config_generation(r->config) &&
        mono_ms() < versions[at].until_ms)
        return reply_text(out, versions[at].status, "application/json", str_copy(r->mem, str_of(versions[at].body)));
    versions[at].status = 0;
    ask_version(r, out, index);
    if (out->pieces_n == 1 && out->pieces[0].n < VERSION_BYTES && out->status != 404) {
        memcpy(versions[at].body, out->pieces[0].p, out->pieces[0].n);
        versions[at].body[out->pieces[0].n] = '\0';
        versions[at].index = index;
        versions[at].generation = config_generation(r->config);
        versions[at].until_ms = mono_ms() + VERSION_KEEP_MS;
        versions[at].status = out->status;
    }
    return out->status;
}

/* ---- routes */

static const struct field index_arg[] = { FIELD(INTEGER, "url_idx", REQUIRED), END };
static const struct field index_query[] = { FIELD(INTEGER, "url_idx", OPTIONAL, .about = "which server; default: all"),
                                            END };

const struct route ollama_routes[] = {
    { GET, "/ollama/", PUBLIC, get_status, .about = "This is here" },
    { HEAD, "/ollama/", PUBLIC, get_status, .about = "This is here" },
    { GET, "/ollama/config", ADMIN, show_config, .about = "Ollama servers" },
    { POST, "/ollama/config/update", ADMIN, save_config, .form = config_form, .about = "Changes the Ollama servers" },
    { POST, "/ollama/verify", ADMIN, verify, .form = verify_form, .about = "Tries a connection" },
    { GET, "/ollama/api/tags", VERIFIED, list_tags, .query = index_query, .about = "Models of all Ollama servers" },
    { GET, "/ollama/api/tags/{url_idx}", VERIFIED, list_tags, .args = index_arg,
      .about = "Models of one Ollama server" },
    { GET, "/ollama/api/ps", ADMIN, list_loaded, .about = "Models that are in memory" },
    { GET, "/ollama/api/version", PUBLIC, get_version, .query = index_query,
      .about = "The lowest version of the Ollama servers" },
    { GET, "/ollama/api/version/{url_idx}", PUBLIC, get_version, .args = index_arg,
      .about = "The version of one Ollama server" },
    { GET, "/ollama/v1/models", VERIFIED, list_openai, .query = index_query, .about = "Models as OpenAI lists them" },
    { GET, "/ollama/v1/models/{url_idx}", VERIFIED, list_openai, .args = index_arg,
      .about = "The same of one Ollama server" },
    END
};
