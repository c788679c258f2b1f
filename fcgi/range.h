/* range.h: which bytes of a file a client wants (RFC 9110, section 14), and whether it has them already. */
#ifndef FCGI_RANGE_H
#define FCGI_RANGE_H

#include "lib/base/str.h"

enum { RANGE_MAX = 16 };

struct range {
    int64_t first, n; /* n > 0 */
};
enum range_result { RANGE_WHOLE, RANGE_SOME, RANGE_NONE };

/* RANGE_SOME: ranges[0 … *n) in the order asked. RANGE_NONE: none of them lies in the file: 416. RANGE_WHOLE: no header, another unit, broken, more than
 * RANGE_MAX ranges, or ranges that overlap (nobody needs those, and they multiply the answer). */
enum range_result range_parse(struct str header, int64_t bytes, struct range ranges[RANGE_MAX], int *n);

/* If-None-Match against an entity tag (with its quotes), weakly. */
bool etag_matches(struct str header, struct str etag);

#endif
