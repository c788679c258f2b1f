/* models.h: the model table: settings and access of provider's models, and the workspace's own models.
 *
 * What changes a row bumps COUNTER_MODELS. */
#ifndef LIB_STORE_MODELS_H
#define LIB_STORE_MODELS_H

#include "lib/db/db.h"
#include "lib/json/json.h"

struct model_row { /* strings live in the arena they were read into */
    struct str id, user_id;
    struct str base_model_id; /* absent: the row belongs to a provider's model of that id */
    struct str name;
    struct str params, meta;        /* JSON text of objects */
    struct str access_control;      /* JSON text; absent: null, everybody may use it */
    int64_t created_at, updated_at; /* Unix time */
    bool is_active;
};

/* DB_ROW: found. DB_DONE: no such row, *out is untouched. */
enum db_status model_row_by_id(struct db *db, struct arena *mem, struct str id, struct model_row *out);
enum db_status model_rows(struct db *db, struct arena *mem, struct model_row **out,
                          size_t *n); /* all, in the table's order */

enum db_status model_row_insert(struct db *db, const struct model_row *row); /* db_unique_violation: the id is taken */
enum db_status model_row_update(struct db *db, const struct model_row *row); /* all but id, user_id and created_at */
enum db_status model_row_toggle(struct db *db, struct str id,
                                int64_t now_s); /* switched on if off, and the other way; DB_DONE: no such row */
/* The table is these rows afterwards, in one transaction. DB_ROW, or DB_ERROR: nothing has changed. */
enum db_status model_rows_replace_all(struct db *db, struct arena *mem, const struct model_row *rows, size_t n);
enum db_status model_row_delete(struct db *db, struct str id);
enum db_status model_rows_delete_all(struct db *db);

/* As the API shows a row: meta always has profile_image_url, description and capabilities. */
json_object *model_row_json(struct arena *mem, const struct model_row *row);

#endif
