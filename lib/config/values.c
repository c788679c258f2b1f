/* values.c: what a JSON value is as truth, number, text or list. */
#include <math.h>

#include "lib/config/internal.h"

json_object *value_split(struct arena *mem, struct str text, char separator, unsigned flags)
{
    json_object *list = json_new_array(mem);
    struct str rest = text.p ? text : S(""), piece;

    while (str_split(&rest, separator, &piece)) {
        if (!(flags & SETTING_NO_STRIP))
            piece = str_trim(piece);
        if (piece.n > 0 || !(flags & SETTING_SKIP_EMPTY))
            json_push_str(list, str_copy(mem, piece));
    }
    return list;
}

static bool as_double(json_object *v, double *out)
{
    if (json_is(v, json_type_double))
        *out = json_object_get_double(v);
    else if (json_is(v, json_type_int))
        *out = (double)json_object_get_int64(v);
    else
        return json_is(v, json_type_string) && str_to_double(str_trim(json_str_value(v)), out);
    return true;
}

static bool as_int(json_object *v, int64_t *out)
{
    double d;

    if (json_is(v, json_type_int)) {
        *out = json_object_get_int64(v);
        return true;
    }
    if (json_is(v, json_type_string) && str_to_i64(str_trim(json_str_value(v)), out))
        return true;
    if (!as_double(v, &d) || d != trunc(d) || fabs(d) > 9e15)
        return false;
    *out = (int64_t)d;
    return true;
}

static bool as_bool(json_object *v, bool *out)
{
    if (json_is(v, json_type_string))
        *out = str_ieq(json_str_value(v), "true");
    else if (json_is(v, json_type_null))
        return false;
    else
        *out = json_truthy(v);
    return true;
}

static struct str as_text(struct arena *mem, json_object *v)
{
    if (json_is(v, json_type_string))
        return json_str_value(v);
    if (json_is(v, json_type_int) || json_is(v, json_type_double) || json_is(v, json_type_boolean))
        return json_text(mem, v);
    return STR_NONE;
}

json_object *value_convert(struct arena *mem, enum setting_type type, json_object *v)
{
    bool b;
    int64_t i;
    double d;

    if (!v)
        return v;
    switch (type) {
    case SETTING_BOOL: return json_is(v, json_type_boolean) || !as_bool(v, &b) ? v : json_new_bool(mem, b);
    case SETTING_INT: return json_is(v, json_type_int) || !as_int(v, &i) ? v : json_new_int(mem, i);
    case SETTING_FLOAT:
        return json_is(v, json_type_double) || json_is(v, json_type_int) || !as_double(v, &d) ? v
                                                                                              : json_new_double(mem, d);
    case SETTING_STR:
        return json_is(v, json_type_string) || !as_text(mem, v).p ? v : json_new_str(mem, as_text(mem, v));
    case SETTING_LIST:
    case SETTING_DICT:
    case SETTING_ANY: break;
    }
    return v;
}

/* A null, and what is no number, counts as the default for those who ask for a number or a truth. */
void value_fill(struct arena *mem, struct value *out, json_object *v, json_object *otherwise,
                enum setting_source source)
{
    *out = (struct value){ .json = v, .source = source, .text = as_text(mem, v) };
    if (!as_bool(v, &out->b) && !as_bool(otherwise, &out->b))
        out->b = false;
    if (!as_int(v, &out->i) && !as_int(otherwise, &out->i))
        out->i = 0;
    if (!as_double(v, &out->d) && !as_double(otherwise, &out->d))
        out->d = 0;
}
