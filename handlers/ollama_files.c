/* ollama_files.c: /ollama/models: a model's file from elsewhere to an Ollama server, as a job; the answer tells how far it is. */
#include "handlers/ollama.h"

#include "handlers/routes.h"
#include "lib/base/clock.h"
#include "lib/base/random.h"
#include "lib/llm/model_file.h"
#include "lib/net/control.h"
#include "lib/storage/storage.h"

enum { LOOK_EVERY_MS = 500, WATCH_S = 2 * 3600 };

static bool server_of(struct request *r, struct response *out, struct provider *p, int *status)
{
    int64_t index = ollama_index(r);

    return provider_for(r, out, PROVIDER_OLLAMA, index < 0 ? 0 : index, p, status);
}

/* ---- the stream */

static bool is_final(json_object *state)
{
    return json_has(state, "done") || json_has(state, "error");
}

/* The state, if it is not the one that was shown last, and the wait for the next. */
static int watch(struct request *r, struct response *out, struct str key, struct str shown, int64_t until_s)
{
    json_object *state = model_file_state(r->mem, r->config, key), *plan = json_new_object(r->mem), *own;
    struct str text = state ? json_text(r->mem, state) : shown;
    json_object *write = json_set_object(plan, "write");

    json_set_c(write, "content_type", "text/event-stream; charset=utf-8");
    json_set_str(write, "text", str_eq(text, shown) ? S("") : str_f(r->mem, "data: %.*s\n\n", STR(text)));
    if (is_final(state) || now_s() >= until_s) {
        if (is_final(state))
            model_file_forget(r->mem, r->config, key);
        return reply_plan(out, plan);
    }
    own = json_set_object(plan, "wait");
    json_set_int(own, "ms", LOOK_EVERY_MS);
    json_set_str(own, "job", key);
    json_set_c(plan, "then", "model_file_watched");
    own = json_set_object(plan, "state");
    json_set_str(own, "key", key);
    json_set_str(own, "shown", text.p ? text : S(""));
    json_set_int(own, "until_s", until_s);
    return reply_plan(out, plan);
}

static int watched(struct request *r, struct response *out)
{
    json_object *state = form_json(r, "state");

    return watch(r, out, json_str(state, "key"), json_str(state, "shown"), json_int(state, "until_s", 0));
}

static int begin(struct request *r, struct response *out, const struct provider *p, struct str key, struct str url,
                 struct str name)
{
    json_object *state = json_new_object(r->mem);

    json_set_str(state, "key", key);
    json_set_int(state, "server", p->index);
    json_set_str(state, "url", url);
    json_set_str(state, "name", name);
    model_file_forget(r->mem, r->config, key);
    if (control_job(r->mem, config_run_dir(r->config), "model_file", key, state) != OK)
        return fail(out, 503, "The server cannot take this job now. Please try again.");
    return watch(r, out, key, S(""), now_s() + WATCH_S);
}

/* ---- routes */

static int download(struct request *r, struct response *out)
{
    struct str url = form_str(r, "url"), name = model_file_name(url);
    struct provider p;
    int status;

    if (!model_file_source_allowed(r->config, url))
        return fail(out, 400, "Invalid file_url. Only URLs from allowed hosts are permitted.");
    if (!name.n)
        return reply_null(out);
    if (!server_of(r, out, &p, &status))
        return status;
    return begin(r, out, &p, model_file_key(r->mem, url, p.index), url, name);
}

static int upload(struct request *r, struct response *out)
{
    const struct part *file = request_part(r, "file");
    struct error err = { "" };
    struct provider p;
    struct str key, name;
    enum status st;
    int status;

    if (!server_of(r, out, &p, &status))
        return status;
    if (!storage_base_name(file->filename, &name) || !name.n)
        return fail(out, 400, "The file has no good name");
    key = random_hex(r->mem, 16);
    st = model_file_put(r->mem, r->config, key, file->body, &err);
    return st == OK ? begin(r, out, &p, key, STR_NONE, name) : fail_status(out, st, &err);
}

/* The job. */
static int deliver(struct request *r, struct response *out)
{
    json_object *state = form_json(r, "state");
    struct str key = json_str(state, "key"), url = json_str(state, "url");
    struct provider p;

    if (form_str(r, "failed").n)
        model_file_failed(r->mem, r->config, key, form_str(r, "failed"));
    else if (provider_by_index(r->mem, r->config, PROVIDER_OLLAMA, (int)json_int(state, "server", 0), &p) != OK)
        model_file_failed(r->mem, r->config, key, S("The Ollama server was removed from the settings"));
    else
        model_file_deliver(r->mem, r->config, &p, key, url, json_str(state, "name"), !url.n);
    return reply_json(out, json_new_object(r->mem));
}

static const struct field index_arg[] = { FIELD(INTEGER, "url_idx", REQUIRED), END };
static const struct field index_query[] = { FIELD(INTEGER, "url_idx", OPTIONAL, .about = "which server"), END };
static const struct field url_form[] = { FIELD(STRING, "url", REQUIRED), END };
static const struct field file_form[] = { FIELD(FILE_PART, "file", REQUIRED), END };

#define DOWNLOAD_ABOUT "Has a model's file fetched for an Ollama server"
#define UPLOAD_ABOUT "Hands a model's file to an Ollama server and makes a model of it"

const struct route ollama_files_routes[] = {
    { POST, "/ollama/models/download", ADMIN, download, .type = "text/event-stream", .form = url_form,
      .query = index_query, .server = SIDECAR, .about = DOWNLOAD_ABOUT },
    { POST, "/ollama/models/download/{url_idx}", ADMIN, download, .type = "text/event-stream", .form = url_form,
      .args = index_arg, .server = SIDECAR, .about = DOWNLOAD_ABOUT },
    { POST, "/ollama/models/upload", ADMIN, upload, .type = "text/event-stream", .form = file_form,
      .query = index_query, .body = BODY_MULTIPART, .server = SIDECAR, .about = UPLOAD_ABOUT },
    { POST, "/ollama/models/upload/{url_idx}", ADMIN, upload, .type = "text/event-stream", .form = file_form,
      .args = index_arg, .body = BODY_MULTIPART, .server = SIDECAR, .about = UPLOAD_ABOUT },
    { POST, "/internal/step/model_file", INTERNAL, deliver, .body = BODY_JSON_ANY, .keep_unknown = true, .hidden = true,
      .about = "Takes a model's file to its server" },
    { POST, "/internal/step/model_file_watched", INTERNAL, watched, .body = BODY_JSON_ANY, .keep_unknown = true,
      .hidden = true, .about = "How far a model's file is" },
    END
};
