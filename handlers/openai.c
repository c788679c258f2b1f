/* openai.c: connections to OpenAI-compatible providers: settings, models, and what is passed on to them. */
#include "handlers/provider_reply.h"
#include "handlers/routes.h"
#include "lib/audio/speech.h"
#include "lib/base/encode.h"
#include "lib/llm/catalog.h"
#include "lib/llm/params.h"
#include "lib/llm/upstream.h"

/* ---- settings */

static int show_config(struct request *r, struct response *out)
{
    json_object *o = json_new_object(r->mem);

    json_set_bool(o, "ENABLE_OPENAI_API", config_bool(r->config, CFG_ENABLE_OPENAI_API));
    json_set(o, "OPENAI_API_BASE_URLS", config_json(r->config, CFG_OPENAI_API_BASE_URLS));
    json_set(o, "OPENAI_API_KEYS", config_json(r->config, CFG_OPENAI_API_KEYS));
    json_set(o, "OPENAI_API_CONFIGS", config_json(r->config, CFG_OPENAI_API_CONFIGS));
    return reply_json(out, o);
}

/* One key an address: keys without an address go, an address without a key gets an empty one. */
static json_object *keys_for(struct arena *mem, json_object *keys, size_t n)
{
    json_object *list = json_new_array(mem);

    for (size_t i = 0; i < n; i++)
        json_push_str(list, i < json_length(keys) ? json_str_value(json_at(keys, i)) : S(""));
    return list;
}

static json_object *configs_for(struct arena *mem, json_object *configs, size_t n)
{
    json_object *left = json_new_object(mem);

    json_object_object_foreach(configs, key, value)
    {
        int64_t index;

        if (str_to_i64(str_of(key), &index) && index >= 0 && (size_t)index < n &&
            str_is(str_f(mem, "%lld", (long long)index), key))
            json_set(left, key, value);
    }
    return left;
}

static int save_config(struct request *r, struct response *out)
{
    struct config_change *change = config_change_begin(r->config, r->mem);
    json_object *urls = form_json(r, "OPENAI_API_BASE_URLS");
    struct error err = { "" };
    enum status st;

    config_change_set(change, CFG_ENABLE_OPENAI_API, json_new_bool(r->mem, form_bool(r, "ENABLE_OPENAI_API", false)));
    config_change_set(change, CFG_OPENAI_API_BASE_URLS, urls);
    config_change_set(change, CFG_OPENAI_API_KEYS,
                      keys_for(r->mem, form_json(r, "OPENAI_API_KEYS"), json_length(urls)));
    config_change_set(change, CFG_OPENAI_API_CONFIGS,
                      configs_for(r->mem, form_json(r, "OPENAI_API_CONFIGS"), json_length(urls)));
    st = config_change_commit(change, r->db, &err);
    return st == OK ? show_config(r, out) : fail_status(out, st, &err);
}

static const struct field config_form[] = { FIELD(BOOLEAN, "ENABLE_OPENAI_API", OPTIONAL),
                                            FIELD(LIST_OF_STRINGS, "OPENAI_API_BASE_URLS", REQUIRED),
                                            FIELD(LIST_OF_STRINGS, "OPENAI_API_KEYS", REQUIRED),
                                            FIELD(OBJECT, "OPENAI_API_CONFIGS", REQUIRED), END };

/* A connection that an administrator is about to make. */
static int verify(struct request *r, struct response *out)
{
    json_object *config = form_json(r, "config");
    struct provider p = { .kind = PROVIDER_OPENAI,
                          .index = -1,
                          .url = form_str(r, "url"),
                          .key = form_str(r, "key"),
                          .config = config,
                          .is_enabled = true,
                          .is_azure = json_flag(config, "azure", false),
                          .auth_type = json_str(config, "auth_type") };
    struct http_call call;
    struct str url;

    if (!p.auth_type.n)
        p.auth_type = S("bearer");
    url = p.is_azure ? str_f(r->mem, "%.*s/openai/models?api-version=%.*s", STR(p.url), STR(provider_api_version(&p)))
                     : str_f(r->mem, "%.*s/models", STR(p.url));
    call = provider_call(r, &p, "GET", url, STR_NONE);
    http_run(r->mem, &call, 1);
    if (call.result == INVALID)
        return fail(out, 400, "This is not the address of a server");
    return reply_http_call(r, out, ANSWER_OPENAI, &call);
}

static const struct field verify_form[] = { FIELD(STRING, "url", REQUIRED), FIELD(STRING, "key", REQUIRED),
                                            FIELD(OBJECT, "config", OPTIONAL), END };

/* ---- models */

/* Models of the catalog that the caller may use; index < 0: of all providers, as our list shows them, else as the provider does. */
static int list_known(struct request *r, struct response *out, int64_t index)
{
    json_object *o = json_new_object(r->mem), *data = json_set_array(o, "data");
    const struct models *list;
    struct error err = { "" };
    enum status st = models_all(r->mem, r->db, r->config, r->user, false, &list, &err);

    if (st != OK)
        return fail_status(out, st, &err);
    JSON_EACH (catalog_get(r->mem, r->config, r->user, false, NULL), i, m) {
        if (!json_has(m, "urlIdx") || (index >= 0 && json_int(m, "urlIdx", -1) != index) ||
            !may_use_model(r, list, json_str(m, "id")))
            continue;
        json_push(data, index < 0 ? m : json_get(m, "openai"));
    }
    if (index >= 0)
        json_set_c(o, "object", "list");
    return reply_json(out, o);
}

static int list_models_of(struct request *r, struct response *out)
{
    json_object *o, *state;
    struct provider p;
    int64_t index;
    int status;

    if (!str_to_i64(path_arg(r, "url_idx"), &index))
        index = query_int(r, "url_idx", -1);
    if (!provider_for(r, out, PROVIDER_OPENAI, index, &p, &status))
        return status;
    if (!r->user->is_admin)
        return list_known(r, out, index);
    o = json_new_object(r->mem);
    if (p.is_azure) {
        json_set(o, "data", json_get(p.config, "model_ids") ? json_get(p.config, "model_ids") : json_new_array(r->mem));
        json_set_c(o, "object", "list");
        return reply_json(out, o);
    }
    state = json_new_object(r->mem);
    json_set_bool(state, "is_openai_itself", str_has(p.url, "api.openai.com"));
    o = upstream_call(r->mem, r->config, &p, r->user, r->token, STR_NONE, "GET",
                      str_f(r->mem, "%.*s/models", STR(p.url)), STR_NONE, false);
    json_set_int(o, "timeout_ms", provider_call(r, &p, "GET", p.url, STR_NONE).timeout_ms);
    return reply_provider_plan(out, o, false, ANSWER_OPENAI_MODELS, state);
}

static int list_models(struct request *r, struct response *out)
{
    return query_has(r, "url_idx") ? list_models_of(r, out) : list_known(r, out, -1);
}

static const struct field index_arg[] = { FIELD(INTEGER, "url_idx", REQUIRED), END };
static const struct field models_query[] = { FIELD(INTEGER, "url_idx", OPTIONAL), END };

/* ---- chat */

static int chat_completion(struct request *r, struct response *out)
{
    json_object *metadata = form_json(r, "metadata");
    struct chat_call call = { .user = r->user,
                              .token = r->token,
                              .chat_id = json_str(metadata, "chat_id"),
                              .variables = json_get(metadata, "variables") };
    struct str model_id = form_str(r, "model"), upstream_id;
    const struct models *list;
    const struct model *m;
    struct provider p;
    struct error err = { "" };
    enum status st = models_all(r->mem, r->db, r->config, r->user, false, &list, &err);

    if (st != OK)
        return fail_status(out, st, &err);
    if (!may_use_model(r, list, model_id))
        return fail(out, 403, MODEL_NOT_FOUND);
    m = model_by_id(list, model_id);
    if (!m || m->is_arena || model_provider(r->mem, r->config, list, m, &p, &upstream_id) != OK ||
        p.kind != PROVIDER_OPENAI)
        return fail(out, 404, MODEL_NOT_FOUND);
    call.form = json_clone(r->mem, r->form);
    json_del(call.form, "metadata");
    if (upstream_for_chat(r->mem, r->config, list, m, &call) != OK)
        return fail(out, 404, MODEL_NOT_FOUND);
    return reply_provider_plan(out, call.upstream, call.is_stream, ANSWER_OPENAI, NULL);
}

/* ---- speech of OpenAI itself, kept by the digest of the request */

static int speech(struct request *r, struct response *out)
{
    struct providers all = providers_of(r->mem, r->config, PROVIDER_OPENAI);
    const struct provider *p = NULL;
    json_object *state = json_new_object(r->mem), *body = NULL;
    struct str name = sha256_hex(r->mem, r->body);
    int64_t bytes;
    int fd;

    for (size_t i = 0; i < all.n && !p; i++)
        if (str_is(all.v[i].url, "https://api.openai.com/v1") && all.v[i].is_enabled)
            p = &all.v[i];
    if (!p)
        return fail(out, 401, "OpenAI API was not found");
    if (json_parse(r->mem, r->body, &body, NULL) != OK)
        return fail(out, 400, "The request is not JSON");
    if (speech_cached(r->mem, r->config, name, &fd, &bytes))
        return reply_file(out, fd, bytes, "audio/mpeg");
    json_set_str(state, "name", name);
    json_set(state, "body", body);
    return reply_provider_plan(out,
                               upstream_call(r->mem, r->config, p, r->user, r->token, STR_NONE, "POST",
                                             str_f(r->mem, "%.*s/audio/speech", STR(p->url)), r->body, false),
                               false, ANSWER_SPEECH, state);
}

/* ---- any other path of the first provider */

/* Nothing that leads up, however often it is encoded and whatever hangs on to the dots. */
static bool climbs(struct arena *mem, struct str path)
{
    for (int i = 0; i < 8; i++) {
        struct str rest = path, segment, decoded;

        for (size_t k = 0; k < path.n; k++)
            if (path.p[k] == '\\' || (unsigned char)path.p[k] < 0x20 || path.p[k] == 0x7f)
                return true;
        while (str_split(&rest, '/', &segment)) {
            segment = str_trim(str_sub(segment, 0, str_find_c(segment, ';')));
            if (str_is(segment, "..") || str_is(segment, "."))
                return true;
        }
        if (str_find_c(path, '%') == STR_NPOS || !url_decode(mem, path, false, &decoded) || str_eq(decoded, path))
            return false;
        path = decoded;
    }
    return true; /* nobody encodes so often for any good */
}

static struct str encoded_path(struct arena *mem, struct str path)
{
    struct buf b = BUF(mem, 64 * 1024);
    struct str segment;

    while (str_split(&path, '/', &segment)) {
        buf_add_urlencoded(&b, segment);
        if (path.p)
            buf_add_char(&b, '/');
    }
    return str_replace(mem, buf_str(&b), S("%3A"), S(":"));
}

/* A model that our list has and the caller may not use is not to be had by the provider's own name for it either. */
static bool may_name_model(struct request *r, const struct models *list, const struct provider *p, struct str id)
{
    if (model_by_id(list, id) && !may_use_model(r, list, id))
        return false;
    for (size_t i = 0; i < models_count(list); i++) {
        const struct model *m = models_at(list, i);

        if (json_int(m->json, "urlIdx", -1) != p->index ||
            !str_eq(str_f(r->mem, "%.*s.%.*s", STR(p->prefix_id), STR(id)), m->id))
            continue;
        if (!may_use_model(r, list, m->id))
            return false;
    }
    return true;
}

/* The body as it goes on. Of users it is looked into, and goes on as it was understood; false: *status is the answer. */
static bool proxied_body(struct request *r, struct response *out, const struct provider *p, struct str *body,
                         json_object **form, int *status)
{
    const struct models *list;
    struct error err = { "" };
    enum status st;

    *body = r->body.n ? r->body : STR_NONE;
    *form = json_parse_or_null(r->mem, r->body);
    if (r->user->is_admin || !r->body.n)
        return true;
    if (!json_is(*form, json_type_object)) {
        *status = fail(out, 400, "The request is no JSON object");
        return false;
    }
    st = models_all(r->mem, r->db, r->config, r->user, false, &list, &err);
    if (st != OK || !may_name_model(r, list, p, json_str(*form, "model"))) {
        *status = st != OK ? fail_status(out, st, &err) : fail(out, 403, MODEL_NOT_FOUND);
        return false;
    }
    *body = json_text(r->mem, *form);
    return true;
}

static int proxy(struct request *r, struct response *out)
{
    static const char *const methods[] = { [GET] = "GET", [POST] = "POST", [PUT] = "PUT", [DELETE] = "DELETE" };
    struct str path = path_arg(r, "path"), body, url;
    json_object *form, *call;
    struct provider p;
    bool is_stream;
    int status;

    if (climbs(r->mem, path))
        return fail(out, 400, "Bad path");
    if (!provider_for(r, out, PROVIDER_OPENAI, 0, &p, &status) || !proxied_body(r, out, &p, &body, &form, &status))
        return status;
    path = encoded_path(r->mem, path);
    if (p.is_azure) {
        if (!json_is(form, json_type_object))
            return fail(out, 400, "The request is no JSON object");
        url = str_f(r->mem, "%.*s/openai/deployments/%.*s/%.*s?api-version=%.*s", STR(p.url),
                    STR(url_encode(r->mem, json_str(form, "model"))), STR(path), STR(provider_api_version(&p)));
        body = json_text(r->mem, params_for_azure(r->mem, form, provider_api_version(&p)));
    } else {
        url = str_f(r->mem, "%.*s/%.*s", STR(p.url), STR(path));
    }
    is_stream = r->route->method != GET && json_flag(form, "stream", false);
    if (body.p && !str_utf8_valid(body))
        return fail(out, 400, "The request is not text");
    call = upstream_call(r->mem, r->config, &p, r->user, r->token, STR_NONE, methods[r->route->method], url, body,
                         is_stream);
    if (!json_int(call, "timeout_ms", 0))
        json_set_int(call, "timeout_ms", 300000);
    return reply_provider_plan(out, call, is_stream, ANSWER_OPENAI, NULL);
}

#define PROXY(method_)                                                                                       \
    {                                                                                                        \
        method_, "/openai/{path:path}", VERIFIED, proxy, .type = "*/*", .body = BODY_RAW, .server = SIDECAR, \
                                                         .about = "Passed on to the first provider"          \
    }

const struct route openai_routes[] = {
    { GET, "/openai/config", ADMIN, show_config, .server = SIDECAR,
      .about = "Connections to OpenAI-compatible providers" },
    { POST, "/openai/config/update", ADMIN, save_config, .form = config_form, .server = SIDECAR,
      .about = "Changes the connections" },
    { POST, "/openai/verify", ADMIN, verify, .form = verify_form, .server = SIDECAR, .about = "Tries a connection" },
    { GET, "/openai/models", VERIFIED, list_models, .query = models_query, .server = SIDECAR,
      .about = "Models of the providers" },
    { GET, "/openai/models/{url_idx}", VERIFIED, list_models_of, .args = index_arg, .server = SIDECAR,
      .about = "Models of one provider" },
    { POST, "/openai/chat/completions", VERIFIED, chat_completion, .type = "text/event-stream", .body = BODY_JSON_ANY,
      .keep_unknown = true, .server = SIDECAR, .about = "An answer of a provider's model" },
    { POST, "/openai/audio/speech", VERIFIED, speech, .type = "audio/mpeg", .body = BODY_RAW, .server = SIDECAR,
      .about = "A text read aloud by OpenAI" },
    PROXY(GET),
    PROXY(POST),
    PROXY(PUT),
    PROXY(DELETE),
    END
};
