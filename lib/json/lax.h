/* lax.h: how pydantic (lax mode) reads numbers and truths from text. */
#ifndef LIB_JSON_LAX_H
#define LIB_JSON_LAX_H

#include "lib/base/str.h"

enum number_result { NUMBER_OK, NUMBER_BROKEN, NUMBER_TOO_BIG };
enum number_result lax_int(struct str text, int64_t *out);
bool lax_double(struct str text, double *out);
bool lax_bool(struct str text, bool *out);

#endif
