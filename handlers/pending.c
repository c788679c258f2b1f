/* pending.c: operations of the API that nobody has written yet: 501, but only to those who might call them. The router lets any other route
 * of the same method and path win; its line here then goes. */
#include "handlers/routes.h"

/* "Get channels is not available yet": the body is not looked at. */
static int not_available(struct request *r, struct response *out)
{
    return fail(out, 501, "%s is not available yet", r->route->about);
}

#define PENDING(method_, path_, access_, about_)                                                  \
    {                                                                                             \
        method_, path_, access_, not_available, .body = BODY_RAW, .hidden = true, .about = about_ \
    }

const struct route pending_routes[] = {
    /* Images */
    PENDING(GET, "/api/v1/images/config", ADMIN, "Get config"),
    PENDING(POST, "/api/v1/images/config/update", ADMIN, "Update config"),
    PENDING(GET, "/api/v1/images/config/url/verify", ADMIN, "Verify url"),
    PENDING(GET, "/api/v1/images/image/config", ADMIN, "Get image config"),
    PENDING(POST, "/api/v1/images/image/config/update", ADMIN, "Update image config"),
    PENDING(GET, "/api/v1/images/models", VERIFIED, "Get models"),
    PENDING(POST, "/api/v1/images/generations", VERIFIED, "Image generations"),

    /* Audio */
    PENDING(GET, "/api/v1/audio/config", ADMIN, "Get audio config"),
    PENDING(POST, "/api/v1/audio/config/update", ADMIN, "Update audio config"),
    PENDING(POST, "/api/v1/audio/speech", VERIFIED, "Speech"),
    PENDING(POST, "/api/v1/audio/transcriptions", VERIFIED, "Transcription"),
    PENDING(GET, "/api/v1/audio/models", VERIFIED, "Get models"),
    PENDING(GET, "/api/v1/audio/voices", VERIFIED, "Get voices"),

    /* Tools */
    PENDING(POST, "/api/v1/tools/load/url", ADMIN, "Load tool from url"),

    /* Functions */
    PENDING(POST, "/api/v1/functions/load/url", ADMIN, "Load function from url"),

    /* Utilities */
    PENDING(GET, "/api/v1/utils/gravatar", VERIFIED, "Get gravatar"),
    PENDING(POST, "/api/v1/utils/code/format", ADMIN, "Format code"),
    PENDING(POST, "/api/v1/utils/code/execute", VERIFIED, "Execute code"),
    PENDING(POST, "/api/v1/utils/markdown", VERIFIED, "Get html from markdown"),
    PENDING(POST, "/api/v1/utils/pdf", VERIFIED, "Download chat as pdf"),
    PENDING(GET, "/api/v1/utils/db/download", ADMIN, "Download db"),
    PENDING(GET, "/api/v1/utils/litellm/config", ADMIN, "Download litellm config yaml"),
    { 0 },
};
