/* py_value.c: what expressions stand for: names by the imports and definitions of the source, and constant values. */
#include <math.h>

#include "lib/tools/py_expr.h"

enum { DEPTH_MAX = 40, TEXT_MAX = 256 * 1024 };

struct reader {
    struct arena *mem;
    struct py_source *source;
    unsigned depth;
};

/* ---- names */

static struct str canonical(struct arena *mem, struct str name)
{
    static const struct {
        const char *from, *to;
    } modules[] = { { "typing_extensions.", "typing." }, { "collections.abc.", "typing." },
                    { "pydantic.fields.", "pydantic." }, { "pydantic.main.", "pydantic." },
                    { "pydantic.types.", "pydantic." },  { "pydantic.networks.", "pydantic." } };

    for (size_t i = 0; i < sizeof(modules) / sizeof(*modules); i++)
        if (str_starts(name, modules[i].from))
            return str_cat(mem, str_of(modules[i].to), str_from(name, strlen(modules[i].from)));
    return name;
}

static bool is_tired(struct reader *r, size_t more)
{
    r->source->work += more;
    return r->source->work > PY_WORK_MAX;
}

static const struct py_expr *value_of(struct reader *r, const struct py_def *d)
{
    static const struct py_expr other;
    const struct py_token *v = r->source->tokens.v;
    const char *first = v[d->value.from].text.p, *last = v[d->value.to - 1].text.p;

    return is_tired(r, (size_t)(last - first) + v[d->value.to - 1].text.n)
               ? &other
               : py_expr_read(r->mem, &r->source->tokens, d->value);
}

static bool is_value(const struct py_def *d)
{
    return d->kind == PY_VALUE && d->value.from < d->value.to;
}

static bool is_one_of(struct str name, const char *const *names)
{
    for (; *names; names++)
        if (str_is(name, *names))
            return true;
    return false;
}

/* A name that only `from module import *` can have brought. */
static struct str by_star(struct reader *r, struct str name)
{
    static const char *const builtins[] = { "str", "int",   "float",     "bool",   "bytes", "list", "dict",
                                            "set", "tuple", "frozenset", "object", "type",  "None", NULL };
    static const char *const of_typing[] = { "Any",       "Optional",    "Union",          "List",
                                             "Dict",      "Set",         "Tuple",          "FrozenSet",
                                             "Literal",   "Annotated",   "ClassVar",       "Final",
                                             "Sequence",  "Iterable",    "Mapping",        "MutableMapping",
                                             "Callable",  "Awaitable",   "Type",           "Text",
                                             "TypedDict", "DefaultDict", "OrderedDict",    "Collection",
                                             "Generator", "Iterator",    "AsyncGenerator", NULL };
    const struct py_scope *module = &r->source->scope;

    for (uint32_t i = is_one_of(name, builtins) ? 0 : module->n; i > 0; i--) {
        const struct py_def *star = &module->v[i - 1];

        if (str_is(star->name, "*") && str_is(star->module, "typing") == is_one_of(name, of_typing))
            return str_f(r->mem, "%.*s.%.*s", STR(star->module), STR(name));
    }
    return name;
}

static struct str full_name(struct reader *r, const struct py_scope *scope, const struct py_expr *e)
{
    const struct py_def *d;
    struct str base;

    if (++r->depth > DEPTH_MAX)
        return STR_NONE;
    if (e->kind == PY_EXPR_ATTRIBUTE) {
        base = full_name(r, scope, e->items[0]);
        return base.p ? str_f(r->mem, "%.*s.%.*s", STR(base), STR(e->name)) : STR_NONE;
    }
    if (e->kind != PY_EXPR_NAME)
        return STR_NONE;
    d = py_lookup(scope, e->name);
    if (!d)
        return by_star(r, e->name);
    if (d->kind == PY_IMPORT)
        return d->member.p ? str_f(r->mem, "%.*s.%.*s", STR(d->module), STR(d->member)) : d->module;
    return is_value(d) ? full_name(r, scope, value_of(r, d)) : e->name;
}

struct str py_full_name(struct arena *mem, struct py_source *source, const struct py_scope *scope,
                        const struct py_expr *e)
{
    struct reader r = { mem, source, 0 };

    return canonical(mem, full_name(&r, scope, e));
}

static const struct py_class *class_of(struct reader *r, const struct py_scope *scope, const struct py_expr *e)
{
    const struct py_class *outer;
    const struct py_def *d = NULL;

    if (++r->depth > DEPTH_MAX)
        return NULL;
    if (e->kind == PY_EXPR_ATTRIBUTE) {
        outer = class_of(r, scope, e->items[0]);
        d = outer ? py_find(&outer->scope, e->name) : NULL;
        scope = outer ? &outer->scope : scope;
    } else if (e->kind == PY_EXPR_NAME) {
        d = py_lookup(scope, e->name);
    }
    if (!d)
        return NULL;
    if (d->kind == PY_CLASS)
        return d->class_;
    return is_value(d) ? class_of(r, scope, value_of(r, d)) : NULL;
}

const struct py_class *py_class_of(struct arena *mem, struct py_source *source, const struct py_scope *scope,
                                   const struct py_expr *e)
{
    struct reader r = { mem, source, 0 };

    return class_of(&r, scope, e);
}

/* ---- values */

static bool value(struct reader *r, const struct py_scope *scope, const struct py_expr *e, json_object **out);

static bool is_number(json_object *v)
{
    return json_is(v, json_type_int) || json_is(v, json_type_double);
}

static bool negated(struct reader *r, const struct py_scope *scope, const struct py_expr *e, json_object **out)
{
    json_object *v;

    if (!value(r, scope, e->items[0], &v))
        return false;
    if (str_is(e->name, "not")) {
        *out = json_new_bool(r->mem, !json_truthy(v));
        return true;
    }
    if (!is_number(v) || str_is(e->name, "~"))
        return false;
    *out = v;
    if (str_is(e->name, "-"))
        *out = json_is(v, json_type_int) ? json_new_int(r->mem, (int64_t)(0 - (uint64_t)json_object_get_int64(v)))
                                         : json_new_double(r->mem, -json_object_get_double(v));
    return true;
}

static bool whole_numbers(struct reader *r, char op, int64_t a, int64_t b, json_object **out)
{
    int64_t v = 1;

    switch (op) {
    case '+':
        if (__builtin_add_overflow(a, b, &v))
            return false;
        break;
    case '-':
        if (__builtin_sub_overflow(a, b, &v))
            return false;
        break;
    case '*':
        if (__builtin_mul_overflow(a, b, &v))
            return false;
        break;
    case 'p': /* ** */
        if (b < 0 || b > 64)
            return false;
        for (; b > 0; b--)
            if (__builtin_mul_overflow(v, a, &v))
                return false;
        break;
    case 'd': /* //, rounded down */
        if (b == 0 || (a == INT64_MIN && b == -1))
            return false;
        v = a / b - (a % b != 0 && (a < 0) != (b < 0));
        break;
    case '%':
        if (b == 0 || b == -1)
            return false;
        v = a % b;
        if (v != 0 && (v < 0) != (b < 0))
            v += b;
        break;
    default: return false;
    }
    *out = json_new_int(r->mem, v);
    return true;
}

static bool numbers(struct reader *r, struct str op, json_object *a, json_object *b, json_object **out)
{
    char c = str_is(op, "**") ? 'p' : str_is(op, "//") ? 'd' : op.p[0];
    double x = json_object_get_double(a), y = json_object_get_double(b), v;

    if (c != '/' && json_is(a, json_type_int) && json_is(b, json_type_int))
        return whole_numbers(r, c, json_object_get_int64(a), json_object_get_int64(b), out);
    if (c != '+' && c != '-' && c != '*' && (c != '/' || y == 0))
        return false;
    v = c == '+' ? x + y : c == '-' ? x - y : c == '*' ? x * y : x / y;
    *out = json_new_double(r->mem, v);
    return isfinite(v);
}

static bool joined(struct reader *r, const struct py_scope *scope, const struct py_expr *e, json_object **out)
{
    json_object *a, *b;

    if (!value(r, scope, e->items[0], &a))
        return false;
    if (str_is(e->name, "or") || str_is(e->name, "and")) {
        *out = a;
        return json_truthy(a) == str_is(e->name, "or") || value(r, scope, e->items[1], out);
    }
    if (!value(r, scope, e->items[1], &b))
        return false;
    if (str_is(e->name, "==") || str_is(e->name, "!=")) {
        *out = json_new_bool(r->mem, json_same(a, b) == str_is(e->name, "=="));
        return true;
    }
    if (is_number(a) && is_number(b))
        return numbers(r, e->name, a, b, out);
    if (!str_is(e->name, "+") || json_object_get_type(a) != json_object_get_type(b))
        return false;
    if (json_is(a, json_type_string)) {
        struct buf text = BUF(r->mem, TEXT_MAX);

        buf_add_str(&text, json_str_value(a));
        buf_add_str(&text, json_str_value(b));
        *out = json_new_str(r->mem, buf_str(&text));
        return !buf_failed(&text) && !is_tired(r, text.n);
    }
    if (!json_is(a, json_type_array))
        return false;
    *out = json_new_array(r->mem);
    JSON_EACH (a, i, one)
        json_push(*out, one);
    JSON_EACH (b, i, one)
        json_push(*out, one);
    return !is_tired(r, 16 * json_length(*out));
}

static bool list(struct reader *r, const struct py_scope *scope, const struct py_expr *e, json_object **out)
{
    *out = json_new_array(r->mem);
    for (uint32_t i = 0; i < e->n; i++) {
        json_object *v;

        if (!value(r, scope, e->items[i], &v))
            return false;
        json_push(*out, v);
    }
    return true;
}

/* A key as Python's json module writes it. */
static bool key_text(struct reader *r, json_object *key, struct str *out)
{
    switch (json_object_get_type(key)) {
    case json_type_string: *out = json_str_value(key); return true;
    case json_type_boolean: *out = json_object_get_boolean(key) ? S("true") : S("false"); return true;
    case json_type_null: *out = S("null"); return true;
    case json_type_int:
    case json_type_double: *out = json_text(r->mem, key); return true;
    default: return false;
    }
}

static bool dictionary(struct reader *r, const struct py_scope *scope, const struct py_expr *e, json_object **out)
{
    *out = json_new_object(r->mem);
    for (uint32_t i = 0; i + 1 < e->n; i += 2) {
        json_object *key, *v;
        struct str name;

        if (!value(r, scope, e->items[i], &key) || !value(r, scope, e->items[i + 1], &v) || !key_text(r, key, &name) ||
            str_find_c(name, '\0') != STR_NPOS)
            return false;
        json_set(*out, str_c(r->mem, name), v);
    }
    return true;
}

static bool is_auto(struct reader *r, const struct py_scope *scope, const struct py_expr *e)
{
    return e->kind == PY_EXPR_CALL && str_is(py_full_name(r->mem, r->source, scope, e->items[0]), "enum.auto");
}

static bool is_str_enum(struct reader *r, const struct py_class *c)
{
    const struct py_expr *base;

    if (c->arguments.from >= c->arguments.to)
        return false;
    base = py_expr_read(r->mem, &r->source->tokens, c->arguments);
    return str_is(py_full_name(r->mem, r->source, c->scope.up, base), "enum.StrEnum");
}

/* A value of a class; auto() counts on from the whole number before it. */
static bool member_value(struct reader *r, const struct py_class *c, const struct py_def *d, json_object **out)
{
    const struct py_expr *e = value_of(r, d);
    int64_t last = 0;

    if (!is_auto(r, &c->scope, e))
        return value(r, &c->scope, e, out);
    if (is_str_enum(r, c)) {
        *out = json_new_str(r->mem, str_lower(r->mem, d->name));
        return true;
    }
    for (const struct py_def *other = c->scope.v; other <= d; other++) {
        json_object *v;

        if (is_tired(r, 16))
            return false;
        if (!is_value(other))
            continue;
        if (is_auto(r, &c->scope, value_of(r, other)))
            last++;
        else if (value(r, &c->scope, value_of(r, other), &v) && json_is(v, json_type_int))
            last = json_object_get_int64(v);
    }
    *out = json_new_int(r->mem, last);
    return true;
}

bool py_member_value(struct arena *mem, struct py_source *source, const struct py_class *c, const struct py_def *d,
                     json_object **out)
{
    struct reader r = { mem, source, 0 };

    return member_value(&r, c, d, out);
}

/* Color.RED, Color.RED.value, Tools.LIMIT */
static bool attribute(struct reader *r, const struct py_scope *scope, const struct py_expr *e, json_object **out)
{
    struct reader names = { r->mem, r->source, 0 };
    const struct py_class *c = class_of(&names, scope, e->items[0]);
    const struct py_def *d = c ? py_find(&c->scope, e->name) : NULL;

    if (d && is_value(d))
        return member_value(r, c, d, out);
    return !c && str_is(e->name, "value") && e->items[0]->kind == PY_EXPR_ATTRIBUTE &&
           value(r, scope, e->items[0], out);
}

static bool conversion(struct reader *r, struct str name, json_object *v, json_object **out)
{
    int64_t i;
    double d;

    if (str_is(name, "bool"))
        *out = json_new_bool(r->mem, json_truthy(v));
    else if (str_is(name, "int") && json_is(v, json_type_int))
        *out = v;
    else if (str_is(name, "int") && json_is(v, json_type_string) && str_to_i64(str_trim(json_str_value(v)), &i))
        *out = json_new_int(r->mem, i);
    else if (str_is(name, "float") && is_number(v))
        *out = json_new_double(r->mem, json_object_get_double(v));
    else if (str_is(name, "float") && json_is(v, json_type_string) && str_to_double(str_trim(json_str_value(v)), &d))
        *out = json_new_double(r->mem, d);
    else if (str_is(name, "str") && (json_is(v, json_type_string) || json_is(v, json_type_int)))
        *out = json_is(v, json_type_string) ? v : json_new_str(r->mem, json_text(r->mem, v));
    else if ((str_is(name, "list") || str_is(name, "tuple") || str_is(name, "set")) && json_is(v, json_type_array))
        *out = v;
    else
        return false;
    return true;
}

/* text.strip(), text.lower(), text.upper() */
static bool text_method(struct reader *r, const struct py_scope *scope, const struct py_expr *e, json_object **out)
{
    const struct py_expr *method = e->items[0];
    struct str s;
    json_object *v;

    if (e->n != 1 || !value(r, scope, method->items[0], &v) || !json_is(v, json_type_string))
        return false;
    s = json_str_value(v);
    if (str_is(method->name, "strip"))
        *out = json_new_str(r->mem, str_trim_c(s, " \t\n\r\f\v"));
    else if (str_is(method->name, "lower"))
        *out = json_new_str(r->mem, str_lower(r->mem, s));
    else
        return false;
    return true;
}

/* json.dumps(value), json.dumps(value, indent=2) */
static bool dumped(struct reader *r, const struct py_scope *scope, const struct py_expr *e, json_object **out)
{
    const struct py_expr *indent = py_argument(e, "indent", 0);
    json_object *v, *n = NULL;
    struct str text;

    if (e->n != (indent ? 3 : 2) || !value(r, scope, e->items[1], &v) || (indent && !value(r, scope, indent, &n)))
        return false;
    if ((n && !json_is(n, json_type_int)) || !py_dumps(r->mem, v, n ? json_object_get_int(n) : -1, &text))
        return false;
    *out = json_new_str(r->mem, text);
    return !is_tired(r, text.n);
}

static bool call(struct reader *r, const struct py_scope *scope, const struct py_expr *e, json_object **out)
{
    struct str name = py_full_name(r->mem, r->source, scope, e->items[0]);
    const struct py_expr *argument;
    json_object *v;

    if (str_is(name, "os.getenv") || str_is(name, "os.environ.get")) {
        argument = py_argument(e, "default", 2);
        *out = NULL;
        return !argument || value(r, scope, argument, out);
    }
    if (str_is(name, "json.dumps"))
        return dumped(r, scope, e, out);
    if (e->items[0]->kind == PY_EXPR_ATTRIBUTE)
        return text_method(r, scope, e, out);
    if (e->n == 1 && (str_is(name, "list") || str_is(name, "tuple") || str_is(name, "set") || str_is(name, "dict"))) {
        *out = str_is(name, "dict") ? json_new_object(r->mem) : json_new_array(r->mem);
        return true;
    }
    return e->n == 2 && !e->keys[1].p && value(r, scope, e->items[1], &v) && conversion(r, name, v, out);
}

static bool value_inside(struct reader *r, const struct py_scope *scope, const struct py_expr *e, json_object **out)
{
    const struct py_def *d;

    switch (e->kind) {
    case PY_EXPR_NONE: *out = NULL; return true;
    case PY_EXPR_CONSTANT: *out = e->value; return true;
    case PY_EXPR_UNARY: return negated(r, scope, e, out);
    case PY_EXPR_BINARY: return joined(r, scope, e, out);
    case PY_EXPR_TUPLE:
    case PY_EXPR_LIST:
    case PY_EXPR_SET: return list(r, scope, e, out);
    case PY_EXPR_DICT: return dictionary(r, scope, e, out);
    case PY_EXPR_ATTRIBUTE: return attribute(r, scope, e, out);
    case PY_EXPR_CALL: return call(r, scope, e, out);
    case PY_EXPR_NAME: d = py_lookup(scope, e->name); return d && is_value(d) && value(r, scope, value_of(r, d), out);
    case PY_EXPR_INDEX:
    case PY_EXPR_ELLIPSIS:
    case PY_EXPR_OTHER: break;
    }
    return false;
}

static bool value(struct reader *r, const struct py_scope *scope, const struct py_expr *e, json_object **out)
{
    bool known;

    if (r->depth >= DEPTH_MAX || is_tired(r, 16))
        return false;
    r->depth++;
    known = value_inside(r, scope, e, out);
    r->depth--;
    return known;
}

bool py_value(struct arena *mem, struct py_source *source, const struct py_scope *scope, const struct py_expr *e,
              json_object **out)
{
    struct reader r = { mem, source, 0 };

    return value(&r, scope, e, out);
}
