/* filter.h: SCIM filters and attribute paths (RFC 7644, sections 3.4.2.2 and 3.5.2). */
#ifndef LIB_SCIM_FILTER_H
#define LIB_SCIM_FILTER_H

#include "lib/json/json.h"
#include "lib/store/condition.h"

enum { SCIM_FILTER_MAX = 8192, SCIM_FILTER_DEPTH = 32 };

/* A filter. Attribute names come out in small letters, without their schema ("urn:…:User:"). INVALID: err says what is wrong with it, fit for the client. */
enum status scim_filter_parse(struct arena *mem, struct str text, const struct condition **out, struct error *err);

/* "displayName", "name.familyName", "members", "emails[type eq \"work\"].value" */
struct scim_path {
    struct str attribute, sub;     /* in small letters; sub absent: none */
    const struct condition *which; /* NULL: none */
};
enum status scim_path_parse(struct arena *mem, struct str text, struct scim_path *out, struct error *err);

/* Whether a value (an object with members such as "value" and "type") meets the condition. */
bool scim_matches(const struct condition *c, json_object *value);

#endif
