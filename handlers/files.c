/* files.c: /api/v1/files: the list. */
#include "handlers/list_reply.h"
#include "handlers/routes.h"
#include "lib/store/files.h"

struct listing {
    struct request *r;
    struct list_reply reply;
    bool with_content;
};

static void add_file(const struct file *f, void *arg)
{
    struct listing *l = arg;

    file_json(l->r->mem, list_item(&l->reply), f, l->with_content);
}

static int list(struct request *r, struct response *out)
{
    struct listing l = { .r = r, .reply = list_start(r->mem), .with_content = query_bool(r, "content", true) };

    if (files_each(r->db, r->mem, r->user->is_admin ? STR_NONE : r->user->id, add_file, &l) == DB_ERROR)
        return fail_db(out, r->db);
    return list_end(&l.reply, out);
}

static const struct field list_query[] = { FIELD(BOOLEAN, "content", NOT_NULL, .def = "true"), END };

const struct route files_routes[] = { { GET, "/api/v1/files/", VERIFIED, list, .query = list_query,
                                        .about = "The caller's files; everybody's for admins" },
                                      END };
