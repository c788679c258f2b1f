/* groups.h: the group table: names, members and the permissions that they give.
 *
 * What changes a row bumps COUNTER_GROUPS after the commit. */
#ifndef LIB_STORE_GROUPS_H
#define LIB_STORE_GROUPS_H

#include "lib/db/db.h"
#include "lib/json/json.h"

struct group { /* strings live in the arena they were read into */
    struct str id, user_id, name, description;
    struct str data, meta, permissions; /* JSON text; absent: null */
    struct str user_ids;                /* JSON text; absent: nobody */
    int64_t created_at, updated_at;     /* Unix time */
};

/* DB_ROW: found. DB_DONE: no such group, *out is untouched. */
enum db_status group_by_id(struct db *db, struct arena *mem, struct str id, struct group *out);
/* Last changed first. */
enum db_status group_list(struct db *db, struct arena *mem, struct group **out, size_t *n);
enum db_status group_list_of(struct db *db, struct arena *mem, struct str user_id, struct group **out, size_t *n);

/* A page of those that meet the condition, as user_list_where(); its attributes are those of a SCIM group. Else last changed first. */
struct user_page;
enum status group_list_where(struct db *db, struct arena *mem, const struct user_page *page, struct group **out,
                             size_t *n, int64_t *total, struct error *err);
/* Who of the users is in which groups, last changed group first. */
struct membership {
    struct str user_id, group_id, group_name;
};
enum db_status memberships_of(struct db *db, struct arena *mem, struct str user_ids_json, struct membership **out,
                              size_t *n);
/* Adds the members of all these groups to ids (an array). group_ids: JSON text of an array. */
enum db_status group_user_ids(struct db *db, struct arena *mem, struct str group_ids, json_object *ids);

/* permissions absent: null. */
enum db_status group_create(struct db *db, struct arena *mem, struct str user_id, struct str name,
                            struct str description, struct str permissions, struct group *out);
/* The same with members: JSON text, ids of nobody are kept. */
enum db_status group_create_with(struct db *db, struct arena *mem, struct str user_id, struct str name,
                                 struct str description, struct str user_ids, struct group *out);
/* Reads the group, lets change() change its name and user_ids, and writes these, in one transaction with the row locked. change() false: it stays as it is.
 * DB_ROW: *g is the group as it is afterwards. DB_DONE: no such group. */
typedef bool group_changer(struct arena *mem, struct group *g, void *arg);
enum db_status group_change(struct db *db, struct arena *mem, struct str id, group_changer *change, void *arg,
                            struct group *g);
/* permissions, user_ids absent: they stay. DB_DONE: no such group. */
enum db_status group_update(struct db *db, struct arena *mem, struct str id, struct str name, struct str description,
                            struct str permissions, struct str user_ids, struct group *out);
/* Adds the users that are not in it (ids of nobody are the caller's to leave out), or takes them out. DB_DONE: no such group. */
enum db_status group_add_users(struct db *db, struct arena *mem, struct str id, const struct str *ids, size_t n,
                               struct group *out);
enum db_status group_remove_users(struct db *db, struct arena *mem, struct str id, const struct str *ids, size_t n,
                                  struct group *out);
enum db_status group_delete(struct db *db, struct str id);

/* The user is in the groups with these names and in no other (LDAP, trusted header, OAuth). create: missing ones are made, owned by him. */
enum db_status group_sync(struct db *db, struct arena *mem, struct str user_id, const struct str *names, size_t n,
                          bool create);

/* As the API shows it. */
void group_json(struct buf *b, const struct group *g);

#endif
