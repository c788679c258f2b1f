/* embeddings.c: vectors of texts in OpenAI's form, by whichever provider has the model. */
#include "handlers/provider_reply.h"
#include "handlers/routes.h"
#include "lib/llm/upstream.h"

/* One text as Ollama's older call has it; several need the newer one. */
static json_object *ollama_body(struct request *r, struct str model, const char **path)
{
    json_object *input = form_json(r, "input"), *body = json_new_object(r->mem);
    static const char *const more[] = { "options", "truncate", "keep_alive" };
    bool several = json_length(input) > 1;

    json_set_str(body, "model", model);
    *path = several ? "/api/embed" : "/api/embeddings";
    if (json_length(input) == 1)
        input = json_at(input, 0);
    if (several)
        json_set(body, "input", input);
    else
        json_set_str(body, "prompt",
                     json_is(input, json_type_string) ? json_str_value(input) : json_text(r->mem, input));
    for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++)
        if (form_json(r, more[i]))
            json_set(body, more[i], form_json(r, more[i]));
    return body;
}

static int embeddings(struct request *r, struct response *out)
{
    struct str upstream_id;
    json_object *body, *state;
    const char *path = "/embeddings";
    const struct models *list;
    const struct model *m;
    struct provider p;
    struct error err = { "" };
    enum status st = models_all(r->mem, r->db, r->config, r->user, false, &list, &err);

    if (st != OK)
        return fail_status(out, st, &err);
    m = model_by_id(list, form_str(r, "model"));
    if (!m || !may_use_model(r, list, m->id) || model_provider(r->mem, r->config, list, m, &p, &upstream_id) != OK)
        return fail(out, 404, MODEL_NOT_FOUND);
    if (p.kind == PROVIDER_OLLAMA) {
        body = ollama_body(r, upstream_id, &path);
    } else {
        body = json_clone(r->mem, r->form);
        json_del(body, "metadata");
        json_set_str(body, "model", upstream_id);
    }
    state = json_new_object(r->mem);
    json_set_str(state, "model", m->id);
    return reply_provider_plan(out,
                               upstream_call(r->mem, r->config, &p, r->user, r->token, STR_NONE, "POST",
                                             str_f(r->mem, "%.*s%s", STR(p.url), path), json_text(r->mem, body), false),
                               false, p.kind == PROVIDER_OLLAMA ? ANSWER_EMBEDDINGS : ANSWER_OPENAI, state);
}

const struct route embeddings_routes[] = { { POST, "/api/embeddings", VERIFIED, embeddings, .body = BODY_JSON_ANY,
                                             .keep_unknown = true, .server = SIDECAR, .about = "Vectors of texts" },
                                           { POST, "/api/v1/embeddings", VERIFIED, embeddings, .body = BODY_JSON_ANY,
                                             .keep_unknown = true, .server = SIDECAR,
                                             .about = "The same, where OpenAI's clients look for it" },
                                           END };
