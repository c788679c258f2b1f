/* keep.h: pictures as files of a person, as uploads are. */
#ifndef LIB_IMAGES_KEEP_H
#define LIB_IMAGES_KEEP_H

#include "lib/images/images.h"

/* Stores each picture and its row; *urls: images->n of "/api/v1/files/ID/content", in order. about: what was asked for, kept in the row's meta (NULL: nothing).
 * On failure those that were stored before stay. */
enum status images_keep(struct arena *mem, struct db *db, const struct config *c, const struct user *owner,
                        const struct image_list *images, json_object *about, struct str **urls, struct error *err);

#endif
