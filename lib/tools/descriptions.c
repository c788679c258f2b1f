/* descriptions.c: the descriptions of tool servers, shared by all processes. */
#include "lib/tools/descriptions.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/encode.h"
#include "lib/base/file.h"
#include "lib/base/log.h"

enum { GOOD_S = 60, FILE_BYTES = 64 * 1024 * 1024 };

enum status tool_description_of(struct arena *mem, struct http_call *call, json_object **out, struct error *err)
{
    if (call->result != OK) {
        if (err)
            *err = call->err;
        return call->result;
    }
    if (call->status != 200)
        return error_set(err, FAILED, "status %d", call->status);
    if (json_parse(mem, call->response, out, err) != OK || !json_is(*out, json_type_object))
        return error_set(err, INVALID, "the description is not a JSON object");
    return OK;
}

/* The stored list of just these connections; NULL: there is none. */
static json_object *stored(struct arena *mem, const char *path, struct str digest, bool *is_good)
{
    struct str text;
    json_object *o;

    if (file_read(mem, path, FILE_BYTES, &text, NULL) != OK)
        return NULL;
    o = json_parse_or_null(mem, text);
    if (!str_eq(json_str(o, "digest"), digest))
        return NULL;
    *is_good = now_s() - json_int(o, "at_s", 0) < GOOD_S;
    return json_get(o, "descriptions");
}

static json_object *fetch(struct arena *mem, struct http_call *calls, size_t n, json_object *before)
{
    struct http_call *v = arena_new_array(mem, struct http_call, n + 1);
    size_t *index = arena_new_array(mem, size_t, n + 1), v_n = 0, k = 0;
    json_object *list = json_new_array(mem);

    for (size_t i = 0; i < n; i++)
        if (calls[i].url.p) {
            index[v_n] = i;
            v[v_n++] = calls[i];
        }
    http_run(mem, v, v_n);
    for (size_t i = 0; i < n; i++) {
        json_object *description = NULL;
        struct error err = { "" };

        if (k < v_n && index[k] == i && tool_description_of(mem, &v[k++], &description, &err) != OK) {
            log_warning("tool server %.*s: %s", STR(calls[i].url), err.text);
            description = json_at(before, i);
        }
        json_push(list, description);
    }
    return list;
}

static void keep(struct arena *mem, const char *path, struct str digest, json_object *list)
{
    json_object *o = json_new_object(mem);
    struct error err = { "" };

    json_set_str(o, "digest", digest);
    json_set_int(o, "at_s", now_s());
    json_set(o, "descriptions", list);
    if (file_write(path, json_text(mem, o), 0600, &err) != OK)
        log_warning("the descriptions of tool servers are not kept: %s", err.text);
}

static const char *file_of(struct arena *mem, struct config *c)
{
    return str_f(mem, "%s/tool-servers.json", config_run_dir(c)).p;
}

void tool_descriptions_forget(struct arena *mem, struct config *c)
{
    unlink(file_of(mem, c));
}

json_object *tool_descriptions(struct arena *mem, struct config *c, struct http_call *calls, size_t n)
{
    const char *path = file_of(mem, c), *lock_path = str_f(mem, "%s/tool-servers.lock", config_run_dir(c)).p;
    struct str digest = sha256_hex(mem, json_text(mem, config_json(c, CFG_TOOL_SERVER_CONNECTIONS)));
    bool is_good = false, locked;
    json_object *list = stored(mem, path, digest, &is_good);
    int lock;

    if (list && is_good)
        return list;
    lock = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    locked = lock >= 0 && flock(lock, list ? LOCK_EX | LOCK_NB : LOCK_EX) == 0;
    if (locked || lock < 0) {
        json_object *now = stored(mem, path, digest, &is_good); /* somebody may have asked while we waited */

        list = now && is_good ? now : fetch(mem, calls, n, now);
        if (list != now)
            keep(mem, path, digest, list);
    }
    if (lock >= 0)
        close(lock);
    return list;
}
