/* erase.h: the end of an account, with what is not in its rows: files on disk and vectors. */
#ifndef LIB_ACCOUNT_ERASE_H
#define LIB_ACCOUNT_ERASE_H

#include "lib/config/config.h"

/* user_delete(), and then: files of his that nobody else has a use for, with their texts and vectors; the vectors of his memories and of collections that are his
 * alone. DB_ERROR: nothing is gone. What cannot be removed after that is logged. */
enum db_status account_erase(struct arena *mem, struct db *db, struct config *c, struct str user_id);

#endif
