/* py_schema.h: JSON Schema of the pydantic models of a Python source, and the function specs of a class of tools, as the Python backend makes them. */
#ifndef LIB_TOOLS_PY_SCHEMA_H
#define LIB_TOOLS_PY_SCHEMA_H

#include "lib/json/json.h"
#include "lib/tools/py_source.h"

/* What pydantic 2.11 answers for model_json_schema() of this class. INVALID: it is no model, or something in it is only known when the code runs: err. */
enum status py_model_schema(struct arena *mem, struct py_source *source, const struct py_class *c, json_object **out,
                            struct error *err);

/* [{"name", "description", "parameters"}] of the methods of a class, in the order of their names. INVALID as above. */
enum status py_method_specs(struct arena *mem, struct py_source *source, const struct py_class *c, json_object **out,
                            struct error *err);

/* The definition of an attribute in the class or those it inherits from; NULL: none that the source shows. */
const struct py_def *py_class_attribute(struct arena *mem, struct py_source *source, const struct py_class *c,
                                        struct str name);

#endif
