/* catalog.c: asking all providers at once, and sharing the answer with the other processes. */
#include "lib/llm/catalog.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/base/encode.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/llm/providers.h"
#include "lib/net/http.h"

enum { MAX_BYTES = 16 << 20 };

/* ---- asking */

static struct http_header *header_list(struct arena *mem, json_object *headers, size_t *n)
{
    struct http_header *v = arena_new_array(mem, struct http_header, (size_t)json_object_object_length(headers) + 1);

    *n = 0;
    json_object_object_foreach(headers, name, value)
        v[(*n)++] = (struct http_header){ str_of(name), json_str_value(value) };
    return v;
}

static struct http_call get_call(struct arena *mem, struct config *c, const struct provider *p,
                                 const struct user *caller, const char *path)
{
    int64_t timeout_s = config_int(c, CFG_AIOHTTP_CLIENT_TIMEOUT_MODEL_LIST);
    struct provider plain = *p;
    struct http_call call = { .method = "GET",
                              .url = str_f(mem, "%.*s%s", STR(p->url), path),
                              .timeout_ms = (int)(timeout_s > 0 && timeout_s < 3600 ? timeout_s * 1000 : 10000),
                              .insecure = !config_bool(c, CFG_AIOHTTP_CLIENT_SESSION_SSL),
                              .max_bytes = MAX_BYTES };

    plain.auth_type = S(
        "bearer"); /* the list is everybody's: whatever a chat sends, here the key goes if there is one */
    call.headers = header_list(mem, provider_headers(mem, c, &plain, caller, STR_NONE, STR_NONE), &call.headers_n);
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

bool catalog_is_for_chat(struct str id)
{
    static const char *const other[] = { "babbage", "dall-e", "davinci", "embedding", "tts", "whisper" };

    for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++)
        if (str_has(id, other[i]))
            return false;
    return true;
}

static bool is_offered(const struct provider *p, json_object *m)
{
    if (!json_is(m, json_type_object) || (json_str(m, "id").n == 0 && json_str(m, "name").n == 0))
        return false;
    return !str_has(p->url, "api.openai.com") || catalog_is_for_chat(json_str(m, "id"));
}

static void add_openai_models(struct arena *mem, const struct provider *p, json_object *list, json_object *out)
{
    JSON_EACH (list, i, m) {
        json_object *shown;

        if (!is_offered(p, m))
            continue;
        if (json_has(m, "name") && !json_get(m, "name"))
            json_del(m, "name");
        if (p->prefix_id.n)
            json_set_str(m, "id",
                         str_f(mem, "%.*s.%.*s", STR(p->prefix_id),
                               STR(json_str(m, "id").n ? json_str(m, "id") : json_str(m, "name"))));
        if (json_length(json_get(p->config, "tags")))
            json_set(m, "tags", json_get(p->config, "tags"));
        json_set_str(m, "connection_type", p->connection_type);
        shown = json_new_object(mem);
        json_merge(shown, m);
        if (!json_str(shown, "id").n)
            json_set(shown, "id", json_get(m, "name"));
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

    JSON_EACH (json_get(p->config, "model_ids"), i, id) {
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
    JSON_EACH (ids, i, wanted)
        if (str_eq(json_str_value(wanted), id))
            return true;
    return json_length(ids) == 0;
}

static json_object *by_member(json_object *list, const char *key, struct str value)
{
    JSON_EACH (list, i, m)
        if (str_eq(json_str(m, key), value))
            return m;
    return NULL;
}

static void add_ollama_models(struct arena *mem, const struct provider *p, json_object *answer, json_object *merged)
{
    JSON_EACH (json_get(answer, "models"), i, m) {
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
    JSON_EACH (json_get(answer, "models"), i, loaded) {
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
            json_set_int(m, "expires_at",
                         (int64_t)timegm(&tm) - (*zone == '-' ? -1 : 1) * (hours * 3600 + minutes * 60));
        }
    }
}

static void show_ollama_models(struct arena *mem, json_object *merged, json_object *out)
{
    JSON_EACH (merged, i, m) {
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

/* One call a provider (two an Ollama server), in the order of the lists; providers that are switched off, or whose entry names their models,
 * have none. */
struct round {
    struct providers openai, ollama;
    struct http_call *calls;
    size_t n;
};

static bool is_asked(const struct provider *p)
{
    return p->is_enabled && (p->kind == PROVIDER_OLLAMA || json_length(json_get(p->config, "model_ids")) == 0);
}

static void ask_all(struct arena *mem, struct config *c, const struct user *caller, struct round *round)
{
    round->openai = providers_of(mem, c, PROVIDER_OPENAI);
    round->ollama = providers_of(mem, c, PROVIDER_OLLAMA);
    round->calls = arena_new_array(mem, struct http_call, round->openai.n + 2 * round->ollama.n + 1);
    round->n = 0;
    for (size_t i = 0; i < round->openai.n; i++)
        if (is_asked(&round->openai.v[i]))
            round->calls[round->n++] = get_call(mem, c, &round->openai.v[i], caller, "/models");
    for (size_t i = 0; i < round->ollama.n; i++) {
        if (!is_asked(&round->ollama.v[i]))
            continue;
        round->calls[round->n++] = get_call(mem, c, &round->ollama.v[i], caller, "/api/tags");
        round->calls[round->n++] = get_call(mem, c, &round->ollama.v[i], caller, "/api/ps");
    }
    http_run(mem, round->calls, round->n);
}

/* Two rounds with the same digest make the same list. */
static struct str round_digest(struct arena *mem, const struct round *round)
{
    struct buf b = BUF(mem, STR_NPOS);

    for (size_t i = 0; i < round->n; i++) {
        buf_addf(&b, "%d %zu\n", (int)round->calls[i].result, round->calls[i].response.n);
        if (round->calls[i].result == OK)
            buf_add_str(&b, round->calls[i].response);
    }
    return sha256_hex(mem, buf_str(&b));
}

static json_object *read_round(struct arena *mem, const struct round *round)
{
    json_object *out = json_new_array(mem), *merged = json_new_array(mem);
    const struct http_call *call = round->calls, *first;

    for (size_t i = 0; i < round->openai.n; i++) {
        const struct provider *p = &round->openai.v[i];
        json_object *answer;

        if (!p->is_enabled)
            continue;
        answer = is_asked(p) ? answer_of(mem, call++) : named_models(mem, p);
        add_openai_models(mem, p, json_is(answer, json_type_array) ? answer : json_get(answer, "data"), out);
    }
    first = call;
    for (size_t i = 0; i < round->ollama.n; i++)
        if (is_asked(&round->ollama.v[i])) {
            add_ollama_models(mem, &round->ollama.v[i], answer_of(mem, call), merged);
            call += 2;
        }
    call = first;
    for (size_t i = 0; i < round->ollama.n; i++)
        if (is_asked(&round->ollama.v[i])) {
            if (call[1].result == OK)
                add_expiry(mem, &round->ollama.v[i], json_parse_or_null(mem, call[1].response), merged);
            call += 2;
        }
    show_ollama_models(mem, merged, out);
    return out;
}

/* ---- sharing: RUN/models.json holds the list; its time of modification is the moment until which it is good; as inodes are used again, the part
 * of it below a millisecond tells one list from the next. An answer that is the same as the one before only moves this time. RUN/models.lock is held
 * by the process that asks, and says when it began to. */

enum { BUSY_RETRY_MS = 250, FOREVER_MS = 0x7fffffff };

struct stored {
    struct str answers; /* digest of the round it came from */
    int64_t at_ms, good_until_ms;
    struct str models; /* JSON array text */
};

static struct { /* what this process knows of the file */
    ino_t inode;
    int64_t mark;
    uint64_t generation; /* of the settings for which its digest was found to be right */
    int64_t at_ms, good_until_ms;
} seen;

static struct { /* where RUN cannot be written, a process keeps its own */
    struct arena *mem;
    struct str digest;
    struct stored list;
} own;

int64_t catalog_good_until_ms(void)
{
    return seen.good_until_ms;
}

/* What the answer depends on; of keys only a digest is kept. */
static struct str settings_digest(struct arena *mem, struct config *c)
{
    static const enum setting_id ids[] = { CFG_ENABLE_OPENAI_API,  CFG_OPENAI_API_BASE_URLS,    CFG_OPENAI_API_KEYS,
                                           CFG_OPENAI_API_CONFIGS, CFG_ENABLE_OLLAMA_API,       CFG_OLLAMA_BASE_URLS,
                                           CFG_OLLAMA_API_CONFIGS, CFG_ENABLE_BASE_MODELS_CACHE };
    struct buf b = BUF(mem, STR_NPOS);

    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        json_add_to_buf(&b, config_json(c, ids[i]));
        buf_add_char(&b, '\n');
    }
    return sha256_hex(mem, buf_str(&b));
}

static const char *run_file(struct arena *mem, struct config *c, const char *name)
{
    return str_f(mem, "%s/%s", config_run_dir(c), name).p;
}

static int64_t ms_of(struct timespec t)
{
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int64_t mark_of(const struct stat *st)
{
    return st->st_mtim.tv_nsec % 1000000;
}

static bool read_stored(struct arena *mem, const char *path, struct str digest, struct stored *s, struct stat *st)
{
    struct str text, part;
    struct error err;

    if (own.mem && str_eq(own.digest, digest)) {
        *s = own.list;
        s->answers = str_copy(mem, own.list.answers);
        s->models = str_copy(mem, own.list.models);
        return true;
    }
    if (stat(path, st) != 0 || file_read(mem, path, 2 * MAX_BYTES, &text, &err) != OK ||
        json_scan_member(text, "digest", &part) != OK || !str_eq(str_trim_c(part, "\""), digest) ||
        json_scan_member(text, "answers", &s->answers) != OK)
        return false;
    s->answers = str_trim_c(s->answers, "\"");
    s->good_until_ms = ms_of(st->st_mtim);
    return json_scan_member(text, "at", &part) == OK && str_to_i64(part, &s->at_ms) &&
           json_scan_member(text, "models", &s->models) == OK;
}

static void keep_own(struct str digest, const struct stored *s)
{
    struct arena *mem = arena_new(s->models.n + 4096);

    own.list = *s;
    own.list.answers = str_copy(mem, s->answers);
    own.list.models = str_copy(mem, s->models);
    own.digest = str_copy(mem, digest);
    arena_free(own.mem);
    own.mem = mem;
}

static void write_stored(struct arena *mem, const char *path, struct str digest, const struct stored *s, bool is_new)
{
    struct timespec times[2] = { { .tv_nsec = UTIME_OMIT },
                                 { .tv_sec = (time_t)(s->good_until_ms / 1000),
                                   .tv_nsec = (long)(s->good_until_ms % 1000 * 1000000 + s->at_ms % 1000000) } };
    struct error err = { "" };
    enum status st = OK;

    if (is_new || own.mem)
        st = file_write(path,
                        str_f(mem, "{\"digest\":\"%.*s\",\"answers\":\"%.*s\",\"at\":%lld,\"models\":%.*s}",
                              STR(digest), STR(s->answers), (long long)s->at_ms, STR(s->models)),
                        0600, &err);
    if (st == OK && utimensat(AT_FDCWD, path, times, 0) == 0) {
        arena_free(own.mem);
        own.mem = NULL;
        return;
    }
    log_warning("could not share the model list: %s", st == OK ? "its times cannot be set" : err.text);
    keep_own(digest, s);
}

/* An answer that took long to get (a provider that is down) is kept for longer: asking again at once would cost as much again. */
static int64_t keep_ms(struct config *c, int64_t took_ms)
{
    int64_t ttl_ms = config_int(c, CFG_MODELS_CACHE_TTL) * 1000;

    if (config_bool(c, CFG_ENABLE_BASE_MODELS_CACHE))
        return FOREVER_MS;
    return ttl_ms > 3 * took_ms ? ttl_ms : 3 * took_ms;
}

static void ask_and_store(struct arena *mem, struct config *c, const struct user *caller, const char *path,
                          struct str digest, bool known, struct stored *s)
{
    int64_t started = now_ms(), ended;
    struct round round;
    struct str answers;
    bool is_new;

    ask_all(mem, c, caller, &round);
    answers = round_digest(mem, &round);
    is_new = !known || !str_eq(answers, s->answers);
    ended = now_ms();
    s->good_until_ms = ended + keep_ms(c, ended - started);
    if (is_new) {
        s->at_ms = ended > s->at_ms ? ended : s->at_ms + 1;
        s->answers = answers;
        s->models = json_text(mem, read_round(mem, &round));
    }
    write_stored(mem, path, digest, s, is_new);
}

/* Whether somebody began to ask after that moment: while we waited for the lock, that is. */
static bool asked_since(int lock, int64_t came_ms)
{
    int64_t began_ms = 0;

    return pread(lock, &began_ms, sizeof(began_ms), 0) == (ssize_t)sizeof(began_ms) && began_ms > came_ms;
}

static void note_asking(int lock)
{
    int64_t began_ms = now_ms();

    if (lock >= 0 && pwrite(lock, &began_ms, sizeof(began_ms), 0) != (ssize_t)sizeof(began_ms))
        log_debug("could not note when the providers were asked");
}

/* The list, asked for if need be. */
static void get_list(struct arena *mem, struct config *c, const struct user *caller, bool refresh, struct stored *s)
{
    const char *path = run_file(mem, c, "models.json");
    struct str digest = settings_digest(mem, c);
    int64_t came = now_ms();
    struct stat st = { 0 };
    bool known = read_stored(mem, path, digest, s, &st);

    if (refresh || !known || came >= s->good_until_ms) {
        int lock AUTO_CLOSE = open(run_file(mem, c, "models.lock"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        /* Somebody asks already: go on with what is there. Nothing is there: wait for him. */
        bool locked = lock >= 0 && flock(lock, known && !refresh ? LOCK_EX | LOCK_NB : LOCK_EX) == 0;
        struct stored now = *s;

        if (locked && read_stored(mem, path, digest, &now, &st)) {
            *s = now;
            known = true;
        }
        if (lock >= 0 && !locked && known) {
            s->good_until_ms = came + BUSY_RETRY_MS;
        } else if (!known || (refresh ? !asked_since(lock, came) : now_ms() >= s->good_until_ms)) {
            note_asking(lock);
            ask_and_store(mem, c, caller, path, digest, known, s);
            if (stat(path, &st) != 0)
                st.st_ino = 0;
        }
    }
    seen.inode = own.mem ? 0 : st.st_ino;
    seen.mark = mark_of(&st);
    seen.generation = config_generation(c);
    seen.at_ms = s->at_ms;
    seen.good_until_ms = s->good_until_ms;
}

int64_t catalog_changed_at_ms(struct arena *mem, struct config *c, const struct user *caller, bool refresh)
{
    struct stored s = { .at_ms = 0 };
    struct stat st;

    if (!refresh && seen.inode && seen.generation == config_generation(c) &&
        stat(run_file(mem, c, "models.json"), &st) == 0 && st.st_ino == seen.inode && mark_of(&st) == seen.mark &&
        now_ms() < ms_of(st.st_mtim)) {
        seen.good_until_ms = ms_of(st.st_mtim); /* another process has asked, and nothing is new */
        return seen.at_ms;
    }
    get_list(mem, c, caller, refresh, &s);
    return s.at_ms;
}

json_object *catalog_get(struct arena *mem, struct config *c, const struct user *caller, bool refresh,
                         int64_t *changed_at_ms)
{
    struct stored s = { .at_ms = 0 };
    json_object *models;

    get_list(mem, c, caller, refresh, &s);
    if (changed_at_ms)
        *changed_at_ms = s.at_ms;
    models = json_parse_or_null(mem, s.models);
    return models ? models : json_new_array(mem);
}
