/* py_source.h: what a Python source defines: its classes, functions, values and imports, found by reading it. Nothing is run; the bodies of
 * functions are only looked through for `self.name = …`. Blocks of if, try, with, for and while count as if they were run, but for
 * except, `if TYPE_CHECKING:` and `if __name__ == …:`. */
#ifndef LIB_TOOLS_PY_SOURCE_H
#define LIB_TOOLS_PY_SOURCE_H

#include "lib/tools/py_token.h"

struct py_range { /* tokens [from, to); empty: there is none */
    uint32_t from, to;
};

enum py_def_kind { PY_VALUE, PY_IMPORT, PY_FUNCTION, PY_CLASS };

struct py_def {
    enum py_def_kind kind;
    struct str name;
    uint32_t line;
    struct py_range annotation, value; /* PY_VALUE: name: annotation = value, either may be missing */
    struct str module,
        member; /* PY_IMPORT: from module import member; member absent: the module itself; "*" has no name */
    struct py_function *function;
    struct py_class *class_;
};

struct py_scope { /* in the order of the source; a later definition of a name goes over an earlier one */
    struct py_def *v;
    uint32_t n, room;
    const struct py_scope *up; /* where names are looked up that are not here; of a class: the module */
};

struct py_parameter {
    enum { PY_PLAIN, PY_STAR, PY_STAR_STAR } kind;
    struct str name;
    struct py_range annotation, value;
};

struct py_function {
    struct str name;
    uint32_t line;
    struct py_parameter *parameters; /* self included */
    uint32_t parameters_n;
    struct py_range docstring; /* the STRING tokens */
    struct py_range *decorators;
    uint32_t decorators_n;
};

struct py_class {
    struct str name;
    uint32_t line;
    struct py_range arguments; /* bases and keywords, without the parentheses */
    struct py_range docstring;
    struct py_scope scope;
    struct py_scope own; /* self.name = value, of all its methods */
};

struct py_source {
    struct py_tokens tokens;
    struct py_scope scope;
    size_t
        work; /* bytes looked at to find values: names may stand for names without end. Past PY_WORK_MAX no value is known */
};

enum { PY_WORK_MAX = 16 << 20 };

/* INVALID: the text is no Python, as far as reading it shows; err as for py_tokenize(). TOO_BIG. */
enum status py_read(struct arena *mem, struct str text, struct py_source *out, struct error *err);

/* The last definition of a name; NULL. py_lookup() goes up the scopes. */
const struct py_def *py_find(const struct py_scope *scope, struct str name);
const struct py_def *py_lookup(const struct py_scope *scope, struct str name);

#endif
