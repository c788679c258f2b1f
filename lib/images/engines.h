/* engines.h: shared by the files of lib/images. */
#ifndef LIB_IMAGES_ENGINES_H
#define LIB_IMAGES_ENGINES_H

#include "lib/images/images.h"

enum { IMAGE_QUICK_MS = 10 * 1000, IMAGE_MAKE_MS = 290 * 1000, IMAGE_ANSWER_MAX = 48 * 1024 * 1024 };

/* A call with the authorization of the engine in force. */
struct http_call automatic1111_call(struct arena *mem, const struct config *c, const char *path, json_object *body);
struct http_call comfyui_call(struct arena *mem, const struct config *c, struct str path, json_object *body);
/* Runs it; OK: a status below 300. Else err says what happened, for a person. */
enum status image_run(struct arena *mem, struct http_call *call, struct error *err);

enum status image_check_order(const struct image_order *order, struct error *err); /* INVALID: too many, or none */
/* Width and height of an order; INVALID: "WxH" it is not, or beyond all use. */
enum status image_size(const struct config *c, struct str size, int64_t *width, int64_t *height, struct error *err);

enum status comfyui_make(struct arena *mem, struct config *c, const struct image_order *order, struct image_list *out,
                         json_object **about, struct error *err);
/* The workflow with what was ordered put into the nodes that the settings name. */
enum status comfyui_workflow(struct arena *mem, const struct config *c, const struct image_order *order, int64_t width,
                             int64_t height, json_object **out, struct error *err);

#endif
