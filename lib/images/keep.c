/* keep.c: a picture's file, then its row; without the row there is no file either. */
#include "lib/images/keep.h"

#include "lib/base/clock.h"
#include "lib/base/random.h"
#include "lib/storage/storage.h"
#include "lib/store/files.h"

static enum status keep_one(struct arena *mem, struct db *db, const struct config *c, const struct user *owner,
                            const struct image *image, json_object *about, struct str *url, struct error *err)
{
    struct str name = str_f(mem, "generated-image%s", image->ending);
    json_object *meta = json_new_object(mem);
    struct file row = { .id = random_uuid(mem),
                        .user_id = owner->id,
                        .filename = name,
                        .data = S("{}"),
                        .created_at = now_s(),
                        .updated_at = now_s() };
    enum status st = storage_create(mem, c, row.id, name, image->bytes, &row.path, err);

    if (st != OK)
        return st;
    json_set_str(meta, "name", name);
    json_set_c(meta, "content_type", image->content_type);
    json_set_int(meta, "size", (int64_t)image->bytes.n);
    json_set(meta, "data", about ? about : json_new_object(mem));
    row.meta = json_text(mem, meta);
    if (file_insert(db, &row) == DB_ERROR) {
        st = error_set(err, db_unavailable(db) ? UNAVAILABLE : FAILED, "could not keep a picture: %s", db_error(db));
        storage_delete(mem, c, row.path, NULL);
        return st;
    }
    *url = str_f(mem, "/api/v1/files/%.*s/content", STR(row.id));
    return OK;
}

enum status images_keep(struct arena *mem, struct db *db, const struct config *c, const struct user *owner,
                        const struct image_list *images, json_object *about, struct str **urls, struct error *err)
{
    struct str *v = arena_new_array(mem, struct str, images->n + 1);

    for (size_t i = 0; i < images->n; i++) {
        enum status st = keep_one(mem, db, c, owner, &images->v[i], about, &v[i], err);

        if (st != OK)
            return st;
    }
    *urls = v;
    return OK;
}
