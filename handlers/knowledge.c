/* knowledge.c: /api/v1/knowledge: the lists, each collection with what is known of its files. */
#include "handlers/list_reply.h"
#include "handlers/routes.h"
#include "lib/auth/auth.h"
#include "lib/store/files.h"
#include "lib/store/knowledge.h"
#include "lib/store/owners.h"

struct collection {
    struct knowledge row;
    json_object *data;   /* parsed; NULL: null */
    json_object *wanted; /* an object with the file ids as names, to look them up */
};

static bool may(struct request *r, const char *type, const struct knowledge *k)
{
    if (r->user->is_admin && config_bool(r->config, CFG_BYPASS_ADMIN_ACCESS_CONTROL))
        return true;
    return str_eq(k->user_id, r->user->id) || auth_access(r->mem, r->db, r->user->id, type, k->access_control);
}

/* The ids of all files of all collections, JSON array text: one query reads them all. */
static struct str all_file_ids(struct arena *mem, struct collection *c, size_t n)
{
    json_object *ids = json_new_array(mem);

    for (size_t i = 0; i < n; i++) {
        c[i].data = json_parse_or_null(mem, c[i].row.data);
        c[i].wanted = json_new_object(mem);
        JSON_EACH (json_get(c[i].data, "file_ids"), k, id) {
            if (json_str_value(id).n == 0)
                continue;
            json_push(ids, id);
            json_set_bool(c[i].wanted, json_str_value(id).p, false);
        }
    }
    return json_text(mem, ids);
}

/* Files that are gone are not shown in data.file_ids either. */
static void drop_missing(struct arena *mem, struct collection *c)
{
    json_object *there = json_new_array(mem), *ids = json_get(c->data, "file_ids");

    JSON_EACH (ids, i, id)
        if (json_flag(c->wanted, json_str_value(id).n ? json_str_value(id).p : "", false))
            json_push(there, id);
    if (json_length(there) == json_length(ids))
        return;
    json_set(c->data, "file_ids", there);
    c->row.data = json_text(mem, c->data);
}

static void add_collection(struct arena *mem, struct buf *b, struct collection *c, const struct file_metadata *files,
                           size_t files_n, const struct owners *owners)
{
    const struct file_metadata **there = arena_new_array(mem, const struct file_metadata *, files_n);
    size_t n = 0;

    for (size_t i = 0; i < files_n; i++) {
        if (!json_has(c->wanted, files[i].id.p))
            continue;
        json_set_bool(c->wanted, files[i].id.p, true);
        there[n++] = &files[i];
    }
    drop_missing(mem, c);
    knowledge_json_open(b, &c->row);
    member_owner(b, ",\"user\":", owners, c->row.user_id);
    buf_add_c(b, ",\"files\":[");
    for (size_t i = 0; i < n; i++) {
        buf_add_c(b, i ? "," : "");
        file_metadata_json(b, there[i]);
    }
    buf_add_c(b, "]}");
}

static int list(struct request *r, struct response *out, const char *type)
{
    struct list_reply reply = list_start(r->mem);
    struct knowledge *rows;
    struct collection *c;
    struct file_metadata *files;
    struct owners owners;
    size_t all, n = 0, files_n;

    if (knowledge_list(r->db, r->mem, &rows, &all) == DB_ERROR)
        return fail_db(out, r->db);
    c = arena_new_array(r->mem, struct collection, all);
    for (size_t i = 0; i < all; i++)
        if (may(r, type, &rows[i]))
            c[n++].row = rows[i];
    if (file_metadata_of(r->db, r->mem, all_file_ids(r->mem, c, n), &files, &files_n) == DB_ERROR ||
        owners_read(r->db, r->mem, c, n, sizeof *c, offsetof(struct collection, row.user_id), &owners) == DB_ERROR)
        return fail_db(out, r->db);
    for (size_t i = 0; i < n; i++)
        add_collection(r->mem, list_item(&reply), &c[i], files, files_n, &owners);
    return list_end(&reply, out);
}

static int list_readable(struct request *r, struct response *out)
{
    return list(r, out, "read");
}

static int list_writable(struct request *r, struct response *out)
{
    return list(r, out, "write");
}

const struct route knowledge_routes[] = {
    { GET, "/api/v1/knowledge/", VERIFIED, list_readable, .about = "Knowledge the caller may read" },
    { GET, "/api/v1/knowledge/list", VERIFIED, list_writable, .about = "Knowledge the caller may change" },
    END
};
