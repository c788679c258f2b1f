/* user_image.h: answers with a picture that a row names: a URL (redirect), a data: URL of a raster image, or the default. */
#ifndef HANDLERS_USER_IMAGE_H
#define HANDLERS_USER_IMAGE_H

#include "fcgi/route.h"

int user_image_reply(struct request *r, struct response *out, struct str url);

#endif
