/* random.h: unpredictable bytes from the kernel, ids made of them. */
#ifndef LIB_BASE_RANDOM_H
#define LIB_BASE_RANDOM_H

#include "lib/base/str.h"

void random_bytes(void *out, size_t n);
struct str random_uuid(struct arena *mem);              /* version 4, 36 characters */
struct str random_hex(struct arena *mem, size_t bytes); /* 2 * bytes characters */
bool uuid_valid(struct str s);

#endif
