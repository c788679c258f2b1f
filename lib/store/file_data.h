/* file_data.h: what processing writes into a file's row. */
#ifndef LIB_STORE_FILE_DATA_H
#define LIB_STORE_FILE_DATA_H

#include "lib/db/db.h"
#include "lib/json/json.h"

/* Members of data and meta (each may be NULL) are put over those that the row has; hash absent: it stays. One transaction of its own. DB_DONE: the file is gone. */
enum db_status file_record(struct db *db, struct arena *mem, struct str id, json_object *data, json_object *meta,
                           struct str hash);

#endif
