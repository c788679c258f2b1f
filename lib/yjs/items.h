/* items.h: the pieces of an update, between reading and writing; for lib/yjs only. */
#ifndef LIB_YJS_ITEMS_H
#define LIB_YJS_ITEMS_H

#include "lib/yjs/update.h"

/* The low five bits of a piece's first byte. */
enum kind {
    GC = 0,
    DELETED = 1,
    JSON_TEXTS = 2,
    BINARY = 3,
    STRING = 4,
    EMBED = 5,
    FORMAT = 6,
    TYPE = 7,
    ANY_VALUES = 8,
    SUBDOCUMENT = 9,
    SKIP = 10
};
enum { HAS_SUB = 0x20, HAS_RIGHT = 0x40, HAS_ORIGIN = 0x80 }; /* the others */

struct item {
    uint64_t client, clock, n; /* n: how many clocks it takes, > 0 */
    uint64_t origin_client, origin_clock, right_client, right_clock;
    struct str parent;  /* as it stands in the update, with the name of a map's member; absent if there is an origin */
    struct str content; /* as it stands; of JSON_TEXTS and ANY_VALUES without the count, of STRING without the length */
    uint8_t kind, flags;
    bool joins; /* goes on where the one before ends: both are written as one */
};

struct items {
    struct arena *mem;
    struct item *v;
    size_t n, room;
};

void items_push(struct items *list, const struct item *item);
/* Adds what the update has; Skips are left out. */
enum status items_read(struct items *list, struct yjs_ranges *deletes, struct str update, struct error *err);
/* The part [from, to) of an item that may be divided: GC, DELETED, JSON_TEXTS, STRING, ANY_VALUES. */
struct item item_part(struct arena *mem, const struct item *item, uint64_t from, uint64_t to);
/* Settled: clients in falling order, clocks rising, nothing twice. Gaps between two of a client become Skips. */
struct str items_write(struct arena *mem, const struct items *list, const struct yjs_ranges *deletes, size_t *structs);

#endif
