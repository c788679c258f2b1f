/* folder_files.h: which files and collections that a folder names its user may (still) read. */
#ifndef LIB_STORE_FOLDER_FILES_H
#define LIB_STORE_FOLDER_FILES_H

#include "lib/db/db.h"
#include "lib/json/json.h"

struct owned { /* a row that somebody owns and may share */
    struct str id, user_id, access_control;
};

/* The rows of files or knowledge among ids (JSON array text). */
enum db_status files_owned(struct db *db, struct arena *mem, struct str ids, struct owned **rows, size_t *n);
enum db_status knowledge_owned(struct db *db, struct arena *mem, struct str ids, struct owned **rows, size_t *n);

#endif
