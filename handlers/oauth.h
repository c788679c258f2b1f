/* oauth.h: what signing in at a provider and giving a tool server's tokens have in common. */
#ifndef HANDLERS_OAUTH_H
#define HANDLERS_OAUTH_H

#include "fcgi/route.h"
#include "lib/auth/oauth_flow.h"

/* To the provider, with the cookie that proves who comes back. */
int oauth_send_away(struct request *r, struct response *out, const struct oauth_departure *d);
/* The parameters of a callback and the cookie that belongs to them; *cookie_name NULL: none does. */
struct oauth_arrival oauth_arrival_of(struct request *r, const char **cookie_name);
/* To a path of ours, with an error if there is one; deletes the cookie (NULL: none). */
int oauth_send_home(struct request *r, struct response *out, const char *path, struct str error,
                    const char *cookie_name);

#endif
