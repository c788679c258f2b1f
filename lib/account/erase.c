/* erase.c: rows first, in one transaction; what they named after that: nobody can reach it any more. */
#include "lib/account/erase.h"

#include "lib/base/log.h"
#include "lib/rag/collections.h"
#include "lib/search/chat_index.h"
#include "lib/storage/storage.h"
#include "lib/store/files.h"
#include "lib/store/users.h"

static void drop(struct config *c, struct collection which)
{
    struct error err = { "" };
    enum status st = vectors_drop(c, which, &err);

    if (st != OK && st != NOT_FOUND)
        log_error("vectors of a deleted account are left behind: %s", err.text);
}

static void remove_files(struct arena *mem, struct db *db, struct config *c, const struct file *files, size_t n)
{
    json_object *ids = json_new_array(mem);
    struct error err = { "" };

    for (size_t i = 0; i < n; i++)
        json_push_str(ids, files[i].id);
    if (n && files_delete(db, json_text(mem, ids)) == DB_ERROR) {
        log_error("files of a deleted account are left behind: %s", db_error(db));
        return;
    }
    for (size_t i = 0; i < n; i++) {
        drop(c, collection_of_file(mem, files[i].id));
        if (files[i].path.n && storage_delete(mem, c, files[i].path, &err) != OK)
            log_error("a file of a deleted account is left behind: %s", err.text);
    }
}

enum db_status account_erase(struct arena *mem, struct db *db, struct config *c, struct str user_id)
{
    struct file *files = NULL;
    struct error err = { "" };
    size_t n = 0;

    if (files_of_nobody_else(db, mem, user_id, &files, &n) == DB_ERROR || user_delete(db, user_id) == DB_ERROR)
        return DB_ERROR;
    remove_files(mem, db, c, files, n);
    drop(c, collection_of_memories(mem, user_id));
    chat_index_forget(config_data_dir(c), user_id);
    if (vectors_drop_owner(c, user_id, &err) != OK)
        log_error("vectors of a deleted account are left behind: %s", err.text);
    return DB_ROW;
}
