/* load_fix.h: mends texts as ftfy does for the Python backend: characters that were decoded wrongly ("schÃ¶n"), HTML entities in plain text, ligatures, wide
 * letters, curly quotes, line ends, control characters; the result is in Unicode's form NFC. */
#ifndef LIB_RAG_LOAD_FIX_H
#define LIB_RAG_LOAD_FIX_H

#include "lib/base/str.h"

/* text: UTF-8. The result lives in mem and is UTF-8 without control characters (but tab, line end, form feed). */
struct str load_fix(struct arena *mem, struct str text);

#endif
