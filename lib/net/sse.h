/* sse.h: the lines of a stream that arrives in pieces: Server-Sent Events and newline-delimited JSON. */
#ifndef LIB_NET_SSE_H
#define LIB_NET_SSE_H

#include "lib/base/str.h"

struct line_reader {
    struct buf rest; /* a line that has not ended */
    bool skipping;   /* in a line over the limit */
};

typedef void line_fn(void *arg, struct str line);

/* max_bytes: of a line; a longer one is dropped whole. Nothing is allocated before a line is split over two pieces. */
void line_reader_init(struct line_reader *r, size_t max_bytes);
void line_reader_free(struct line_reader *r);

/* Calls fn for each line that ended in this piece, without its LF or CR LF; line is valid during the call only.
 * false: a line went over the limit (the others were still given). */
bool line_reader_feed(struct line_reader *r, struct str piece, line_fn *fn, void *arg);
/* The stream has ended: a last line without LF. */
void line_reader_end(struct line_reader *r, line_fn *fn, void *arg);

/* true: the line is an event's "data:" field, *data is its value without white space around it. Each such line is taken as an event
 * of its own, as every provider and the Python backend do; comments, blank lines and other fields give false. */
bool sse_data(struct str line, struct str *data);

#endif
