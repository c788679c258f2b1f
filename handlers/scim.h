/* scim.h: what the files of /api/v1/scim/v2 share (SCIM 2.0: RFC 7643, RFC 7644). */
#ifndef HANDLERS_SCIM_H
#define HANDLERS_SCIM_H

#include "fcgi/route.h"
#include "lib/store/condition.h"
#include "lib/store/users.h"

#define SCIM_ROOT "/api/v1/scim/v2"

/* An error as RFC 7644, 3.12 has it; type NULL: no scimType. */
int scim_fail(struct response *out, int status, const char *type, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Query parameters of lists, and the form of a search (POST …/.search). */
extern const struct field scim_list_query[], scim_view_query[], scim_search_form[];
/* 0: *page, *first (startIndex) and the attributes that are wanted are set; else the answer is in out. */
struct scim_view {
    struct str attributes, excluded; /* lists separated by commas */
};
int scim_read_list(struct request *r, struct response *out, struct user_page *page, int64_t *first);
struct scim_view scim_read_view(struct request *r);

/* 412 when the request's If-Match names another version; 0: go on. */
int scim_check_version(struct request *r, struct response *out, json_object *resource);
/* The resource, or the part of it that is wanted; 304 when If-None-Match names its version. */
int scim_reply(struct request *r, struct response *out, int status, json_object *resource);
int scim_reply_list(struct request *r, struct response *out, json_object *resources, int64_t total, int64_t first);

/* Operations of a PATCH. */
extern const struct field scim_patch_form[];

/* "https://host/", of the request. */
struct str scim_base(struct request *r);

#endif
