/* memories.c: /api/v1/memories: the caller's own. */
#include "handlers/list_reply.h"
#include "handlers/routes.h"
#include "lib/store/memories.h"

static int list(struct request *r, struct response *out)
{
    struct list_reply reply = list_start(r->mem);
    struct memory *memories;
    size_t n;

    if (memories_of_user(r->db, r->mem, r->user->id, &memories, &n) == DB_ERROR)
        return fail_db(out, r->db);
    for (size_t i = 0; i < n; i++)
        memory_json(list_item(&reply), &memories[i]);
    return list_end(&reply, out);
}

const struct route memories_routes[] = {
    { GET, "/api/v1/memories/", VERIFIED, list, .about = "What the caller wants models to know of him" }, END
};
