/* model_file.c: fetch, digest, hand over; each of them says how far it is. */
#include "lib/llm/model_file.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/encode.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/random.h"
#include "lib/net/transfer.h"

enum { TELL_EVERY_MS = 500, CREATE_MS = 30 * 60 * 1000, HAND_OVER_IDLE_S = 600, REDIRECTS = 5 };

/* ---- names */

bool model_file_source_allowed(const struct config *c, struct str url)
{
    JSON_EACH (config_json(c, CFG_WEBUI_MODEL_SOURCES), i, source) {
        struct str prefix = json_str_value(source);

        if (prefix.n && str_starts(url, prefix.p))
            return true;
    }
    return false;
}

struct str model_file_name(struct str url)
{
    size_t slash;

    url = str_sub(url, 0, str_find_c(url, '?'));
    url = str_sub(url, 0, str_find_c(url, '#'));
    slash = str_rfind_c(url, '/');
    return slash == STR_NPOS ? url : str_from(url, slash + 1);
}

struct str model_file_key(struct arena *mem, struct str url, int server)
{
    return str_sub(sha256_hex(mem, str_f(mem, "%d %.*s", server, STR(url))), 0, 32);
}

static const char *part_path(struct arena *mem, const struct config *c, struct str key)
{
    return str_f(mem, "%s/uploads/%.*s.part", config_data_dir(c), STR(key)).p;
}

/* ---- the state */

static const char *state_path(struct arena *mem, const struct config *c, struct str key)
{
    return str_f(mem, "%s/model-%.*s.json", config_run_dir(c), STR(key)).p;
}

/* Renamed into its place, but not flushed: after a crash of the machine nobody watches. */
static void tell(const struct config *c, struct str key, json_object *state)
{
    struct arena *mem = arena_new(4096);
    const char *path = state_path(mem, c, key), *aside = str_f(mem, "%s.%s", path, random_hex(mem, 4).p).p;
    int fd = open(aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd >= 0) {
        bool good = write_all(fd, json_text(mem, state), NULL) == OK;

        close(fd);
        if (!good || rename(aside, path) != 0)
            unlink(aside);
    }
    arena_free(mem);
}

json_object *model_file_state(struct arena *mem, const struct config *c, struct str key)
{
    struct str text;

    return file_read(mem, state_path(mem, c, key), 64 * 1024, &text, NULL) == OK ? json_parse_or_null(mem, text) : NULL;
}

void model_file_forget(struct arena *mem, const struct config *c, struct str key)
{
    unlink(state_path(mem, c, key));
}

void model_file_failed(struct arena *mem, const struct config *c, struct str key, struct str why)
{
    json_object *state = json_new_object(mem);

    json_set_str(state, "error", why);
    tell(c, key, state);
}

/* ---- a delivery */

struct delivery {
    struct arena *mem;
    struct config *config;
    const struct provider *server;
    struct str key, url, name;
    int fd;
    int64_t told_ms;
};

static void tell_progress(void *arg, int64_t done, int64_t total)
{
    struct delivery *d = arg;
    struct arena *mem;
    json_object *state;

    if (mono_ms() - d->told_ms < TELL_EVERY_MS)
        return;
    d->told_ms = mono_ms();
    mem = arena_new(1024);
    state = json_new_object(mem);
    json_set_double(state, "progress", total > 0 ? round(10000.0 * (double)done / (double)total) / 100 : 0);
    json_set_int(state, "completed", done);
    json_set_int(state, "total", total);
    tell(d->config, d->key, state);
    arena_free(mem);
}

static enum status fetch(struct delivery *d, struct error *err)
{
    struct transfer t = { .url = d->url,
                          .fd = d->fd,
                          .redirects = REDIRECTS,
                          .public_only = !config_bool(d->config, CFG_ENABLE_RAG_LOCAL_WEB_FETCH),
                          .insecure = !config_bool(d->config, CFG_AIOHTTP_CLIENT_SESSION_SSL),
                          .progress = tell_progress,
                          .arg = d };
    enum status st = transfer_get(d->mem, &t, err);

    if (st == NO_SPACE && ftruncate(d->fd, 0) != 0) /* or nobody could work here any more */
        log_error("could not empty a model's file: %s", strerror(errno));
    return error_add(err, st, "could not fetch %.*s", STR(d->name));
}

static struct http_header *headers_of(struct delivery *d, size_t *n)
{
    json_object *headers = provider_headers(d->mem, d->config, d->server, NULL, STR_NONE, STR_NONE);
    struct http_header *v = arena_new_array(d->mem, struct http_header, (size_t)json_object_object_length(headers) + 1);

    *n = 0;
    json_object_object_foreach(headers, name, value)
    {
        if (!str_ieq(str_of(name), "content-type"))
            v[(*n)++] = (struct http_header){ str_of(name), json_str_value(value) };
    }
    return v;
}

static enum status hand_over(struct delivery *d, struct str digest, struct error *err)
{
    struct transfer t = { .url = str_f(d->mem, "%.*s/api/blobs/sha256:%.*s", STR(d->server->url), STR(digest)),
                          .fd = d->fd,
                          .idle_s = HAND_OVER_IDLE_S,
                          .insecure = !config_bool(d->config, CFG_AIOHTTP_CLIENT_SESSION_SSL) };
    struct error why = { "" };

    t.headers = headers_of(d, &t.headers_n);
    if (transfer_post(d->mem, &t, &why) == OK)
        return OK;
    log_warning("an Ollama server did not take a model's file: %s", why.text);
    return error_set(err, FAILED, "Ollama: Could not create blob, Please try again.");
}

/* "name.gguf": the model's name is what stands before the dot. */
static struct str model_of(struct str name)
{
    size_t dot = str_rfind_c(name, '.');

    return dot == STR_NPOS || dot == 0 ? name : str_sub(name, 0, dot);
}

static enum status make_model(struct delivery *d, struct str digest, struct error *err)
{
    json_object *body = json_new_object(d->mem);
    struct http_call call = { .url = str_f(d->mem, "%.*s/api/create", STR(d->server->url)), .timeout_ms = CREATE_MS };

    json_set_str(body, "model", model_of(d->name));
    json_set_str(json_set_object(body, "files"), str_c(d->mem, d->name), str_cat(d->mem, S("sha256:"), digest));
    call.body = json_text(d->mem, body);
    call.headers = headers_of(d, &call.headers_n);
    call.insecure = !config_bool(d->config, CFG_AIOHTTP_CLIENT_SESSION_SSL);
    http_run(d->mem, &call, 1);
    if (call.result == OK && call.status < 300)
        return OK;
    return error_set(err, FAILED, "Failed to create model in Ollama. %.*s",
                     STR(str_utf8_valid(call.response) ? str_utf8_first(call.response, 200) : S("")));
}

static enum status deliver(struct delivery *d, bool create, struct error *err)
{
    json_object *state = json_new_object(d->mem);
    struct str digest;
    enum status st = d->url.n ? fetch(d, err) : OK;

    if (st == OK && !sha256_fd_hex(d->mem, d->fd, &digest))
        st = error_set(err, FAILED, "could not read the file back");
    if (st == OK)
        st = hand_over(d, digest, err);
    if (st == OK && create)
        st = make_model(d, digest, err);
    if (st != OK)
        return st;
    json_set_bool(state, "done", true);
    json_set_str(state, "blob", str_cat(d->mem, S("sha256:"), digest));
    json_set_str(state, "name", d->name);
    if (create)
        json_set_str(state, "model_created", model_of(d->name));
    tell(d->config, d->key, state);
    return OK;
}

/* What was fetched is kept for the next try, which goes on where this one ended. */
static bool is_kept(const struct delivery *d, enum status st)
{
    struct stat s;

    return d->url.n && (st == UNAVAILABLE || st == TIMED_OUT || st == FAILED) && fstat(d->fd, &s) == 0 && s.st_size > 0;
}

void model_file_deliver(struct arena *mem, struct config *c, const struct provider *server, struct str key,
                        struct str url, struct str name, bool create)
{
    struct delivery d = { .mem = mem, .config = c, .server = server, .key = key, .url = url, .name = name };
    const char *path = part_path(mem, c, key);
    struct error err = { "" };
    enum status st;

    if (dir_make(str_f(mem, "%s/uploads", config_data_dir(c)).p, 0700, &err) != OK ||
        (d.fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)) < 0) {
        model_file_failed(mem, c, key, S("The file cannot be stored on the server"));
        return;
    }
    if (flock(d.fd, LOCK_EX | LOCK_NB) != 0) {
        close(d.fd);
        return;
    }
    st = deliver(&d, create, &err);
    if (st != OK) {
        log_warning("%s", err.text);
        model_file_failed(mem, c, key, str_of(err.text));
    }
    if (!is_kept(&d, st))
        unlink(path);
    close(d.fd);
}

enum status model_file_put(struct arena *mem, const struct config *c, struct str key, struct str bytes,
                           struct error *err)
{
    enum status st = dir_make(str_f(mem, "%s/uploads", config_data_dir(c)).p, 0700, err);

    return st == OK ? file_write(part_path(mem, c, key), bytes, 0600, err) : st;
}
