/* users.h: the user and auth tables: who has an account, and with which password.
 *
 * What changes a row bumps COUNTER_USERS after the commit (user_touch does not). Addresses are kept in lower case: the caller
 * lowers them. Roles are "pending", "user" and "admin"; others are kept as they come and count as pending. */
#ifndef LIB_STORE_USERS_H
#define LIB_STORE_USERS_H

#include "lib/auth/user.h"
#include "lib/db/db.h"

/* DB_ROW: found. DB_DONE: nobody, *out is untouched. */
enum db_status user_by_id(struct db *db, struct arena *mem, struct str id, struct user *out);
enum db_status user_by_email(struct db *db, struct arena *mem, struct str email, struct user *out);
enum db_status user_by_api_key(struct db *db, struct arena *mem, struct str key, struct user *out);
enum db_status user_by_oauth_sub(struct db *db, struct arena *mem, struct str sub, struct user *out);
/* The first account, which nobody demotes or deletes. */
enum db_status user_first(struct db *db, struct arena *mem, struct user *out);
/* The account that signs in by this address without a password (LDAP, trusted header): its auth row is active. */
enum db_status user_by_active_email(struct db *db, struct arena *mem, struct str email, struct user *out);

enum db_status user_any(struct db *db, struct arena *mem, bool *out);
enum db_status user_count(struct db *db, struct arena *mem, int64_t *out);

/* A page of users, all of them with limit < 0. text (absent: no filter) is looked for in names and addresses, ASCII case ignored.
 * order_by: name, email, created_at, last_active_at, updated_at, role; anything else: oldest first with a filter or direction, else newest first. */
struct user_query {
    struct str text, order_by, direction; /* direction "asc"; anything else: descending */
    int64_t skip, limit;
};
enum db_status user_list(struct db *db, struct arena *mem, const struct user_query *q, struct user **out, size_t *n);
/* Those of the ids that exist, as Python's get_valid_user_ids: each once, in the order of the table. ids: at most a few thousand. */
enum db_status user_ids_that_exist(struct db *db, struct arena *mem, const struct str *ids, size_t n, struct str **out,
                                   size_t *out_n);
enum db_status user_by_ids(struct db *db, struct arena *mem, const struct str *ids, size_t n, struct user **out,
                           size_t *out_n);

/* A page of those that meet the condition (NULL: all), its attributes being those of a SCIM user (RFC 7643, 4.1), and how many meet it. sort_by in small
 * letters; absent, or nothing to sort by: newest first. INVALID: err says what is wrong with the condition, fit for the client; UNAVAILABLE: db_error(). */
struct condition;
struct user_page {
    const struct condition *condition;
    struct str sort_by;
    bool descending;
    int64_t skip, limit;
};
enum status user_list_where(struct db *db, struct arena *mem, const struct user_page *page, struct user **out,
                            size_t *n, int64_t *total, struct error *err);

/* Makes an account. Whether it is the first, and so an admin, is decided in the same transaction that makes it, whatever n->role says. */
struct new_user {
    struct str name, email, password_hash;
    struct str role;              /* of everybody but the first */
    struct str profile_image_url; /* absent: "/user.png" */
    struct str oauth_sub;         /* absent: none */
    bool only_as_first;           /* nothing is made when somebody is there already */
};
enum user_made { USER_MADE, USER_EMAIL_TAKEN, USER_NOT_FIRST };
/* DB_ROW: *made says what happened; USER_MADE: *out is the new user. DB_ERROR. */
enum db_status user_create(struct db *db, struct arena *mem, const struct new_user *n, struct user *out,
                           enum user_made *made, bool *is_first);

/* DB_ROW: done. DB_DONE: nobody has that id. */
enum db_status user_set_role(struct db *db, struct str id, struct str role);
enum db_status user_set_password(struct db *db, struct str id,
                                 struct str password_hash); /* revoke the tokens too: auth_revoke_user() */
enum db_status user_set_api_key(struct db *db, struct str id, struct str key); /* absent: none */
enum db_status user_set_oauth_sub(struct db *db, struct str id, struct str sub);
enum db_status user_set_image(struct db *db, struct str id, struct str url);
enum db_status user_set_profile(struct db *db, struct str id, struct str name, struct str image_url, struct str bio,
                                struct str gender, struct str date_of_birth);
/* Reads the settings (or the info) and writes what change() makes of them, in one transaction; text is the JSON text, absent: null. */
typedef struct str user_json_change(struct arena *mem, struct str text, void *arg);
enum user_json { USER_SETTINGS, USER_INFO };
enum db_status user_change_json(struct db *db, struct arena *mem, struct str id, enum user_json which,
                                user_json_change *change, void *arg, struct str *out);

/* What an admin changes at once. What is absent stays. DB_ROW: done, or *email_taken. DB_DONE: nobody has that id. */
struct user_update {
    struct str role, name, email, profile_image_url, password_hash;
};
enum db_status user_update(struct db *db, struct arena *mem, struct str id, const struct user_update *u,
                           bool *email_taken);

/* The settings of all who may sign in (role user or admin) and in whose settings the word stands: a word of ours, without LIKE's special characters. */
struct user_settings {
    struct str user_id, settings; /* settings: JSON text */
};
enum db_status user_settings_with(struct db *db, struct arena *mem, const char *word, struct user_settings **out,
                                  size_t *n);

/* The user, his password, his place in groups, and what is his alone: chats and their shares, folders, tags, memories, OAuth sessions, memberships.
 * What he made for others (models, prompts, files, channels …) stays, as with the Python backend. DB_ROW also when nobody has that id. */
enum db_status user_delete(struct db *db, struct str id);

/* last_active_at is now. Bumps nothing. */
enum db_status user_touch(struct db *db, struct str id, int64_t at_s);

/* The hash of the password; DB_DONE: no active auth row. */
enum db_status user_password(struct db *db, struct arena *mem, struct str id, struct str *hash);

#endif
