/* pytext.h: texts as Python's str sees them, where what is stored or compared depends on it. */
#ifndef LIB_RAG_PYTEXT_H
#define LIB_RAG_PYTEXT_H

#include "lib/json/json.h"

/* One code point of valid UTF-8 at s.p (s.n > 0), and its bytes; a broken byte stands for itself. */
unsigned utf8_at(struct str s, size_t *bytes);
bool point_is_space(unsigned point);     /* str.isspace() */
bool point_is_printable(unsigned point); /* str.isprintable(), but that unassigned code points count as printable */
struct str py_strip(struct str s);       /* str.strip() */

/* str(value) of what JSON reads: {'a': [1, None, True]}. */
struct str py_repr(struct arena *mem, json_object *value);

#endif
