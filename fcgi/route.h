/* route.h: a route is declared once; dispatch, access, validation (FastAPI's 422 body), who serves it, and /openapi.json follow from it. */
#ifndef FCGI_ROUTE_H
#define FCGI_ROUTE_H

#include "fcgi/request.h"
#include "fcgi/response.h"

/* ACCESS_UNSET is an error that the start of every program finds: there is no default.
 * PUBLIC: anyone; r->user is set if a valid credential came along.
 * CURRENT: signed in, pending users too.  VERIFIED: role user or admin.  ADMIN.
 * SCIM: the SCIM bearer token.  INTERNAL: only in a worker, only from the sidecar. */
enum access { ACCESS_UNSET, PUBLIC, CURRENT, VERIFIED, ADMIN, SCIM, INTERNAL };

enum field_type {
    STRING,
    INTEGER,
    NUMBER,
    BOOLEAN,
    OBJECT,
    LIST,
    ANY,
    FORM,
    LIST_OF_STRINGS,
    LIST_OF_FORMS,
    LIST_OF_INTEGERS,
    LIST_OF_OBJECTS,
    STRING_OR_INTEGER,
    FILE_PART
};
enum {
    REQUIRED = 1,
    OPTIONAL = 0,
    NULLABLE = 2
}; /* OPTIONAL alone: may be missing and may be null (Optional[T] = None);
                                                           REQUIRED | NULLABLE: must be there, may be null. NOT_NULL: may be missing, not null (T = default) */
enum { NOT_NULL = 4 };

struct field {
    enum field_type type;
    const char *name;
    int need;
    const struct field *form; /* FORM, LIST_OF_FORMS */
    const char *def; /* default as JSON text: put into r->form when the member is missing; NULL: stays missing */
    const char *about;
};
#define FIELD(type, name, need, ...)  \
    {                                 \
        type, name, need, __VA_ARGS__ \
    }
#define END \
    {       \
        0   \
    }

enum body_kind { BODY_NONE, BODY_JSON_FORM, BODY_JSON_ANY, BODY_JSON_LIST, BODY_MULTIPART, BODY_RAW };

struct route {
    enum method method;
    const char *path; /* "/api/v1/chats/{id}/tags"; "{path:path}" at the end takes the rest */
    enum access access;
    int (*handler)(struct request *r, struct response *out);
    const struct field
        *form; /* of a JSON object body (BODY_JSON_FORM), unknown members are kept in r->form only if keep_unknown */
    const struct field *query;
    const struct field *args; /* path arguments that are not strings */
    enum body_kind body;      /* default: BODY_JSON_FORM when form is set, else BODY_NONE */
    const char *needs;        /* permission "workspace.prompts": asked of everybody but admins; 401 otherwise */
    enum { RESPONDER, SIDECAR } server;
    bool keep_unknown;     /* the form is a model with extra="allow", or a plain dict */
    bool hidden;           /* not in /openapi.json */
    const char *about;     /* one line for /openapi.json */
    const char *operation; /* operationId, without which one is made from the path */
    const char *type;      /* content type of a good answer, for /openapi.json; NULL: JSON */
};

/* handlers/routes.c lists every table; each ends with END. */
extern const struct route *const route_tables[];

#endif
