/* row_json.h: members of a JSON object out of a row's columns, written into a buffer. */
#ifndef LIB_STORE_ROW_JSON_H
#define LIB_STORE_ROW_JSON_H

#include "lib/base/str.h"

/* name comes with what stands before it: "{\"id\":" or ",\"name\":". */
static inline void member_text(struct buf *b, const char *name, struct str s) /* absent: null */
{
    buf_add_c(b, name);
    if (s.p)
        buf_add_json_string(b, s);
    else
        buf_add_c(b, "null");
}

static inline void member_json(struct buf *b, const char *name,
                               struct str json) /* JSON text as it is; absent or empty: null */
{
    buf_add_c(b, name);
    if (json.n > 0)
        buf_add_str(b, json);
    else
        buf_add_c(b, "null");
}

static inline void member_int(struct buf *b, const char *name, int64_t v)
{
    buf_addf(b, "%s%lld", name, (long long)v);
}

static inline void member_bool(struct buf *b, const char *name, bool v)
{
    buf_add_c(b, name);
    buf_add_c(b, v ? "true" : "false");
}

/* What a JSON column is given: as Python writes a None, the JSON text null. */
static inline struct str json_or_null(struct str json)
{
    return json.n ? json : S("null");
}

#endif
