/* user.h: a signed-in person, as every request needs it. */
#ifndef LIB_AUTH_USER_H
#define LIB_AUTH_USER_H

#include "lib/base/str.h"

struct user { /* strings live in the arena they were read into */
    struct str id, name, email;
    struct str role; /* "pending", "user", "admin" */
    struct str profile_image_url;
    struct str username, bio, gender, date_of_birth; /* absent: null */
    struct str info, settings;                       /* JSON text; absent: null */
    struct str api_key, oauth_sub;
    int64_t last_active_at, updated_at, created_at; /* Unix time */
    bool is_admin;
};

#endif
