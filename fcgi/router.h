/* router.h: all route tables in one trie of path segments, built once before the pool forks. */
#ifndef FCGI_ROUTER_H
#define FCGI_ROUTER_H

#include "fcgi/route.h"

struct router;

/* tables: ends with NULL; each table ends with END. Where several routes match a path, the most specific wins: words before arguments, from left to
 * right (all of FastAPI's "first declared" in the Python backend comes to the same, and here the order of tables and files does not matter).
 * INVALID: a route without access, handler or description, twice the same, or with a path or form that makes no sense; err says which. */
enum status router_new(const struct route *const *tables, struct router **out, struct error *err);
void router_free(struct router *router);

struct match {
    const struct route *route; /* NULL: none with this method */
    unsigned allowed;          /* methods of the routes that have this path, 1 << method; 0: no such path */
    struct {
        struct str name, value;
    } args[8]; /* decoded, NUL-terminated, in mem */
    int args_n;
};

/* path: as sent, percent-encoded, without the query. Each segment is decoded once, so an encoded slash stays within its argument.
 * OK: see *out. INVALID: broken UTF-8, a NUL, or an argument that takes the rest of the path and climbs. */
enum status router_find(const struct router *router, struct arena *mem, enum method method, struct str path,
                        struct match *out);

/* Calls see() for each route in the order of declaration. */
void router_each(const struct router *router, void (*see)(const struct route *route, void *arg), void *arg);
/* The paths of the sidecar as the alternatives of one regular expression (without the leading slash), sockets included. */
struct str router_sidecar_paths(const struct router *router, struct arena *mem);

const char *method_name(enum method method); /* "GET"; "" for METHOD_OTHER */
enum method method_of(struct str name);
struct str method_list(struct arena *mem, unsigned allowed); /* "GET, POST", for Allow */

#endif
