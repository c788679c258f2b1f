/* comfyui.c: pictures of ComfyUI: the workflow is queued, and its history is asked for until the pictures are there. */
#include "lib/images/engines.h"

#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/random.h"

/* ---- the workflow */

/* What goes into the inputs of a node of that type, and the input's name where the settings name none; NULL: nothing of ours. */
static json_object *value_for(struct arena *mem, const struct config *c, const struct image_order *order,
                              struct str type, int64_t width, int64_t height, const char **usual)
{
    uint64_t seed;

    *usual = "text";
    if (str_is(type, "model"))
        return json_new_str(mem, image_model(c));
    if (str_is(type, "prompt"))
        return json_new_str(mem, order->prompt);
    if (str_is(type, "negative_prompt"))
        return json_new_str(mem, order->negative_prompt.p ? order->negative_prompt : S(""));
    if (str_is(type, "width")) {
        *usual = "width";
        return json_new_int(mem, width);
    }
    if (str_is(type, "height")) {
        *usual = "height";
        return json_new_int(mem, height);
    }
    if (str_is(type, "n")) {
        *usual = "batch_size";
        return json_new_int(mem, order->n);
    }
    if (str_is(type, "steps")) {
        *usual = "steps";
        return config_json(c, CFG_IMAGE_STEPS);
    }
    if (str_is(type, "seed")) {
        *usual = "seed";
        random_bytes(&seed, sizeof(seed));
        return json_new_int(mem, (int64_t)(seed % 1125899906842624));
    }
    return NULL;
}

enum status comfyui_workflow(struct arena *mem, const struct config *c, const struct image_order *order, int64_t width,
                             int64_t height, json_object **out, struct error *err)
{
    json_object *workflow = json_parse_or_null(mem, config_str(c, CFG_COMFYUI_WORKFLOW));

    if (!json_is(workflow, json_type_object))
        return error_set(err, INVALID, "the workflow of ComfyUI is not set");
    JSON_EACH (config_json(c, CFG_COMFYUI_WORKFLOW_NODES), i, node) {
        struct str type = json_str(node, "type"), key = json_str(node, "key");
        const char *usual = "text";
        json_object *value = type.n ? value_for(mem, c, order, type, width, height, &usual) : json_get(node, "value");

        if (type.n && !value)
            continue;
        JSON_EACH (json_get(node, "node_ids"), k, id) {
            json_object *inputs = json_get(json_get(workflow, json_str_value(id).p ? json_str_value(id).p : ""),
                                           "inputs");

            if (!json_is(inputs, json_type_object))
                return error_set(err, INVALID, "the workflow of ComfyUI has no node %.*s", STR(json_str_value(id)));
            json_set(inputs, key.n ? key.p : usual, value);
        }
    }
    *out = workflow;
    return OK;
}

/* ---- the queue */

static enum status queue(struct arena *mem, struct config *c, json_object *workflow, struct str *id, struct error *err)
{
    json_object *body = json_new_object(mem), *answer;
    struct http_call call;
    enum status st;

    json_set(body, "prompt", workflow);
    json_set_str(body, "client_id", random_uuid(mem));
    call = comfyui_call(mem, c, S("/prompt"), body);
    st = image_run(mem, &call, err);
    answer = json_parse_or_null(mem, call.response);
    if (st == FAILED && json_str(json_get(answer, "error"), "message").n)
        return error_set(err, FAILED, "%.*s", STR(str_utf8_first(json_str(json_get(answer, "error"), "message"), 300)));
    if (st != OK)
        return st;
    *id = json_str(answer, "prompt_id");
    return id->n ? OK : error_set(err, FAILED, "ComfyUI took the workflow without giving it a number");
}

static json_object *about_order(struct arena *mem, const struct config *c, const struct image_order *order,
                                int64_t width, int64_t height)
{
    json_object *about = json_new_object(mem);

    json_set_str(about, "prompt", order->prompt);
    if (order->negative_prompt.p)
        json_set_str(about, "negative_prompt", order->negative_prompt);
    json_set_int(about, "width", width);
    json_set_int(about, "height", height);
    json_set_int(about, "n", order->n);
    if (config_json(c, CFG_IMAGE_STEPS))
        json_set_int(about, "steps", config_int(c, CFG_IMAGE_STEPS));
    return about;
}

enum status image_queue(struct arena *mem, struct config *c, const struct image_order *order, struct str *id,
                        json_object **about, struct error *err)
{
    json_object *workflow;
    int64_t width, height;
    enum status st = image_check_order(order, err);

    if (st == OK)
        st = image_size(c, order->size, &width, &height, err);
    if (st == OK)
        st = comfyui_workflow(mem, c, order, width, height, &workflow, err);
    if (st == OK)
        st = queue(mem, c, workflow, id, err);
    if (st == OK)
        *about = about_order(mem, c, order, width, height);
    return st;
}

/* ["execution_error", {"exception_message"}] among the messages of its status. */
static enum status execution_error(json_object *entry, struct error *err)
{
    JSON_EACH (json_path(entry, "status.messages"), i, message)
        if (str_is(json_str_value(json_at(message, 0)), "execution_error"))
            return error_set(err, FAILED, "%.*s",
                             STR(str_utf8_first(json_str(json_at(message, 1), "exception_message"), 300)));
    return error_set(err, FAILED, "the workflow of ComfyUI failed");
}

static enum status fetch_picture(struct arena *mem, struct config *c, json_object *picture, struct image_list *out,
                                 struct error *err)
{
    struct buf path = BUF(mem, 64 * 1024);
    struct http_call call;
    enum status st;

    buf_add_c(&path, "/view?filename=");
    buf_add_urlencoded(&path, json_str(picture, "filename"));
    buf_add_c(&path, "&subfolder=");
    buf_add_urlencoded(&path, json_str(picture, "subfolder"));
    buf_add_c(&path, "&type=");
    buf_add_urlencoded(&path, json_str(picture, "type"));
    call = comfyui_call(mem, c, buf_str(&path), NULL);
    call.timeout_ms = 60 * 1000;
    st = image_run(mem, &call, err);
    if (st == OK && !image_recognise(call.response, &out->v[out->n]))
        st = error_set(err, FAILED, "ComfyUI's file is no picture");
    if (st == OK)
        out->n++;
    return st;
}

static enum status fetch_pictures(struct arena *mem, struct config *c, json_object *entry, struct image_list *out,
                                  struct error *err)
{
    struct image_list found = { arena_new_array(mem, struct image, IMAGES_MAX), 0 };
    json_object *outputs = json_get(entry, "outputs");

    if (str_is(json_str(json_get(entry, "status"), "status_str"), "error"))
        return execution_error(entry, err);
    if (json_is(outputs, json_type_object)) {
        json_object_object_foreach(outputs, node, output)
        {
            (void)node;
            JSON_EACH (json_get(output, "images"), i, picture) {
                enum status st = found.n < IMAGES_MAX ? fetch_picture(mem, c, picture, &found, err) : OK;

                if (st != OK)
                    return st;
            }
        }
    }
    if (!found.n)
        return error_set(err, FAILED, "the workflow of ComfyUI made no picture");
    *out = found;
    return OK;
}

enum status image_queued(struct arena *mem, struct config *c, struct str id, struct image_list *out, struct error *err)
{
    struct buf path = BUF(mem, 4096);
    struct http_call call;
    json_object *entry;
    enum status st;

    buf_add_c(&path, "/history/");
    buf_add_urlencoded(&path, id);
    call = comfyui_call(mem, c, buf_str(&path), NULL);
    st = image_run(mem, &call, err);
    if (st != OK)
        return st == NOT_FOUND ? FAILED : st;
    entry = json_get(json_parse_or_null(mem, call.response), str_c(mem, id));
    return entry ? fetch_pictures(mem, c, entry, out, err) : NOT_FOUND;
}

enum status comfyui_make(struct arena *mem, struct config *c, const struct image_order *order, struct image_list *out,
                         json_object **about, struct error *err)
{
    int64_t end_ms = mono_ms() + IMAGE_MAKE_MS;
    struct str id;
    enum status st = image_queue(mem, c, order, &id, about, err);

    while (st == OK || (st == NOT_FOUND && mono_ms() < end_ms)) {
        struct arena_mark mark = arena_mark(mem);

        usleep(500 * 1000);
        st = image_queued(mem, c, id, out, err);
        if (st == OK)
            return OK;
        arena_rewind(mem, mark);
    }
    return st == NOT_FOUND ? error_set(err, TIMED_OUT, "ComfyUI did not make the picture in time") : st;
}
