/* query.h: readers of name=value lists: query strings, urlencoded bodies, the Cookie header. */
#ifndef FCGI_QUERY_H
#define FCGI_QUERY_H

#include "lib/json/lax.h"

enum { QUERY_MAX_PAIRS = 1000 };

/* The next pair of "a=1&b=2", decoded (+ is a space); false at the end. What is broken in %XX stays as it is. */
bool query_next(struct arena *mem, struct str *rest, struct str *name, struct str *value);
/* The value of the last pair with this name, as Starlette's QueryParams gives it; absent: none. NUL-terminated. */
struct str query_last(struct arena *mem, struct str query, const char *name);

/* The value of a cookie of a Cookie header (RFC 6265), the last one of its name; quotes around it go. A view of header; absent: none. */
struct str cookie_find(struct str header, const char *name);

/* "attachment; filename=\"a b.txt\"": the value of a parameter of a structured header, unquoted into mem; absent: none. */
struct str header_parameter(struct arena *mem, struct str header, const char *name);

#endif
