/* file_access.c: who may read and write a file. */
#include "lib/auth/file_access.h"

#include "lib/store/knowledge.h"

static struct str base_of(struct arena *mem, struct str meta)
{
    return json_str(json_parse_or_null(mem, meta), "collection_name");
}

static bool base_grants(struct db *db, struct arena *mem, const struct user *u, const struct knowledge *k,
                        struct str file_id, const char *type)
{
    return (str_eq(k->user_id, u->id) || auth_access(mem, db, u->id, type, k->access_control)) &&
           knowledge_has_file(mem, k, file_id);
}

enum db_status file_access(struct db *db, struct arena *mem, const struct user *u, const struct file *f,
                           const char *type)
{
    struct str base;
    struct knowledge k;
    enum db_status st;

    if (u->is_admin || str_eq(f->user_id, u->id))
        return DB_ROW;
    base = base_of(mem, f->meta);
    if (!base.n)
        return DB_DONE;
    st = knowledge_by_id(db, mem, base, &k);
    if (st != DB_ROW)
        return st;
    return base_grants(db, mem, u, &k, f->id, type) ? DB_ROW : DB_DONE;
}
