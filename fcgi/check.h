/* check.h: values against fields, with the complaints that pydantic 2.11 makes of them (lax mode). */
#ifndef FCGI_CHECK_H
#define FCGI_CHECK_H

#include "fcgi/route.h"

struct loc { /* where a value stands: a name, or an index when name is NULL */
    const struct loc *up;
    const char *name;
    size_t index;
};

struct check {
    struct arena *mem;
    json_object *errors; /* array of complaints; NULL: none yet */
    bool keep_unknown;   /* members that no field names stay in the result */
};

/* Adds a complaint. input NULL: null; ctx NULL: none. */
void check_complain(struct check *c, const struct loc *at, const char *type, const char *msg, json_object *input,
                    json_object *ctx);
void check_missing(struct check *c, const struct loc *at, json_object *input);

/* A value of a JSON body. True: *out is the value as the field's type has it; else complaints were added. */
bool check_value(struct check *c, const struct loc *at, const struct field *field, json_object *value,
                 json_object **out);
/* An object's members against a form; *out is a new object in the form's order, defaults put in. */
bool check_form(struct check *c, const struct loc *at, const struct field *form, json_object *value, json_object **out);
/* The text of a query, path or form-data value (present). out may be NULL. */
bool check_text(struct check *c, const struct loc *at, const struct field *field, struct str text, json_object **out);

json_object *field_default(struct arena *mem, const struct field *field); /* NULL: it has none, or it is null */

#endif
