/* update.h: updates of Yjs, format V1: what the editors of a shared document send each other. An update is structs (pieces of contents, known by client
 * and clock) and a set of what is deleted. */
#ifndef LIB_YJS_UPDATE_H
#define LIB_YJS_UPDATE_H

#include "lib/base/error.h"
#include "lib/yjs/ranges.h"

enum { YJS_MAX_STRUCTS = 200 * 1000, YJS_MAX_DEPTH = 64 };

/* Reads an update. OK: *structs is how many pieces it has, gaps aside; what it inserts and deletes is added to the sets, which are settled. INVALID: not an update, or bytes behind
 * it; TOO_BIG: more than YJS_MAX_STRUCTS. The sets are untouched then. */
enum status yjs_examine(struct str update, size_t *structs, struct yjs_ranges *inserts, struct yjs_ranges *deletes,
                        struct error *err);

/* One update that says what all n say together, in any order and however much they overlap; pieces that are not there yet leave gaps. compact: contents
 * that are deleted are dropped (their places stay), and text typed letter by letter becomes one piece. *structs: how many pieces it has. */
enum status yjs_merge(struct arena *mem, const struct str *updates, size_t n, bool compact, struct str *out,
                      size_t *structs, struct error *err);

/* An update that deletes these and says nothing else. */
struct str yjs_deletion(struct arena *mem, const struct yjs_ranges *set);

#endif
