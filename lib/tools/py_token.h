/* py_token.h: Python source (3.11) as tokens, as tokenize.py gives them. Nothing is run. */
#ifndef LIB_TOOLS_PY_TOKEN_H
#define LIB_TOOLS_PY_TOKEN_H

#include "lib/base/error.h"

enum py_token_kind { PY_NAME, PY_NUMBER, PY_STRING, PY_OP, PY_NEWLINE, PY_INDENT, PY_DEDENT, PY_END };

struct py_token {
    struct str text; /* a view of the source; empty for INDENT, DEDENT, END */
    uint32_t line;   /* from 1 */
    uint32_t pair;   /* of a bracket: where its partner stands; else 0 */
    enum py_token_kind kind;
};

struct py_tokens { /* v[n - 1] is PY_END */
    struct py_token *v;
    uint32_t n;
};

enum { PY_SOURCE_MAX = 1 << 20 }; /* bytes */

/* text: valid UTF-8. INVALID: err says what is wrong, with the line, as Python would ("'(' was never closed (line 3)"). TOO_BIG. */
enum status py_tokenize(struct arena *mem, struct str text, struct py_tokens *out, struct error *err);

bool py_is_op(const struct py_token *t, const char *op);
bool py_is_name(const struct py_token *t, const char *name);
bool py_is_keyword(struct str name); /* if, class …; True, False and None are none here */

#endif
