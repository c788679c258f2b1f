/* sse_event.h: whole events of a stream of server-sent events (WHATWG HTML, "Server-sent events"), for streams that are kept as text. For streams that pass
 * through line by line there is sse.h. */
#ifndef LIB_NET_SSE_EVENT_H
#define LIB_NET_SSE_EVENT_H

#include "lib/json/json.h"

struct sse_event {
    struct str data;  /* its data lines, joined by LF; absent: none. Lives in mem, or in the text */
    struct str id;    /* absent: none */
    int64_t retry_ms; /* < 0: none */
};

/* The next whole event of text from *at on, which moves behind it. false: there is no (other) whole one, and *at stays. */
bool sse_event_next(struct arena *mem, struct str text, size_t *at, struct sse_event *out);

/* The message of JSON-RPC that answers the request `id`: the object itself, or that one of a batch. NULL: it is something else. */
json_object *jsonrpc_answer(json_object *message, int64_t id);

/* Is the answer to the request `id` among the events of text from *at on? *at moves behind what need not be looked at again. */
bool sse_has_answer(struct str text, size_t *at, int64_t id);

#endif
