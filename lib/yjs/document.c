/* document.c: a shared document as the server keeps it. */
#include "lib/yjs/document.h"

#include <stdlib.h>

#include "lib/base/log.h"

enum { LOG_UPDATES = 200, LOG_BYTES = 16 * 1024 };

void yjs_document_free(struct yjs_document *d)
{
    buf_free(&d->whole);
    buf_free(&d->log);
    yjs_ranges_free(&d->known);
    yjs_ranges_free(&d->deleted);
    *d = (struct yjs_document){ 0 };
}

bool yjs_document_is_empty(const struct yjs_document *d)
{
    return d->known.n == 0 && d->deleted.n == 0;
}

size_t yjs_document_bytes(const struct yjs_document *d)
{
    return sizeof(*d) + d->whole.capacity + d->log.capacity +
           (d->known.room + d->deleted.room) * sizeof(struct yjs_range);
}

static void set(struct buf *b, struct str s)
{
    buf_free(b);
    *b = BUF(NULL, STR_NPOS);
    buf_add_str(b, s);
}

/* Everything into d->whole. All parts were read before, so nothing can be wrong with them. */
static void compact(struct yjs_document *d)
{
    struct arena *mem = arena_new(d->whole.n + d->log.n + 4096);
    struct str *parts = arena_new_array(mem, struct str, d->log_n + 1), out;
    size_t n = 0, at = 0;
    struct error err;
    uint32_t length;

    if (d->whole.n)
        parts[n++] = buf_str(&d->whole);
    for (; at < d->log.n; at += length) {
        memcpy(&length, d->log.p + at, sizeof(length));
        at += sizeof(length);
        parts[n++] = str_n(d->log.p + at, length);
    }
    if (yjs_merge(mem, parts, n, true, &out, &d->structs, &err) == OK) {
        set(&d->whole, out);
        set(&d->log, S(""));
        d->log_n = 0;
    } else {
        log_error("could not compact a shared document: %s", err.text);
    }
    arena_free(mem);
}

static bool is_full(const struct yjs_document *d, size_t bytes, size_t structs)
{
    return d->whole.n + d->log.n + bytes + sizeof(uint32_t) > YJS_MAX_DOCUMENT ||
           d->structs + structs > YJS_MAX_STRUCTS || d->known.n > YJS_MAX_STRUCTS / 4 ||
           d->deleted.n > YJS_MAX_STRUCTS / 4;
}

static void append(struct yjs_document *d, struct str update)
{
    uint32_t length = (uint32_t)update.n;

    d->log.max = STR_NPOS;
    buf_add(&d->log, &length, sizeof(length));
    buf_add_str(&d->log, update);
    if (++d->log_n >= LOG_UPDATES || d->log.n > LOG_BYTES + d->whole.n / 2)
        compact(d);
}

enum status yjs_document_add(struct yjs_document *d, struct str update, bool *is_new, struct error *err)
{
    struct yjs_ranges inserts = { 0 }, deletes = { 0 };
    size_t structs = 0;
    enum status st = yjs_examine(update, &structs, &inserts, &deletes, err);

    if (st == OK) {
        *is_new = !yjs_ranges_within(&inserts, &d->known) || !yjs_ranges_within(&deletes, &d->deleted);
        if (*is_new && is_full(d, update.n, structs))
            compact(d);
        if (*is_new && is_full(d, update.n, structs)) {
            st = error_set(err, TOO_BIG, "the document is too large");
        } else if (*is_new) {
            d->structs += structs;
            yjs_ranges_unite(&d->known, &inserts);
            yjs_ranges_unite(&d->deleted, &deletes);
            append(d, update);
        }
    }
    yjs_ranges_free(&inserts);
    yjs_ranges_free(&deletes);
    return st;
}

struct str yjs_document_state(struct yjs_document *d)
{
    if (d->log_n)
        compact(d);
    return d->whole.n ? buf_str(&d->whole) : S("\0\0");
}

enum status yjs_document_foreign(const struct yjs_document *d, struct str update, struct yjs_ranges *foreign,
                                 struct error *err)
{
    struct yjs_ranges inserts = { 0 }, deletes = { 0 };
    size_t structs;
    enum status st = yjs_examine(update, &structs, &inserts, &deletes, err);

    if (st == OK) {
        yjs_ranges_subtract(&inserts, &d->known);
        yjs_ranges_unite(foreign, &inserts);
    }
    yjs_ranges_free(&inserts);
    yjs_ranges_free(&deletes);
    return st;
}
