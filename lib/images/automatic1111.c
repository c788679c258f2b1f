/* automatic1111.c: what AUTOMATIC1111 and ComfyUI are asked besides pictures: models, whether they are there. */
#include "lib/images/engines.h"

#include "lib/base/encode.h"

struct http_call automatic1111_call(struct arena *mem, const struct config *c, const char *path, json_object *body)
{
    struct str auth = config_str(c, CFG_AUTOMATIC1111_API_AUTH);
    struct http_call call = { .url = str_f(mem, "%.*s%s", STR(config_str(c, CFG_AUTOMATIC1111_BASE_URL)), path),
                              .body = body ? json_text(mem, body) : STR_NONE,
                              .timeout_ms = IMAGE_QUICK_MS,
                              .insecure = !config_bool(c, CFG_AIOHTTP_CLIENT_SESSION_SSL) };

    if (auth.n)
        http_add_call_header(mem, &call, "Authorization", str_f(mem, "Basic %.*s", STR(base64_encode(mem, auth))));
    return call;
}

struct http_call comfyui_call(struct arena *mem, const struct config *c, struct str path, json_object *body)
{
    struct str key = config_str(c, CFG_COMFYUI_API_KEY);
    struct http_call call = { .url = str_f(mem, "%.*s%.*s", STR(config_str(c, CFG_COMFYUI_BASE_URL)), STR(path)),
                              .body = body ? json_text(mem, body) : STR_NONE,
                              .timeout_ms = IMAGE_QUICK_MS,
                              .insecure = !config_bool(c, CFG_AIOHTTP_CLIENT_SESSION_SSL) };

    if (key.n)
        http_add_call_header(mem, &call, "Authorization", str_f(mem, "Bearer %.*s", STR(key)));
    return call;
}

enum status image_run(struct arena *mem, struct http_call *call, struct error *err)
{
    http_run(mem, call, 1);
    if (call->result != OK)
        return error_set(err, call->result,
                         call->result == TIMED_OUT ? "the image engine did not answer in time"
                                                   : "Server Connection Error");
    if (call->status > 299)
        return error_set(err, FAILED, "the image engine answered with status %d", call->status);
    return OK;
}

static enum status run_json(struct arena *mem, struct http_call *call, json_object **out, struct error *err)
{
    enum status st = image_run(mem, call, err);

    if (st == OK && json_parse(mem, call->response, out, NULL) != OK)
        st = error_set(err, FAILED, "the image engine's answer is no JSON");
    return st;
}

/* ---- models */

static void push_model(struct arena *mem, json_object *list, struct str id, struct str name)
{
    json_object *one = json_new_object(mem);

    json_set_str(one, "id", id);
    json_set_str(one, "name", name);
    json_push(list, one);
}

static enum status automatic1111_models(struct arena *mem, struct config *c, json_object *list, struct error *err)
{
    struct http_call call = automatic1111_call(mem, c, "/sdapi/v1/sd-models", NULL);
    json_object *answer = NULL;
    enum status st = run_json(mem, &call, &answer, err);

    if (st != OK)
        return st;
    JSON_EACH (answer, i, m)
        push_model(mem, list, json_str(m, "title"), json_str(m, "model_name"));
    return OK;
}

/* What the workflow's own loader offers: the first required input whose name has "_name" in it. Without a model node: the checkpoints. */
static json_object *comfyui_choices(struct arena *mem, const struct config *c, json_object *info)
{
    json_object *workflow = json_parse_or_null(mem, config_str(c, CFG_COMFYUI_WORKFLOW)), *inputs;
    struct str node_id = STR_NONE;

    JSON_EACH (config_json(c, CFG_COMFYUI_WORKFLOW_NODES), i, node)
        if (str_is(json_str(node, "type"), "model")) {
            node_id = json_str_value(json_at(json_get(node, "node_ids"), 0));
            break;
        }
    if (!node_id.n)
        return json_at(json_path(info, "CheckpointLoaderSimple.input.required.ckpt_name"), 0);
    inputs = json_path(json_get(info, json_str(json_get(workflow, node_id.p), "class_type").n
                                          ? json_str(json_get(workflow, node_id.p), "class_type").p
                                          : ""),
                       "input.required");
    if (json_is(inputs, json_type_object)) {
        json_object_object_foreach(inputs, name, value) if (strstr(name, "_name")) return json_at(value, 0);
    }
    return NULL;
}

static enum status comfyui_models(struct arena *mem, struct config *c, json_object *list, struct error *err)
{
    struct http_call call = comfyui_call(mem, c, S("/object_info"), NULL);
    json_object *info = NULL;
    enum status st = run_json(mem, &call, &info, err);

    if (st != OK)
        return st;
    JSON_EACH (comfyui_choices(mem, c, info), i, name)
        push_model(mem, list, json_str_value(name), json_str_value(name));
    return OK;
}

enum status image_models(struct arena *mem, struct config *c, json_object **out, struct error *err)
{
    json_object *list = json_new_array(mem);
    enum status st = OK;

    switch (image_engine(c)) {
    case IMAGES_OPENAI:
        push_model(mem, list, S("dall-e-2"), S("DALL·E 2"));
        push_model(mem, list, S("dall-e-3"), S("DALL·E 3"));
        push_model(mem, list, S("gpt-image-1"), S("GPT-IMAGE 1"));
        break;
    case IMAGES_GEMINI: push_model(mem, list, S("imagen-3.0-generate-002"), S("imagen-3.0 generate-002")); break;
    case IMAGES_COMFYUI: st = comfyui_models(mem, c, list, err); break;
    case IMAGES_AUTOMATIC1111: st = automatic1111_models(mem, c, list, err); break;
    case IMAGES_NONE: list = NULL; break;
    }
    if (st == OK)
        *out = list;
    return st;
}

enum status image_engine_answers(struct arena *mem, struct config *c, struct error *err)
{
    struct http_call call;

    if (str_is(config_str(c, CFG_IMAGE_GENERATION_ENGINE), "automatic1111"))
        call = automatic1111_call(mem, c, "/sdapi/v1/options", NULL);
    else if (image_engine(c) == IMAGES_COMFYUI)
        call = comfyui_call(mem, c, S("/object_info"), NULL);
    else
        return OK;
    return image_run(mem, &call, err);
}

enum status image_load_model(struct arena *mem, struct config *c, struct str model, struct error *err)
{
    struct http_call call;
    json_object *options = NULL;
    enum status st;

    if (image_engine(c) != IMAGES_AUTOMATIC1111)
        return OK;
    call = automatic1111_call(mem, c, "/sdapi/v1/options", NULL);
    st = run_json(mem, &call, &options, err);
    if (st != OK || !json_is(options, json_type_object) || str_eq(json_str(options, "sd_model_checkpoint"), model))
        return st;
    json_set_str(options, "sd_model_checkpoint", model);
    call = automatic1111_call(mem, c, "/sdapi/v1/options", options);
    call.timeout_ms = 120 * 1000; /* it reads gigabytes */
    return image_run(mem, &call, err);
}
