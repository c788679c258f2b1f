/* embed.c: vectors of texts, by OpenAI's API, Azure's, or Ollama's. */
#include "lib/rag/embed.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/llm/providers.h"
#include "lib/net/http.h"

enum { AT_A_TIME = 4, TRIES_IF_BUSY = 5, IN_MEMORY_BYTES = 4 << 20, MAX_ANSWER = 256 << 20 };

struct engine {
    const char *name;
    enum setting_id url, key;
    const char *member; /* of the answer: a list of vectors, or of objects with "embedding" */
    enum { BEARER, API_KEY_HEADER } key_header;
    bool names_model; /* in the body; else it is in the address */
};

static const struct engine engines[] = {
    { "openai", CFG_RAG_OPENAI_API_BASE_URL, CFG_RAG_OPENAI_API_KEY, "data", BEARER, true },
    { "azure_openai", CFG_RAG_AZURE_OPENAI_BASE_URL, CFG_RAG_AZURE_OPENAI_API_KEY, "data", API_KEY_HEADER, false },
    { "ollama", CFG_RAG_OLLAMA_BASE_URL, CFG_RAG_OLLAMA_API_KEY, "embeddings", BEARER, true },
};

bool embed_is_local(struct config *c)
{
    return config_str(c, CFG_RAG_EMBEDDING_ENGINE).n == 0;
}

static const struct engine *engine_of(struct config *c, struct error *err)
{
    struct str name = config_str(c, CFG_RAG_EMBEDDING_ENGINE);

    for (size_t i = 0; i < sizeof(engines) / sizeof(engines[0]); i++)
        if (str_is(name, engines[i].name))
            return &engines[i];
    if (name.n)
        error_set(err, INVALID, "Unknown embedding engine: %.*s", STR(name));
    else
        error_set(err, INVALID, "%s", EMBED_LOCAL_TEXT);
    return NULL;
}

static struct str address(struct config *c, struct arena *mem, const struct engine *e)
{
    struct str url = config_str(c, e->url);

    if (str_is(str_of(e->name), "ollama"))
        return str_f(mem, "%.*s/api/embed", STR(url));
    if (e->names_model)
        return str_f(mem, "%.*s/embeddings", STR(url));
    return str_f(mem, "%.*s/openai/deployments/%.*s/embeddings?api-version=%.*s", STR(url),
                 STR(config_str(c, CFG_RAG_EMBEDDING_MODEL)), STR(config_str(c, CFG_RAG_AZURE_OPENAI_API_VERSION)));
}

/* ---- the calls */

struct embedding { /* what all calls of one embed_texts() have in common */
    struct config *c;
    const struct engine *engine;
    struct str url, prefix, prefix_member; /* prefix absent: none */
    struct http_header headers[8];
    size_t headers_n;
};

static void add_header(struct embedding *e, struct str name, struct str value)
{
    if (e->headers_n < sizeof(e->headers) / sizeof(e->headers[0]))
        e->headers[e->headers_n++] = (struct http_header){ name, value };
}

static void prepare(struct embedding *e, struct config *c, struct arena *mem, const struct user *u,
                    enum embed_kind kind)
{
    struct str key = config_str(c, e->engine->key);

    e->c = c;
    e->url = address(c, mem, e->engine);
    e->prefix_member = config_str(c, CFG_RAG_EMBEDDING_PREFIX_FIELD_NAME);
    if (kind != EMBED_PLAIN)
        e->prefix = config_str(c,
                               kind == EMBED_QUERY ? CFG_RAG_EMBEDDING_QUERY_PREFIX : CFG_RAG_EMBEDDING_CONTENT_PREFIX);
    add_header(e, S("Content-Type"), S("application/json"));
    if (e->engine->key_header == BEARER)
        add_header(e, S("Authorization"), str_f(mem, "Bearer %.*s", STR(key)));
    else
        add_header(e, S("api-key"), key);
    if (u && config_bool(c, CFG_ENABLE_FORWARD_USER_INFO_HEADERS)) {
        json_object *more = json_new_object(mem);

        provider_add_user(mem, more, u, STR_NONE);
        json_object_object_foreach(more, name, value) add_header(e, str_of(name), json_str_value(value));
    }
}

static struct str body_of(const struct embedding *e, struct arena *mem, const struct str *texts, size_t n)
{
    json_object *body = json_new_object(mem), *input = json_set_array(body, "input");

    for (size_t i = 0; i < n; i++)
        json_push_str(input, e->prefix.p && !e->prefix_member.p ? str_cat(mem, e->prefix, texts[i])
                             : texts[i].p                       ? texts[i]
                                                                : S(""));
    if (e->engine->names_model)
        json_set_str(body, "model", config_str(e->c, CFG_RAG_EMBEDDING_MODEL));
    if (e->prefix.p && e->prefix_member.p)
        json_set_str(body, str_c(mem, e->prefix_member), e->prefix);
    return json_text(mem, body);
}

/* A server that is busy says 429: asked again a little later, as all calls of the group that were refused so. */
static void run(struct arena *mem, struct http_call *calls, size_t n)
{
    http_run(mem, calls, n);
    for (int tries = 1; tries < TRIES_IF_BUSY; tries++) {
        bool again = false;

        for (size_t i = 0; i < n; i++)
            again |= calls[i].result == OK && calls[i].status == 429;
        if (!again)
            return;
        sleep(1);
        for (size_t i = 0; i < n; i++)
            if (calls[i].result == OK && calls[i].status == 429)
                http_run(mem, &calls[i], 1);
    }
}

static enum status check_answer(struct arena *mem, const struct http_call *call, json_object **out, struct error *err)
{
    json_object *o;

    if (call->result != OK) {
        log_warning("embedding: %s", call->err.text);
        return error_set(err, FAILED, "The embedding server could not be reached");
    }
    if (call->status >= 400) {
        log_warning("embedding: %.*s answered %d: %.*s", STR(call->url), call->status,
                    STR(str_sub(call->response, 0, 300)));
        return error_set(err, FAILED, "The embedding server answered with status %d", call->status);
    }
    o = json_parse_or_null(mem, call->response);
    if (!json_is(o, json_type_object))
        return error_set(err, FAILED, "The embedding server did not answer with JSON");
    *out = o;
    return OK;
}

/* ---- the vectors */

struct mapping {
    void *p;
    size_t bytes;
};

static void unmap(void *arg)
{
    struct mapping *m = arg;

    munmap(m->p, m->bytes);
}

/* Room for many vectors: a file without a name, so that the kernel may write it out when memory is short. */
static enum status map_room(struct config *c, struct arena *mem, size_t bytes, float **out, struct error *err)
{
    const char *folder = str_f(mem, "%s/vector_db", config_data_dir(c)).p;
    struct mapping *m = arena_new_one(mem, struct mapping);
    enum status st = dir_make(folder, 0700, err);
    int fd AUTO_CLOSE = st == OK ? open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600) : -1;

    if (st != OK)
        return st;
    if (fd < 0 || posix_fallocate(fd, 0, (off_t)bytes) != 0)
        return error_set(err, FAILED, "no room for vectors in %s: %s", folder, strerror(errno));
    m->bytes = bytes;
    m->p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (m->p == MAP_FAILED)
        return error_set(err, FAILED, "no room for vectors: %s", strerror(errno));
    arena_at_end(mem, unmap, m);
    *out = m->p;
    return OK;
}

static json_object *vector_at(json_object *list, size_t i)
{
    json_object *one = json_at(list, i);

    return json_is(one, json_type_object) ? json_get(one, "embedding") : one;
}

/* The vectors of one answer, to rows from `first` on; the first answer says how long they are. */
static enum status take_vectors(struct config *c, struct arena *mem, json_object *list, size_t first, size_t n,
                                size_t all, float **room, size_t *dim, struct error *err)
{
    if (json_length(list) != n)
        return error_set(err, FAILED, "The embedding server answered with %zu vectors for %zu texts", json_length(list),
                         n);
    if (!*room) {
        size_t bytes;

        *dim = json_length(vector_at(list, 0));
        if (*dim == 0 || *dim > 65536)
            return error_set(err, FAILED, "The embedding server answered without a vector");
        bytes = all * *dim * sizeof(float);
        if (bytes <= IN_MEMORY_BYTES) {
            *room = arena_alloc(mem, bytes);
        } else {
            enum status st = map_room(c, mem, bytes, room, err);

            if (st != OK)
                return st;
        }
    }
    for (size_t i = 0; i < n; i++) {
        json_object *v = vector_at(list, i);

        if (json_length(v) != *dim)
            return error_set(err, FAILED, "The embedding server answered with vectors of different lengths");
        for (size_t k = 0; k < *dim; k++)
            (*room)[(first + i) * *dim + k] = (float)json_object_get_double(json_at(v, k));
    }
    return OK;
}

/* Up to AT_A_TIME batches from text `at` on; *at moves behind them. */
static enum status embed_group(struct embedding *e, struct arena *mem, struct arena *scratch, const struct str *texts,
                               size_t n, size_t batch, size_t *at, float **room, size_t *dim, struct error *err)
{
    struct http_call calls[AT_A_TIME] = { 0 };
    size_t first[AT_A_TIME], calls_n = 0;
    enum status st = OK;

    for (; *at < n && calls_n < AT_A_TIME; calls_n++) {
        size_t some = n - *at < batch ? n - *at : batch;

        first[calls_n] = *at;
        calls[calls_n] = (struct http_call){ .method = "POST",
                                             .url = e->url,
                                             .headers = e->headers,
                                             .headers_n = e->headers_n,
                                             .body = body_of(e, scratch, texts + *at, some),
                                             .max_bytes = MAX_ANSWER };
        *at += some;
    }
    run(scratch, calls, calls_n);
    for (size_t i = 0; i < calls_n && st == OK; i++) {
        size_t end = i + 1 < calls_n ? first[i + 1] : *at;
        json_object *answer = NULL;

        st = check_answer(scratch, &calls[i], &answer, err);
        if (st == OK)
            st = take_vectors(e->c, mem, json_get(answer, e->engine->member), first[i], end - first[i], n, room, dim,
                              err);
    }
    return st;
}

enum status embed_texts(struct config *c, struct arena *mem, const struct user *u, enum embed_kind kind,
                        const struct str *texts, size_t n, struct embeddings *out, struct error *err)
{
    struct embedding e = { .engine = engine_of(c, err) };
    int64_t batch = config_int(c, CFG_RAG_EMBEDDING_BATCH_SIZE);
    struct arena *scratch;
    enum status st = OK;
    float *room = NULL;
    size_t at = 0, dim = 0;

    if (!e.engine)
        return INVALID;
    prepare(&e, c, mem, u, kind);
    scratch = arena_new(64 * 1024);
    while (at < n && st == OK) {
        st = embed_group(&e, mem, scratch, texts, n, batch > 0 ? (size_t)batch : 1, &at, &room, &dim, err);
        arena_reset(scratch);
    }
    arena_free(scratch);
    if (st == OK)
        *out = (struct embeddings){ room, n, dim };
    return st;
}

enum status embed_text(struct config *c, struct arena *mem, const struct user *u, enum embed_kind kind, struct str text,
                       struct embeddings *out, struct error *err)
{
    return embed_texts(c, mem, u, kind, &text, 1, out, err);
}
