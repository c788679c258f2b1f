/* chunk.h: reads the usual shape of a streamed chunk without building objects. */
#ifndef LIB_CHAT_CHUNK_H
#define LIB_CHAT_CHUNK_H

#include "lib/base/str.h"

struct chunk {
    struct str content; /* decoded; absent: none. Valid until scratch is used again */
    struct str reasoning;
    struct str finish_reason;
};

/* true: the chunk is of the usual kind (one choice; text, reasoning, role, finish_reason; nothing else of interest) and *out is filled.
 * false: it is something else, or no JSON: parse it. scratch: reused by each call. */
bool chunk_scan(struct str text, struct buf *scratch, struct chunk *out);

#endif
