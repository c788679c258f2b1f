/* images.h: pictures, made by the engine that the settings name. Nothing is stored here, and nobody's right to a picture is asked. */
#ifndef LIB_IMAGES_IMAGES_H
#define LIB_IMAGES_IMAGES_H

#include "lib/auth/user.h"
#include "lib/config/config.h"
#include "lib/json/json.h"
#include "lib/net/http.h"

enum image_engine {
    IMAGES_OPENAI,
    IMAGES_GEMINI,
    IMAGES_COMFYUI,
    IMAGES_AUTOMATIC1111,
    IMAGES_NONE /* the setting names none of these */
};
enum { IMAGES_MAX = 10 }; /* pictures of one order */

struct image_order {
    const struct user *user; /* told to the engine with ENABLE_FORWARD_USER_INFO_HEADERS */
    struct str prompt;
    struct str negative_prompt; /* absent: none */
    struct str size;            /* "512x512"; absent: the setting's */
    struct str model;           /* of AUTOMATIC1111: the checkpoint for this order; absent: the one that is loaded */
    int64_t n;                  /* how many */
};

struct image { /* png, jpeg, gif or webp, told by its first bytes */
    struct str bytes;
    const char *content_type, *ending; /* "image/png", ".png" */
};
struct image_list {
    struct image *v;
    size_t n;
};

enum image_engine image_engine(const struct config *c);
/* The model that is asked for: the setting's, or the engine's default; empty: the engine chooses. */
struct str image_model(const struct config *c);
/* What kind of picture it is, from its first bytes; false: none that we take. */
bool image_recognise(struct str bytes, struct image *out);

/* Engines that answer one request (openai, gemini, automatic1111): the call to make, and what is kept with the pictures (*about: what was asked for). INVALID: the order
 * cannot be filled; err is worded for a person. */
enum status image_call(struct arena *mem, struct config *c, const struct image_order *order, struct http_call *call,
                       json_object **about, struct error *err);
/* The pictures of its answer. status 0: none came. FAILED, INVALID: err is worded for a person, and names no address and no key. Pictures that the answer
 * gives by address are fetched. AUTOMATIC1111's "info" is added to about. */
enum status image_answer(struct arena *mem, struct config *c, int status, struct str body, json_object *about,
                         struct image_list *out, struct error *err);

/* The engine with a queue (comfyui): puts the order there; *id is its number in it. */
enum status image_queue(struct arena *mem, struct config *c, const struct image_order *order, struct str *id,
                        json_object **about, struct error *err);
/* NOT_FOUND: not made yet. */
enum status image_queued(struct arena *mem, struct config *c, struct str id, struct image_list *out, struct error *err);

/* All of it, for every engine; waits. err is worded for a person. */
enum status image_make(struct arena *mem, struct config *c, const struct image_order *order, struct image_list *out,
                       json_object **about, struct error *err);

/* [{"id", "name"}] of the engine. */
enum status image_models(struct arena *mem, struct config *c, json_object **out, struct error *err);
/* Whether AUTOMATIC1111 or ComfyUI answers at its address; other engines: OK. */
enum status image_engine_answers(struct arena *mem, struct config *c, struct error *err);
/* Loads a checkpoint in AUTOMATIC1111, unless it is loaded; other engines: OK at once. */
enum status image_load_model(struct arena *mem, struct config *c, struct str model, struct error *err);

#endif
