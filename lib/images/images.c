/* images.c: engines that answer one request: OpenAI and its like, Gemini, AUTOMATIC1111. */
#include "lib/images/engines.h"

#include "lib/base/encode.h"
#include "lib/llm/providers.h"
#include "lib/net/url.h"

enum image_engine image_engine(const struct config *c)
{
    struct str name = config_str(c, CFG_IMAGE_GENERATION_ENGINE);

    if (str_is(name, "openai"))
        return IMAGES_OPENAI;
    if (str_is(name, "gemini"))
        return IMAGES_GEMINI;
    if (str_is(name, "comfyui"))
        return IMAGES_COMFYUI;
    return !name.n || str_is(name, "automatic1111") ? IMAGES_AUTOMATIC1111 : IMAGES_NONE;
}

struct str image_model(const struct config *c)
{
    struct str model = config_str(c, CFG_IMAGE_GENERATION_MODEL);

    if (model.n)
        return model;
    switch (image_engine(c)) {
    case IMAGES_OPENAI: return S("dall-e-2");
    case IMAGES_GEMINI: return S("imagen-3.0-generate-002");
    default: return S("");
    }
}

/* ---- pictures */

bool image_recognise(struct str b, struct image *out)
{
    static const struct {
        const char *start, *content_type, *ending;
    } kinds[] = {
        { "\x89PNG\r\n\x1a\n", "image/png", ".png" },
        { "\xff\xd8\xff", "image/jpeg", ".jpg" },
        { "GIF87a", "image/gif", ".gif" },
        { "GIF89a", "image/gif", ".gif" },
    };

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (str_starts(b, kinds[i].start)) {
            *out = (struct image){ b, kinds[i].content_type, kinds[i].ending };
            return true;
        }
    }
    if (b.n < 12 || memcmp(b.p, "RIFF", 4) != 0 || memcmp(b.p + 8, "WEBP", 4) != 0)
        return false;
    *out = (struct image){ b, "image/webp", ".webp" };
    return true;
}

static bool add_image(struct image_list *out, struct str bytes)
{
    if (out->n >= IMAGES_MAX || !image_recognise(bytes, &out->v[out->n]))
        return false;
    out->n++;
    return true;
}

/* "iVBOR…", or "data:image/png;base64,iVBOR…". */
static bool add_base64(struct arena *mem, struct image_list *out, struct str text)
{
    size_t comma = str_find_c(text, ',');
    struct str bytes;

    if (comma != STR_NPOS)
        text = str_from(text, comma + 1);
    return base64_decode(mem, text, &bytes) && add_image(out, bytes);
}

/* ---- what is ordered */

enum status image_size(const struct config *c, struct str size, int64_t *width, int64_t *height, struct error *err)
{
    struct str ours = config_str(c, CFG_IMAGE_SIZE);
    size_t x;

    if (str_find_c(size, 'x') == STR_NPOS)
        size = str_find_c(ours, 'x') == STR_NPOS ? S("512x512") : ours;
    x = str_find_c(size, 'x');
    if (!str_to_i64(str_sub(size, 0, x), width) || !str_to_i64(str_from(size, x + 1), height) || *width < 1 ||
        *height < 1 || *width > 16384 || *height > 16384)
        return error_set(err, INVALID, "the size is no WIDTHxHEIGHT: %.*s", STR(str_utf8_first(size, 40)));
    return OK;
}

enum status image_check_order(const struct image_order *order, struct error *err)
{
    if (order->n < 1 || order->n > IMAGES_MAX)
        return error_set(err, INVALID, "from 1 to %d pictures can be made at a time", IMAGES_MAX);
    return OK;
}

/* Who asks, for engines that are to know it. */
static void add_user_headers(struct arena *mem, struct config *c, const struct user *u, struct http_call *call)
{
    json_object *headers = json_new_object(mem);

    if (u && config_bool(c, CFG_ENABLE_FORWARD_USER_INFO_HEADERS))
        provider_add_user(mem, headers, u, STR_NONE);
    json_object_object_foreach(headers, name, value) http_add_call_header(mem, call, name, json_str_value(value));
}

static struct http_call call_of(const struct config *c, struct str url, struct str body)
{
    return (struct http_call){ .url = url,
                               .body = body,
                               .timeout_ms = IMAGE_MAKE_MS,
                               .max_bytes = IMAGE_ANSWER_MAX,
                               .insecure = !config_bool(c, CFG_AIOHTTP_CLIENT_SESSION_SSL) };
}

static void openai_call(struct arena *mem, struct config *c, const struct image_order *order, struct http_call *call,
                        json_object *about)
{
    struct str version = config_str(c, CFG_IMAGES_OPENAI_API_VERSION);
    struct buf url = BUF(mem, 64 * 1024);

    json_set_str(about, "model", image_model(c));
    json_set_str(about, "prompt", order->prompt);
    json_set_int(about, "n", order->n);
    json_set_str(about, "size", order->size.n ? order->size : config_str(c, CFG_IMAGE_SIZE));
    if (!str_has(config_str(c, CFG_IMAGE_GENERATION_MODEL), "gpt-image-1")) /* it always answers so */
        json_set_c(about, "response_format", "b64_json");
    buf_addf(&url, "%.*s/images/generations", STR(config_str(c, CFG_IMAGES_OPENAI_API_BASE_URL)));
    if (version.n) {
        buf_add_c(&url, "?api-version=");
        buf_add_urlencoded(&url, version);
    }
    *call = call_of(c, buf_str(&url), json_text(mem, about));
    http_add_call_header(mem, call, "Authorization",
                         str_f(mem, "Bearer %.*s", STR(config_str(c, CFG_IMAGES_OPENAI_API_KEY))));
    add_user_headers(mem, c, order->user, call);
}

static void gemini_call(struct arena *mem, struct config *c, const struct image_order *order, struct http_call *call,
                        json_object *about)
{
    json_object *parameters;

    json_set_str(json_set_object(about, "instances"), "prompt", order->prompt);
    parameters = json_set_object(about, "parameters");
    json_set_int(parameters, "sampleCount", order->n);
    json_set_c(json_set_object(parameters, "outputOptions"), "mimeType", "image/png");
    *call = call_of(c,
                    str_f(mem, "%.*s/models/%.*s:predict", STR(config_str(c, CFG_IMAGES_GEMINI_API_BASE_URL)),
                          STR(url_encode(mem, image_model(c)))),
                    json_text(mem, about));
    http_add_call_header(mem, call, "x-goog-api-key", config_str(c, CFG_IMAGES_GEMINI_API_KEY));
}

static enum status txt2img_call(struct arena *mem, struct config *c, const struct image_order *order,
                                struct http_call *call, json_object *about, struct error *err)
{
    json_object *scale = config_json(c, CFG_AUTOMATIC1111_CFG_SCALE), *body;
    int64_t width, height;

    if (image_size(c, order->size, &width, &height, err) != OK)
        return INVALID;
    json_set_str(about, "prompt", order->prompt);
    json_set_int(about, "batch_size", order->n);
    json_set_int(about, "width", width);
    json_set_int(about, "height", height);
    if (config_json(c, CFG_IMAGE_STEPS))
        json_set_int(about, "steps", config_int(c, CFG_IMAGE_STEPS));
    if (order->negative_prompt.p)
        json_set_str(about, "negative_prompt", order->negative_prompt);
    if (json_truthy(scale))
        json_set(about, "cfg_scale", scale);
    if (config_str(c, CFG_AUTOMATIC1111_SAMPLER).n)
        json_set_str(about, "sampler_name", config_str(c, CFG_AUTOMATIC1111_SAMPLER));
    if (config_str(c, CFG_AUTOMATIC1111_SCHEDULER).n)
        json_set_str(about, "scheduler", config_str(c, CFG_AUTOMATIC1111_SCHEDULER));
    body = json_clone(mem, about);
    if (order->model.n) { /* for this order alone: what everybody uses is an administrator's choice */
        json_set_str(json_set_object(body, "override_settings"), "sd_model_checkpoint", order->model);
        json_set_bool(body, "override_settings_restore_afterwards", true);
    }
    *call = automatic1111_call(mem, c, "/sdapi/v1/txt2img", body);
    call->timeout_ms = IMAGE_MAKE_MS;
    call->max_bytes = IMAGE_ANSWER_MAX;
    return OK;
}

enum status image_call(struct arena *mem, struct config *c, const struct image_order *order, struct http_call *call,
                       json_object **about, struct error *err)
{
    enum status st = image_check_order(order, err);

    if (st != OK)
        return st;
    *about = json_new_object(mem);
    switch (image_engine(c)) {
    case IMAGES_OPENAI: openai_call(mem, c, order, call, *about); return OK;
    case IMAGES_GEMINI: gemini_call(mem, c, order, call, *about); return OK;
    case IMAGES_AUTOMATIC1111: return txt2img_call(mem, c, order, call, *about, err);
    default: return error_set(err, INVALID, "no such image engine");
    }
}

/* ---- what comes back */

/* A picture given by its address. The engine's own server is asked as the engine itself; any other without a key, and at public addresses only. */
static bool add_fetched(struct arena *mem, struct config *c, struct image_list *out, struct str url)
{
    struct http_call call = { .url = url, .timeout_ms = 60 * 1000, .max_bytes = 20 * 1024 * 1024 };
    struct str base = config_str(c, CFG_IMAGES_OPENAI_API_BASE_URL);

    call.insecure = !config_bool(c, CFG_AIOHTTP_CLIENT_SESSION_SSL);
    if (url_same_origin(url, base))
        http_add_call_header(mem, &call, "Authorization",
                             str_f(mem, "Bearer %.*s", STR(config_str(c, CFG_IMAGES_OPENAI_API_KEY))));
    else
        call.public_only = !config_bool(c, CFG_ENABLE_RAG_LOCAL_WEB_FETCH);
    http_run(mem, &call, 1);
    return call.result == OK && call.status == 200 && add_image(out, call.response);
}

static bool add_of(struct arena *mem, struct config *c, enum image_engine engine, struct image_list *out,
                   json_object *one)
{
    switch (engine) {
    case IMAGES_OPENAI:
        if (json_str(one, "url").n)
            return add_fetched(mem, c, out, json_str(one, "url"));
        return add_base64(mem, out, json_str(one, "b64_json"));
    case IMAGES_GEMINI: return add_base64(mem, out, json_str(one, "bytesBase64Encoded"));
    default: return add_base64(mem, out, json_str_value(one));
    }
}

/* {"error": {"message"}} of OpenAI and Gemini; {"error", "detail"} of AUTOMATIC1111. */
static enum status engine_error(int status, json_object *answer, struct error *err)
{
    json_object *error = json_get(answer, "error");
    struct str text = json_is(error, json_type_object) ? json_str(error, "message") : json_str_value(error);

    if (!text.n)
        text = json_str(answer, "detail");
    if (text.n)
        return error_set(err, FAILED, "%.*s", STR(str_utf8_first(text, 300)));
    if (!status)
        return error_set(err, UNAVAILABLE, "Server Connection Error");
    return error_set(err, FAILED, "the image engine answered with status %d", status);
}

enum status image_answer(struct arena *mem, struct config *c, int status, struct str body, json_object *about,
                         struct image_list *out, struct error *err)
{
    static const char *const lists[] = {
        [IMAGES_OPENAI] = "data", [IMAGES_GEMINI] = "predictions", [IMAGES_AUTOMATIC1111] = "images"
    };
    enum image_engine engine = image_engine(c);
    struct image_list found = { arena_new_array(mem, struct image, IMAGES_MAX), 0 };
    json_object *answer = status ? json_parse_or_null(mem, body) : NULL;

    if (status < 200 || status > 299)
        return engine_error(status, answer, err);
    if (engine == IMAGES_NONE || engine == IMAGES_COMFYUI)
        return error_set(err, FAILED, "the image engine was changed");
    JSON_EACH (json_get(answer, lists[engine]), i, one) {
        if (i == IMAGES_MAX)
            break;
        if (!add_of(mem, c, engine, &found, one))
            return error_set(err, FAILED, "the image engine's answer is no picture");
    }
    if (!found.n)
        return error_set(err, FAILED, "the image engine sent no picture");
    if (engine == IMAGES_AUTOMATIC1111)
        json_set(about, "info", json_get(answer, "info"));
    *out = found;
    return OK;
}

enum status image_make(struct arena *mem, struct config *c, const struct image_order *order, struct image_list *out,
                       json_object **about, struct error *err)
{
    struct http_call call;
    enum status st;

    if (image_engine(c) == IMAGES_COMFYUI)
        return comfyui_make(mem, c, order, out, about, err);
    st = image_call(mem, c, order, &call, about, err);
    if (st != OK)
        return st;
    http_run(mem, &call, 1);
    if (call.result != OK)
        return error_set(err, call.result,
                         call.result == TIMED_OUT ? "the image engine did not answer in time"
                                                  : "Server Connection Error");
    return image_answer(mem, c, call.status, call.response, *about, out, err);
}
