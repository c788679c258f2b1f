/* filters.c: pipelines that are shown each request and each answer. */
#include "lib/llm/filters.h"

#include <stdlib.h>

#include "lib/base/encode.h"
#include "lib/llm/upstream.h"

struct filter {
    const struct model *model;
    double priority;
    size_t place; /* in the list: equal priorities stay in their order */
};

static bool is_for(const struct model *m, struct str model_id)
{
    json_object *pipeline = json_get(m->json, "pipeline");

    if (!str_is(json_str(pipeline, "type"), "filter"))
        return false;
    JSON_EACH (json_get(pipeline, "pipelines"), i, target)
        if (str_eq(json_str_value(target), model_id) || str_is(json_str_value(target), "*"))
            return true;
    return false;
}

static int by_priority(const void *a, const void *b)
{
    const struct filter *x = a, *y = b;

    if (x->priority != y->priority)
        return x->priority < y->priority ? -1 : 1;
    return x->place < y->place ? -1 : 1;
}

json_object *filters_of(struct arena *mem, const struct models *list, struct str model_id, enum filter_kind kind)
{
    size_t all = models_count(list), n = 0;
    struct filter *v = arena_new_array(mem, struct filter, all + 1);
    const struct model *self = model_by_id(list, model_id);
    json_object *ids = json_new_array(mem);
    bool itself = self && json_get(self->json, "pipeline");

    for (size_t i = 0; i < all; i++) {
        const struct model *m = models_at(list, i);

        if (is_for(m, model_id))
            v[n++] = (struct filter){ m, json_double(json_get(m->json, "pipeline"), "priority", 0), i };
    }
    qsort(v, n, sizeof(*v), by_priority);
    if (itself && kind == FILTER_OUTLET)
        json_push_str(ids, model_id);
    for (size_t i = 0; i < n; i++)
        json_push_str(ids, v[i].model->id);
    if (itself && kind == FILTER_INLET)
        json_push_str(ids, model_id);
    return ids;
}

static json_object *about(struct arena *mem, const struct user *u)
{
    json_object *o = json_new_object(mem);

    json_set_str(o, "id", u->id);
    json_set_str(o, "email", u->email);
    json_set_str(o, "name", u->name);
    json_set_str(o, "role", u->role);
    return o;
}

enum status filter_call(struct arena *mem, struct config *c, const struct models *list, struct str id,
                        enum filter_kind kind, const struct user *u, json_object *body, json_object **upstream)
{
    const struct model *m = model_by_id(list, id);
    json_object *request = json_new_object(mem);
    struct provider p;

    if (!m || !json_has(m->json, "urlIdx") ||
        provider_by_index(mem, c, PROVIDER_OPENAI, (int)json_int(m->json, "urlIdx", -1), &p) != OK || !p.key.n)
        return NOT_FOUND;
    json_set(request, "user", about(mem, u));
    json_set(request, "body", body);
    *upstream = upstream_call(mem, c, &p, u, STR_NONE, STR_NONE, "POST",
                              str_f(mem, "%.*s/%.*s/filter/%s", STR(p.url), STR(url_encode(mem, id)),
                                    kind == FILTER_INLET ? "inlet" : "outlet"),
                              json_text(mem, request), false);
    return OK;
}
