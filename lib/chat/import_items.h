/* import_items.h: the items of a JSON array that is too large to be held: bytes go in as they come, items come out one by one. */
#ifndef LIB_CHAT_IMPORT_ITEMS_H
#define LIB_CHAT_IMPORT_ITEMS_H

#include "lib/base/error.h"

enum { IMPORT_MAX_ITEM = 64 * 1024 * 1024 };

struct import_items { /* start with IMPORT_ITEMS */
    struct buf item;  /* of its own memory: end with import_items_free() */
    size_t max_item, depth;
    bool in_array, in_string, escaped, in_item, too_big, ended, marked;
    unsigned bom; /* bytes of a byte order mark seen */
};
#define IMPORT_ITEMS(max_item_)                                 \
    {                                                           \
        .item = { .max = (max_item_) }, .max_item = (max_item_) \
    }

/* text: an item as it stands in the file, valid until the return; absent: it is larger than max_item. false ends the reading. */
typedef bool import_taker(struct str text, void *arg);

/* The items that end in these bytes. The file is an array of objects, or objects alone, one after the other; they are found by their brackets and not checked in any other
 * way. INVALID: something else. */
enum status import_items_feed(struct import_items *in, struct str bytes, import_taker *take, void *arg,
                              struct error *err);
/* After the last bytes. INVALID: the file is cut off, or there was nothing in it. */
enum status import_items_end(struct import_items *in, struct error *err);
void import_items_free(struct import_items *in);

#endif
