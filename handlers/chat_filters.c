/* chat_filters.c: pipelines that a chat's requests and answers go through. One that cannot be reached is passed over; one that says no, with a detail, ends it. */
#include "handlers/chat_filters.h"

#include "handlers/routes.h"
#include "lib/base/log.h"
#include "lib/llm/filters.h"

/* What a filter has answered: the body; NULL: it is passed over. *no: why it refuses. */
static json_object *filtered(struct arena *mem, json_object *outcome, json_object **no)
{
    json_object *body = json_parse_or_null(mem, json_str(outcome, "body"));
    int64_t status = json_int(outcome, "upstream_status", 0);

    *no = status >= 400 ? json_get(body, "detail") : NULL;
    return status >= 200 && status < 300 && json_is(body, json_type_object) ? body : NULL;
}

/* The call of the next of the ids, which are used up. NULL: none is left. */
static json_object *next_call(struct request *r, const struct user *u, json_object *ids, enum filter_kind kind,
                              json_object *body)
{
    const struct models *list;
    json_object *upstream;
    struct error err = { "" };

    if (json_length(ids) == 0 || models_all(r->mem, r->db, r->config, u, false, &list, &err) != OK)
        return NULL;
    while (json_length(ids)) {
        struct str id = str_copy(r->mem, json_str_value(json_at(ids, 0)));

        json_object_array_del_idx(ids, 0, 1);
        if (filter_call(r->mem, r->config, list, id, kind, u, body, &upstream) == OK)
            return upstream;
    }
    return NULL;
}

/* ---- inlet */

/* The request as a filter sees it. */
static json_object *seen(struct step *s)
{
    json_object *body = json_clone(s->r->mem, json_get(s->state, "form")),
                *metadata = json_set_object(body, "metadata");

    json_set_str(metadata, "user_id", s->user.id);
    json_set_str(metadata, "chat_id", s->after.chat_id);
    json_set_str(metadata, "message_id", s->after.message_id);
    json_set(metadata, "session_id", json_get(s->state, "session_id"));
    if (json_get(s->state, "items"))
        json_set(body, "files", json_get(s->state, "items"));
    return body;
}

static void take(struct step *s, json_object *body)
{
    json_object *files = json_get(body, "files");

    if (!json_is(json_get(body, "messages"), json_type_array))
        return;
    if (json_is(files, json_type_array))
        json_set(s->state, "items", files);
    json_set(s->state, "form", body);
    json_del(body, "files");
    json_del(body, "metadata");
    json_set_str(body, "model", s->after.model);
}

enum stage stage_inlet(struct step *s, struct str waited_for)
{
    json_object *no = NULL, *body, *upstream;

    if (str_is(waited_for, "filter")) {
        body = filtered(s->r->mem, s->outcome, &no);
        if (no) {
            s->refusal = no;
            return STAGE_REFUSED;
        }
        if (body)
            take(s, body);
        else
            log_warning("a filter of %.*s is passed over", STR(s->after.model));
    }
    upstream = next_call(s->r, &s->user, json_get(s->state, "filters"), FILTER_INLET, seen(s));
    if (!upstream)
        return STAGE_DONE;
    json_set(s->plan, "upstream", upstream);
    json_set_c(s->plan, "deliver", "json");
    return stage_wait(s, "filter");
}

/* ---- outlet */

int outlet_reply(struct request *r, struct response *out, json_object *form, json_object *ids)
{
    json_object *upstream = next_call(r, r->user, ids, FILTER_OUTLET, form), *plan, *state;

    if (!upstream)
        return reply_json(out, form);
    plan = json_new_object(r->mem);
    json_set(plan, "upstream", upstream);
    json_set_c(plan, "deliver", "json");
    json_set_c(plan, "then", "outlet");
    state = json_set_object(plan, "state");
    json_set_str(state, "user_id", r->user->id);
    json_set(state, "filters", ids);
    json_set(state, "form", form);
    return reply_plan(out, plan);
}

static int step_outlet(struct request *r, struct response *out)
{
    json_object *no, *body;
    struct step s;
    int status;

    if (!step_open(r, out, &s, &status))
        return status;
    body = filtered(r->mem, s.outcome, &no);
    r->user = &s.user;
    return outlet_reply(r, out, body ? body : json_get(s.state, "form"), json_get(s.state, "filters"));
}

const struct route chat_filters_routes[] = { STEP_ROUTE("outlet", step_outlet, "A filter has seen an answer"), END };
