/* channel_access.c: who may do what in a channel. */
#include "handlers/channel.h"
#include "handlers/chat_reply.h"
#include "lib/auth/auth.h"

static bool may(struct arena *mem, struct db *db, const struct user *u, const struct channel *c, const char *type)
{
    return u->is_admin || str_eq(c->user_id, u->id) || auth_access(mem, db, u->id, type, c->access_control);
}

bool channel_may_read(struct arena *mem, struct db *db, const struct user *u, const struct channel *c)
{
    return may(mem, db, u, c, "read");
}

bool channel_may_write(struct arena *mem, struct db *db, const struct user *u, const struct channel *c)
{
    return !c->access_control.n || may(mem, db, u, c, "write");
}

bool channel_of_request(struct request *r, struct response *out, enum channel_need need, struct channel *c, int *status)
{
    enum db_status st = channel_by_id(r->db, r->mem, path_arg(r, "id"), c);
    bool good = need == CHANNEL_ANY;

    if (st != DB_ROW) {
        *status = st == DB_ERROR ? fail_db(out, r->db) : fail(out, 404, NOT_FOUND_TEXT);
        return false;
    }
    if (need == CHANNEL_READ)
        good = channel_may_read(r->mem, r->db, r->user, c);
    if (need == CHANNEL_WRITE)
        good = channel_may_write(r->mem, r->db, r->user, c);
    if (!good)
        *status = fail(out, 403, WENT_WRONG);
    return good;
}
