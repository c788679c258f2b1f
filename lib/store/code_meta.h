/* code_meta.h: the meta of tools and functions as the API shows it. */
#ifndef LIB_STORE_CODE_META_H
#define LIB_STORE_CODE_META_H

#include "lib/json/json.h"

/* {"description", "manifest"} in any case, {} and null where text (of the column) has none; with_others: whatever else stands in it. */
void member_code_meta(struct arena *mem, struct buf *b, const char *name, struct str text, bool with_others);

#endif
