/* provider_reply.c: answers of providers, as the client gets them. */
#include "handlers/provider_reply.h"

#include "handlers/plan_call.h"
#include "handlers/routes.h"
#include "lib/audio/speech.h"
#include "lib/base/encode.h"
#include "lib/base/log.h"
#include "lib/llm/catalog.h"

/* ---- texts */

static void add_python(struct buf *b, json_object *v);

static void add_python_string(struct buf *b, struct str s)
{
    char quote = str_find_c(s, '\'') != STR_NPOS && str_find_c(s, '"') == STR_NPOS ? '"' : '\'';

    buf_add_char(b, quote);
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (c == '\n' || c == '\r' || c == '\t')
            buf_addf(b, "\\%c", c == '\n' ? 'n' : c == '\r' ? 'r' : 't');
        else if (c < 0x20 || c == 0x7f)
            buf_addf(b, "\\x%02x", c);
        else
            buf_addf(b, c == '\\' || c == quote ? "\\%c" : "%c", c);
    }
    buf_add_char(b, quote);
}

static void add_python_object(struct buf *b, json_object *v)
{
    bool first = true;

    buf_add_char(b, '{');
    json_object_object_foreach(v, key, value)
    {
        if (!first)
            buf_add_c(b, ", ");
        first = false;
        add_python_string(b, str_of(key));
        buf_add_c(b, ": ");
        add_python(b, value);
    }
    buf_add_char(b, '}');
}

static void add_python(struct buf *b, json_object *v)
{
    switch (json_object_get_type(v)) {
    case json_type_null: buf_add_c(b, "None"); break;
    case json_type_boolean: buf_add_c(b, json_object_get_boolean(v) ? "True" : "False"); break;
    case json_type_string: add_python_string(b, json_str_value(v)); break;
    case json_type_object: add_python_object(b, v); break;
    case json_type_array:
        buf_add_char(b, '[');
        for (size_t i = 0; i < json_length(v); i++) {
            if (i)
                buf_add_c(b, ", ");
            add_python(b, json_at(v, i));
        }
        buf_add_char(b, ']');
        break;
    default: json_add_to_buf(b, v);
    }
}

struct str python_text(struct arena *mem, json_object *v)
{
    struct buf b = BUF(mem, 64 * 1024);

    if (json_is(v, json_type_string))
        return json_str_value(v);
    add_python(&b, v);
    return buf_str(&b);
}

/* ---- how answers are read */

/* JSON by its type and by its text. */
static bool read_json(struct request *r, const struct provider_outcome *o, json_object **v)
{
    struct str type = str_trim(str_sub(o->content_type, 0, str_find_c(o->content_type, ';')));

    if (!str_ieq(type, "application/json") && !(str_starts(type, "application/") && str_ends(type, "+json")))
        return false;
    return json_parse(r->mem, o->body, v, NULL) == OK;
}

static int reply_status_json(struct response *out, int status, struct str text)
{
    reply_json_text(out, text);
    out->status = status;
    return status;
}

static int answer_openai(struct request *r, struct response *out, const struct provider_outcome *o)
{
    json_object *v = NULL;

    if (o->result != OK)
        return fail(out, 500, CONNECTION_ERROR);
    if (read_json(r, o, &v) && (o->status < 400 || json_is(v, json_type_object) || json_is(v, json_type_array)))
        return reply_status_json(out, o->status < 400 ? 200 : o->status, o->body);
    if (!str_utf8_valid(o->body))
        return fail(out, 502, "The provider's answer is neither JSON nor text");
    if (o->status >= 400)
        return reply_text(out, o->status, "text/plain; charset=utf-8", o->body.p ? o->body : S(""));
    return reply_json(out, json_new_str(r->mem, o->body.p ? o->body : S("")));
}

static int answer_openai_models(struct request *r, struct response *out, const struct provider_outcome *o,
                                json_object *state)
{
    json_object *v = NULL, *left = json_new_array(r->mem);

    if (o->result != OK || !read_json(r, o, &v))
        return fail(out, 500, CONNECTION_ERROR);
    if (o->status != 200 && json_has(v, "error"))
        return fail(out, 500, "Unexpected error: External Error: %.*s", STR(python_text(r->mem, json_get(v, "error"))));
    if (o->status != 200)
        return fail(out, 500, "Unexpected error: HTTP Error: %d", o->status);
    if (!json_flag(state, "is_openai_itself", false))
        return reply_json_text(out, o->body);
    JSON_EACH (json_get(v, "data"), i, m)
        if (catalog_is_for_chat(json_str(m, "id")))
            json_push(left, m);
    json_set(v, "data", left);
    return reply_json(out, v);
}

static int answer_ollama(struct request *r, struct response *out, const struct provider_outcome *o)
{
    json_object *v = NULL;

    if (o->result != OK)
        return fail(out, 500, CONNECTION_ERROR);
    if (o->status < 400 && json_parse(r->mem, o->body, &v, NULL) == OK)
        return reply_json_text(out, o->body);
    if (o->status >= 400 && json_parse(r->mem, o->body, &v, NULL) == OK && json_has(v, "error"))
        return fail_json(out, o->status, json_get(v, "error"));
    return fail(out, o->status < 400 ? 500 : o->status, CONNECTION_ERROR);
}

/* A good answer's JSON; false: *status is the answer. */
static bool managed_json(struct request *r, struct response *out, const struct provider_outcome *o, bool needs_json,
                         json_object **v, int *status)
{
    bool is_json = o->result == OK && json_parse(r->mem, o->body, v, NULL) == OK;

    if (o->result == OK && o->status < 400 && (is_json || !needs_json))
        return true;
    if (is_json && o->status >= 400 && json_has(*v, "error"))
        *status = fail(out, 500, "Ollama: %.*s", STR(python_text(r->mem, json_get(*v, "error"))));
    else
        *status = fail(out, 500, CONNECTION_ERROR);
    return false;
}

static int answer_managed(struct request *r, struct response *out, const struct provider_outcome *o, bool is_done)
{
    json_object *v = NULL;
    int status;

    if (!managed_json(r, out, o, !is_done, &v, &status))
        return status;
    return is_done ? reply_bool(out, true) : reply_json_text(out, o->body);
}

/* {"embedding": […]} or {"embeddings": [[…], …]}. */
static int answer_embeddings(struct request *r, struct response *out, const struct provider_outcome *o,
                             json_object *state)
{
    json_object *v = NULL, *all = json_new_object(r->mem), *data, *list;
    int status;

    if (!managed_json(r, out, o, true, &v, &status))
        return status;
    if (!json_has(v, "embedding") && !json_has(v, "embeddings"))
        return reply_json_text(out, o->body);
    json_set_c(all, "object", "list");
    data = json_set_array(all, "data");
    list = json_get(v, "embeddings");
    if (!json_is(list, json_type_array)) {
        list = json_new_array(r->mem);
        json_push(list, json_get(v, "embedding"));
    }
    JSON_EACH (list, i, vector) {
        json_object *one = json_new_object(r->mem);

        json_set_c(one, "object", "embedding");
        json_set(one, "embedding", json_is(vector, json_type_object) ? json_get(vector, "embedding") : vector);
        json_set_int(one, "index", (int64_t)i);
        json_push(data, one);
    }
    json_set(all, "model", json_get(state, "model"));
    return reply_json(out, all);
}

static int answer_version(struct request *r, struct response *out, const struct provider_outcome *o)
{
    json_object *v = NULL;

    if (o->result != OK || !read_json(r, o, &v))
        return fail(out, 500, CONNECTION_ERROR);
    if (o->status != 200 && json_has(v, "error"))
        return fail(out, 500, "Unexpected error: External Error: %.*s", STR(python_text(r->mem, json_get(v, "error"))));
    return o->status == 200 ? reply_json_text(out, o->body)
                            : fail(out, 500, "Unexpected error: HTTP Error: %d", o->status);
}

static int answer_pipeline(struct request *r, struct response *out, const struct provider_outcome *o)
{
    json_object *v = NULL;

    if (o->result != OK)
        return fail(out, 404, "Pipeline not found");
    if (json_parse(r->mem, o->body, &v, NULL) != OK || !json_is(v, json_type_object))
        return o->status < 400 ? fail(out, 502, "The answer of the pipelines' server is no JSON object")
                               : fail(out, o->status, "Pipeline not found");
    if (o->status < 400)
        return reply_json_text(out, o->body);
    return json_truthy(json_get(v, "detail")) ? fail_json(out, o->status, json_get(v, "detail"))
                                              : fail(out, o->status, "Pipeline not found");
}

/* The sound goes to where /cache serves it from; the request beside it, as the Python backend keeps it. */
static int answer_speech(struct request *r, struct response *out, const struct provider_outcome *o, json_object *state)
{
    struct error err = { "" };
    json_object *v = NULL;

    if (o->result != OK || (o->status >= 400 && !read_json(r, o, &v)))
        return fail(out, 500, CONNECTION_ERROR);
    if (o->status >= 400)
        return json_has(v, "error") ? fail(out, 500, "External: %.*s", STR(python_text(r->mem, json_get(v, "error"))))
                                    : fail(out, 500, CONNECTION_ERROR);
    if (speech_keep(r->mem, r->config, json_str(state, "name"), o->body, json_get(state, "body"), &err) != OK)
        log_warning("%s", err.text);
    return reply_text(out, 200, "audio/mpeg", o->body);
}

int reply_provider_outcome(struct request *r, struct response *out, enum provider_answer kind,
                           const struct provider_outcome *o, json_object *state)
{
    switch (kind) {
    case ANSWER_OPENAI: return answer_openai(r, out, o);
    case ANSWER_OPENAI_MODELS: return answer_openai_models(r, out, o, state);
    case ANSWER_OLLAMA: return answer_ollama(r, out, o);
    case ANSWER_OLLAMA_MANAGED: return answer_managed(r, out, o, false);
    case ANSWER_OLLAMA_DONE: return answer_managed(r, out, o, true);
    case ANSWER_EMBEDDINGS: return answer_embeddings(r, out, o, state);
    case ANSWER_VERSION: return answer_version(r, out, o);
    case ANSWER_PIPELINE: return answer_pipeline(r, out, o);
    case ANSWER_SPEECH: return answer_speech(r, out, o, state);
    }
    return fail(out, 500, CONNECTION_ERROR);
}

int reply_http_call(struct request *r, struct response *out, enum provider_answer kind, const struct http_call *call)
{
    struct provider_outcome o = { call->result, call->status, call->content_type, call->response };

    return reply_provider_outcome(r, out, kind, &o, NULL);
}

/* ---- plans */

int reply_provider_plan(struct response *out, json_object *upstream, bool is_stream, enum provider_answer kind,
                        json_object *state)
{
    json_object *plan = json_new_object(out->mem), *own = json_set_object(plan, "state"), *headers;

    json_set_int(own, "kind", kind);
    json_set_bool(own, "is_stream", is_stream);
    json_set(own, "more", state);
    json_set(plan, "upstream", upstream);
    json_set_c(plan, "deliver", is_stream ? "client" : "json");
    json_set_c(plan, "then", "provider_answer");
    if (is_stream) {
        json_set_c(plan, "errors", "then");
        headers = json_set_object(plan, "headers"); /* whatever the provider says it is, no browser runs it */
        json_set_c(headers, "X-Content-Type-Options", "nosniff");
        json_set_c(headers, "Content-Security-Policy", "sandbox");
    }
    return reply_plan(out, plan);
}

static int provider_answer(struct request *r, struct response *out)
{
    json_object *outcome = form_json(r, "outcome"), *state = form_json(r, "state");
    struct provider_outcome o = { json_int(outcome, "upstream_status", 0) && !json_has(outcome, "error") ? OK
                                                                                                         : UNAVAILABLE,
                                  (int)json_int(outcome, "upstream_status", 0), json_str(outcome, "content_type"),
                                  json_str(outcome, "body") };
    bool is_stream = json_flag(state, "is_stream", false);

    if (is_stream && json_has(outcome, "bytes"))
        return reply_json(out, json_new_object(r->mem)); /* the client has had it */
    if (json_str(outcome, "body_base64").p && !base64_decode(r->mem, json_str(outcome, "body_base64"), &o.body))
        o.result = FAILED;
    reply_provider_outcome(r, out, (enum provider_answer)json_int(state, "kind", ANSWER_OPENAI), &o,
                           json_get(state, "more"));
    return is_stream ? reply_as_plan(r, out) : reply_step(r, out);
}

/* ---- who may ask whom */

bool provider_for(struct request *r, struct response *out, enum provider_kind kind, int64_t index, struct provider *p,
                  int *status)
{
    if (index >= 0 && index < INT32_MAX && provider_by_index(r->mem, r->config, kind, (int)index, p) == OK &&
        (p->is_enabled || (r->user && r->user->is_admin)))
        return true;
    *status = fail(out, 404,
                   kind == PROVIDER_OPENAI ? "OpenAI API was not found" : "WebUI could not connect to Ollama");
    return false;
}

bool may_use_model(struct request *r, const struct models *list, struct str id)
{
    const struct model *m = model_by_id(list, id);

    return r->user->is_admin || (m && model_access(r->mem, r->db, r->config, r->user, m));
}

struct http_call provider_call(struct request *r, const struct provider *p, const char *method, struct str url,
                               struct str body)
{
    json_object *headers = provider_headers(r->mem, r->config, p, r->user, r->token, STR_NONE);
    struct http_header *v = arena_new_array(r->mem, struct http_header, (size_t)json_object_object_length(headers) + 1);
    int64_t timeout_s = config_int(r->config, CFG_AIOHTTP_CLIENT_TIMEOUT_MODEL_LIST);
    struct http_call call = { .method = method,
                              .url = url,
                              .headers = v,
                              .body = body,
                              .timeout_ms = 10000,
                              .insecure = !config_bool(r->config, CFG_AIOHTTP_CLIENT_SESSION_SSL) };

    json_object_object_foreach(headers, name, value)
        v[call.headers_n++] = (struct http_header){ str_of(name), json_str_value(value) };
    if (timeout_s > 0 && timeout_s < 3600)
        call.timeout_ms = (int)timeout_s * 1000;
    return call;
}

const struct route provider_steps_routes[] = { { POST, "/internal/step/provider_answer", INTERNAL, provider_answer,
                                                 .body = BODY_JSON_ANY, .keep_unknown = true, .hidden = true,
                                                 .about = "The answer of a provider, read whole" },
                                               END };
