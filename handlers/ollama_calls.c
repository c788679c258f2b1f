/* ollama_calls.c: what is passed on to an Ollama server. Users reach models that they may use, on servers that have them; administrators all. */
#include "handlers/ollama.h"

#include "handlers/routes.h"
#include "lib/base/random.h"
#include "lib/llm/upstream.h"

enum { LONG_SILENCE_MS = 3600 * 1000 }; /* Ollama checks the digest of a big model without a word */

static int not_found(struct response *out, struct str model)
{
    return fail(out, 400, "Model '%.*s' was not found", STR(model.p ? model : S("None")));
}

static struct str with_tag(struct arena *mem, struct str model)
{
    return str_find_c(model, ':') == STR_NPOS ? str_cat(mem, model, S(":latest")) : model;
}

static struct str without_prefix(const struct provider *p, struct str id)
{
    if (p->prefix_id.n && id.n > p->prefix_id.n && str_eq(str_sub(id, 0, p->prefix_id.n), p->prefix_id) &&
        id.p[p->prefix_id.n] == '.')
        return str_from(id, p->prefix_id.n + 1);
    return id;
}

/* ---- which server */

/* The place in "urls" that is asked; any of them, or the first. */
static int64_t pick(json_object *model, bool any)
{
    json_object *urls = json_get(model, "urls");
    unsigned draw = 0;

    if (any)
        random_bytes(&draw, sizeof(draw));
    return json_length(urls) ? json_object_get_int64(json_at(urls, draw % json_length(urls))) : -1;
}

static bool has_place(json_object *model, int64_t index)
{
    JSON_EACH (json_get(model, "urls"), i, url)
        if (json_object_get_int64(url) == index)
            return true;
    return false;
}

/* For administrators: the server that is named, or the first that has the model. */
static bool server_of(struct request *r, struct response *out, struct str model, struct provider *p, int *status)
{
    int64_t index = ollama_index(r);
    json_object *entry;

    if (index < 0) {
        entry = ollama_model(r, model);
        if (!entry) {
            *status = not_found(out, model);
            return false;
        }
        index = pick(entry, false);
    }
    return provider_for(r, out, PROVIDER_OLLAMA, index, p, status);
}

/* For everybody: a server that has the model of that id (with its tag). named: what the answer calls it when nobody has it; asked: what the
 * caller must have access to. */
static bool server_for(struct request *r, struct response *out, struct str id, struct str named, struct str asked,
                       struct provider *p, int *status)
{
    int64_t index = ollama_index(r);
    json_object *entry = ollama_model(r, id);
    const struct models *list;
    struct error err = { "" };
    enum status st = models_all(r->mem, r->db, r->config, r->user, false, &list, &err);

    if (st != OK) {
        *status = fail_status(out, st, &err);
    } else if (index < 0 && !entry) {
        *status = not_found(out, named);
    } else if (!r->user->is_admin && (!may_use_model(r, list, asked) || (index >= 0 && !has_place(entry, index)))) {
        *status = fail(out, 403, MODEL_NOT_FOUND);
    } else {
        return provider_for(r, out, PROVIDER_OLLAMA, index >= 0 ? index : pick(entry, true), p, status);
    }
    return false;
}

/* ---- calls */

static json_object *call_to(struct request *r, const struct provider *p, const char *method, const char *path,
                            json_object *body, bool is_stream)
{
    json_object *call = upstream_call(r->mem, r->config, p, r->user, r->token, STR_NONE, method,
                                      str_f(r->mem, "%.*s%s", STR(p->url), path), json_text(r->mem, body), is_stream);

    json_set_c(call, "format", "raw"); /* nothing here reads the lines */
    return call;
}

/* The members of the form that are not null. */
static json_object *given(struct request *r, json_object *form)
{
    json_object *o = json_new_object(r->mem);

    json_object_object_foreach(form, key, value) if (value) json_set(o, key, value);
    return o;
}

/* {"model"} or, as older clients say, {"name"}. */
static struct str model_name(json_object *form)
{
    return json_str(form, "model").p ? json_str(form, "model") : json_str(form, "name");
}

/* ---- management */

static int pass_progress(struct request *r, struct response *out, const struct provider *p, const char *method,
                         const char *path, json_object *body)
{
    json_object *call = call_to(r, p, method, path, body, true);

    json_set_int(call, "idle_timeout_ms", LONG_SILENCE_MS);
    return reply_provider_plan(out, call, true, ANSWER_OLLAMA, NULL);
}

static bool server_or_first(struct request *r, struct response *out, struct provider *p, int *status)
{
    int64_t index = ollama_index(r);

    return provider_for(r, out, PROVIDER_OLLAMA, index < 0 ? 0 : index, p, status);
}

static int pull(struct request *r, struct response *out)
{
    json_object *body = given(r, r->form);
    struct provider p;
    int status;

    if (!server_or_first(r, out, &p, &status))
        return status;
    json_set_str(body, "model", model_name(r->form));
    json_set_bool(body, "insecure", true); /* administrators may pull from anywhere */
    return pass_progress(r, out, &p, "POST", "/api/pull", body);
}

static int create(struct request *r, struct response *out)
{
    struct provider p;
    int status;

    return server_or_first(r, out, &p, &status) ? pass_progress(r, out, &p, "POST", "/api/create", given(r, r->form))
                                                : status;
}

static int push(struct request *r, struct response *out)
{
    struct provider p;
    int status;

    return server_of(r, out, form_str(r, "model"), &p, &status)
               ? pass_progress(r, out, &p, "POST", "/api/push", given(r, r->form))
               : status;
}

static int copy(struct request *r, struct response *out)
{
    struct provider p;
    int status;

    if (!server_of(r, out, form_str(r, "source"), &p, &status))
        return status;
    return reply_provider_plan(out, call_to(r, &p, "POST", "/api/copy", r->form, false), false, ANSWER_OLLAMA_DONE,
                               NULL);
}

static int delete_model(struct request *r, struct response *out)
{
    json_object *body = given(r, r->form);
    struct provider p;
    int status;

    if (!server_of(r, out, model_name(r->form), &p, &status))
        return status;
    json_set_str(body, "model", model_name(r->form));
    return reply_provider_plan(out, call_to(r, &p, "DELETE", "/api/delete", body, false), false, ANSWER_OLLAMA_DONE,
                               NULL);
}

/* On every server that has it. */
static int unload(struct request *r, struct response *out)
{
    struct str model = model_name(r->form);
    json_object *entry, *errors = json_new_array(r->mem);
    struct http_call *calls;
    int64_t *indexes;
    size_t n = 0;

    if (!model.n)
        return fail(out, 400, "Missing name of the model to unload.");
    model = with_tag(r->mem, model);
    entry = ollama_model(r, model);
    if (!entry)
        return not_found(out, model);
    calls = arena_new_array(r->mem, struct http_call, json_length(json_get(entry, "urls")) + 1);
    indexes = arena_new_array(r->mem, int64_t, json_length(json_get(entry, "urls")) + 1);
    JSON_EACH (json_get(entry, "urls"), i, url) {
        json_object *body = json_new_object(r->mem);
        struct provider p;

        if (provider_by_index(r->mem, r->config, PROVIDER_OLLAMA, (int)json_object_get_int64(url), &p) != OK)
            continue;
        json_set_str(body, "model", without_prefix(&p, model));
        json_set_int(body, "keep_alive", 0);
        json_set_c(body, "prompt", "");
        indexes[n] = p.index;
        calls[n++] = provider_call(r, &p, "POST", str_f(r->mem, "%.*s/api/generate", STR(p.url)),
                                   json_text(r->mem, body));
    }
    http_run(r->mem, calls, n);
    for (size_t i = 0; i < n; i++) {
        json_object *error = json_new_object(r->mem), *answer = NULL;

        if (calls[i].result == OK && calls[i].status < 400)
            continue;
        answer = calls[i].result == OK ? json_parse_or_null(r->mem, calls[i].response) : NULL;
        json_set_int(error, "url_idx", indexes[i]);
        json_set_bool(error, "success", false);
        json_set_str(error, "error",
                     json_has(answer, "error") ? str_f(r->mem, "%d: %.*s", calls[i].status,
                                                       STR(python_text(r->mem, json_get(answer, "error"))))
                                               : S(CONNECTION_ERROR));
        json_push(errors, error);
    }
    if (json_length(errors))
        return fail(out, 500, "Failed to unload model on %zu nodes: %.*s", json_length(errors),
                    STR(python_text(r->mem, errors)));
    entry = json_new_object(r->mem);
    json_set_bool(entry, "status", true);
    return reply_json(out, entry);
}

/* ---- for users */

static int show(struct request *r, struct response *out)
{
    struct str model = model_name(r->form);
    json_object *body = given(r, r->form);
    struct provider p;
    int status;

    if (!server_for(r, out, model, model, model, &p, &status))
        return status;
    json_set_str(body, "model", without_prefix(&p, model));
    return reply_provider_plan(out, call_to(r, &p, "POST", "/api/show", body, false), false, ANSWER_OLLAMA_MANAGED,
                               NULL);
}

/* embed, embeddings, generate: the form as it is, with the server's own name for the model. */
static int pass(struct request *r, struct response *out, const char *path, bool is_stream, enum provider_answer kind)
{
    struct str model = form_str(r, "model"), id = with_tag(r->mem, model);
    json_object *body = given(r, r->form);
    struct provider p;
    int status;

    if (!server_for(r, out, id, model, id, &p, &status))
        return status;
    json_set_str(body, "model", without_prefix(&p, model));
    return reply_provider_plan(out, call_to(r, &p, "POST", path, body, is_stream), is_stream, kind, NULL);
}

static int embed(struct request *r, struct response *out)
{
    return pass(r, out, "/api/embed", false, ANSWER_OLLAMA_MANAGED);
}

static int embeddings(struct request *r, struct response *out)
{
    return pass(r, out, "/api/embeddings", false, ANSWER_OLLAMA_MANAGED);
}

static int generate(struct request *r, struct response *out)
{
    return pass(r, out, "/api/generate", form_bool(r, "stream", true), ANSWER_OLLAMA);
}

/* ---- chat */

static int bad_form(struct response *out, const char *form, const char *where)
{
    return fail(out, 400, "1 validation error for %s\n%s\n  Field is missing or of the wrong type", form, where);
}

static bool is_a(json_object *v, json_type a, json_type b)
{
    return !v || json_is(v, a) || json_is(v, b);
}

/* The messages as Ollama has them; NULL: *where is at fault. */
static json_object *chat_messages(struct request *r, json_object *messages, const char **where)
{
    static const char *const members[] = { "role", "content", "tool_calls", "images" };
    json_object *list = json_new_array(r->mem);

    JSON_EACH (messages, i, m) {
        json_object *one = json_new_object(r->mem);

        *where = str_f(r->mem, "messages.%zu", i).p;
        if (!json_is(json_get(m, "role"), json_type_string) ||
            !is_a(json_get(m, "content"), json_type_string, json_type_string) ||
            !is_a(json_get(m, "tool_calls"), json_type_array, json_type_array) ||
            !is_a(json_get(m, "images"), json_type_array, json_type_array) ||
            (json_has(m, "content") && !json_get(m, "content") && !json_get(m, "tool_calls")))
            return NULL;
        for (size_t k = 0; k < sizeof(members) / sizeof(members[0]); k++)
            if (json_get(m, members[k]))
                json_set(one, members[k], json_get(m, members[k]));
        json_push(list, one);
    }
    return list;
}

/* What is wrong with a request for Ollama's own chat; NULL: nothing. body: the request as it goes on. */
static const char *read_chat(struct request *r, json_object **body)
{
    const char *where = "messages";
    json_object *messages;

    if (!json_is(form_json(r, "model"), json_type_string))
        return "model";
    if (!json_is(form_json(r, "messages"), json_type_array))
        return "messages";
    messages = chat_messages(r, form_json(r, "messages"), &where);
    if (!messages)
        return where;
    if (!is_a(form_json(r, "format"), json_type_object, json_type_string))
        return "format";
    if (!is_a(form_json(r, "options"), json_type_object, json_type_object))
        return "options";
    if (!is_a(form_json(r, "keep_alive"), json_type_int, json_type_string))
        return "keep_alive";
    if (!is_a(form_json(r, "tools"), json_type_array, json_type_array))
        return "tools";
    if (!is_a(form_json(r, "stream"), json_type_boolean, json_type_boolean))
        return "stream";
    *body = json_clone(r->mem, given(r, r->form));
    json_del(*body, "metadata");
    json_set(*body, "messages", messages);
    json_set_bool(*body, "stream", form_bool(r, "stream", true));
    return NULL;
}

/* A model of the workspace stands for its base, with its parameters: *id is who answers. false: *status is the answer. */
static bool apply_own_model(struct request *r, struct response *out, struct str asked, json_object *body,
                            bool is_native, struct str *id, int *status)
{
    json_object *variables = json_get(form_json(r, "metadata"), "variables");
    const struct models *list;
    const struct model *m;
    struct error err = { "" };
    enum status st = models_all(r->mem, r->db, r->config, r->user, false, &list, &err);

    if (st != OK) {
        *status = fail_status(out, st, &err);
        return false;
    }
    m = model_by_id(list, asked);
    if (!m && is_native)
        m = model_by_id(list, with_tag(r->mem, asked));
    if (!r->user->is_admin && (!m || !may_use_model(r, list, m->id))) {
        *status = fail(out, 403, MODEL_NOT_FOUND);
        return false;
    }
    *id = m && m->base_model_id.n ? m->base_model_id : asked;
    if (m)
        upstream_apply_model(r->mem, m, r->user, variables, body, is_native);
    return true;
}

/* asked: what the caller named; a server's own list decides who answers. */
static int pass_chat(struct request *r, struct response *out, struct str asked, json_object *body, const char *path,
                     bool is_native, bool is_stream)
{
    struct str id, chat_id = json_str(form_json(r, "metadata"), "chat_id");
    int64_t index = ollama_index(r);
    json_object *entry, *call;
    struct provider p;
    int status;

    if (!apply_own_model(r, out, asked, body, is_native, &id, &status))
        return status;
    id = with_tag(r->mem, id);
    entry = ollama_model(r, id);
    if (index < 0 && !entry)
        return not_found(out, id);
    if (index >= 0 && !r->user->is_admin && !has_place(entry, index))
        return fail(out, 403, MODEL_NOT_FOUND);
    if (!provider_for(r, out, PROVIDER_OLLAMA, index >= 0 ? index : pick(entry, true), &p, &status))
        return status;
    json_set_str(body, "model", without_prefix(&p, id));
    call = upstream_call(r->mem, r->config, &p, r->user, r->token, chat_id, "POST",
                         str_f(r->mem, "%.*s%s", STR(p.url), path), json_text(r->mem, body), is_stream);
    json_set_c(call, "format", "raw");
    return reply_provider_plan(out, call, is_stream, ANSWER_OLLAMA, NULL);
}

static int chat(struct request *r, struct response *out)
{
    json_object *body = NULL;
    const char *wrong = read_chat(r, &body);

    if (wrong)
        return bad_form(out, "GenerateChatCompletionForm", wrong);
    return pass_chat(r, out, form_str(r, "model"), body, "/api/chat", true, json_flag(body, "stream", true));
}

static const char *wrong_openai_messages(json_object *messages)
{
    if (!json_is(messages, json_type_array))
        return "messages";
    JSON_EACH (messages, i, m) {
        json_object *content = json_get(m, "content");

        if (!json_is(json_get(m, "role"), json_type_string) || !json_has(m, "content") ||
            !is_a(content, json_type_string, json_type_array))
            return "messages";
        JSON_EACH (content, k, part)
            if (!json_is(json_get(part, "type"), json_type_string))
                return "messages";
    }
    return NULL;
}

static int openai_chat(struct request *r, struct response *out)
{
    const char *wrong = json_is(form_json(r, "model"), json_type_string)
                            ? wrong_openai_messages(form_json(r, "messages"))
                            : "model";
    json_object *body;

    if (wrong)
        return bad_form(out, "OpenAIChatCompletionForm", wrong);
    body = json_clone(r->mem, given(r, r->form));
    json_del(body, "metadata");
    return pass_chat(r, out, with_tag(r->mem, form_str(r, "model")), body, "/v1/chat/completions", false,
                     json_flag(body, "stream", false));
}

static int openai_completion(struct request *r, struct response *out)
{
    json_object *body;

    if (!json_is(form_json(r, "model"), json_type_string) || !json_is(form_json(r, "prompt"), json_type_string))
        return bad_form(out, "OpenAICompletionForm",
                        json_is(form_json(r, "model"), json_type_string) ? "prompt" : "model");
    body = json_clone(r->mem, given(r, r->form));
    json_del(body, "metadata");
    return pass_chat(r, out, with_tag(r->mem, form_str(r, "model")), body, "/v1/completions", false,
                     json_flag(body, "stream", false));
}

/* ---- routes */

static const struct field index_arg[] = { FIELD(INTEGER, "url_idx", REQUIRED), END };
static const struct field index_query[] = { FIELD(INTEGER, "url_idx", OPTIONAL, .about = "which server"), END };
static const struct field name_form[] = { FIELD(STRING, "model", OPTIONAL), END };
static const struct field push_form[] = { FIELD(STRING, "model", REQUIRED), FIELD(BOOLEAN, "insecure", OPTIONAL),
                                          FIELD(BOOLEAN, "stream", OPTIONAL), END };
static const struct field create_form[] = { FIELD(STRING, "model", OPTIONAL), FIELD(BOOLEAN, "stream", OPTIONAL),
                                            FIELD(STRING, "path", OPTIONAL), END };
static const struct field copy_form[] = { FIELD(STRING, "source", REQUIRED), FIELD(STRING, "destination", REQUIRED),
                                          END };
static const struct field embed_form[] = { FIELD(STRING, "model", REQUIRED),     FIELD(ANY, "input", REQUIRED),
                                           FIELD(BOOLEAN, "truncate", OPTIONAL), FIELD(OBJECT, "options", OPTIONAL),
                                           FIELD(ANY, "keep_alive", OPTIONAL),   END };
static const struct field embeddings_form[] = { FIELD(STRING, "model", REQUIRED), FIELD(STRING, "prompt", REQUIRED),
                                                FIELD(OBJECT, "options", OPTIONAL), FIELD(ANY, "keep_alive", OPTIONAL),
                                                END };
static const struct field generate_form[] = { FIELD(STRING, "model", REQUIRED),
                                              FIELD(STRING, "prompt", REQUIRED),
                                              FIELD(STRING, "suffix", OPTIONAL),
                                              FIELD(LIST_OF_STRINGS, "images", OPTIONAL),
                                              FIELD(ANY, "format", OPTIONAL),
                                              FIELD(OBJECT, "options", OPTIONAL),
                                              FIELD(STRING, "system", OPTIONAL),
                                              FIELD(STRING, "template", OPTIONAL),
                                              FIELD(LIST_OF_INTEGERS, "context", OPTIONAL),
                                              FIELD(BOOLEAN, "stream", OPTIONAL, .def = "true"),
                                              FIELD(BOOLEAN, "raw", OPTIONAL),
                                              FIELD(ANY, "keep_alive", OPTIONAL),
                                              END };

/* A call with the server in the path, and without it. */
#define PAIR(method_, path_, access_, handler_, about_, ...)                                                      \
    { method_, path_, access_, handler_, .query = index_query, .about = about_, .server = SIDECAR, __VA_ARGS__ }, \
    {                                                                                                             \
        method_, path_ "/{url_idx}", access_, handler_, .args = index_arg, .about = about_, .server = SIDECAR,    \
                                                        __VA_ARGS__                                               \
    }

const struct route ollama_calls_routes[] = {
    PAIR(POST, "/ollama/api/pull", ADMIN, pull, "Fetches a model from a registry", .type = "application/x-ndjson",
         .form = name_form, .keep_unknown = true),
    PAIR(DELETE, "/ollama/api/push", ADMIN, push, "Sends a model to a registry", .type = "application/x-ndjson",
         .form = push_form),
    PAIR(POST, "/ollama/api/create", ADMIN, create, "Makes a model", .type = "application/x-ndjson",
         .form = create_form, .keep_unknown = true),
    PAIR(POST, "/ollama/api/copy", ADMIN, copy, "Copies a model", .form = copy_form),
    PAIR(DELETE, "/ollama/api/delete", ADMIN, delete_model, "Deletes a model", .form = name_form, .keep_unknown = true),
    { POST, "/ollama/api/unload", ADMIN, unload, .form = name_form, .keep_unknown = true,
      .about = "Takes a model out of memory" },
    { POST, "/ollama/api/show", VERIFIED, show, .form = name_form, .keep_unknown = true, .server = SIDECAR,
      .about = "What a model is" },
    PAIR(POST, "/ollama/api/embed", VERIFIED, embed, "Vectors of texts", .form = embed_form),
    PAIR(POST, "/ollama/api/embeddings", VERIFIED, embeddings, "The vector of a text", .form = embeddings_form),
    PAIR(POST, "/ollama/api/generate", VERIFIED, generate, "How a model continues a text",
         .type = "application/x-ndjson", .form = generate_form),
    PAIR(POST, "/ollama/api/chat", VERIFIED, chat, "An answer, in Ollama's form", .type = "application/x-ndjson",
         .body = BODY_JSON_ANY, .keep_unknown = true),
    PAIR(POST, "/ollama/v1/chat/completions", VERIFIED, openai_chat, "An answer, in OpenAI's form",
         .type = "text/event-stream", .body = BODY_JSON_ANY, .keep_unknown = true),
    PAIR(POST, "/ollama/v1/completions", VERIFIED, openai_completion, "How a model continues a text, in OpenAI's form",
         .type = "text/event-stream", .body = BODY_JSON_ANY, .keep_unknown = true),
    END
};
