/* ranges.h: sets of clocks by client: what a shared document knows, and what of it is deleted. */
#ifndef LIB_YJS_RANGES_H
#define LIB_YJS_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct yjs_range {
    uint64_t client, clock, n; /* clock … clock + n - 1; n > 0 */
};

struct yjs_ranges {      /* starts zeroed; ends with yjs_ranges_free() */
    struct yjs_range *v; /* settled: by client, then clock; disjoint, neighbours are joined */
    size_t n, room;
};

void yjs_ranges_push(struct yjs_ranges *set, struct yjs_range r); /* at the end: settle before the set is used */
void yjs_ranges_settle(struct yjs_ranges *set);
void yjs_ranges_free(struct yjs_ranges *set);

/* Of settled sets. */
bool yjs_ranges_within(const struct yjs_ranges *a, const struct yjs_ranges *b); /* all of a is in b */
void yjs_ranges_unite(struct yjs_ranges *a, const struct yjs_ranges *b);        /* a becomes both */
void yjs_ranges_subtract(struct yjs_ranges *a, const struct yjs_ranges *b);     /* a loses what is in b */
/* The first range of the client that ends behind clock; NULL: none. */
const struct yjs_range *yjs_ranges_from(const struct yjs_ranges *set, uint64_t client, uint64_t clock);

#endif
