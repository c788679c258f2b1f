/* catalog.c: asking all providers at once, and sharing the answer with the other processes. */
#include "lib/llm/catalog.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/base/encode.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/llm/providers.h"
#include "lib/net/http.h"

enum { MAX_BYTES = 16 << 20 };

static int64_t good_until_ms;

int64_t catalog_good_until_ms(void)
{
    return good_until_ms;
}

/* ---- asking */

static struct http_header *header_list(struct arena *mem, json_object *headers, size_t *n)
{
    struct http_header *v = arena_new_array(mem, struct http_header, (size_t)json_object_object_length(headers) + 1);

    *n = 0;
    json_object_object_foreach(headers, name, value)
        v[(*n)++] = (struct http_header){ str_of(name), json_str_value(value) };
    return v;
}

static struct http_call get_call(struct arena *mem, struct config *c, const struct provider *p, const struct user *caller, const char *path)
{
    int64_t timeout_s = config_int(c, CFG_AIOHTTP_CLIENT_TIMEOUT_MODEL_LIST);
    struct http_call call = { .method = "GET", .url = str_f(mem, "%.*s%s", STR(p->url), path),
                              .timeout_ms = (int)(timeout_s > 0 && timeout_s < 3600 ? timeout_s * 1000 : 10000),
                              .insecure = !config_bool(c, CFG_AIOHTTP_CLIENT_SESSION_SSL), .max_bytes = MAX_BYTES };

    call.headers = header_list(mem, provider_headers(mem, c, p, caller, STR_NONE, STR_NONE), &call.headers_n);
    return call;
}

static json_object *answer_of(struct arena *mem, const struct http_call *call)
{
    json_object *o = NULL;
    struct error err = { "" };

    if (call->result != OK)
        log_warning("no model list from %.*s: %s", STR(call->url), call->err.text);
    else if (json_parse(mem, call->response, &o, &err) != OK)
        log_warning("no model list from %.*s: status %d, %s", STR(call->url), call->status, err.text);
    return o;
}

static const char *const not_for_chat[] = { "babbage", "dall-e", "davinci", "embedding", "tts", "whisper" };

static bool is_offered(const struct provider *p, json_object *m)
{
    struct str id = json_str(m, "id");

    if (!json_is(m, json_type_object) || (id.n == 0 && json_str(m, "name").n == 0))
        return false;
    for (size_t i = 0; str_has(p->url, "api.openai.com") && i < sizeof(not_for_chat) / sizeof(not_for_chat[0]); i++)
        if (str_has(id, not_for_chat[i]))
            return false;
    return true;
}

static void add_openai_models(struct arena *mem, const struct provider *p, json_object *list, json_object *out)
{
    JSON_EACH(list, i, m) {
        json_object *shown;

        if (!is_offered(p, m))
            continue;
        if (json_has(m, "name") && !json_get(m, "name"))
            json_del(m, "name");
        if (p->prefix_id.n)
            json_set_str(m, "id", str_f(mem, "%.*s.%.*s", STR(p->prefix_id), STR(json_str(m, "id").n ? json_str(m, "id") : json_str(m, "name"))));
        if (json_length(json_get(p->config, "tags")))
            json_set(m, "tags", json_get(p->config, "tags"));
        json_set_str(m, "connection_type", p->connection_type);
        shown = json_new_object(mem);
        json_merge(shown, m);
        if (!json_has(shown, "name"))
            json_set(shown, "name", json_get(m, "id"));
        json_set_c(shown, "owned_by", "openai");
        json_set(shown, "openai", m);
        json_set_int(shown, "urlIdx", p->index);
        json_push(out, shown);
    }
}

/* The list of a provider whose entry names its models: nobody is asked. */
static json_object *named_models(struct arena *mem, const struct provider *p)
{
    json_object *list = json_new_array(mem);

    JSON_EACH(json_get(p->config, "model_ids"), i, id) {
        json_object *m = json_new_object(mem);

        json_set(m, "id", id);
        json_set(m, "name", id);
        json_set_c(m, "owned_by", "openai");
        json_set(json_set_object(m, "openai"), "id", id);
        json_set_int(m, "urlIdx", p->index);
        json_push(list, m);
    }
    return list;
}

static bool listed(json_object *ids, struct str id)
{
    JSON_EACH(ids, i, wanted)
        if (str_eq(json_str_value(wanted), id))
            return true;
    return json_length(ids) == 0;
}

static json_object *by_member(json_object *list, const char *key, struct str value)
{
    JSON_EACH(list, i, m)
        if (str_eq(json_str(m, key), value))
            return m;
    return NULL;
}

static void add_ollama_models(struct arena *mem, const struct provider *p, json_object *answer, json_object *merged)
{
    JSON_EACH(json_get(answer, "models"), i, m) {
        struct str id = json_str(m, "model");
        json_object *known;

        if (id.n == 0 || !listed(json_get(p->config, "model_ids"), id))
            continue;
        if (p->prefix_id.n)
            json_set_str(m, "model", id = str_f(mem, "%.*s.%.*s", STR(p->prefix_id), STR(id)));
        if (json_length(json_get(p->config, "tags")))
            json_set(m, "tags", json_get(p->config, "tags"));
        json_set_str(m, "connection_type", p->connection_type);
        known = by_member(merged, "model", id);
        if (!known) {
            json_push(json_set_array(m, "urls"), json_new_int(mem, p->index));
            json_push(merged, m);
        } else {
            json_push(json_get(known, "urls"), json_new_int(mem, p->index));
        }
    }
}

/* Until when a loaded model stays in memory: Ollama's expires_at (RFC 3339), as Unix time. */
static void add_expiry(struct arena *mem, const struct provider *p, json_object *answer, json_object *merged)
{
    JSON_EACH(json_get(answer, "models"), i, loaded) {
        struct str id = json_str(loaded, "model"), at = json_str(loaded, "expires_at");
        json_object *m;
        struct tm tm = { 0 };
        char *rest;

        if (p->prefix_id.n)
            id = str_f(mem, "%.*s.%.*s", STR(p->prefix_id), STR(id));
        m = by_member(merged, "model", id);
        rest = m && at.n ? strptime(str_c(mem, at), "%Y-%m-%dT%H:%M:%S", &tm) : NULL;
        if (rest) {
            const char *zone = rest + strcspn(rest, "+-Z");
            int hours = 0, minutes = 0;

            if (*zone == '+' || *zone == '-')
                sscanf(zone + 1, "%2d:%2d", &hours, &minutes);
            json_set_int(m, "expires_at", (int64_t)timegm(&tm) - (*zone == '-' ? -1 : 1) * (hours * 3600 + minutes * 60));
        }
    }
}

static void show_ollama_models(struct arena *mem, json_object *merged, json_object *out)
{
    JSON_EACH(merged, i, m) {
        json_object *shown = json_new_object(mem);

        json_set(shown, "id", json_get(m, "model"));
        json_set(shown, "name", json_get(m, "name"));
        json_set_c(shown, "object", "model");
        json_set_int(shown, "created", now_s());
        json_set_c(shown, "owned_by", "ollama");
        json_set(shown, "ollama", m);
        json_set(shown, "connection_type", json_get(m, "connection_type"));
        if (json_has(m, "tags"))
            json_set(shown, "tags", json_get(m, "tags"));
        else
            json_set_array(shown, "tags");
        json_push(out, shown);
    }
}

static json_object *ask_all(struct arena *mem, struct config *c, const struct user *caller)
{
    struct providers openai = providers_of(mem, c, PROVIDER_OPENAI), ollama = providers_of(mem, c, PROVIDER_OLLAMA);
    struct http_call *calls = arena_new_array(mem, struct http_call, openai.n + 2 * ollama.n + 1);
    json_object *out = json_new_array(mem), *merged = json_new_array(mem);
    size_t n = 0, k = 0;

    for (size_t i = 0; i < openai.n; i++)
        if (openai.v[i].is_enabled && json_length(json_get(openai.v[i].config, "model_ids")) == 0)
            calls[n++] = get_call(mem, c, &openai.v[i], caller, "/models");
    for (size_t i = 0; i < ollama.n; i++) {
        if (!ollama.v[i].is_enabled)
            continue;
        calls[n++] = get_call(mem, c, &ollama.v[i], caller, "/api/tags");
        calls[n++] = get_call(mem, c, &ollama.v[i], caller, "/api/ps");
    }
    http_run(mem, calls, n);
    for (size_t i = 0; i < openai.n; i++) {
        json_object *answer = NULL;

        if (!openai.v[i].is_enabled)
            continue;
        if (json_length(json_get(openai.v[i].config, "model_ids")))
            answer = named_models(mem, &openai.v[i]);
        else
            answer = answer_of(mem, &calls[k++]);
        add_openai_models(mem, &openai.v[i], json_is(answer, json_type_array) ? answer : json_get(answer, "data"), out);
    }
    for (size_t i = 0, first = k; i < ollama.n; i++) {
        if (!ollama.v[i].is_enabled)
            continue;
        add_ollama_models(mem, &ollama.v[i], answer_of(mem, &calls[first]), merged);
        first += 2;
    }
    for (size_t i = 0; i < ollama.n; i++) {
        if (!ollama.v[i].is_enabled)
            continue;
        if (calls[k + 1].result == OK)
            add_expiry(mem, &ollama.v[i], json_parse_or_null(mem, calls[k + 1].response), merged);
        k += 2;
    }
    show_ollama_models(mem, merged, out);
    return out;
}

/* ---- sharing */

/* What the answer depends on; of keys only a digest is kept. */
static struct str settings_digest(struct arena *mem, struct config *c)
{
    static const enum setting_id ids[] = { CFG_ENABLE_OPENAI_API, CFG_OPENAI_API_BASE_URLS, CFG_OPENAI_API_KEYS, CFG_OPENAI_API_CONFIGS,
                                           CFG_ENABLE_OLLAMA_API, CFG_OLLAMA_BASE_URLS, CFG_OLLAMA_API_CONFIGS };
    struct buf b = BUF(mem, STR_NPOS);

    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        json_add_to_buf(&b, config_json(c, ids[i]));
        buf_add_char(&b, '\n');
    }
    return sha256_hex(mem, buf_str(&b));
}

struct stored {
    int64_t at_ms, good_until_ms;
    struct str models;               /* JSON array text */
};

static bool read_stored(struct arena *mem, const char *path, struct str digest, struct stored *s)
{
    struct str text, part;
    struct error err;

    if (file_read(mem, path, MAX_BYTES, &text, &err) != OK || json_scan_member(text, "digest", &part) != OK ||
        !str_eq(str_trim_c(part, "\""), digest))
        return false;
    return json_scan_member(text, "at", &part) == OK && str_to_i64(part, &s->at_ms) && json_scan_member(text, "good_until", &part) == OK &&
           str_to_i64(part, &s->good_until_ms) && json_scan_member(text, "models", &s->models) == OK;
}

static void write_stored(struct arena *mem, const char *path, struct str digest, const struct stored *s)
{
    struct error err = { "" };

    if (file_write(path, str_f(mem, "{\"digest\":\"%.*s\",\"at\":%lld,\"good_until\":%lld,\"models\":%.*s}", STR(digest), (long long)s->at_ms,
                               (long long)s->good_until_ms, STR(s->models)), 0600, &err) != OK)
        log_warning("could not share the model list: %s", err.text);
}

/* An answer that took long to get (a provider that is down) is kept for longer: asking again at once would cost as much again. */
static int64_t keep_ms(struct config *c, int64_t took_ms)
{
    int64_t ttl_ms = config_int(c, CFG_MODELS_CACHE_TTL) * 1000;

    if (config_bool(c, CFG_ENABLE_BASE_MODELS_CACHE))
        return INT64_C(365) * 86400 * 1000;
    return ttl_ms > 3 * took_ms ? ttl_ms : 3 * took_ms;
}

json_object *catalog_get(struct arena *mem, struct config *c, const struct user *caller, bool refresh, int64_t *changed_at_ms)
{
    struct str digest = settings_digest(mem, c), run = str_of(config_run_dir(c));
    char *path = str_c(mem, str_f(mem, "%.*s/models.json", STR(run))), *lock_path = str_c(mem, str_f(mem, "%.*s/models.lock", STR(run)));
    struct stored s = { 0 };
    bool known = read_stored(mem, path, digest, &s);
    int lock AUTO_CLOSE = -1;
    json_object *models;
    int64_t started;

    if (refresh || !known || now_ms() >= s.good_until_ms) {
        lock = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        /* Somebody asks already: go on with what is there. Nothing is there: wait for him. */
        if (lock >= 0 && flock(lock, known && !refresh ? LOCK_EX | LOCK_NB : LOCK_EX) == 0) {
            if (!refresh)
                known = read_stored(mem, path, digest, &s) && now_ms() < s.good_until_ms;
        } else {
            known = known && lock >= 0;
        }
        if (!known || refresh) {
            started = now_ms();
            models = ask_all(mem, c, caller);
            s = (struct stored){ .at_ms = now_ms(), .models = json_text(mem, models) };
            s.good_until_ms = s.at_ms + keep_ms(c, s.at_ms - started);
            write_stored(mem, path, digest, &s);
        }
    }
    good_until_ms = s.good_until_ms;
    if (changed_at_ms)
        *changed_at_ms = s.at_ms;
    models = json_parse_or_null(mem, s.models);
    return models ? models : json_new_array(mem);
}
