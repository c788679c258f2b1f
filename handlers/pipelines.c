/* pipelines.c: /api/v1/pipelines: servers of pipelines among the OpenAI connections. What they are asked is passed on; the sidecar does the waiting. */
#include "handlers/provider_reply.h"
#include "handlers/routes.h"
#include "lib/base/encode.h"
#include "lib/base/random.h"
#include "lib/llm/upstream.h"

#define PIPELINE_NOT_FOUND "Pipeline not found"
#define BOUNDARY_BYTES 16

/* ---- which connections are servers of pipelines */

/* The address of the models of a connection that is to be asked; absent: it is off, or names its models itself. */
static struct str models_url(struct request *r, const struct provider *p)
{
    if (!p->is_enabled || p->is_azure || json_length(json_get(p->config, "model_ids")))
        return STR_NONE;
    return str_f(r->mem, "%.*s/models", STR(p->url));
}

static int list_servers(struct request *r, struct response *out)
{
    struct providers all = providers_of(r->mem, r->config, PROVIDER_OPENAI);
    struct http_call *calls = arena_new_array(r->mem, struct http_call, all.n + 1);
    const struct provider **asked = arena_new_array(r->mem, const struct provider *, all.n + 1);
    json_object *o = json_new_object(r->mem), *data = json_set_array(o, "data"), *v;
    size_t n = 0;

    for (size_t i = 0; i < all.n; i++) {
        struct str url = models_url(r, &all.v[i]);

        if (!url.p)
            continue;
        asked[n] = &all.v[i];
        calls[n++] = provider_call(r, &all.v[i], "GET", url, STR_NONE);
    }
    http_run(r->mem, calls, n);
    for (size_t i = 0; i < n; i++) {
        json_object *one;

        if (calls[i].result != OK || json_parse(r->mem, calls[i].response, &v, NULL) != OK || !json_has(v, "pipelines"))
            continue;
        one = json_new_object(r->mem);
        json_set_str(one, "url", asked[i]->url);
        json_set_int(one, "idx", asked[i]->index);
        json_push(data, one);
    }
    return reply_json(out, o);
}

/* ---- what is passed on */

/* The call of the server with that index, without a body. NULL: there is none; the answer is made: *status. */
static json_object *call_of(struct request *r, struct response *out, int64_t index, const char *method, struct str path,
                            struct str body, int *status)
{
    struct provider p;

    if (index < 0 || index > INT32_MAX || provider_by_index(r->mem, r->config, PROVIDER_OPENAI, (int)index, &p) != OK) {
        *status = fail(out, 404, PIPELINE_NOT_FOUND);
        return NULL;
    }
    p.auth_type = S("bearer");
    return upstream_call(r->mem, r->config, &p, r->user, r->token, STR_NONE, method, str_cat(r->mem, p.url, path), body,
                         false);
}

static int pass_on(struct request *r, struct response *out, int64_t index, const char *method, struct str path,
                   struct str body)
{
    int status;
    json_object *upstream = call_of(r, out, index, method, path, body, &status);

    return upstream ? reply_provider_plan(out, upstream, false, ANSWER_PIPELINE, NULL) : status;
}

static int get_pipelines(struct request *r, struct response *out)
{
    return pass_on(r, out, query_int(r, "urlIdx", -1), "GET", S("/pipelines"), STR_NONE);
}

static int add_pipeline(struct request *r, struct response *out)
{
    json_object *body = json_new_object(r->mem);

    json_set_str(body, "url", form_str(r, "url"));
    return pass_on(r, out, form_int(r, "urlIdx", -1), "POST", S("/pipelines/add"), json_text(r->mem, body));
}

static int delete_pipeline(struct request *r, struct response *out)
{
    json_object *body = json_new_object(r->mem);

    json_set_str(body, "id", form_str(r, "id"));
    return pass_on(r, out, form_int(r, "urlIdx", -1), "DELETE", S("/pipelines/delete"), json_text(r->mem, body));
}

/* The last part of a file's name, if it is one of Python; absent: it is not. */
static struct str python_file_name(struct request *r, struct str name)
{
    size_t slash = str_rfind_c(name, '/');
    struct str base = slash == STR_NPOS ? name : str_from(name, slash + 1);

    if (!str_ends(base, ".py") || str_find_c(base, '\r') != STR_NPOS || str_find_c(base, '\n') != STR_NPOS)
        return STR_NONE;
    return str_replace(r->mem, base, S("\""), S("%22"));
}

static int upload_pipeline(struct request *r, struct response *out)
{
    const struct part *file = request_part(r, "file");
    struct str name = python_file_name(r, file->filename), boundary = random_hex(r->mem, BOUNDARY_BYTES);
    struct buf body = BUF(r->mem, STR_NPOS);
    json_object *upstream;
    int status;

    if (!name.p)
        return fail(out, 400, "Only Python (.py) files are allowed.");
    upstream = call_of(r, out, form_int(r, "urlIdx", -1), "POST", S("/pipelines/upload"), STR_NONE, &status);
    if (!upstream)
        return status;
    buf_addf(&body,
             "--%.*s\r\nContent-Disposition: form-data; name=\"file\"; filename=\"%.*s\"\r\n"
             "Content-Type: text/x-python\r\n\r\n",
             STR(boundary), STR(name));
    buf_add_str(&body, file->body);
    buf_addf(&body, "\r\n--%.*s--\r\n", STR(boundary));
    json_set_str(json_get(upstream, "headers"), "Content-Type",
                 str_f(r->mem, "multipart/form-data; boundary=%.*s", STR(boundary)));
    json_set_str(upstream, "body_base64", base64_encode(r->mem, buf_str(&body)));
    return reply_provider_plan(out, upstream, false, ANSWER_PIPELINE, NULL);
}

/* ---- valves of a pipeline */

static int pass_on_valves(struct request *r, struct response *out, const char *method, const char *what,
                          struct str body)
{
    struct str id = path_arg(r, "pipeline_id");

    if (str_is(id, ".") || str_is(id, ".."))
        return fail(out, 404, PIPELINE_NOT_FOUND);
    return pass_on(r, out, query_int(r, "urlIdx", -1), method,
                   str_f(r->mem, "/%.*s/valves%s", STR(url_encode(r->mem, id)), what), body);
}

static int get_valves(struct request *r, struct response *out)
{
    return pass_on_valves(r, out, "GET", "", STR_NONE);
}

static int get_valves_spec(struct request *r, struct response *out)
{
    return pass_on_valves(r, out, "GET", "/spec", STR_NONE);
}

static int set_valves(struct request *r, struct response *out)
{
    return pass_on_valves(r, out, "POST", "/update", json_text(r->mem, r->form));
}

/* ---- routes */

static const struct field index_query[] = { FIELD(INTEGER, "urlIdx", OPTIONAL), END };
static const struct field needed_index_query[] = { FIELD(INTEGER, "urlIdx", REQUIRED), END };
static const struct field add_form[] = { FIELD(STRING, "url", REQUIRED), FIELD(INTEGER, "urlIdx", REQUIRED), END };
static const struct field delete_form[] = { FIELD(STRING, "id", REQUIRED), FIELD(INTEGER, "urlIdx", REQUIRED), END };
static const struct field upload_form[] = { FIELD(INTEGER, "urlIdx", REQUIRED), FIELD(FILE_PART, "file", REQUIRED),
                                            END };

const struct route pipelines_routes[] = {
    { GET, "/api/v1/pipelines/list", ADMIN, list_servers, .about = "Connections that are servers of pipelines" },
    { POST, "/api/v1/pipelines/upload", ADMIN, upload_pipeline, .form = upload_form, .body = BODY_MULTIPART,
      .server = SIDECAR, .about = "Gives a server a pipeline's source" },
    { POST, "/api/v1/pipelines/add", ADMIN, add_pipeline, .form = add_form, .server = SIDECAR,
      .about = "Has a server fetch a pipeline" },
    { DELETE, "/api/v1/pipelines/delete", ADMIN, delete_pipeline, .form = delete_form, .server = SIDECAR,
      .about = "Takes a pipeline from a server" },
    { GET, "/api/v1/pipelines/", ADMIN, get_pipelines, .query = index_query, .server = SIDECAR,
      .about = "The pipelines of a server" },
    { GET, "/api/v1/pipelines/{pipeline_id}/valves", ADMIN, get_valves, .query = needed_index_query, .server = SIDECAR,
      .about = "The valves of a pipeline" },
    { GET, "/api/v1/pipelines/{pipeline_id}/valves/spec", ADMIN, get_valves_spec, .query = needed_index_query,
      .server = SIDECAR, .about = "JSON Schema of a pipeline's valves" },
    { POST, "/api/v1/pipelines/{pipeline_id}/valves/update", ADMIN, set_valves, .query = needed_index_query,
      .body = BODY_JSON_ANY, .keep_unknown = true, .server = SIDECAR, .about = "Sets the valves of a pipeline" },
    END
};
