/* check.c: what a client sent, against what a form declares. All complaints are collected, in the order of the fields. */
#include "fcgi/check.h"

#include <math.h>

#include "fcgi/query.h"

/* ---- complaints */

static void push_loc(struct arena *mem, json_object *array, const struct loc *at)
{
    if (!at)
        return;
    push_loc(mem, array, at->up);
    json_push(array, at->name ? json_new_str(mem, str_of(at->name)) : json_new_int(mem, (int64_t)at->index));
}

void check_complain(struct check *c, const struct loc *at, const char *type, const char *msg, json_object *input,
                    json_object *ctx)
{
    json_object *o = json_new_object(c->mem), *loc = json_new_array(c->mem);

    if (!c->errors)
        c->errors = json_new_array(c->mem);
    push_loc(c->mem, loc, at);
    json_set_c(o, "type", type);
    json_set(o, "loc", loc);
    json_set_c(o, "msg", msg);
    json_set(o, "input", input);
    if (ctx)
        json_set(o, "ctx", ctx);
    json_push(c->errors, o);
}

void check_missing(struct check *c, const struct loc *at, json_object *input)
{
    check_complain(c, at, "missing", "Field required", input, NULL);
}

static bool reject(struct check *c, const struct loc *at, const char *type, const char *msg, json_object *input)
{
    check_complain(c, at, type, msg, input, NULL);
    return false;
}

static const char int_type[] = "Input should be a valid integer";
static const char int_parsing[] = "Input should be a valid integer, unable to parse string as an integer";
static const char int_size[] = "Unable to parse input string as an integer, exceeded maximum size";
static const char int_fraction[] = "Input should be a valid integer, got a number with a fractional part";
static const char float_type[] = "Input should be a valid number";
static const char float_parsing[] = "Input should be a valid number, unable to parse string as a number";
static const char bool_type[] = "Input should be a valid boolean";
static const char bool_parsing[] = "Input should be a valid boolean, unable to interpret input";

/* ---- scalars */

static bool int_from_text(struct check *c, const struct loc *at, struct str text, json_object *input, json_object **out)
{
    int64_t v;

    switch (lax_int(text, &v)) {
    case NUMBER_OK: *out = json_new_int(c->mem, v); return true;
    case NUMBER_TOO_BIG: return reject(c, at, "int_parsing_size", int_size, input);
    default: return reject(c, at, "int_parsing", int_parsing, input);
    }
}

static bool check_int(struct check *c, const struct loc *at, json_object *value, json_object **out)
{
    double d;

    switch (json_object_get_type(value)) {
    case json_type_int: *out = value; return true;
    case json_type_boolean: *out = json_new_int(c->mem, json_object_get_boolean(value)); return true;
    case json_type_double:
        d = json_object_get_double(value);
        if (d != trunc(d))
            return reject(c, at, "int_from_float", int_fraction, value);
        if (d < -9223372036854775808.0 || d >= 9223372036854775808.0)
            return reject(c, at, "int_parsing_size", int_size, value);
        *out = json_new_int(c->mem, (int64_t)d);
        return true;
    case json_type_string: return int_from_text(c, at, json_str_value(value), value, out);
    default: return reject(c, at, "int_type", int_type, value);
    }
}

static bool float_from_text(struct check *c, const struct loc *at, struct str text, json_object *input,
                            json_object **out)
{
    double d;

    if (!lax_double(text, &d))
        return reject(c, at, "float_parsing", float_parsing, input);
    *out = json_new_double(c->mem, d);
    return true;
}

static bool check_float(struct check *c, const struct loc *at, json_object *value, json_object **out)
{
    switch (json_object_get_type(value)) {
    case json_type_double: *out = value; return true;
    case json_type_int: *out = json_new_double(c->mem, (double)json_object_get_int64(value)); return true;
    case json_type_boolean: *out = json_new_double(c->mem, json_object_get_boolean(value)); return true;
    case json_type_string: return float_from_text(c, at, json_str_value(value), value, out);
    default: return reject(c, at, "float_type", float_type, value);
    }
}

static bool bool_from_text(struct check *c, const struct loc *at, struct str text, json_object *input,
                           json_object **out)
{
    bool v;

    if (!lax_bool(text, &v))
        return reject(c, at, "bool_parsing", bool_parsing, input);
    *out = json_new_bool(c->mem, v);
    return true;
}

static bool check_bool(struct check *c, const struct loc *at, json_object *value, json_object **out)
{
    double d;

    switch (json_object_get_type(value)) {
    case json_type_boolean: *out = value; return true;
    case json_type_int:
    case json_type_double:
        d = json_object_get_double(value);
        if (d != trunc(d) || fabs(d) >= 9223372036854775808.0)
            return reject(c, at, "bool_type", bool_type, value);
        if (d != 0 && d != 1)
            return reject(c, at, "bool_parsing", bool_parsing, value);
        *out = json_new_bool(c->mem, d != 0);
        return true;
    case json_type_string: return bool_from_text(c, at, json_str_value(value), value, out);
    default: return reject(c, at, "bool_type", bool_type, value);
    }
}

static bool check_string(struct check *c, const struct loc *at, json_object *value, json_object **out)
{
    if (!json_is(value, json_type_string))
        return reject(c, at, "string_type", "Input should be a valid string", value);
    *out = value;
    return true;
}

/* A text stays one, a whole number, too; what is neither is read as a number if it can be. */
static bool check_string_or_int(struct check *c, const struct loc *at, json_object *value, json_object **out)
{
    const struct loc as_int = { at, "int", 0 }, as_string = { at, "str", 0 };

    if (json_is(value, json_type_string)) {
        *out = value;
        return true;
    }
    return check_int(c, &as_int, value, out) || check_string(c, &as_string, value, out);
}

/* ---- lists and forms */

static bool check_list(struct check *c, const struct loc *at, const struct field *item, json_object *value,
                       json_object **out)
{
    json_object *list;
    bool good = true;

    if (!json_is(value, json_type_array))
        return reject(c, at, "list_type", "Input should be a valid list", value);
    if (item->type == ANY) {
        *out = value;
        return true;
    }
    list = json_new_array(c->mem);
    for (size_t i = 0, n = json_length(value); i < n; i++) {
        const struct loc here = { at, NULL, i };
        json_object *one = NULL;

        if (check_value(c, &here, item, json_at(value, i), &one))
            json_push(list, one);
        else
            good = false;
    }
    *out = list;
    return good;
}

json_object *field_default(struct arena *mem, const struct field *field)
{
    return field->def ? json_parse_or_null(mem, str_of(field->def)) : NULL;
}

static const struct field *field_named(const struct field *form, const char *name)
{
    for (; form->name; form++)
        if (strcmp(form->name, name) == 0)
            return form;
    return NULL;
}

bool check_form(struct check *c, const struct loc *at, const struct field *form, json_object *value, json_object **out)
{
    json_object *result;
    bool good = true;

    if (!json_is(value, json_type_object))
        return reject(c, at, "model_attributes_type",
                      "Input should be a valid dictionary or object to extract fields from", value);
    result = json_new_object(c->mem);
    for (const struct field *f = form; f->name; f++) {
        const struct loc here = { at, f->name, 0 };
        json_object *one = NULL;

        if (!json_has(value, f->name)) {
            if (f->need & REQUIRED) {
                check_missing(c, &here, value);
                good = false;
            } else if (f->def) {
                json_set(result, f->name, field_default(c->mem, f));
            }
        } else if (check_value(c, &here, f, json_get(value, f->name), &one)) {
            json_set(result, f->name, one);
        } else {
            good = false;
        }
    }
    if (good && c->keep_unknown) {
        json_object_object_foreach(value, key, member) if (!field_named(form, key)) json_set(result, key, member);
    }
    *out = result;
    return good;
}

bool check_value(struct check *c, const struct loc *at, const struct field *field, json_object *value,
                 json_object **out)
{
    static const struct field string_item = { STRING, "", REQUIRED }, int_item = { INTEGER, "", REQUIRED },
                              any_item = { ANY, "", REQUIRED }, object_item = { OBJECT, "", REQUIRED };

    if (!value && (field->type == ANY || field->need == OPTIONAL || (field->need & NULLABLE))) {
        *out = NULL;
        return true;
    }
    switch (field->type) {
    case STRING: return check_string(c, at, value, out);
    case INTEGER: return check_int(c, at, value, out);
    case NUMBER: return check_float(c, at, value, out);
    case BOOLEAN: return check_bool(c, at, value, out);
    case OBJECT:
        if (!json_is(value, json_type_object))
            return reject(c, at, "dict_type", "Input should be a valid dictionary", value);
        break;
    case LIST: return check_list(c, at, &any_item, value, out);
    case FORM: return check_form(c, at, field->form, value, out);
    case LIST_OF_STRINGS: return check_list(c, at, &string_item, value, out);
    case LIST_OF_INTEGERS: return check_list(c, at, &int_item, value, out);
    case LIST_OF_OBJECTS: return check_list(c, at, &object_item, value, out);
    case STRING_OR_INTEGER: return check_string_or_int(c, at, value, out);
    case LIST_OF_FORMS: {
        const struct field item = { FORM, "", REQUIRED, field->form };

        return check_list(c, at, &item, value, out);
    }
    case ANY:
    case FILE_PART: break;
    }
    *out = value;
    return true;
}

bool check_text(struct check *c, const struct loc *at, const struct field *field, struct str text, json_object **out)
{
    json_object *input = json_new_str(c->mem, text.p ? text : S("")), *ignored;

    if (!out)
        out = &ignored;
    switch (field->type) {
    case INTEGER: return int_from_text(c, at, text, input, out);
    case NUMBER: return float_from_text(c, at, text, input, out);
    case BOOLEAN: return bool_from_text(c, at, text, input, out);
    default: *out = input; return true;
    }
}
