/* upstream.c: from an OpenAI request and a model to the call of a provider. */
#include "lib/llm/upstream.h"

#include "lib/base/encode.h"
#include "lib/base/random.h"
#include "lib/llm/messages.h"
#include "lib/llm/params.h"
#include "lib/llm/prompt.h"

/* One of the arena's models, or of all that are not arenas themselves. */
static const struct model *draw(struct arena *mem, const struct models *list, const struct model *arena)
{
    json_object *meta = json_path(arena->json, "info.meta"), *ids = json_get(meta, "model_ids");
    bool excluded = str_is(json_str(meta, "filter_mode"), "exclude") && json_length(ids);
    const struct model **pool = arena_new_array(mem, const struct model *, models_count(list) + json_length(ids) + 1);
    size_t n = 0;
    unsigned k;

    if (json_length(ids) && !excluded) {
        JSON_EACH (ids, i, id) {
            const struct model *m = model_by_id(list, json_str_value(id));

            if (m && !m->is_arena)
                pool[n++] = m;
        }
    } else {
        for (size_t i = 0; i < models_count(list); i++) {
            const struct model *m = models_at(list, i);
            bool out = m->is_arena;

            JSON_EACH (ids, j, id)
                out |= excluded && str_eq(json_str_value(id), m->id);
            if (!out)
                pool[n++] = m;
        }
    }
    if (n == 0)
        return NULL;
    random_bytes(&k, sizeof(k));
    return pool[k % n];
}

void upstream_apply_model(struct arena *mem, const struct model *m, const struct user *u, json_object *variables,
                          json_object *body, bool for_ollama)
{
    json_object *params = json_get(m->info, "params"), *plain;
    struct str system = json_str(params, "system");

    if (!json_truthy(params))
        return;
    plain = params_plain(mem, params);
    if (for_ollama)
        params_of_model_ollama(mem, body, plain);
    else
        params_of_model_openai(mem, body, plain);
    if (system.n && json_is(json_get(body, "messages"), json_type_array))
        messages_add_system(mem, json_get(body, "messages"), prompt_fill(mem, system, u, variables));
}

json_object *upstream_call(struct arena *mem, struct config *c, const struct provider *p, const struct user *u,
                           struct str token, struct str chat_id, const char *method, struct str url, struct str body,
                           bool stream)
{
    json_object *call = json_new_object(mem);
    int64_t timeout_s = config_int(c, CFG_AIOHTTP_CLIENT_TIMEOUT);

    json_set_str(call, "url", url);
    json_set_c(call, "method", method);
    json_set(call, "headers", provider_headers(mem, c, p, u, token, chat_id));
    if (body.p)
        json_set_str(call, "body", body);
    json_set_c(call, "format", p->kind == PROVIDER_OLLAMA ? "ollama" : "openai");
    json_set_bool(call, "stream", stream);
    json_set_int(call, "timeout_ms", timeout_s > 0 ? timeout_s * 1000 : 0);
    json_set_bool(call, "verify_tls", config_bool(c, CFG_AIOHTTP_CLIENT_SESSION_SSL));
    return call;
}

static json_object *make_upstream(struct arena *mem, struct config *c, const struct provider *p,
                                  const struct chat_call *call, struct str url, json_object *body)
{
    return upstream_call(mem, c, p, call->user, call->token, call->chat_id, "POST", url, json_text(mem, body),
                         call->is_stream);
}

enum status upstream_for_chat(struct arena *mem, struct config *c, const struct models *list, const struct model *model,
                              struct chat_call *call)
{
    struct provider p;
    struct str id;
    json_object *body = call->form;

    if (!json_is(json_get(body, "messages"), json_type_array))
        json_set_array(body, "messages");
    if (model->is_arena) {
        model = draw(mem, list, model);
        if (!model)
            return NOT_FOUND;
        call->selected_model_id = model->id;
    }
    if (model_provider(mem, c, list, model, &p, &id) != OK)
        return NOT_FOUND;
    call->is_stream = json_flag(body, "stream", false);
    call->is_ollama = p.kind == PROVIDER_OLLAMA;
    if (call->is_ollama) {
        body = params_openai_to_ollama(mem, body);
        upstream_apply_model(mem, model, call->user, call->variables, body, true);
        json_set_str(body, "model", str_find_c(id, ':') == STR_NPOS ? str_cat(mem, id, S(":latest")) : id);
        call->upstream = make_upstream(mem, c, &p, call, str_f(mem, "%.*s/api/chat", STR(p.url)), body);
        return OK;
    }
    upstream_apply_model(mem, model, call->user, call->variables, body, false);
    json_set_str(body, "model", id);
    if (json_get(model->json, "pipeline")) {
        json_object *u = json_set_object(body, "user");

        json_set_str(u, "name", call->user->name);
        json_set_str(u, "id", call->user->id);
        json_set_str(u, "email", call->user->email);
        json_set_str(u, "role", call->user->role);
    }
    params_finish_openai(mem, body, str_has(p.url, "api.openai.com"));
    if (p.is_azure) {
        body = params_for_azure(mem, body, provider_api_version(&p));
        call->upstream = make_upstream(mem, c, &p, call,
                                       str_f(mem, "%.*s/openai/deployments/%.*s/chat/completions?api-version=%.*s",
                                             STR(p.url), STR(url_encode(mem, id)), STR(provider_api_version(&p))),
                                       body);
    } else {
        call->upstream = make_upstream(mem, c, &p, call, str_f(mem, "%.*s/chat/completions", STR(p.url)), body);
    }
    return OK;
}
