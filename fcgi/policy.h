/* policy.h: headers that every answer carries by the operator's will: security headers, CORS. */
#ifndef FCGI_POLICY_H
#define FCGI_POLICY_H

#include "fcgi/request.h"
#include "fcgi/response.h"

struct policy {          /* made once a process; strings live in the arena given */
    struct str security; /* "Name: value\r\n" … */
    bool any_origin;     /* CORS_ALLOW_ORIGIN has "*" */
    struct str *origins;
    size_t origins_n;
};

void policy_init(struct policy *p, struct arena *mem, const struct config *config);

/* The header of an HSTS, XFRAME_OPTIONS … variable with its value made valid; false: the name is none of them, or the value is empty. */
bool policy_security_header(const char *variable, struct str value, const char **name, struct str *header_value);

/* OPTIONS of a page of another origin that asks first: the whole answer. False: the request is no such thing. */
bool policy_preflight(const struct policy *p, const struct request *r, struct response *out);
/* Adds what any other answer carries. */
void policy_apply(const struct policy *p, const struct request *r, struct response *out);

#endif
