/* files.h: the file table: uploads and what was read out of them. */
#ifndef LIB_STORE_FILES_H
#define LIB_STORE_FILES_H

#include "lib/db/db.h"
#include "lib/json/json.h"

struct file { /* strings live in the arena they were read into */
    struct str id, user_id, filename;
    struct str hash;                /* absent: null */
    struct str path;                /* where it is stored, absolute; absent: null */
    struct str data, meta;          /* JSON text; absent: null */
    struct str access_control;      /* JSON text; absent: null */
    int64_t created_at, updated_at; /* Unix time */
};

/* DB_ROW: found. DB_DONE: no such file. */
enum db_status file_by_id(struct db *db, struct arena *mem, struct str id, struct file *out);

/* Calls each(file, arg) for each file, oldest first; the strings live until it returns. user_id absent: of everybody. */
typedef void file_reader(const struct file *f, void *arg);
enum db_status files_each(struct db *db, struct arena *mem, struct str user_id, file_reader *each, void *arg);

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
void file_metadata_json(struct buf *b, const struct file_metadata *f);

#endif
