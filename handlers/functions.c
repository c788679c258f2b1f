/* functions.c: /api/v1/functions: the list. */
#include "handlers/list_reply.h"
#include "handlers/routes.h"
#include "lib/store/functions.h"

static int list(struct request *r, struct response *out)
{
    struct list_reply reply = list_start(r->mem);
    struct function *functions;
    size_t n;

    if (function_list(r->db, r->mem, &functions, &n) == DB_ERROR)
        return fail_db(out, r->db);
    for (size_t i = 0; i < n; i++)
        function_json(r->mem, list_item(&reply), &functions[i]);
    return list_end(&reply, out);
}

const struct route functions_routes[] = {
    { GET, "/api/v1/functions/", VERIFIED, list, .about = "All functions, without their code" }, END
};
