/* settings_doc.h: docs/settings.md, out of the table. */
#ifndef LIB_CONFIG_SETTINGS_DOC_H
#define LIB_CONFIG_SETTINGS_DOC_H

#include "lib/base/str.h"

void settings_markdown(struct buf *out);

#endif
