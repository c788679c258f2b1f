/* py_types.h: what Python's type annotations are in JSON Schema, as pydantic 2.11 writes it. Used by py_schema.c. */
#ifndef LIB_TOOLS_PY_TYPES_H
#define LIB_TOOLS_PY_TYPES_H

#include "lib/tools/py_expr.h"

struct py_schemas { /* schemas that are being written: one model with what it refers to */
    struct arena *mem;
    struct py_source *source;
    json_object *defs; /* {name: schema} of models and enumerations */
    bool bare;         /* of Annotated the type alone counts, as typing.get_type_hints() has it */
    unsigned depth;
    size_t parts; /* of all schemas so far, which have an end */
    struct error *err;
};

struct py_type {
    json_object *schema; /* the caller's to change */
    enum {
        PY_TYPE_PLAIN,
        PY_TYPE_NUMBER,
        PY_TYPE_TEXT,
        PY_TYPE_ARRAY,
        PY_TYPE_OBJECT
    } kind;             /* which constraints it takes */
    json_object *inner; /* where constraints go: of an Optional what is not null; else schema */
    bool is_reference;  /* to a model or enumeration, which has its own title */
};

/* INVALID: err says which type cannot be read, and why. */
enum status py_type_read(struct py_schemas *s, const struct py_scope *scope, const struct py_expr *e,
                         struct py_type *out);

/* The arguments of Field(…) that are about the schema: constraints, description, title, examples … and Field's own unknown ones. */
enum status py_type_apply_field(struct py_schemas *s, const struct py_scope *scope, const struct py_expr *call,
                                struct py_type *type);

/* Is it a call of this function, such as "pydantic.Field"? */
bool py_is_call_of(struct py_schemas *s, const struct py_scope *scope, const struct py_expr *e, const char *full_name);

/* {"$ref"} of a class of the source, whose schema is put into s->defs; of a kind of str its schema itself (py_schema.c). */
enum status py_class_schema(struct py_schemas *s, const struct py_class *c, json_object **reference);

#endif
