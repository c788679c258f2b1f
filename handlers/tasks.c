/* tasks.c: small jobs for a model beside the chat, and their settings. */
#include "handlers/chat_plan.h"
#include "handlers/routes.h"
#include "lib/llm/task.h"

/* ---- settings: the members of the form, in the order of the answer */

static const struct field config_form[] = { FIELD(STRING, "TASK_MODEL", REQUIRED | NULLABLE),
                                            FIELD(STRING, "TASK_MODEL_EXTERNAL", REQUIRED | NULLABLE),
                                            FIELD(BOOLEAN, "ENABLE_TITLE_GENERATION", REQUIRED),
                                            FIELD(STRING, "TITLE_GENERATION_PROMPT_TEMPLATE", REQUIRED),
                                            FIELD(STRING, "IMAGE_PROMPT_GENERATION_PROMPT_TEMPLATE", REQUIRED),
                                            FIELD(BOOLEAN, "ENABLE_AUTOCOMPLETE_GENERATION", REQUIRED),
                                            FIELD(INTEGER, "AUTOCOMPLETE_GENERATION_INPUT_MAX_LENGTH", REQUIRED),
                                            FIELD(STRING, "TAGS_GENERATION_PROMPT_TEMPLATE", REQUIRED),
                                            FIELD(STRING, "FOLLOW_UP_GENERATION_PROMPT_TEMPLATE", REQUIRED),
                                            FIELD(BOOLEAN, "ENABLE_FOLLOW_UP_GENERATION", REQUIRED),
                                            FIELD(BOOLEAN, "ENABLE_TAGS_GENERATION", REQUIRED),
                                            FIELD(BOOLEAN, "ENABLE_SEARCH_QUERY_GENERATION", REQUIRED),
                                            FIELD(BOOLEAN, "ENABLE_RETRIEVAL_QUERY_GENERATION", REQUIRED),
                                            FIELD(STRING, "QUERY_GENERATION_PROMPT_TEMPLATE", REQUIRED),
                                            FIELD(STRING, "TOOLS_FUNCTION_CALLING_PROMPT_TEMPLATE", REQUIRED),
                                            END };

static const enum setting_id config_ids[] = { CFG_TASK_MODEL,
                                              CFG_TASK_MODEL_EXTERNAL,
                                              CFG_ENABLE_TITLE_GENERATION,
                                              CFG_TITLE_GENERATION_PROMPT_TEMPLATE,
                                              CFG_IMAGE_PROMPT_GENERATION_PROMPT_TEMPLATE,
                                              CFG_ENABLE_AUTOCOMPLETE_GENERATION,
                                              CFG_AUTOCOMPLETE_GENERATION_INPUT_MAX_LENGTH,
                                              CFG_TAGS_GENERATION_PROMPT_TEMPLATE,
                                              CFG_FOLLOW_UP_GENERATION_PROMPT_TEMPLATE,
                                              CFG_ENABLE_FOLLOW_UP_GENERATION,
                                              CFG_ENABLE_TAGS_GENERATION,
                                              CFG_ENABLE_SEARCH_QUERY_GENERATION,
                                              CFG_ENABLE_RETRIEVAL_QUERY_GENERATION,
                                              CFG_QUERY_GENERATION_PROMPT_TEMPLATE,
                                              CFG_TOOLS_FUNCTION_CALLING_PROMPT_TEMPLATE };

enum { CONFIG_N = sizeof(config_ids) / sizeof(config_ids[0]) };

static int get_config(struct request *r, struct response *out)
{
    json_object *o = json_new_object(r->mem);

    for (int i = 0; i < CONFIG_N; i++)
        json_set(o, config_form[i].name, config_json(r->config, config_ids[i]));
    return reply_json(out, o);
}

static int update_config(struct request *r, struct response *out)
{
    struct config_change *change = config_change_begin(r->config, r->mem);
    struct error err = { "" };
    enum status st;

    for (int i = 0; i < CONFIG_N; i++)
        config_change_set(change, config_ids[i], form_json(r, config_form[i].name));
    st = config_change_commit(change, r->db, &err);
    return st == OK ? get_config(r, out) : fail_status(out, st, &err);
}

/* ---- jobs */

static int reply_detail(struct response *out, int status, const char *detail)
{
    json_object *o = json_new_object(out->mem);

    json_set_c(o, "detail", detail);
    return reply_json_status(out, status, o);
}

static int run(struct request *r, struct response *out, enum task_kind kind)
{
    struct chat_call call = { .user = r->user, .token = r->token };
    const struct models *list;
    const struct model *m;
    struct error err = { "" };
    enum status st = models_all(r->mem, r->db, r->config, r->user, false, &list, &err);

    if (st != OK)
        return fail_status(out, st, &err);
    m = model_by_id(list, form_str(r, "model"));
    if (!m)
        return fail(out, 404, "Model not found");
    st = task_call(r->mem, r->db, r->config, list, kind, m, r->form, &call);
    if (st != OK)
        return fail(out, tasks[kind].failure_status, "%s",
                    tasks[kind].failure ? tasks[kind].failure : "Model not found");
    return reply_chat_call(out, &call);
}

static int title(struct request *r, struct response *out)
{
    return task_is_enabled(r->config, TASK_TITLE) ? run(r, out, TASK_TITLE)
                                                  : reply_detail(out, 200, "Title generation is disabled");
}

static int follow_ups(struct request *r, struct response *out)
{
    return task_is_enabled(r->config, TASK_FOLLOW_UPS) ? run(r, out, TASK_FOLLOW_UPS)
                                                       : reply_detail(out, 200, "Follow-up generation is disabled");
}

static int tags(struct request *r, struct response *out)
{
    return task_is_enabled(r->config, TASK_TAGS) ? run(r, out, TASK_TAGS)
                                                 : reply_detail(out, 200, "Tags generation is disabled");
}

static int image_prompt(struct request *r, struct response *out)
{
    return run(r, out, TASK_IMAGE_PROMPT);
}

static int queries(struct request *r, struct response *out)
{
    struct str type = form_str(r, "type");

    if (str_is(type, "web_search") && !config_bool(r->config, CFG_ENABLE_SEARCH_QUERY_GENERATION))
        return fail(out, 400, "Search query generation is disabled");
    if (str_is(type, "retrieval") && !config_bool(r->config, CFG_ENABLE_RETRIEVAL_QUERY_GENERATION))
        return fail(out, 400, "Query generation is disabled");
    return run(r, out, TASK_QUERIES);
}

static int autocomplete(struct request *r, struct response *out)
{
    int64_t longest = config_int(r->config, CFG_AUTOCOMPLETE_GENERATION_INPUT_MAX_LENGTH);

    if (!task_is_enabled(r->config, TASK_AUTOCOMPLETE))
        return fail(out, 400, "Autocompletion generation is disabled");
    if (longest > 0 && (int64_t)str_utf8_length(form_str(r, "prompt")) > longest)
        return fail(out, 400, "Input prompt exceeds maximum length of %lld", (long long)longest);
    return run(r, out, TASK_AUTOCOMPLETE);
}

static int emoji(struct request *r, struct response *out)
{
    return run(r, out, TASK_EMOJI);
}

static int moa(struct request *r, struct response *out)
{
    return run(r, out, TASK_MOA);
}

#define JOB(name, handler, about_)                                                                       \
    {                                                                                                    \
        POST, "/api/v1/tasks/" name "/completions", VERIFIED, handler,                                   \
            .type = "text/event-stream", .body = BODY_JSON_ANY, .keep_unknown = true, .server = SIDECAR, \
            .about = about_                                                                              \
    }

const struct route tasks_routes[] = { { GET, "/api/v1/tasks/config", VERIFIED, get_config,
                                        .about = "Settings of the small jobs" },
                                      { POST, "/api/v1/tasks/config/update", ADMIN, update_config, .form = config_form,
                                        .about = "Changes the settings of the small jobs" },
                                      JOB("title", title, "A title for a chat"),
                                      JOB("follow_up", follow_ups, "Questions that could follow"),
                                      JOB("tags", tags, "Tags for a chat"),
                                      JOB("image_prompt", image_prompt, "A description of a picture"),
                                      JOB("queries", queries, "Search queries for a chat"),
                                      JOB("auto", autocomplete, "How a text goes on"),
                                      JOB("emoji", emoji, "One emoji for a message"),
                                      JOB("moa", moa, "One answer made of several"),
                                      END };
