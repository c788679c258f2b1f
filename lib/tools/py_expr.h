/* py_expr.h: Python expressions: their shape, and the value of those that are constant. Nothing is run. */
#ifndef LIB_TOOLS_PY_EXPR_H
#define LIB_TOOLS_PY_EXPR_H

#include "lib/json/json.h"
#include "lib/tools/py_source.h"

enum py_expr_kind {
    PY_EXPR_OTHER,     /* nothing that is looked into: a lambda, a comprehension, a condition … */
    PY_EXPR_NONE,      /* None */
    PY_EXPR_ELLIPSIS,  /* ... */
    PY_EXPR_CONSTANT,  /* a number, text or truth: value */
    PY_EXPR_NAME,      /* name */
    PY_EXPR_ATTRIBUTE, /* items[0].name */
    PY_EXPR_INDEX,     /* items[0][items[1], …] */
    PY_EXPR_CALL,      /* items[0](items[1], …); those with keyword keys[i] */
    PY_EXPR_UNARY,     /* op items[0] */
    PY_EXPR_BINARY,    /* items[0] op items[1] */
    PY_EXPR_TUPLE,
    PY_EXPR_LIST,
    PY_EXPR_SET,
    PY_EXPR_DICT /* items: key, value, key, value … */
};

struct py_expr {
    enum py_expr_kind kind;
    uint32_t line;
    struct str name; /* of NAME, ATTRIBUTE; the operator of UNARY, BINARY */
    json_object *value;
    struct py_expr **items;
    struct str *keys; /* of CALL: absent where an argument has no keyword; NULL: none has */
    uint32_t n;
    bool is_bytes; /* a CONSTANT that is b"…" */
};

/* Never NULL: what cannot be read is OTHER. */
const struct py_expr *py_expr_read(struct arena *mem, const struct py_tokens *t, struct py_range range);
/* The same of a text: an annotation in quotes. */
const struct py_expr *py_expr_read_text(struct arena *mem, struct str text);

/* The argument of a call by keyword, or by place (from 1; 0: by keyword alone); NULL: none. */
const struct py_expr *py_argument(const struct py_expr *call, const char *keyword, uint32_t place);

/* The text of adjacent STRING tokens; false: one of them is an f-string with something in it, or bytes. */
bool py_string(struct arena *mem, const struct py_tokens *t, struct py_range range, struct str *out);

/* ---- what expressions stand for. scope: where they are written */

/* The dotted name in full, by the imports: "typing.Optional" for Optional, t.Optional …; a name that nothing defines stays as it is. typing_extensions and
 * collections.abc count as typing, parts of pydantic as pydantic. Absent: it is no name. */
struct str py_full_name(struct arena *mem, struct py_source *source, const struct py_scope *scope,
                        const struct py_expr *e);
/* The class of the source that an expression names; NULL: none. */
const struct py_class *py_class_of(struct arena *mem, struct py_source *source, const struct py_scope *scope,
                                   const struct py_expr *e);

/* The value as JSON: constants, names of values of the source, sums and products, comparisons, lists, dictionaries, members of
 * enumerations, json.dumps(); os.getenv(name, default) gives the default, as if nothing were set. False: it is not known without running the code. */
bool py_value(struct arena *mem, struct py_source *source, const struct py_scope *scope, const struct py_expr *e,
              json_object **out);

/* The value of a definition of a class; auto() of an enumeration included. */
bool py_member_value(struct arena *mem, struct py_source *source, const struct py_class *c, const struct py_def *d,
                     json_object **out);

/* json.dumps(v), with that indent (negative: none). False: the text is too long. */
bool py_dumps(struct arena *mem, json_object *v, int indent, struct str *out);

#endif
