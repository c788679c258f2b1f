/* oauth_picture.h: pictures of people at their identity provider. */
#ifndef LIB_AUTH_OAUTH_PICTURE_H
#define LIB_AUTH_OAUTH_PICTURE_H

#include "lib/auth/oauth_provider.h"

/* Fetches a picture and makes a data URL of it. The address is a person's to choose: private addresses are refused unless ENABLE_RAG_LOCAL_WEB_FETCH, redirects are not
 * followed, and his access token goes only to the provider's own host. INVALID: no PNG, JPEG, GIF or WebP. */
enum status oauth_picture_fetch(struct arena *mem, struct config *c, const struct oauth_provider *p, struct str url,
                                struct str access_token, struct str *data_url, struct error *err);

#endif
