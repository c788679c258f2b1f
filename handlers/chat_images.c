/* chat_images.c: a picture is made for a chat, and shown with its answer. */
#include "handlers/chat_images.h"

#include "handlers/chat_reply.h"
#include "handlers/plan_call.h"
#include "lib/auth/auth.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/images/images.h"
#include "lib/images/keep.h"
#include "lib/llm/messages.h"

enum { LOOK_EVERY_MS = 1000, QUEUE_S = 290 };

#define MADE "<context>User is shown the generated image, tell the user that the image has been generated</context>"
#define NOT_MADE "<context>Unable to generate an image, tell the user that an error occurred</context>"

int images_check(struct request *r, struct response *out)
{
    if (!config_bool(r->config, CFG_ENABLE_IMAGE_GENERATION))
        return fail(out, 403, "Image generation is not enabled");
    if (!r->user->is_admin && !auth_permission(r->mem, r->db, r->config, r->user, "features.image_generation"))
        return fail(out, 403, PROHIBITED_TEXT);
    return 0;
}

/* ---- a picture is made */

static json_object *messages_of(struct step *s)
{
    return json_path(s->state, "form.messages");
}

static void tell(struct step *s, const char *description, bool done)
{
    json_object *o = json_new_object(s->r->mem);

    json_set_c(o, "description", description);
    json_set_bool(o, "done", done);
    step_status(s, o);
}

static enum stage not_made(struct step *s, const struct error *err)
{
    log_warning("a chat's picture could not be made: %s", err->text);
    tell(s, "An error occurred while generating an image", true);
    messages_add_system(s->r->mem, messages_of(s), S(NOT_MADE));
    json_del(s->state, "picture");
    return STAGE_DONE;
}

static enum stage made(struct step *s, const struct image_list *images)
{
    json_object *data = json_new_object(s->r->mem), *files = json_set_array(data, "files");
    struct str *urls;
    struct error err = { "" };

    if (images_keep(s->r->mem, s->r->db, s->r->config, &s->user, images, json_path(s->state, "picture.about"), &urls,
                    &err) != OK)
        return not_made(s, &err);
    tell(s, "Image created", true);
    for (size_t i = 0; i < images->n; i++) {
        json_object *file = json_new_object(s->r->mem);

        json_set_c(file, "type", "image");
        json_set_str(file, "url", urls[i]);
        json_push(files, file);
    }
    step_tell(s, "files", data);
    messages_add_system(s->r->mem, messages_of(s), S(MADE));
    json_del(s->state, "picture");
    return STAGE_DONE;
}

static enum stage wait_for_queue(struct step *s)
{
    json_set_int(json_set_object(s->plan, "wait"), "ms", LOOK_EVERY_MS);
    return stage_wait(s, "queue");
}

static enum stage order(struct step *s, struct str prompt)
{
    struct image_order order = { .user = &s->user, .prompt = prompt, .n = 1 };
    json_object *picture = json_set_object(s->state, "picture"), *about = NULL;
    struct http_call call;
    struct error err = { "" };
    struct str id;

    if (image_engine(s->r->config) == IMAGES_COMFYUI) {
        if (image_queue(s->r->mem, s->r->config, &order, &id, &about, &err) != OK)
            return not_made(s, &err);
        json_set(picture, "about", about);
        json_set_str(picture, "id", id);
        json_set_int(picture, "since_s", now_s());
        return wait_for_queue(s);
    }
    if (image_call(s->r->mem, s->r->config, &order, &call, &about, &err) != OK)
        return not_made(s, &err);
    json_set(picture, "about", about);
    json_set(s->plan, "upstream", plan_call(s->r, &call));
    json_set_c(s->plan, "deliver", "json");
    return stage_wait(s, "picture");
}

static enum stage picture_is_there(struct step *s)
{
    struct image_list images;
    struct http_call call;
    struct error err = { "" };

    plan_call_outcome(s->r, &call);
    if (image_answer(s->r->mem, s->r->config, call.result == OK ? call.status : 0, call.response,
                     json_path(s->state, "picture.about"), &images, &err) != OK)
        return not_made(s, &err);
    return made(s, &images);
}

static enum stage look_at_queue(struct step *s)
{
    json_object *picture = json_get(s->state, "picture");
    struct image_list images;
    struct error err = { "" };
    enum status st = image_queued(s->r->mem, s->r->config, json_str(picture, "id"), &images, &err);

    if (st == NOT_FOUND && now_s() - json_int(picture, "since_s", 0) < QUEUE_S)
        return wait_for_queue(s);
    if (st == NOT_FOUND)
        error_set(&err, TIMED_OUT, "it was not there in time");
    return st == OK ? made(s, &images) : not_made(s, &err);
}

static struct str wished(struct step *s)
{
    struct str text = message_text(messages_last_user(messages_of(s)));

    return text.p ? text : S("");
}

enum stage stage_image(struct step *s, struct str waited_for)
{
    json_object *form;
    struct str prompt;

    if (str_is(waited_for, "picture"))
        return picture_is_there(s);
    if (str_is(waited_for, "queue"))
        return look_at_queue(s);
    if (str_is(waited_for, "prompt")) {
        prompt = json_str(step_failed(s) ? NULL : step_json_in(s, outcome_text(step_answer(s))), "prompt");
        return order(s, prompt.n ? prompt : wished(s));
    }
    tell(s, "Creating image", false);
    form = json_new_object(s->r->mem);
    json_set(form, "messages", messages_of(s));
    if (config_bool(s->r->config, CFG_ENABLE_IMAGE_PROMPT_GENERATION) &&
        step_job(s, TASK_IMAGE_PROMPT, form, "prepare", s->state, s->plan) == OK)
        return stage_wait(s, "prompt");
    return order(s, wished(s));
}
