/* user_json.h: users as the API shows them. */
#ifndef LIB_STORE_USER_JSON_H
#define LIB_STORE_USER_JSON_H

#include "lib/auth/user.h"

void user_json_full(struct buf *b, const struct user *u);   /* the whole row, for admins */
void user_json_public(struct buf *b, const struct user *u); /* id, email, name, role, profile_image_url */
void user_json_info(struct buf *b, const struct user *u);   /* id, name, email, role */
void user_json_name(struct buf *b, const struct user *u);   /* id, name */
/* The settings as JSON text; "ui" is always in them, as Python's form has it. Absent: null. */
struct str user_json_settings(struct arena *mem, const struct user *u);

#endif
