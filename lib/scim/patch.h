/* patch.h: the operations of a SCIM PATCH (RFC 7644, section 3.5.2), made into what changes in a row. */
#ifndef LIB_SCIM_PATCH_H
#define LIB_SCIM_PATCH_H

#include "lib/auth/user.h"
#include "lib/json/json.h"

enum scim_active { ACTIVE_STAYS, ACTIVE_YES, ACTIVE_NO };

struct scim_user_change { /* absent: stays */
    struct str email, name, image;
    enum scim_active active;
};

/* What the operations (a JSON array of {"op", "path", "value"}) change in the user. Attributes that a row has no place for are ignored, as the Python backend does.
 * INVALID: *scim_type is the keyword of RFC 7644, table 9, and err says what is wrong, fit for the client; nothing may be changed then. */
enum status scim_patch_user(struct arena *mem, json_object *operations, const struct user *u,
                            struct scim_user_change *out, const char **scim_type, struct error *err);

/* The same for a group. members: what scim_members() shows (for conditions on them); user_ids: the JSON array of the row. *name absent: stays; *ids: the new
 * array as JSON text, absent: stays. */
enum status scim_patch_group(struct arena *mem, json_object *operations, json_object *members, struct str user_ids,
                             struct str *name, struct str *ids, const char **scim_type, struct error *err);

/* The value of a list of {"value", "primary"}: the first that is primary, else the first; absent: none. Also takes one object, or a string. */
struct str scim_primary_value(json_object *list);

/* A name out of {"formatted", "givenName", "familyName"}; absent: they say nothing. */
struct str scim_name_of(struct arena *mem, json_object *name);

#endif
