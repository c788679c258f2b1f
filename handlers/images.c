/* images.c: /api/v1/images: the engine's settings, its models, and pictures, which become files of the person who asked. */
#include "fcgi/route.h"
#include "handlers/plan_call.h"
#include "handlers/routes.h"
#include "handlers/texts.h"
#include "handlers/settings_form.h"
#include "lib/auth/auth.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/images/keep.h"
#include "lib/store/users.h"

enum { LOOK_EVERY_MS = 500, QUEUE_MS = 3600 * 1000 };

/* Errors of engines are shown in the Python backend's brackets. */
static int engine_failed(struct response *out, const struct error *err)
{
    log_warning("pictures: %s", err->text);
    return fail(out, 400, "[ERROR: %s]", err->text);
}

/* ---- settings: a group of the form an engine */

static const struct form_setting openai[] = { { "OPENAI_API_BASE_URL", CFG_IMAGES_OPENAI_API_BASE_URL },
                                              { "OPENAI_API_VERSION", CFG_IMAGES_OPENAI_API_VERSION },
                                              { "OPENAI_API_KEY", CFG_IMAGES_OPENAI_API_KEY },
                                              { NULL, 0 } };
static const struct form_setting automatic1111[] = { { "AUTOMATIC1111_BASE_URL", CFG_AUTOMATIC1111_BASE_URL },
                                                     { "AUTOMATIC1111_API_AUTH", CFG_AUTOMATIC1111_API_AUTH },
                                                     { "AUTOMATIC1111_CFG_SCALE", CFG_AUTOMATIC1111_CFG_SCALE },
                                                     { "AUTOMATIC1111_SAMPLER", CFG_AUTOMATIC1111_SAMPLER },
                                                     { "AUTOMATIC1111_SCHEDULER", CFG_AUTOMATIC1111_SCHEDULER },
                                                     { NULL, 0 } };
static const struct form_setting comfyui[] = { { "COMFYUI_BASE_URL", CFG_COMFYUI_BASE_URL },
                                               { "COMFYUI_API_KEY", CFG_COMFYUI_API_KEY },
                                               { "COMFYUI_WORKFLOW", CFG_COMFYUI_WORKFLOW },
                                               { "COMFYUI_WORKFLOW_NODES", CFG_COMFYUI_WORKFLOW_NODES },
                                               { NULL, 0 } };
static const struct form_setting gemini[] = { { "GEMINI_API_BASE_URL", CFG_IMAGES_GEMINI_API_BASE_URL },
                                              { "GEMINI_API_KEY", CFG_IMAGES_GEMINI_API_KEY },
                                              { NULL, 0 } };
static const struct {
    const char *name;
    const struct form_setting *settings;
} groups[] = { { "openai", openai }, { "automatic1111", automatic1111 }, { "comfyui", comfyui }, { "gemini", gemini } };

static int show_config(struct request *r, struct response *out)
{
    json_object *o = json_new_object(r->mem);

    json_set(o, "enabled", config_json(r->config, CFG_ENABLE_IMAGE_GENERATION));
    json_set(o, "engine", config_json(r->config, CFG_IMAGE_GENERATION_ENGINE));
    json_set(o, "prompt_generation", config_json(r->config, CFG_ENABLE_IMAGE_PROMPT_GENERATION));
    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
        json_set(o, groups[i].name, form_settings_object(r, groups[i].settings));
    return reply_json(out, o);
}

/* A number, or its text; empty: the engine's own. false: it is no number. */
static bool read_scale(struct request *r, json_object *v, json_object **out)
{
    double d;

    *out = NULL;
    if (!json_truthy(v))
        return true;
    if (json_is(v, json_type_string)) {
        if (!str_to_double(str_trim(json_str_value(v)), &d))
            return false;
        *out = json_new_double(r->mem, d);
        return true;
    }
    *out = json_new_double(r->mem, json_object_get_double(v));
    return json_is(v, json_type_int) || json_is(v, json_type_double);
}

static json_object *unless_empty(json_object *v)
{
    return json_truthy(v) ? v : NULL;
}

static bool is_list_of_objects(json_object *list)
{
    JSON_EACH (list, i, one)
        if (!json_is(one, json_type_object))
            return false;
    return true;
}

static int save_config(struct request *r, struct response *out)
{
    json_object *a1111 = form_json(r, "automatic1111"), *comfy = form_json(r, "comfyui"), *scale;
    struct config_change *change = config_change_begin(r->config, r->mem);
    struct error err = { "" };
    enum status st;

    if (!read_scale(r, json_get(a1111, "AUTOMATIC1111_CFG_SCALE"), &scale))
        return fail_form(out, "body", "AUTOMATIC1111_CFG_SCALE", "float_parsing",
                         "Input should be a valid number, unable to parse string as a number",
                         json_get(a1111, "AUTOMATIC1111_CFG_SCALE"), NULL);
    if (!is_list_of_objects(json_get(comfy, "COMFYUI_WORKFLOW_NODES")))
        return fail_form(out, "body", "COMFYUI_WORKFLOW_NODES", "dict_type", "Input should be a valid dictionary",
                         json_get(comfy, "COMFYUI_WORKFLOW_NODES"), NULL);
    json_set(a1111, "AUTOMATIC1111_CFG_SCALE", scale);
    json_set(a1111, "AUTOMATIC1111_SAMPLER", unless_empty(json_get(a1111, "AUTOMATIC1111_SAMPLER")));
    json_set(a1111, "AUTOMATIC1111_SCHEDULER", unless_empty(json_get(a1111, "AUTOMATIC1111_SCHEDULER")));
    json_set_str(comfy, "COMFYUI_BASE_URL", str_copy(r->mem, str_trim_c(json_str(comfy, "COMFYUI_BASE_URL"), "/")));
    config_change_set(change, CFG_ENABLE_IMAGE_GENERATION, form_json(r, "enabled"));
    config_change_set(change, CFG_IMAGE_GENERATION_ENGINE, form_json(r, "engine"));
    config_change_set(change, CFG_ENABLE_IMAGE_PROMPT_GENERATION, form_json(r, "prompt_generation"));
    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
        for (const struct form_setting *s = groups[i].settings; s->name; s++)
            config_change_set(change, s->id, json_get(form_json(r, groups[i].name), s->name));
    st = config_change_commit(change, r->db, &err);
    return st == OK ? show_config(r, out) : fail_status(out, st, &err);
}

static const struct field openai_form[] = { FIELD(STRING, "OPENAI_API_BASE_URL", REQUIRED),
                                            FIELD(STRING, "OPENAI_API_VERSION", REQUIRED),
                                            FIELD(STRING, "OPENAI_API_KEY", REQUIRED), END };
static const struct field automatic1111_form[] = { FIELD(STRING, "AUTOMATIC1111_BASE_URL", REQUIRED),
                                                   FIELD(STRING, "AUTOMATIC1111_API_AUTH", REQUIRED),
                                                   FIELD(ANY, "AUTOMATIC1111_CFG_SCALE", REQUIRED | NULLABLE),
                                                   FIELD(STRING, "AUTOMATIC1111_SAMPLER", REQUIRED | NULLABLE),
                                                   FIELD(STRING, "AUTOMATIC1111_SCHEDULER", REQUIRED | NULLABLE),
                                                   END };
static const struct field comfyui_form[] = { FIELD(STRING, "COMFYUI_BASE_URL", REQUIRED),
                                             FIELD(STRING, "COMFYUI_API_KEY", REQUIRED),
                                             FIELD(STRING, "COMFYUI_WORKFLOW", REQUIRED),
                                             FIELD(LIST, "COMFYUI_WORKFLOW_NODES", REQUIRED), END };
static const struct field gemini_form[] = { FIELD(STRING, "GEMINI_API_BASE_URL", REQUIRED),
                                            FIELD(STRING, "GEMINI_API_KEY", REQUIRED), END };
static const struct field config_form[] = { FIELD(BOOLEAN, "enabled", REQUIRED),
                                            FIELD(STRING, "engine", REQUIRED),
                                            FIELD(BOOLEAN, "prompt_generation", REQUIRED),
                                            FIELD(FORM, "openai", REQUIRED, .form = openai_form),
                                            FIELD(FORM, "automatic1111", REQUIRED, .form = automatic1111_form),
                                            FIELD(FORM, "comfyui", REQUIRED, .form = comfyui_form),
                                            FIELD(FORM, "gemini", REQUIRED, .form = gemini_form),
                                            END };

static int verify(struct request *r, struct response *out)
{
    struct error err = { "" };

    if (image_engine_answers(r->mem, r->config, &err) == OK)
        return reply_bool(out, true);
    log_info("the image engine does not answer: %s", err.text);
    return fail(out, 400, "Oops! The URL you provided is invalid. Please double-check and try again.");
}

/* ---- what pictures are like */

static const struct form_setting pictures[] = { { "MODEL", CFG_IMAGE_GENERATION_MODEL },
                                                { "IMAGE_SIZE", CFG_IMAGE_SIZE },
                                                { "IMAGE_STEPS", CFG_IMAGE_STEPS },
                                                { NULL, 0 } };
static const struct field pictures_form[] = { FIELD(STRING, "MODEL", REQUIRED), FIELD(STRING, "IMAGE_SIZE", REQUIRED),
                                              FIELD(INTEGER, "IMAGE_STEPS", REQUIRED), END };

static int show_pictures(struct request *r, struct response *out)
{
    return form_settings_show(r, out, pictures);
}

/* "512x512" */
static bool is_size(struct str s)
{
    size_t x = str_find_c(s, 'x');

    if (x == STR_NPOS || x == 0 || x + 1 == s.n)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (i != x && (s.p[i] < '0' || s.p[i] > '9'))
            return false;
    return true;
}

static int wrong_format(struct response *out, const char *example)
{
    return fail(out, 400, "Invalid format. Please use the correct format  (%s).", example);
}

static int save_pictures(struct request *r, struct response *out)
{
    struct str size = form_str(r, "IMAGE_SIZE"), model = form_str(r, "MODEL");
    struct error err = { "" };

    if (str_is(size, "auto") && !str_is(model, "gpt-image-1"))
        return wrong_format(out, "auto is only allowed with gpt-image-1");
    if (!str_is(size, "auto") && !is_size(size))
        return wrong_format(out, "e.g., 512x512");
    if (form_int(r, "IMAGE_STEPS", 0) < 0)
        return wrong_format(out, "e.g., 50");
    if (model.n && image_load_model(r->mem, r->config, model, &err) != OK)
        return engine_failed(out, &err);
    return form_settings_save(r, out, pictures);
}

static int list_models(struct request *r, struct response *out)
{
    struct error err = { "" };
    json_object *list;

    return image_models(r->mem, r->config, &list, &err) == OK ? reply_json(out, list) : engine_failed(out, &err);
}

/* ---- making them */

static json_object *urls_of(struct request *r, const struct str *urls, size_t n)
{
    json_object *list = json_new_array(r->mem);

    for (size_t i = 0; i < n; i++) {
        json_object *one = json_new_object(r->mem);

        json_set_str(one, "url", urls[i]);
        json_push(list, one);
    }
    return list;
}

static int keep(struct request *r, struct response *out, const struct user *u, const struct image_list *images,
                json_object *about)
{
    struct error err = { "" };
    struct str *urls;
    enum status st = images_keep(r->mem, r->db, r->config, u, images, about, &urls, &err);

    return st == OK ? reply_json(out, urls_of(r, urls, images->n)) : fail_status(out, st, &err);
}

static json_object *state_of(struct request *r, json_object *about)
{
    json_object *state = json_new_object(r->mem);

    json_set_str(state, "user_id", r->user->id);
    json_set(state, "about", about);
    return state;
}

/* The engine works through a queue: looked at until the pictures are there. */
static int wait_plan(struct request *r, struct response *out, json_object *state)
{
    json_object *plan = json_new_object(r->mem);

    json_set_int(json_set_object(plan, "wait"), "ms", LOOK_EVERY_MS);
    json_set_c(plan, "then", "images_queued");
    json_set(plan, "state", state);
    return reply_plan(out, plan);
}

static int queue_order(struct request *r, struct response *out, const struct image_order *order)
{
    json_object *about = NULL, *state;
    struct error err = { "" };
    struct str id;

    if (image_queue(r->mem, r->config, order, &id, &about, &err) != OK)
        return engine_failed(out, &err);
    state = state_of(r, about);
    json_set_str(state, "id", id);
    json_set_int(state, "since_s", now_s());
    return wait_plan(r, out, state);
}

static int generate(struct request *r, struct response *out)
{
    struct image_order order = { .user = r->user,
                                 .prompt = form_str(r, "prompt"),
                                 .negative_prompt = form_str(r, "negative_prompt"),
                                 .size = form_str(r, "size"),
                                 .model = form_str(r, "model"),
                                 .n = form_int(r, "n", 1) };
    struct http_call call;
    struct error err = { "" };
    json_object *about = NULL;

    if (!config_bool(r->config, CFG_ENABLE_IMAGE_GENERATION))
        return fail(out, 403, "Image generation is not enabled");
    if (!r->user->is_admin && !auth_permission(r->mem, r->db, r->config, r->user, "features.image_generation"))
        return fail(out, 403, PROHIBITED_TEXT);
    if (image_engine(r->config) == IMAGES_COMFYUI)
        return queue_order(r, out, &order);
    if (image_call(r->mem, r->config, &order, &call, &about, &err) != OK)
        return engine_failed(out, &err);
    return reply_call_plan(r, out, &call, "images_made", state_of(r, about));
}

static const struct field generate_form[] = { FIELD(STRING, "model", OPTIONAL),
                                              FIELD(STRING, "prompt", REQUIRED),
                                              FIELD(STRING, "size", OPTIONAL),
                                              FIELD(INTEGER, "n", NOT_NULL, .def = "1"),
                                              FIELD(STRING, "negative_prompt", OPTIONAL),
                                              END };

/* ---- steps: the user may be gone by now */

static bool asker(struct request *r, struct response *out, struct user *u)
{
    enum db_status st = user_by_id(r->db, r->mem, json_str(form_json(r, "state"), "user_id"), u);

    if (st == DB_ROW)
        return true;
    if (st == DB_ERROR)
        fail_db(out, r->db);
    else
        fail(out, 404, NOT_FOUND_TEXT);
    return false;
}

static int made(struct request *r, struct response *out)
{
    json_object *about = json_get(form_json(r, "state"), "about");
    struct image_list images;
    struct http_call call;
    struct error err = { "" };
    struct user u;

    plan_call_outcome(r, &call);
    if (!asker(r, out, &u))
        return reply_step(r, out);
    if (image_answer(r->mem, r->config, call.result == OK ? call.status : 0, call.response, about, &images, &err) != OK)
        engine_failed(out, &err);
    else
        keep(r, out, &u, &images, about);
    return reply_step(r, out);
}

static int queued(struct request *r, struct response *out)
{
    json_object *state = form_json(r, "state");
    struct image_list images;
    struct error err = { "" };
    struct user u;
    enum status st = image_queued(r->mem, r->config, json_str(state, "id"), &images, &err);

    if (st == NOT_FOUND && now_s() - json_int(state, "since_s", 0) < QUEUE_MS / 1000)
        return wait_plan(r, out, state);
    if (st == NOT_FOUND)
        error_set(&err, TIMED_OUT, "ComfyUI did not make the picture in time");
    if (st != OK)
        engine_failed(out, &err);
    else if (asker(r, out, &u))
        keep(r, out, &u, &images, json_get(state, "about"));
    return reply_step(r, out);
}

#define STEP(name_, handler_, about_)                                                                   \
    {                                                                                                   \
        POST, "/internal/step/" name_, INTERNAL, handler_, .body = BODY_JSON_ANY, .keep_unknown = true, \
                                                           .hidden = true, .about = about_              \
    }

const struct route images_routes[] = {
    { GET, "/api/v1/images/config", ADMIN, show_config, .about = "Settings of the image engines" },
    { POST, "/api/v1/images/config/update", ADMIN, save_config, .form = config_form,
      .about = "Changes the settings of the image engines" },
    { GET, "/api/v1/images/config/url/verify", ADMIN, verify, .server = SIDECAR,
      .about = "Whether the image engine answers" },
    { GET, "/api/v1/images/image/config", ADMIN, show_pictures, .about = "Model, size and steps of pictures" },
    { POST, "/api/v1/images/image/config/update", ADMIN, save_pictures, .form = pictures_form, .server = SIDECAR,
      .about = "Changes model, size and steps" },
    { GET, "/api/v1/images/models", VERIFIED, list_models, .server = SIDECAR, .about = "Models of the image engine" },
    { POST, "/api/v1/images/generations", VERIFIED, generate, .form = generate_form, .server = SIDECAR,
      .about = "Makes pictures: files of the caller" },
    STEP("images_made", made, "The answer of an image engine"),
    STEP("images_queued", queued, "A look at the queue of an image engine"),
    END
};
