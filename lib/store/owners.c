/* owners.c: owners of rows. */
#include "lib/store/owners.h"

#include "lib/store/user_json.h"
#include "lib/store/users.h"

static bool is_among(const struct str *ids, size_t n, struct str id)
{
    for (size_t i = n; i > 0; i--)
        if (str_eq(ids[i - 1], id))
            return true;
    return false;
}

enum db_status owners_read(struct db *db, struct arena *mem, const void *rows, size_t n, size_t row_bytes, size_t id_at,
                           struct owners *out)
{
    struct str *ids = arena_new_array(mem, struct str, n);
    size_t distinct = 0;

    *out = (struct owners){ 0 };
    for (size_t i = 0; i < n; i++) {
        struct str id = *(const struct str *)((const char *)rows + i * row_bytes + id_at);

        if (id.n > 0 && !is_among(ids, distinct, id))
            ids[distinct++] = id;
    }
    return distinct ? user_by_ids(db, mem, ids, distinct, &out->v, &out->n) : DB_DONE;
}

const struct user *owners_find(const struct owners *owners, struct str id)
{
    for (size_t i = 0; i < owners->n; i++)
        if (str_eq(owners->v[i].id, id))
            return &owners->v[i];
    return NULL;
}

void member_owner(struct buf *b, const char *name, const struct owners *owners, struct str id)
{
    const struct user *u = owners_find(owners, id);

    buf_add_c(b, name);
    if (u)
        user_json_public(b, u);
    else
        buf_add_c(b, "null");
}
