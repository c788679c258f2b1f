/* py_types.c: type annotations. */
#include "lib/tools/py_types.h"

enum { DEPTH_MAX = 30 };

#define TEXT_OF(format) "{\"format\":\"" format "\",\"type\":\"string\"}"

static const struct simple {
    const char *name, *schema;
    int kind;
} simple_types[] = {
    { "str", "{\"type\":\"string\"}", PY_TYPE_TEXT },
    { "int", "{\"type\":\"integer\"}", PY_TYPE_NUMBER },
    { "float", "{\"type\":\"number\"}", PY_TYPE_NUMBER },
    { "bool", "{\"type\":\"boolean\"}", PY_TYPE_PLAIN },
    { "bytes", TEXT_OF("binary"), PY_TYPE_TEXT },
    { "object", "{}", PY_TYPE_PLAIN },
    { "list", "{\"items\":{},\"type\":\"array\"}", PY_TYPE_ARRAY },
    { "tuple", "{\"items\":{},\"type\":\"array\"}", PY_TYPE_ARRAY },
    { "set", "{\"items\":{},\"type\":\"array\",\"uniqueItems\":true}", PY_TYPE_ARRAY },
    { "frozenset", "{\"items\":{},\"type\":\"array\",\"uniqueItems\":true}", PY_TYPE_ARRAY },
    { "dict", "{\"additionalProperties\":true,\"type\":\"object\"}", PY_TYPE_OBJECT },
    { "typing.Any", "{}", PY_TYPE_PLAIN },
    { "typing.Text", "{\"type\":\"string\"}", PY_TYPE_TEXT },
    { "typing.List", "{\"items\":{},\"type\":\"array\"}", PY_TYPE_ARRAY },
    { "typing.Sequence", "{\"items\":{},\"type\":\"array\"}", PY_TYPE_ARRAY },
    { "typing.Iterable", "{\"items\":{},\"type\":\"array\"}", PY_TYPE_ARRAY },
    { "typing.Tuple", "{\"items\":{},\"type\":\"array\"}", PY_TYPE_ARRAY },
    { "typing.Set", "{\"items\":{},\"type\":\"array\",\"uniqueItems\":true}", PY_TYPE_ARRAY },
    { "typing.FrozenSet", "{\"items\":{},\"type\":\"array\",\"uniqueItems\":true}", PY_TYPE_ARRAY },
    { "typing.Dict", "{\"additionalProperties\":true,\"type\":\"object\"}", PY_TYPE_OBJECT },
    { "typing.Mapping", "{\"additionalProperties\":true,\"type\":\"object\"}", PY_TYPE_OBJECT },
    { "datetime.datetime", TEXT_OF("date-time"), PY_TYPE_PLAIN },
    { "datetime.date", TEXT_OF("date"), PY_TYPE_PLAIN },
    { "datetime.time", TEXT_OF("time"), PY_TYPE_PLAIN },
    { "datetime.timedelta", TEXT_OF("duration"), PY_TYPE_PLAIN },
    { "uuid.UUID", TEXT_OF("uuid"), PY_TYPE_PLAIN },
    { "pathlib.Path", TEXT_OF("path"), PY_TYPE_PLAIN },
    { "decimal.Decimal", "{\"anyOf\":[{\"type\":\"number\"},{\"type\":\"string\"}]}", PY_TYPE_PLAIN },
    { "pydantic.StrictStr", "{\"type\":\"string\"}", PY_TYPE_TEXT },
    { "pydantic.StrictInt", "{\"type\":\"integer\"}", PY_TYPE_NUMBER },
    { "pydantic.StrictFloat", "{\"type\":\"number\"}", PY_TYPE_NUMBER },
    { "pydantic.StrictBool", "{\"type\":\"boolean\"}", PY_TYPE_PLAIN },
    { "pydantic.PositiveInt", "{\"exclusiveMinimum\":0,\"type\":\"integer\"}", PY_TYPE_NUMBER },
    { "pydantic.NonNegativeInt", "{\"minimum\":0,\"type\":\"integer\"}", PY_TYPE_NUMBER },
    { "pydantic.NegativeInt", "{\"exclusiveMaximum\":0,\"type\":\"integer\"}", PY_TYPE_NUMBER },
    { "pydantic.PositiveFloat", "{\"exclusiveMinimum\":0,\"type\":\"number\"}", PY_TYPE_NUMBER },
    { "pydantic.NonNegativeFloat", "{\"minimum\":0,\"type\":\"number\"}", PY_TYPE_NUMBER },
    { "pydantic.EmailStr", TEXT_OF("email"), PY_TYPE_TEXT },
    { "pydantic.SecretStr", "{\"format\":\"password\",\"type\":\"string\",\"writeOnly\":true}", PY_TYPE_TEXT },
    { "pydantic.AnyUrl", "{\"format\":\"uri\",\"minLength\":1,\"type\":\"string\"}", PY_TYPE_PLAIN },
    { "pydantic.AnyHttpUrl", "{\"format\":\"uri\",\"minLength\":1,\"type\":\"string\"}", PY_TYPE_PLAIN },
    { "pydantic.HttpUrl", "{\"format\":\"uri\",\"maxLength\":2083,\"minLength\":1,\"type\":\"string\"}",
      PY_TYPE_PLAIN },
};

static enum status unknown(struct py_schemas *s, const struct py_expr *e, const char *what)
{
    return error_set(s->err, INVALID, "line %u: %s", e->line, what);
}

static void set_simple(struct py_schemas *s, const struct simple *t, struct py_type *out)
{
    out->schema = json_parse_or_null(s->mem, str_of(t->schema));
    out->kind = t->kind;
}

/* ---- unions */

static void add_choice(json_object *choices, json_object *schema)
{
    JSON_EACH (choices, i, there)
        if (json_same(there, schema))
            return;
    json_push(choices, schema);
}

/* A schema that is nothing but a choice gives its members. */
static void add_flat(json_object *choices, json_object *schema)
{
    if (json_object_object_length(schema) == 1 && json_has(schema, "anyOf")) {
        JSON_EACH (json_get(schema, "anyOf"), i, one)
            add_choice(choices, one);
    } else {
        add_choice(choices, schema);
    }
}

static json_object *any_of(struct py_schemas *s, json_object *choices)
{
    json_object *o;

    if (json_length(choices) == 1)
        return json_at(choices, 0);
    o = json_new_object(s->mem);
    json_set(o, "anyOf", choices);
    return o;
}

struct members { /* of a union: None apart */
    struct py_type v[64];
    size_t n;
    bool has_null;
};

static enum status add_member(struct py_schemas *s, const struct py_scope *scope, const struct py_expr *e,
                              struct members *m)
{
    enum status st = OK;
    struct str name;

    if (e->kind == PY_EXPR_NONE) {
        m->has_null = true;
        return OK;
    }
    if (e->kind == PY_EXPR_BINARY && str_is(e->name, "|")) {
        st = add_member(s, scope, e->items[0], m);
        return st == OK ? add_member(s, scope, e->items[1], m) : st;
    }
    name = e->kind == PY_EXPR_INDEX ? py_full_name(s->mem, s->source, scope, e->items[0]) : STR_NONE;
    if (str_is(name, "typing.Optional") || str_is(name, "typing.Union")) {
        m->has_null |= str_is(name, "typing.Optional");
        for (uint32_t i = 1; st == OK && i < e->n; i++)
            st = add_member(s, scope, e->items[i], m);
        return st;
    }
    if (m->n == sizeof(m->v) / sizeof(*m->v))
        return unknown(s, e, "a union of too many types");
    st = py_type_read(s, scope, e, &m->v[m->n]);
    m->n += st == OK;
    return st;
}

static enum status union_of(struct py_schemas *s, const struct py_scope *scope, const struct py_expr *e,
                            struct py_type *out)
{
    struct members m = { .n = 0 };
    json_object *choices = json_new_array(s->mem), *null_type = json_new_object(s->mem);
    enum status st = add_member(s, scope, e, &m);

    if (st != OK)
        return st;
    json_set_c(null_type, "type", "null");
    if (m.n == 1) {
        *out = m.v[0];
        if (!m.has_null)
            return OK;
        out->inner = out->inner ? out->inner : out->schema;
    }
    for (size_t i = 0; i < m.n; i++)
        add_flat(choices, m.v[i].schema);
    if (m.has_null)
        add_flat(choices, null_type);
    out->schema = any_of(s, choices);
    return OK;
}

/* ---- containers */

static enum status item_schema(struct py_schemas *s, const struct py_scope *scope, const struct py_expr *e,
                               json_object **out)
{
    struct py_type t = { NULL };
    enum status st = py_type_read(s, scope, e, &t);

    if (st == OK)
        *out = t.schema;
    return st;
}

static enum status array_of(struct py_schemas *s, const struct py_scope *scope, const struct py_expr *e, bool unique,
                            struct py_type *out)
{
    json_object *items;
    enum status st = item_schema(s, scope, e->items[1], &items);

    if (st != OK)
        return st;
    out->schema = json_new_object(s->mem);
    out->kind = PY_TYPE_ARRAY;
    json_set(out->schema, "items", items);
    json_set_c(out->schema, "type", "array");
    if (unique)
        json_set_bool(out->schema, "uniqueItems", true);
    return OK;
}

/* tuple[int, str], tuple[int, ...] */
static enum status tuple_of(struct py_schemas *s, const struct py_scope *scope, const struct py_expr *e,
                            struct py_type *out)
{
    json_object *prefix = json_new_array(s->mem), *one;
    enum status st = OK;

    if (e->n == 3 && e->items[2]->kind == PY_EXPR_ELLIPSIS)
        return array_of(s, scope, e, false, out);
    for (uint32_t i = 1; st == OK && i < e->n; i++) {
        st = item_schema(s, scope, e->items[i], &one);
        if (st == OK)
            json_push(prefix, one);
    }
    if (st != OK)
        return st;
    out->schema = json_new_object(s->mem);
    out->kind = PY_TYPE_ARRAY;
    json_set_int(out->schema, "maxItems", (int64_t)json_length(prefix));
    json_set_int(out->schema, "minItems", (int64_t)json_length(prefix));
    json_set(out->schema, "prefixItems", prefix);
    json_set_c(out->schema, "type", "array");
    return OK;
}

static enum status dict_of(struct py_schemas *s, const struct py_scope *scope, const struct py_expr *e,
                           struct py_type *out)
{
    json_object *key = NULL, *value = NULL;
    enum status st = e->n == 3 ? item_schema(s, scope, e->items[1], &key) : unknown(s, e, "a dict of what");

    if (st == OK)
        st = item_schema(s, scope, e->items[2], &value);
    if (st != OK)
        return st;
    out->schema = json_new_object(s->mem);
    out->kind = PY_TYPE_OBJECT;
    json_del(value, "title");
    if (json_object_object_length(value))
        json_set(out->schema, "additionalProperties", value);
    else
        json_set_bool(out->schema, "additionalProperties", true);
    if (json_has(key, "$ref") || (str_is(json_str(key, "type"), "string") && json_object_object_length(key) > 1)) {
        json_del(key, "type");
        json_set(out->schema, "propertyNames", key);
    }
    json_set_c(out->schema, "type", "object");
    return OK;
}

/* The JSON type that all values have; NULL: none. */
static const char *common_type(json_object *values)
{
    static const struct {
        json_type type;
        const char *name;
    } names[] = { { json_type_string, "string" },   { json_type_int, "integer" }, { json_type_double, "number" },
                  { json_type_boolean, "boolean" }, { json_type_array, "array" }, { json_type_null, "null" } };
    json_type type = json_object_get_type(json_at(values, 0));

    JSON_EACH (values, i, v)
        if (json_object_get_type(v) != type)
            return NULL;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (names[i].type == type)
            return names[i].name;
    return NULL;
}

static enum status literal(struct py_schemas *s, const struct py_scope *scope, const struct py_expr *e,
                           struct py_type *out)
{
    json_object *values = json_new_array(s->mem), *v;

    for (uint32_t i = 1; i < e->n; i++) {
        if (!py_value(s->mem, s->source, scope, e->items[i], &v))
            return unknown(s, e, "a Literal whose values are not constant");
        json_push(values, v);
    }
    out->schema = json_new_object(s->mem);
    if (json_length(values) == 1)
        json_set(out->schema, "const", json_at(values, 0));
    else
        json_set(out->schema, "enum", values);
    if (common_type(values))
        json_set_c(out->schema, "type", common_type(values));
    return OK;
}

/* Annotated[type, Field(…), …]: what else stands there is not about the schema. */
static enum status annotated(struct py_schemas *s, const struct py_scope *scope, const struct py_expr *e,
                             struct py_type *out)
{
    enum status st = py_type_read(s, scope, e->items[1], out);

    for (uint32_t i = 2; st == OK && !s->bare && i < e->n; i++) {
        const struct py_expr *more = e->items[i];

        if (py_is_call_of(s, scope, more, "pydantic.Field"))
            st = py_type_apply_field(s, scope, more, out);
    }
    return st;
}

static bool is_one_of(struct str name, const char *const *names)
{
    for (; *names; names++)
        if (str_is(name, *names))
            return true;
    return false;
}

static enum status indexed(struct py_schemas *s, const struct py_scope *scope, const struct py_expr *e,
                           struct py_type *out)
{
    static const char *const arrays[] = {
        "list", "typing.List", "typing.Sequence", "typing.Iterable", "typing.Collection", "typing.MutableSequence", NULL
    };
    static const char *const sets[] = {
        "set", "frozenset", "typing.Set", "typing.FrozenSet", "typing.AbstractSet", "typing.MutableSet", NULL
    };
    static const char *const dicts[] = { "dict",
                                         "typing.Dict",
                                         "typing.Mapping",
                                         "typing.MutableMapping",
                                         "typing.DefaultDict",
                                         "typing.OrderedDict",
                                         "collections.OrderedDict",
                                         "collections.defaultdict",
                                         NULL };
    struct str name = py_full_name(s->mem, s->source, scope, e->items[0]);

    if (e->n < 2)
        return unknown(s, e, "a type that is not understood");
    if (str_is(name, "typing.Optional") || str_is(name, "typing.Union"))
        return union_of(s, scope, e, out);
    if (is_one_of(name, arrays))
        return array_of(s, scope, e, false, out);
    if (is_one_of(name, sets))
        return array_of(s, scope, e, true, out);
    if (is_one_of(name, dicts))
        return dict_of(s, scope, e, out);
    if (str_is(name, "tuple") || str_is(name, "typing.Tuple"))
        return tuple_of(s, scope, e, out);
    if (str_is(name, "typing.Literal"))
        return literal(s, scope, e, out);
    if (str_is(name, "typing.Annotated"))
        return annotated(s, scope, e, out);
    if (str_is(name, "typing.Final") || str_is(name, "typing.Required") || str_is(name, "typing.NotRequired"))
        return py_type_read(s, scope, e->items[1], out);
    return error_set(s->err, INVALID, "line %u: the type %.*s[…] has no JSON schema that is known here", e->line,
                     STR(name.p ? name : S("?")));
}

/* ---- names */

static bool is_builtin_scope(const struct py_scope *scope, struct str name)
{
    return str_find_c(name, '.') != STR_NPOS || !py_lookup(scope, name);
}

static enum status named(struct py_schemas *s, const struct py_scope *scope, const struct py_expr *e,
                         struct py_type *out)
{
    struct str name = py_full_name(s->mem, s->source, scope, e);
    const struct py_class *c = py_class_of(s->mem, s->source, scope, e);
    const struct py_def *d = e->kind == PY_EXPR_NAME ? py_lookup(scope, e->name) : NULL;

    if (c) {
        enum status st = py_class_schema(s, c, &out->schema);

        out->is_reference = st == OK && json_has(out->schema, "$ref");
        return st;
    }
    for (size_t i = 0; i < sizeof(simple_types) / sizeof(*simple_types); i++) {
        if (str_is(name, simple_types[i].name) && is_builtin_scope(scope, name)) {
            set_simple(s, &simple_types[i], out);
            return OK;
        }
    }
    if (d && d->kind == PY_VALUE && d->value.from < d->value.to) { /* Another = Union[…] */
        s->source->work += 64;
        return s->source->work > PY_WORK_MAX
                   ? unknown(s, e, "names that stand for names without end")
                   : py_type_read(s, scope->up && !py_find(scope, e->name) ? scope->up : scope,
                                  py_expr_read(s->mem, &s->source->tokens, d->value), out);
    }
    if (e->kind == PY_EXPR_NAME && !d && str_eq(name, e->name))
        return error_set(s->err, INVALID, "line %u: name '%.*s' is not defined", e->line, STR(name));
    return error_set(s->err, INVALID, "line %u: the type %.*s has no JSON schema that is known here", e->line,
                     STR(name.p ? name : S("?")));
}

/* conint(ge=1) and its like. */
static enum status constrained(struct py_schemas *s, const struct py_scope *scope, const struct py_expr *e,
                               struct py_type *out)
{
    static const struct {
        const char *function, *type;
    } functions[] = { { "pydantic.conint", "int" }, { "pydantic.confloat", "float" }, { "pydantic.constr", "str" } };

    for (size_t i = 0; i < sizeof(functions) / sizeof(*functions); i++) {
        if (!py_is_call_of(s, scope, e, functions[i].function))
            continue;
        for (size_t k = 0; k < sizeof(simple_types) / sizeof(*simple_types); k++)
            if (strcmp(simple_types[k].name, functions[i].type) == 0)
                set_simple(s, &simple_types[k], out);
        return py_type_apply_field(s, scope, e, out);
    }
    return unknown(s, e, "a type that is made by a call");
}

bool py_is_call_of(struct py_schemas *s, const struct py_scope *scope, const struct py_expr *e, const char *full_name)
{
    return e && e->kind == PY_EXPR_CALL && str_is(py_full_name(s->mem, s->source, scope, e->items[0]), full_name);
}

static enum status read_inside(struct py_schemas *s, const struct py_scope *scope, const struct py_expr *e,
                               struct py_type *out)
{
    switch (e->kind) {
    case PY_EXPR_NONE:
        out->schema = json_new_object(s->mem);
        json_set_c(out->schema, "type", "null");
        return OK;
    case PY_EXPR_CONSTANT: /* "Forward" */
        if (json_is(e->value, json_type_string) && !e->is_bytes)
            return py_type_read(s, scope, py_expr_read_text(s->mem, json_str_value(e->value)), out);
        break;
    case PY_EXPR_NAME:
    case PY_EXPR_ATTRIBUTE: return named(s, scope, e, out);
    case PY_EXPR_INDEX: return indexed(s, scope, e, out);
    case PY_EXPR_CALL: return constrained(s, scope, e, out);
    case PY_EXPR_BINARY:
        if (str_is(e->name, "|"))
            return union_of(s, scope, e, out);
        break;
    default: break;
    }
    return unknown(s, e, "a type that is not understood");
}

enum status py_type_read(struct py_schemas *s, const struct py_scope *scope, const struct py_expr *e,
                         struct py_type *out)
{
    struct py_type t = { NULL };
    enum status st;

    if (s->depth >= DEPTH_MAX)
        return unknown(s, e, "types within types without end");
    s->depth++;
    st = read_inside(s, scope, e, &t);
    s->depth--;
    if (st == OK)
        *out = t;
    return st;
}

/* ---- Field(…) */

static const struct constraint {
    const char *argument, *number, *text, *array,
        *object; /* what it is called in the schema of each kind; NULL: not allowed */
} constraints[] = {
    { "ge", "minimum", NULL, NULL, NULL },
    { "gt", "exclusiveMinimum", NULL, NULL, NULL },
    { "le", "maximum", NULL, NULL, NULL },
    { "lt", "exclusiveMaximum", NULL, NULL, NULL },
    { "multiple_of", "multipleOf", NULL, NULL, NULL },
    { "min_length", NULL, "minLength", "minItems", "minProperties" },
    { "max_length", NULL, "maxLength", "maxItems", "maxProperties" },
    { "min_items", NULL, "minLength", "minItems", "minProperties" },
    { "max_items", NULL, "maxLength", "maxItems", "maxProperties" },
    { "pattern", NULL, "pattern", NULL, NULL },
};

/* Arguments that the schema does not show. */
static const char *const silent[] = { "default",
                                      "default_factory",
                                      "exclude",
                                      "repr",
                                      "init",
                                      "init_var",
                                      "kw_only",
                                      "strict",
                                      "frozen",
                                      "validate_default",
                                      "union_mode",
                                      "coerce_numbers_to_str",
                                      "allow_inf_nan",
                                      "max_digits",
                                      "decimal_places",
                                      "fail_fast",
                                      "field_title_generator",
                                      "discriminator",
                                      NULL };
static const char *const shown[] = { "title", "description", "examples", "deprecated", NULL };

static const char *name_for(const struct constraint *c, int kind)
{
    switch (kind) {
    case PY_TYPE_NUMBER: return c->number;
    case PY_TYPE_TEXT: return c->text;
    case PY_TYPE_ARRAY: return c->array;
    case PY_TYPE_OBJECT: return c->object;
    default: return NULL;
    }
}

static enum status apply(struct py_schemas *s, const struct py_scope *scope, struct str name, const struct py_expr *e,
                         struct py_type *type, json_object *unknown_ones)
{
    json_object *target = type->inner ? type->inner : type->schema, *v;

    if (is_one_of(name, silent))
        return OK;
    if (!py_value(s->mem, s->source, scope, e, &v))
        return error_set(s->err, INVALID, "line %u: the value of %.*s cannot be known without running the code",
                         e->line, STR(name));
    for (size_t i = 0; i < sizeof(constraints) / sizeof(*constraints); i++) {
        if (!str_is(name, constraints[i].argument))
            continue;
        if (v && name_for(&constraints[i], type->kind))
            json_set(target, name_for(&constraints[i], type->kind), v);
        return OK;
    }
    if (str_is(name, "alias") || str_is(name, "validation_alias") || str_is(name, "serialization_alias") ||
        str_is(name, "alias_priority"))
        return unknown(s, e, "a field with an alias");
    if (is_one_of(name, shown)) {
        if (v)
            json_set(type->schema, str_c(s->mem, name), v);
    } else if (str_is(name, "json_schema_extra")) {
        if (json_is(v, json_type_object))
            json_merge(type->schema, v);
    } else {
        json_set(unknown_ones, str_c(s->mem, name), v);
    }
    return OK;
}

enum status py_type_apply_field(struct py_schemas *s, const struct py_scope *scope, const struct py_expr *call,
                                struct py_type *type)
{
    json_object *unknown_ones = json_new_object(s->mem);
    enum status st = OK;

    for (uint32_t i = 1; st == OK && i < call->n; i++)
        if (call->keys[i].p)
            st = apply(s, scope, call->keys[i], call->items[i], type, unknown_ones);
    if (st == OK && !py_argument(call, "json_schema_extra", 0))
        json_merge(type->schema, unknown_ones);
    return st;
}
