/* files.h: the file table: uploads and what was read out of them. */
#ifndef LIB_STORE_FILES_H
#define LIB_STORE_FILES_H

#include "lib/db/db.h"
#include "lib/json/json.h"

struct file { /* strings live in the arena they were read into */
    struct str id, user_id, filename;
    struct str hash; /* of the text that was read out of it; absent: null */
    struct str path; /* where it is stored, as its maker wrote it (lib/storage); absent or empty: nowhere */
    struct str data; /* JSON text; absent: null. {"status": "pending"|"completed"|"failed", "content", "error"} */
    struct str meta; /* JSON text; absent: null. {"name", "content_type", "size", "data", "collection_name"} */
    struct str access_control;      /* JSON text; absent: null. Nobody looks at it: see lib/auth/file_access.h */
    int64_t created_at, updated_at; /* Unix time */
};

enum db_status file_by_id(struct db *db, struct arena *mem, struct str id, struct file *out);
/* Those of the ids (JSON array text) that exist, last changed first. */
enum db_status files_by_ids(struct db *db, struct arena *mem, struct str ids, struct file **out, size_t *n);

/* Calls each(file, arg) for each file, oldest first; the strings live until it returns. user_id absent: of everybody. */
typedef void file_reader(const struct file *f, void *arg);
enum db_status files_each(struct db *db, struct arena *mem, struct str user_id, file_reader *each, void *arg);

enum db_status file_insert(struct db *db, const struct file *f);

/* What processing writes: members of data and meta (each may be NULL) are put over those that the row has; hash absent: it stays. One transaction of its own;
 * updated_at stays, as with Python. DB_DONE: the file is gone. */
enum db_status file_record(struct db *db, struct arena *mem, struct str id, json_object *data, json_object *meta,
                           struct str hash);

enum db_status file_delete(struct db *db, struct str id);
enum db_status files_delete(struct db *db, struct str ids); /* a JSON array */
/* Files of a user that nobody else has a use for: in no knowledge base, at no model, in none of his messages in channels. Only id and path are read. */
enum db_status files_of_nobody_else(struct db *db, struct arena *mem, struct str user_id, struct file **out, size_t *n);
enum db_status file_delete_all(struct db *db);

struct file_metadata {
    struct str id;   /* NUL-terminated */
    struct str meta; /* JSON text; absent: null */
    int64_t created_at, updated_at;
};
/* Those of the ids (JSON array text) that exist, last changed first. */
enum db_status file_metadata_of(struct db *db, struct arena *mem, struct str ids, struct file_metadata **out,
                                size_t *n);

/* As lists show it. with_content: what was read out of it too. */
void file_json(struct arena *mem, struct buf *b, const struct file *f, bool with_content);
/* All of it, without the closing brace. */
void file_json_open(struct buf *b, const struct file *f);
void file_metadata_json(struct buf *b, const struct file_metadata *f);

#endif
