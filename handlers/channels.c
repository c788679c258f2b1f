/* channels.c: /api/v1/channels: the channels that somebody may read. */
#include "handlers/list_reply.h"
#include "handlers/routes.h"
#include "lib/auth/auth.h"
#include "lib/store/channels.h"

static int list(struct request *r, struct response *out, bool all)
{
    struct list_reply reply = list_start(r->mem);
    struct channel *channels;
    size_t n;

    if (channel_list(r->db, r->mem, &channels, &n) == DB_ERROR)
        return fail_db(out, r->db);
    for (size_t i = 0; i < n; i++)
        if (all || str_eq(channels[i].user_id, r->user->id) ||
            auth_access(r->mem, r->db, r->user->id, "read", channels[i].access_control))
            channel_json(list_item(&reply), &channels[i]);
    return list_end(&reply, out);
}

/* Those of the side bar: here an admin is a reader like others. */
static int list_readable(struct request *r, struct response *out)
{
    return list(r, out, false);
}

static int list_manageable(struct request *r, struct response *out)
{
    return list(r, out, r->user->is_admin);
}

const struct route channels_routes[] = { { GET, "/api/v1/channels/", VERIFIED, list_readable,
                                           .about = "Channels the caller may read" },
                                         { GET, "/api/v1/channels/list", VERIFIED, list_manageable,
                                           .about = "Channels the caller may read; all of them for admins" },
                                         END };
