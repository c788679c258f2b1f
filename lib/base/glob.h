/* glob.h: shell patterns of strangers: * ? [abc] [a-z] [!a-z], as Python's fnmatch reads them, in time proportional to pattern times text. */
#ifndef LIB_BASE_GLOB_H
#define LIB_BASE_GLOB_H

#include "lib/base/str.h"

enum { GLOB_MAX_PATTERN = 1024 }; /* bytes; longer ones match nothing */

/* All of text, UTF-8 character by character; letters count as they are. */
bool glob_match(struct str pattern, struct str text);

#endif
