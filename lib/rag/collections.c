/* collections.c: names of collections, and whose they are. */
#include "lib/rag/collections.h"

#include "lib/auth/file_access.h"
#include "lib/store/knowledge.h"

static enum status refused(struct error *err, struct str name)
{
    return error_set(err, NOT_FOUND, "no collection %.*s for this user", STR(name));
}

static enum status db_failed(struct db *db, struct error *err)
{
    return error_set(err, db_unavailable(db) ? UNAVAILABLE : FAILED, "%s", db_error(db));
}

/* OK, NOT_FOUND: no such knowledge base or not his, FAILED … *exists: there is one. */
static enum status may_use_knowledge(struct db *db, struct arena *mem, const struct user *u, struct str id,
                                     enum collection_use use, bool *exists, struct error *err)
{
    struct knowledge k;
    enum db_status st = knowledge_by_id(db, mem, id, &k);

    *exists = st == DB_ROW;
    if (st == DB_ERROR)
        return db_failed(db, err);
    if (st == DB_ROW && (u->is_admin || str_eq(k.user_id, u->id) ||
                         auth_access(mem, db, u->id, use == COLLECTION_READ ? "read" : "write", k.access_control)))
        return OK;
    return refused(err, id);
}

static enum status may_use_file(struct db *db, struct arena *mem, const struct user *u, struct str id,
                                enum collection_use use, struct error *err)
{
    struct file f;
    enum db_status st = file_by_id(db, mem, id, &f);

    if (st == DB_ROW)
        st = file_access(db, mem, u, &f, use == COLLECTION_READ ? "read" : "write");
    if (st == DB_ERROR)
        return db_failed(db, err);
    return st == DB_ROW ? OK : refused(err, id);
}

enum status collection_for(struct db *db, struct arena *mem, const struct user *u, struct str name,
                           enum collection_use use, struct collection *out, struct error *err)
{
    enum status st;
    bool exists;

    if (str_starts(name, "file-")) {
        st = may_use_file(db, mem, u, str_from(name, 5), use, err);
        exists = true;
    } else if (str_starts(name, "user-memory-")) {
        st = str_eq(str_from(name, 12), u->id) ? OK : refused(err, name);
        exists = true;
    } else {
        st = may_use_knowledge(db, mem, u, name, use, &exists, err);
    }
    if (st != OK && (exists || st != NOT_FOUND))
        return st;
    *out = (struct collection){ .owner = exists ? S("") : u->id, .name = name };
    return OK;
}

struct collection collection_of_file(struct arena *mem, struct str file_id)
{
    return (struct collection){ S(""), str_f(mem, "file-%.*s", STR(file_id)) };
}

struct collection collection_of_knowledge(struct str knowledge_id)
{
    return (struct collection){ S(""), knowledge_id };
}

struct collection collection_of_memories(struct arena *mem, struct str user_id)
{
    return (struct collection){ S(""), str_f(mem, "user-memory-%.*s", STR(user_id)) };
}
