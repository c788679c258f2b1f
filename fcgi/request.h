/* request.h: what a handler is given. Everything in it lives in r->mem and ends with the request. */
#ifndef FCGI_REQUEST_H
#define FCGI_REQUEST_H

#include "lib/auth/user.h"
#include "lib/base/arena.h"
#include "lib/base/str.h"
#include "lib/config/config.h"
#include "lib/db/db.h"
#include "lib/json/json.h"

struct route;

struct part {                                      /* of a multipart/form-data body (RFC 7578) */
    struct str name, filename, content_type, body; /* filename absent: an ordinary field */
};

struct request {
    struct arena *mem;
    struct db *db;         /* opened at first use */
    struct config *config; /* refreshed for this request */
    const struct route *route;
    enum method { GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS, METHOD_OTHER } method;
    struct str uri;   /* as sent, with the query */
    struct str path;  /* the uri before '?', still percent-encoded */
    struct str query; /* the uri after '?' */
    struct str content_type;
    struct str body; /* whole; empty: none */
    json_object *
        form; /* the body as JSON, validated against route->form; NULL when the route has no form or the body was null */
    const struct part *parts; /* a multipart body */
    size_t parts_n;
    const struct user *user; /* the caller; NULL on public routes without a valid token */
    struct str token;        /* the credential that was sent, absent: none */
    bool by_api_key;         /* the credential is an API key (sk-…) */
    struct str id;           /* request id, for the log */
    struct str remote_addr;
    struct str task_id; /* WEBUI_TASK_ID: drawn by the sidecar; absent in responders */
    bool in_worker;     /* served by the sidecar's pool: plans are possible */
    char **params;      /* FastCGI parameters, "NAME=value" */
    struct {
        struct str name, value;
    } args[8]; /* path arguments, decoded */
    int args_n;
};

struct str request_param(const struct request *r, const char *name);  /* a FastCGI parameter; absent */
struct str request_header(const struct request *r, const char *name); /* "User-Agent"; absent */
struct str request_cookie(const struct request *r, const char *name);
bool request_is_https(const struct request *r); /* HTTPS=on, or WEBUI's trusted proxy says so */

/* "https://host:port/": the address that the client used. Where WEBUI_URL names the same host with https, that counts: a proxy in front speaks TLS for us. */
struct str request_base_url(const struct request *r);

struct str path_arg(const struct request *r, const char *name); /* decoded; NUL-terminated */

/* Query parameters: validated against route->query before the handler runs. */
bool query_has(const struct request *r, const char *name);
struct str query_str(const struct request *r, const char *name); /* decoded; absent */
int64_t query_int(const struct request *r, const char *name, int64_t otherwise);
bool query_bool(const struct request *r, const char *name, bool otherwise);

/* The JSON form. Optional members that are missing or null: empty answer. */
static inline struct str form_str(const struct request *r, const char *name)
{
    return json_str(r->form, name);
}
static inline json_object *form_json(const struct request *r, const char *name)
{
    return json_get(r->form, name);
}
static inline bool form_bool(const struct request *r, const char *name, bool otherwise)
{
    return json_flag(r->form, name, otherwise);
}
static inline int64_t form_int(const struct request *r, const char *name, int64_t otherwise)
{
    return json_int(r->form, name, otherwise);
}
static inline bool form_has(const struct request *r, const char *name)
{
    return json_has(r->form, name);
}

const struct part *request_part(const struct request *r, const char *name); /* NULL: no such part */

#endif
