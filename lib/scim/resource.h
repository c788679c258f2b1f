/* resource.h: users and groups as SCIM shows them (RFC 7643), with every member that the Python backend's models have, null ones included. */
#ifndef LIB_SCIM_RESOURCE_H
#define LIB_SCIM_RESOURCE_H

#include "lib/auth/user.h"
#include "lib/json/json.h"
#include "lib/store/groups.h"

#define SCIM_PATH "api/v1/scim/v2"
#define SCIM_USER "urn:ietf:params:scim:schemas:core:2.0:User"
#define SCIM_GROUP "urn:ietf:params:scim:schemas:core:2.0:Group"

/* base: "https://host/". Of the memberships those of this user are taken. */
json_object *scim_user(struct arena *mem, struct str base, const struct user *u, const struct membership *groups,
                       size_t groups_n);

/* Members of a group: its ids in their order, of users that exist. */
struct scim_people { /* users by id */
    json_object *index;
    const struct user *users;
};
struct scim_people scim_people(struct arena *mem, const struct user *users, size_t n);
json_object *scim_members(struct arena *mem, struct str base, struct str user_ids, const struct scim_people *people);
json_object *scim_group(struct arena *mem, struct str base, const struct group *g, const struct scim_people *people);

/* The resource with the attributes that a client names, separated by commas ("userName,emails.value"), or without those that it excludes; both absent: all.
 * "schemas" and "id" are always there (RFC 7644, 3.9). */
json_object *scim_project(struct arena *mem, json_object *resource, struct str attributes, struct str excluded);

/* Whether any of an attribute is left then. */
bool scim_shows(struct str attributes, struct str excluded, const char *attribute);

/* Weak entity tag: W/"…" of what the resource says. */
struct str scim_etag(struct arena *mem, json_object *resource);

#endif
