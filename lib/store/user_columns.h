/* user_columns.h: the columns of users and groups and their readers, for the files that select from these tables. */
#ifndef LIB_STORE_USER_COLUMNS_H
#define LIB_STORE_USER_COLUMNS_H

#include "lib/db/db.h"

#define USER_COLUMNS                                                                                            \
    "id, name, email, role, profile_image_url, username, bio, gender, date_of_birth, info, settings, api_key, " \
    "oauth_sub, last_active_at, updated_at, created_at"

#define GROUP_COLUMNS "id, user_id, name, description, data, meta, permissions, user_ids, created_at, updated_at"

void user_read(struct row *row, void *out);  /* into a struct user, in the order of USER_COLUMNS */
void group_read(struct row *row, void *out); /* into a struct group, in the order of GROUP_COLUMNS */

#endif
