/* model_list.c: the models that there are to choose from. */
#include "handlers/routes.h"
#include "lib/llm/models.h"

static int list_models(struct request *r, struct response *out)
{
    struct error err = { "" };
    struct str text;
    enum status st = models_text_for(r->mem, r->db, r->config, r->user, query_bool(r, "refresh", false), &text, &err);

    return st == OK ? reply_json_text(out, text) : fail_status(out, st, &err);
}

static int list_base_models(struct request *r, struct response *out)
{
    json_object *o = json_new_object(r->mem), *models = NULL;
    struct error err = { "" };
    enum status st = models_base(r->mem, r->db, r->config, r->user, &models, &err);

    if (st != OK)
        return fail_status(out, st, &err);
    json_set(o, "data", models);
    return reply_json(out, o);
}

static const struct field refresh_query[] = {
    FIELD(BOOLEAN, "refresh", NOT_NULL, .def = "false", .about = "asks the providers now"), END
};

const struct route model_list_routes[] = {
    { GET, "/api/models", VERIFIED, list_models, .query = refresh_query, .about = "Models that the caller may use" },
    { GET, "/api/v1/models", VERIFIED, list_models, .query = refresh_query,
      .about = "The same, where OpenAI's clients look for it" },
    { GET, "/api/models/base", ADMIN, list_base_models, .about = "Models as the providers list them" },
    END
};
