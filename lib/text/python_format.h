/* python_format.h: Python source, laid out by the program black. */
#ifndef LIB_TEXT_PYTHON_FORMAT_H
#define LIB_TEXT_PYTHON_FORMAT_H

#include "lib/base/error.h"

/* NOT_FOUND: black is not installed. INVALID: the source is no Python; err is black's own text. */
enum status python_format(struct arena *mem, struct str source, struct str *formatted, struct error *err);

#endif
