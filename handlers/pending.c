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
    { 0 },
};
