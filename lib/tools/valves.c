/* valves.c: valves against their schema. */
#include "lib/tools/valves.h"

#include <math.h>

#include "lib/json/lax.h"

enum { DEPTH_MAX = 60, STEPS_MAX = 200000, COMPLAINT_MAX = 8 * 1024 };

struct check {
    struct arena *mem;
    json_object *defs;
    struct buf text;          /* of the complaints */
    unsigned n, depth, steps; /* choices within choices multiply */
};

struct loc {
    const struct loc *up;
    const char *name; /* NULL: index */
    size_t index;
};

static bool check_value(struct check *c, const struct loc *at, json_object *schema, json_object *v, bool strict,
                        json_object **out);

/* ---- complaints */

static void add_loc(struct buf *b, const struct loc *at)
{
    if (!at)
        return;
    add_loc(b, at->up);
    if (at->up)
        buf_add_char(b, '.');
    if (at->name)
        buf_add_c(b, at->name);
    else
        buf_addf(b, "%zu", at->index);
}

static bool complain(struct check *c, const struct loc *at, const char *type, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static bool complain(struct check *c, const struct loc *at, const char *type, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    buf_add_char(&c->text, '\n');
    add_loc(&c->text, at);
    buf_addf(&c->text, "\n  %s [type=%s]", str_vf(c->mem, format, args).p, type);
    va_end(args);
    c->n++;
    return false;
}

/* ---- scalars */

static bool check_integer(struct check *c, const struct loc *at, json_object *v, bool strict, json_object **out)
{
    int64_t i;
    double d = json_object_get_double(v);

    *out = v;
    if (json_is(v, json_type_int))
        return true;
    if (!strict && json_is(v, json_type_boolean)) {
        *out = json_new_int(c->mem, json_object_get_boolean(v));
        return true;
    }
    if (!strict && json_is(v, json_type_double)) {
        if (d != trunc(d) || fabs(d) >= 9.2e18)
            return complain(c, at, "int_from_float",
                            "Input should be a valid integer, got a number with a fractional part");
        *out = json_new_int(c->mem, (int64_t)d);
        return true;
    }
    if (strict || !json_is(v, json_type_string))
        return complain(c, at, "int_type", "Input should be a valid integer");
    if (lax_int(json_str_value(v), &i) != NUMBER_OK)
        return complain(c, at, "int_parsing", "Input should be a valid integer, unable to parse string as an integer");
    *out = json_new_int(c->mem, i);
    return true;
}

static bool check_number(struct check *c, const struct loc *at, json_object *v, bool strict, json_object **out)
{
    double d;

    *out = v;
    if (json_is(v, json_type_double))
        return true;
    if (json_is(v, json_type_int) || (!strict && json_is(v, json_type_boolean))) {
        *out = json_new_double(c->mem, json_object_get_double(v));
        return true;
    }
    if (strict || !json_is(v, json_type_string))
        return complain(c, at, "float_type", "Input should be a valid number");
    if (!lax_double(json_str_value(v), &d))
        return complain(c, at, "float_parsing", "Input should be a valid number, unable to parse string as a number");
    *out = json_new_double(c->mem, d);
    return true;
}

static bool check_boolean(struct check *c, const struct loc *at, json_object *v, bool strict, json_object **out)
{
    double d = json_object_get_double(v);
    bool b;

    *out = v;
    if (json_is(v, json_type_boolean))
        return true;
    if (!strict && (json_is(v, json_type_int) || json_is(v, json_type_double)) && (d == 0 || d == 1)) {
        *out = json_new_bool(c->mem, d != 0);
        return true;
    }
    if (!strict && json_is(v, json_type_string) && lax_bool(json_str_value(v), &b)) {
        *out = json_new_bool(c->mem, b);
        return true;
    }
    return !strict && json_is(v, json_type_string)
               ? complain(c, at, "bool_parsing", "Input should be a valid boolean, unable to interpret input")
               : complain(c, at, "bool_type", "Input should be a valid boolean");
}

static bool in_range(struct check *c, const struct loc *at, json_object *schema, json_object *v)
{
    static const struct {
        const char *key, *type, *words;
    } limits[] = { { "minimum", "greater_than_equal", "greater than or equal to" },
                   { "exclusiveMinimum", "greater_than", "greater than" },
                   { "maximum", "less_than_equal", "less than or equal to" },
                   { "exclusiveMaximum", "less_than", "less than" },
                   { "multipleOf", "multiple_of", "a multiple of" } };
    double d = json_object_get_double(v);

    for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
        json_object *limit = json_get(schema, limits[i].key);
        double l = json_object_get_double(limit);
        bool good = i == 0 ? d >= l : i == 1 ? d > l : i == 2 ? d <= l : i == 3 ? d < l : l == 0 || fmod(d, l) == 0;

        if (limit && !good)
            return complain(c, at, limits[i].type, "Input should be %s %s", limits[i].words,
                            json_text(c->mem, limit).p);
    }
    return true;
}

static bool has_length(struct check *c, const struct loc *at, json_object *schema, const char *least, const char *most,
                       const char *what, size_t n)
{
    int64_t min = json_int(schema, least, 0), max = json_int(schema, most, INT64_MAX);

    if ((int64_t)n < min)
        return complain(c, at, strcmp(what, "character") == 0 ? "string_too_short" : "too_short",
                        "Value should have at least %lld %s%s", (long long)min, what, min == 1 ? "" : "s");
    if ((int64_t)n > max)
        return complain(c, at, strcmp(what, "character") == 0 ? "string_too_long" : "too_long",
                        "Value should have at most %lld %s%s", (long long)max, what, max == 1 ? "" : "s");
    return true;
}

static bool check_string(struct check *c, const struct loc *at, json_object *schema, json_object *v, json_object **out)
{
    *out = v;
    return json_is(v, json_type_string)
               ? has_length(c, at, schema, "minLength", "maxLength", "character", str_utf8_length(json_str_value(v)))
               : complain(c, at, "string_type", "Input should be a valid string");
}

/* ---- choices */

static bool check_among(struct check *c, const struct loc *at, json_object *values, json_object *v, json_object **out)
{
    struct buf b = BUF(c->mem, COMPLAINT_MAX);
    size_t n = json_length(values);

    JSON_EACH (values, i, one) {
        if (json_same(one, v)) {
            *out = v;
            return true;
        }
        buf_add_c(&b, i == 0 ? "" : i + 1 == n ? " or " : ", ");
        if (json_is(one, json_type_string))
            buf_addf(&b, "'%.*s'", STR(json_str_value(one)));
        else
            json_add_to_buf(&b, one);
    }
    return complain(c, at, "literal_error", "Input should be %.*s", STR(buf_str(&b)));
}

/* The first that takes the value as it is, else the first that can make something of it. */
static bool check_any(struct check *c, const struct loc *at, json_object *choices, json_object *v, bool strict,
                      json_object **out)
{
    size_t before = c->text.n;
    unsigned n = c->n;

    for (int lax = 0; lax <= !strict; lax++) {
        JSON_EACH (choices, i, one) {
            if (lax == 0 || i == 0) {
                c->text.n = before; /* of all complaints those of the last way stay */
                c->n = n;
            }
            if (check_value(c, at, one, v, lax == 0, out)) {
                c->text.n = before;
                c->n = n;
                return true;
            }
        }
    }
    return false;
}

/* ---- containers */

static bool check_array(struct check *c, const struct loc *at, json_object *schema, json_object *v, bool strict,
                        json_object **out)
{
    json_object *prefix = json_get(schema, "prefixItems"), *items = json_get(schema, "items");
    bool unique = json_flag(schema, "uniqueItems", false), good = true;

    if (!json_is(v, json_type_array))
        return complain(c, at, "list_type", "Input should be a valid list");
    *out = json_new_array(c->mem);
    JSON_EACH (v, i, one) {
        const struct loc here = { at, NULL, i };
        json_object *item = one, *own = i < json_length(prefix) ? json_at(prefix, i) : items;
        bool there = false;

        if (json_is(own, json_type_object) && !check_value(c, &here, own, one, strict, &item)) {
            good = false;
            continue;
        }
        if (unique)
            JSON_EACH (*out, k, other)
                there |= json_same(other, item);
        if (!there)
            json_push(*out, item);
    }
    return good && has_length(c, at, schema, "minItems", "maxItems", "item", json_length(*out));
}

static bool check_known(struct check *c, const struct loc *at, json_object *properties, json_object *v, bool strict,
                        json_object *out)
{
    bool good = true;

    if (!json_is(properties, json_type_object))
        return true;
    json_object_object_foreach(properties, name, own)
    {
        const struct loc here = { at, name, 0 };
        json_object *one = NULL;

        if (!json_has(v, name))
            continue;
        if (check_value(c, &here, own, json_get(v, name), strict, &one))
            json_set(out, name, one);
        else
            good = false;
    }
    return good;
}

static bool check_members(struct check *c, const struct loc *at, json_object *schema, json_object *v, bool strict,
                          json_object *out)
{
    json_object *properties = json_get(schema, "properties"), *more = json_get(schema, "additionalProperties");
    bool good = check_known(c, at, properties, v, strict, out);

    JSON_EACH (json_get(schema, "required"), i, required) {
        const struct loc here = { at, json_str_value(required).p, 0 };

        if (!json_has(v, here.name))
            good = complain(c, &here, "missing", "Field required");
    }
    json_object_object_foreach(v, key, value)
    {
        const struct loc here = { at, key, 0 };
        json_object *one = value;

        if (json_has(properties, key) || !json_has(schema, "additionalProperties"))
            continue;
        if (json_is(more, json_type_boolean) && !json_object_get_boolean(more))
            good = complain(c, &here, "extra_forbidden", "Extra inputs are not permitted");
        else if (!json_is(more, json_type_object) || check_value(c, &here, more, value, strict, &one))
            json_set(out, key, one);
        else
            good = false;
    }
    return good;
}

static bool check_object(struct check *c, const struct loc *at, json_object *schema, json_object *v, bool strict,
                         json_object **out)
{
    if (!json_is(v, json_type_object))
        return complain(c, at, "dict_type", "Input should be a valid dictionary");
    *out = json_new_object(c->mem);
    return check_members(c, at, schema, v, strict, *out) &&
           has_length(c, at, schema, "minProperties", "maxProperties", "item", (size_t)json_object_object_length(*out));
}

/* ---- any */

static bool check_inside(struct check *c, const struct loc *at, json_object *schema, json_object *v, bool strict,
                         json_object **out)
{
    struct str type = json_str(schema, "type"), ref = json_str(schema, "$ref");
    json_object *one;

    *out = v;
    if (ref.p)
        return check_value(c, at, json_get(c->defs, str_c(c->mem, str_from(ref, sizeof("#/$defs/") - 1))), v, strict,
                           out);
    if (json_has(schema, "const")) {
        one = json_new_array(c->mem);
        json_push(one, json_get(schema, "const"));
        return check_among(c, at, one, v, out);
    }
    if (json_has(schema, "enum"))
        return check_among(c, at, json_get(schema, "enum"), v, out);
    if (json_has(schema, "anyOf"))
        return check_any(c, at, json_get(schema, "anyOf"), v, strict, out);
    if (str_is(type, "string"))
        return check_string(c, at, schema, v, out);
    if (str_is(type, "integer"))
        return check_integer(c, at, v, strict, out) && in_range(c, at, schema, *out);
    if (str_is(type, "number"))
        return check_number(c, at, v, strict, out) && in_range(c, at, schema, *out);
    if (str_is(type, "boolean"))
        return check_boolean(c, at, v, strict, out);
    if (str_is(type, "array"))
        return check_array(c, at, schema, v, strict, out);
    if (str_is(type, "object"))
        return check_object(c, at, schema, v, strict, out);
    if (str_is(type, "null"))
        return !v || complain(c, at, "none_required", "Input should be None");
    return true;
}

static bool check_value(struct check *c, const struct loc *at, json_object *schema, json_object *v, bool strict,
                        json_object **out)
{
    bool good;

    if (c->depth >= DEPTH_MAX || ++c->steps > STEPS_MAX)
        return complain(c, at, "recursion_loop", "Recursion error - cyclic reference detected");
    c->depth++;
    good = check_inside(c, at, schema, v, strict, out);
    c->depth--;
    return good;
}

enum status valves_check(struct arena *mem, json_object *schema, json_object *form, json_object **out,
                         struct str *complaint)
{
    struct check c = { .mem = mem, .defs = json_get(schema, "$defs"), .text = BUF(mem, COMPLAINT_MAX) };
    json_object *set = json_new_object(mem), *values = NULL;

    json_object_object_foreach(form, key, value)
    {
        if (value)
            json_set(set, key, value);
    }
    if (check_value(&c, NULL, schema, set, false, &values)) {
        *out = values;
        return OK;
    }
    *complaint = str_f(mem, "%u validation error%s for %.*s%.*s", c.n, c.n == 1 ? "" : "s",
                       STR(json_str(schema, "title")), STR(buf_str(&c.text)));
    return INVALID;
}
