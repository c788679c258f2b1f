/* py_schema.c: models, enumerations and methods as JSON Schema. */
#include "lib/tools/py_schema.h"

#include <ctype.h>

#include "lib/tools/py_types.h"

enum { BASES_MAX = 16, DEPTH_MAX = 20, FIELDS_MAX = 300, PARTS_MAX = 50000 };

/* ---- texts */

/* "api_key": "Api Key", as str.title() and a space for each underscore give it. */
static struct str title_of(struct arena *mem, struct str name)
{
    struct buf b = BUF(mem, 4096);
    bool in_word = false;

    for (size_t i = 0; i < name.n; i++) {
        unsigned char c = (unsigned char)name.p[i];
        bool letter = isalpha(c) || c >= 0x80;

        buf_add_char(&b, c == '_' ? ' ' : (char)(c >= 0x80 ? c : in_word ? tolower(c) : toupper(c)));
        in_word = letter;
    }
    return str_trim(buf_str(&b));
}

static size_t indent_of(struct str line)
{
    size_t n = 0;

    while (n < line.n && line.p[n] == ' ')
        n++;
    return n;
}

static struct str without_tabs(struct arena *mem, struct str text)
{
    struct buf b = BUF(mem, 4 * PY_SOURCE_MAX);
    size_t column = 0;

    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];

        do
            buf_add_char(&b, c == '\t' ? ' ' : c);
        while (++column % 8 != 0 && c == '\t');
        if (c == '\n' || c == '\r')
            column = 0;
    }
    return buf_str(&b);
}

/* A docstring as inspect.cleandoc() shows it: without its indentation and empty lines at either end. */
static struct str clean(struct arena *mem, struct str text)
{
    struct str rest = without_tabs(mem, text), line;
    size_t margin = STR_NPOS, i = 0, blank = 0;
    struct buf b = BUF(mem, 4 * PY_SOURCE_MAX);

    for (struct str lines = rest; str_split(&lines, '\n', &line); i++)
        if (i > 0 && str_trim(line).n && indent_of(line) < margin)
            margin = indent_of(line);
    for (i = 0; str_split(&rest, '\n', &line); i++) {
        if (i == 0)
            line = str_from(line, indent_of(line));
        else if (margin != STR_NPOS)
            line = str_from(line, margin);
        if (line.n == 0) {
            blank += b.n > 0;
            continue;
        }
        for (blank += b.n > 0; blank > 0; blank--)
            buf_add_char(&b, '\n');
        buf_add_str(&b, line);
    }
    return buf_str(&b);
}

/* ---- classes */

enum kind { CLASS_OTHER, CLASS_MODEL, CLASS_ENUM, CLASS_TYPED_DICT };

struct bases {
    const struct py_expr *v[BASES_MAX];
    uint32_t n;
};

static struct bases bases_of(struct arena *mem, struct py_source *source, const struct py_class *c)
{
    struct bases b = { .n = 0 };
    const struct py_expr *all;

    if (c->arguments.from >= c->arguments.to)
        return b;
    all = py_expr_read(mem, &source->tokens, c->arguments);
    if (all->kind != PY_EXPR_TUPLE)
        b.v[b.n++] = all;
    for (uint32_t i = 0; all->kind == PY_EXPR_TUPLE && i < all->n && b.n < BASES_MAX; i++)
        b.v[b.n++] = all->items[i];
    return b;
}

static enum kind kind_by_name(struct str name)
{
    static const struct {
        const char *name;
        enum kind kind;
    } known[] = { { "pydantic.BaseModel", CLASS_MODEL },
                  { "enum.Enum", CLASS_ENUM },
                  { "enum.IntEnum", CLASS_ENUM },
                  { "enum.StrEnum", CLASS_ENUM },
                  { "typing.TypedDict", CLASS_TYPED_DICT } };

    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        if (str_is(name, known[i].name))
            return known[i].kind;
    return CLASS_OTHER;
}

static enum kind kind_of(struct py_schemas *s, const struct py_class *c, unsigned depth)
{
    struct bases b = bases_of(s->mem, s->source, c);
    enum kind k = CLASS_OTHER;

    for (uint32_t i = 0; k == CLASS_OTHER && i < b.n && depth < DEPTH_MAX; i++) {
        const struct py_class *base = py_class_of(s->mem, s->source, c->scope.up, b.v[i]);

        k = base && base != c ? kind_of(s, base, depth + 1)
                              : kind_by_name(py_full_name(s->mem, s->source, c->scope.up, b.v[i]));
    }
    return k;
}

static bool has_base(struct py_schemas *s, const struct py_class *c, const char *name)
{
    struct bases b = bases_of(s->mem, s->source, c);

    for (uint32_t i = 0; i < b.n; i++)
        if (str_is(py_full_name(s->mem, s->source, c->scope.up, b.v[i]), name))
            return true;
    return false;
}

static const struct py_def *attribute(struct arena *mem, struct py_source *source, const struct py_class *c,
                                      struct str name, unsigned depth)
{
    const struct py_def *d = py_find(&c->scope, name);
    struct bases b = { .n = 0 };

    if (!d && depth < DEPTH_MAX)
        b = bases_of(mem, source, c);
    for (uint32_t i = 0; !d && i < b.n; i++) {
        const struct py_class *base = py_class_of(mem, source, c->scope.up, b.v[i]);

        if (base && base != c)
            d = attribute(mem, source, base, name, depth + 1);
    }
    return d;
}

const struct py_def *py_class_attribute(struct arena *mem, struct py_source *source, const struct py_class *c,
                                        struct str name)
{
    return attribute(mem, source, c, name, 0);
}

/* ---- fields */

struct field {
    struct str name;
    const struct py_scope *scope;
    struct py_range annotation, value; /* either may be empty */
    uint32_t line;
    struct str description; /* of a parameter, by the docstring of its function; absent: none */
};

struct fields {
    struct field v[FIELDS_MAX];
    size_t n;
};

static enum status wrong(struct py_schemas *s, uint32_t line, const char *what, struct str name)
{
    return error_set(s->err, INVALID, "line %u: %s: %.*s", line, what, STR(name));
}

static const struct py_expr *range_expr(struct py_schemas *s, struct py_range range)
{
    return range.from < range.to ? py_expr_read(s->mem, &s->source->tokens, range) : NULL;
}

/* What Field's first argument, or its default, says. *required stays when it says nothing. */
static enum status field_default(struct py_schemas *s, const struct field *f, const struct py_expr *call,
                                 bool *has_default, json_object **value, bool *required)
{
    const struct py_expr *d = py_argument(call, "default", 1);

    if (py_argument(call, "default_factory", 0)) {
        *required = *has_default = false;
        return OK;
    }
    if (!d || d->kind == PY_EXPR_ELLIPSIS)
        return OK;
    if (!py_value(s->mem, s->source, f->scope, d, value))
        return wrong(s, d->line, "the default cannot be known without running the code", f->name);
    *has_default = true;
    *required = false;
    return OK;
}

static enum status value_of_field(struct py_schemas *s, const struct field *f, struct py_type *type, bool *has_default,
                                  json_object **value, bool *required)
{
    const struct py_expr *e = range_expr(s, f->value), *annotation = range_expr(s, f->annotation);
    enum status st = OK;

    *required = true;
    *has_default = false;
    for (uint32_t i = 2; !s->bare && annotation && annotation->kind == PY_EXPR_INDEX && i < annotation->n; i++)
        if (py_is_call_of(s, f->scope, annotation->items[i], "pydantic.Field"))
            st = field_default(s, f, annotation->items[i], has_default, value, required);
    if (st != OK || !e || e->kind == PY_EXPR_ELLIPSIS)
        return st;
    if (py_is_call_of(s, f->scope, e, "pydantic.Field")) {
        if (f->description.p) { /* Field(Field(…), description=…): the inner one counts as a default that is no JSON */
            *required = false;
            return OK;
        }
        st = py_type_apply_field(s, f->scope, e, type);
        return st == OK ? field_default(s, f, e, has_default, value, required) : st;
    }
    if (!py_value(s->mem, s->source, f->scope, e, value))
        return wrong(s, e->line, "the default cannot be known without running the code", f->name);
    *has_default = true;
    *required = false;
    return OK;
}

/* What stands beside a reference goes where the schema it refers to says the same. */
static void drop_repeated(struct py_schemas *s, json_object *schema)
{
    struct str ref = json_str(schema, "$ref");
    json_object *target = json_get(s->defs, str_c(s->mem, str_from(ref, sizeof("#/$defs/") - 1)));
    static const char *const beside[] = { "description", "title", "default", "examples", "deprecated" };

    for (size_t i = 0; ref.p && target && i < sizeof(beside) / sizeof(*beside); i++)
        if (json_has(schema, beside[i]) && json_has(target, beside[i]) &&
            json_same(json_get(schema, beside[i]), json_get(target, beside[i])))
            json_del(schema, beside[i]);
}

static enum status add_field(struct py_schemas *s, const struct field *f, json_object *properties,
                             json_object *required_names)
{
    const struct py_expr *annotation = range_expr(s, f->annotation);
    struct py_type type = { json_new_object(s->mem) };
    bool has_default, required;
    json_object *value = NULL;
    enum status st = annotation ? py_type_read(s, f->scope, annotation, &type) : OK;

    if (++s->parts > PARTS_MAX)
        return wrong(s, f->line, "fields without end", f->name);
    if (st == OK)
        st = value_of_field(s, f, &type, &has_default, &value, &required);
    if (st != OK)
        return error_add(s->err, st, "\"%.*s\"", STR(f->name));
    if (f->description.p)
        json_set_str(type.schema, "description", f->description);
    if (has_default)
        json_set(type.schema, "default", value);
    if (!type.is_reference && !json_has(type.schema, "title"))
        json_set_str(type.schema, "title", title_of(s->mem, f->name));
    drop_repeated(s, type.schema);
    json_set(properties, str_c(s->mem, f->name), type.schema);
    if (required)
        json_push_str(required_names, f->name);
    return OK;
}

static enum status collect(struct py_schemas *s, const struct py_class *c, struct fields *fields, unsigned depth);

static enum status collect_bases(struct py_schemas *s, const struct py_class *c, struct fields *fields, unsigned depth)
{
    struct bases b = bases_of(s->mem, s->source, c);
    enum status st = OK;

    for (uint32_t i = b.n; st == OK && i > 0; i--) {
        const struct py_class *base = py_class_of(s->mem, s->source, c->scope.up, b.v[i - 1]);

        if (base && base != c)
            st = collect(s, base, fields, depth + 1);
    }
    return st;
}

static bool is_class_var(struct py_schemas *s, const struct py_scope *scope, const struct py_expr *e)
{
    if (e && e->kind == PY_EXPR_INDEX)
        e = e->items[0];
    return e && str_is(py_full_name(s->mem, s->source, scope, e), "typing.ClassVar");
}

/* Fields of a model, those that it inherits first. */
static enum status collect(struct py_schemas *s, const struct py_class *c, struct fields *fields, unsigned depth)
{
    enum status st = depth < DEPTH_MAX ? collect_bases(s, c, fields, depth)
                                       : wrong(s, c->line, "classes that inherit without end", c->name);

    for (uint32_t i = 0; st == OK && i < c->scope.n; i++) {
        const struct py_def *d = &c->scope.v[i];
        size_t at = 0;

        if (d->kind != PY_VALUE || str_starts(d->name, "_") || str_is(d->name, "model_config"))
            continue;
        if (d->annotation.from >= d->annotation.to)
            return wrong(s, d->line, "a field without a type", d->name);
        if (is_class_var(s, &c->scope, range_expr(s, d->annotation)))
            continue;
        while (at < fields->n && !str_eq(fields->v[at].name, d->name))
            at++;
        if (at == FIELDS_MAX)
            return wrong(s, d->line, "too many fields", c->name);
        fields->v[at] = (struct field){ d->name, &c->scope, d->annotation, d->value, d->line, STR_NONE };
        fields->n += at == fields->n;
    }
    return st;
}

/* ---- schemas of classes */

/* {"extra": …, "title": …} of a model: model_config, or class Config. */
static void read_config(struct py_schemas *s, const struct py_class *c, json_object *into, unsigned depth)
{
    static const char *const wanted[] = { "extra", "title", "json_schema_extra" };
    const struct py_def *d = py_find(&c->scope, S("model_config")), *old = py_find(&c->scope, S("Config"));
    struct bases b = bases_of(s->mem, s->source, c);
    const struct py_expr *e = d && d->kind == PY_VALUE ? range_expr(s, d->value) : NULL, *one;
    json_object *v;

    for (uint32_t i = b.n; depth < DEPTH_MAX && i > 0; i--) {
        const struct py_class *base = py_class_of(s->mem, s->source, c->scope.up, b.v[i - 1]);

        if (base && base != c)
            read_config(s, base, into, depth + 1);
    }
    for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++) {
        one = e && e->kind == PY_EXPR_CALL ? py_argument(e, wanted[i], 0) : NULL;
        if (one && py_value(s->mem, s->source, &c->scope, one, &v))
            json_set(into, wanted[i], v);
        if (e && e->kind == PY_EXPR_DICT && py_value(s->mem, s->source, &c->scope, e, &v) && json_has(v, wanted[i]))
            json_set(into, wanted[i], json_get(v, wanted[i]));
        if (old && old->kind == PY_CLASS && (d = py_find(&old->class_->scope, str_of(wanted[i]))) &&
            d->kind == PY_VALUE && (one = range_expr(s, d->value)) &&
            py_value(s->mem, s->source, &old->class_->scope, one, &v))
            json_set(into, wanted[i], v);
    }
}

static void add_docstring(struct py_schemas *s, struct py_range range, json_object *schema)
{
    struct str text;

    if (py_string(s->mem, &s->source->tokens, range, &text) && text.n)
        json_set_str(schema, "description", clean(s->mem, text));
}

static enum status add_fields(struct py_schemas *s, const struct fields *fields, json_object *schema)
{
    json_object *properties = json_new_object(s->mem), *required = json_new_array(s->mem);
    enum status st = OK;

    for (size_t i = 0; st == OK && i < fields->n; i++)
        st = add_field(s, &fields->v[i], properties, required);
    json_set(schema, "properties", properties);
    if (json_length(required))
        json_set(schema, "required", required);
    return st;
}

static enum status model_schema(struct py_schemas *s, const struct py_class *c, json_object *schema)
{
    struct fields *fields = arena_new_one(s->mem, struct fields);
    json_object *config = json_new_object(s->mem);
    bool was_bare = s->bare;
    struct str extra;
    enum status st = collect(s, c, fields, 0);

    s->bare = false;
    if (st == OK)
        st = add_fields(s, fields, schema);
    s->bare = was_bare;
    if (st != OK)
        return st;
    read_config(s, c, config, 0);
    extra = json_str(config, "extra");
    if (str_is(extra, "forbid") || str_is(extra, "allow"))
        json_set_bool(schema, "additionalProperties", str_is(extra, "allow"));
    json_set_str(schema, "title", json_str(config, "title").p ? json_str(config, "title") : c->name);
    json_set_c(schema, "type", "object");
    add_docstring(s, c->docstring, schema);
    if (json_is(json_get(config, "json_schema_extra"), json_type_object))
        json_merge(schema, json_get(config, "json_schema_extra"));
    return OK;
}

static enum status enum_schema(struct py_schemas *s, const struct py_class *c, json_object *schema)
{
    json_object *values = json_set_array(schema, "enum"), *v;
    bool texts = true, numbers = true;

    for (uint32_t i = 0; i < c->scope.n; i++) {
        const struct py_def *d = &c->scope.v[i];

        if (d->kind != PY_VALUE || d->value.from >= d->value.to || str_starts(d->name, "_") ||
            d->annotation.from < d->annotation.to)
            continue;
        if (!py_member_value(s->mem, s->source, c, d, &v))
            return wrong(s, d->line, "the value cannot be known without running the code", d->name);
        texts &= json_is(v, json_type_string);
        numbers &= json_is(v, json_type_int);
        json_push(values, v);
    }
    json_set_str(schema, "title", c->name);
    if (json_length(values) && (texts || numbers))
        json_set_c(schema, "type", texts ? "string" : "integer");
    add_docstring(s, c->docstring, schema);
    return OK;
}

enum status py_class_schema(struct py_schemas *s, const struct py_class *c, json_object **reference)
{
    enum kind kind = kind_of(s, c, 0);
    const char *name = str_c(s->mem, c->name);
    json_object *schema;
    enum status st = OK;

    if (kind == CLASS_OTHER && has_base(s, c, "str") && py_find(&c->scope, S("__get_pydantic_core_schema__"))) {
        *reference = json_new_object(s->mem); /* a text with its own way of being checked */
        json_set_c(*reference, "type", "string");
        return OK;
    }
    if (kind == CLASS_OTHER)
        return wrong(s, c->line, "a class that is neither a model nor an enumeration has no JSON schema", c->name);
    if (!json_has(s->defs, name)) {
        schema = json_new_object(s->mem);
        json_set(s->defs, name, schema); /* before its fields, which may refer to it */
        st = kind == CLASS_ENUM ? enum_schema(s, c, schema) : model_schema(s, c, schema);
    }
    if (st != OK)
        return st;
    *reference = json_new_object(s->mem);
    json_set_str(*reference, "$ref", str_f(s->mem, "#/$defs/%s", name));
    return OK;
}

/* ---- the order of members */

static int by_key(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Members by name, but for those of "properties" and "default". */
static json_object *sorted(struct py_schemas *s, json_object *v, const char *parent)
{
    json_object *out;
    const char **keys;
    size_t n = 0;

    if (json_is(v, json_type_array)) {
        out = json_new_array(s->mem);
        JSON_EACH (v, i, one)
            json_push(out, sorted(s, one, parent));
        return out;
    }
    if (!json_is(v, json_type_object))
        return v;
    out = json_new_object(s->mem);
    keys = arena_new_array(s->mem, const char *, (size_t)json_object_object_length(v) + 1);
    {
        json_object_object_foreach(v, key, value)
        {
            (void)value;
            keys[n++] = key;
        }
    }
    if (strcmp(parent, "properties") != 0 && strcmp(parent, "default") != 0)
        qsort(keys, n, sizeof(*keys), by_key);
    for (size_t i = 0; i < n; i++)
        json_set(out, keys[i], sorted(s, json_get(v, keys[i]), keys[i]));
    return out;
}

static bool refers_to(json_object *v, struct str reference, unsigned depth)
{
    if (depth > 100)
        return false;
    JSON_EACH (v, i, one)
        if (refers_to(one, reference, depth + 1))
            return true;
    if (!json_is(v, json_type_object))
        return false;
    json_object_object_foreach(v, key, member)
    {
        if (strcmp(key, "$ref") == 0 && str_eq(json_str_value(member), reference))
            return true;
        if (refers_to(member, reference, depth + 1))
            return true;
    }
    return false;
}

enum status py_model_schema(struct arena *mem, struct py_source *source, const struct py_class *c, json_object **out,
                            struct error *err)
{
    struct py_schemas s = { .mem = mem, .source = source, .defs = json_new_object(mem), .err = err };
    json_object *reference, *schema;
    enum status st = kind_of(&s, c, 0) == CLASS_MODEL
                         ? py_class_schema(&s, c, &reference)
                         : wrong(&s, c->line, "this class is no pydantic model that is known here", c->name);

    if (st != OK)
        return st;
    if (refers_to(s.defs, json_str(reference, "$ref"), 0)) { /* to itself, somewhere */
        schema = reference;
    } else {
        schema = json_get(s.defs, str_c(mem, c->name));
        json_del(s.defs, str_c(mem, c->name));
    }
    reference = json_new_object(mem);
    json_merge(reference, schema);
    if (json_object_object_length(s.defs))
        json_set(reference, "$defs", s.defs);
    *out = sorted(&s, reference, "");
    return OK;
}

/* ---- methods */

struct inlining { /* references replaced by what they refer to */
    struct py_schemas *s;
    const char *open[DEPTH_MAX];
    size_t open_n;
    bool too_much;
};

static json_object *inlined(struct inlining *in, json_object *v)
{
    json_object *out, *target;
    struct str ref = json_str(v, "$ref");

    if (++in->s->parts > PARTS_MAX)
        in->too_much = true;
    if (in->too_much || (!json_is(v, json_type_object) && !json_is(v, json_type_array)))
        return v;
    if (json_is(v, json_type_array)) {
        out = json_new_array(in->s->mem);
        JSON_EACH (v, i, one)
            json_push(out, inlined(in, one));
        return out;
    }
    out = json_new_object(in->s->mem);
    if (ref.p) {
        const char *name = str_c(in->s->mem, str_from(ref, sizeof("#/$defs/") - 1));
        bool is_open = in->open_n == DEPTH_MAX;

        for (size_t i = 0; i < in->open_n; i++)
            is_open |= strcmp(in->open[i], name) == 0;
        target = is_open ? NULL : json_get(in->s->defs, name);
        if (target) {
            in->open[in->open_n++] = name;
            json_merge(out, inlined(in, target));
            in->open_n--;
        }
    }
    json_object_object_foreach(v, key, member)
    {
        if (strcmp(key, "$ref") != 0)
            json_set(out, key, inlined(in, member));
    }
    return out;
}

/* No titles, but for those that name a property; lists are not looked into. */
static json_object *without_titles(struct py_schemas *s, json_object *v, const char *parent)
{
    json_object *out = json_new_object(s->mem);

    json_object_object_foreach(v, key, member)
    {
        bool is_object = json_is(member, json_type_object);

        if (strcmp(key, "title") == 0 && !(is_object && strcmp(parent, "properties") == 0))
            continue;
        json_set(out, key, is_object ? without_titles(s, member, key) : member);
    }
    return out;
}

/* The docstring up to its first :param or :return, each line without the space around it. */
static struct str description_of(struct arena *mem, struct str docstring)
{
    struct buf b = BUF(mem, 4 * PY_SOURCE_MAX);
    struct str rest = str_trim_c(docstring, " \t\n\r\f\v"), line;
    bool first = true;

    while (str_split(&rest, '\n', &line)) {
        line = str_trim_c(line, " \t\n\r\f\v");
        if (str_starts(line, ":param") || str_starts(line, ":return"))
            break;
        if (!first)
            buf_add_char(&b, '\n');
        first = false;
        buf_add_str(&b, line);
    }
    return clean(mem, buf_str(&b));
}

/* The text of ":param name: text" of the docstring, the last one; absent: none. */
static struct str description_of_parameter(struct str docstring, struct str name)
{
    struct str rest = docstring, line, found = STR_NONE;

    if (str_starts(name, "__"))
        return STR_NONE;
    while (str_split(&rest, '\n', &line)) {
        struct str s = str_trim_c(line, " \t\n\r\f\v");

        if (!str_starts(s, ":param "))
            continue;
        s = str_from(s, sizeof(":param ") - 1);
        if (s.n <= name.n || !str_eq(str_sub(s, 0, name.n), name) || s.p[name.n] != ':')
            continue;
        s = str_trim_c(str_from(s, name.n + 1), " \t\n\r\f\v");
        if (s.n)
            found = s;
    }
    return found;
}

static bool has_decorator(struct py_schemas *s, const struct py_function *f, const struct py_scope *scope,
                          const char *name)
{
    for (uint32_t i = 0; i < f->decorators_n; i++)
        if (str_is(py_full_name(s->mem, s->source, scope, range_expr(s, f->decorators[i])), name))
            return true;
    return false;
}

/* Parameters whose names begin with an underscore are filled in by the server, not by a model. */
static enum status add_parameters(struct py_schemas *s, const struct py_function *f, const struct py_scope *scope,
                                  struct str docstring, struct fields *fields)
{
    uint32_t first = has_decorator(s, f, scope, "staticmethod") ? 0 : 1;

    for (uint32_t i = first; i < f->parameters_n; i++) {
        const struct py_parameter *p = &f->parameters[i];
        struct str description = description_of_parameter(docstring, p->name);

        if (str_starts(p->name, "_") && !str_starts(p->name, "__") && description.p)
            return wrong(s, f->line, "a parameter with a description must not begin with an underscore", p->name);
        if (str_starts(p->name, "_"))
            continue;
        if (fields->n == FIELDS_MAX)
            return wrong(s, f->line, "too many parameters", f->name);
        fields->v[fields->n++] = (struct field){ p->name, scope, p->annotation, p->value, f->line, description };
    }
    return OK;
}

static enum status method_spec(struct py_schemas *s, const struct py_function *f, const struct py_scope *scope,
                               json_object *specs)
{
    struct fields *fields = arena_new_one(s->mem, struct fields);
    json_object *spec = json_new_object(s->mem), *schema = json_new_object(s->mem);
    struct inlining in = { .s = s };
    struct str docstring = S("");
    enum status st;

    s->defs = json_new_object(s->mem);
    s->bare = true;
    if (!py_string(s->mem, &s->source->tokens, f->docstring, &docstring))
        docstring = S("");
    st = add_parameters(s, f, scope, docstring, fields);
    if (st == OK)
        st = add_fields(s, fields, schema);
    if (st != OK)
        return error_add(s->err, st, "%.*s()", STR(f->name));
    json_set_c(schema, "type", "object");
    schema = without_titles(s, inlined(&in, sorted(s, schema, "")), "");
    if (in.too_much)
        return wrong(s, f->line, "parameters of too many parts", f->name);
    json_set_str(spec, "name", f->name);
    json_set_str(spec, "description", description_of(s->mem, docstring));
    json_set(spec, "parameters", schema);
    json_push(specs, spec);
    return OK;
}

struct method {
    const struct py_function *f;
    const struct py_scope *scope;
};
struct methods {
    struct method v[FIELDS_MAX];
    size_t n;
};

static int by_name(const void *a, const void *b)
{
    return str_cmp(((const struct method *)a)->f->name, ((const struct method *)b)->f->name);
}

/* Methods of the class and of what it inherits from: an own one goes over an inherited one, and so does anything else of that name. */
static enum status methods_of(struct py_schemas *s, const struct py_class *top, const struct py_class *c,
                              struct methods *out, unsigned depth)
{
    static const char *const plain[] = { "object", "abc.ABC", "typing.Generic", "typing.Protocol" };
    struct bases b = bases_of(s->mem, s->source, c);
    enum status st = OK;

    if (depth == DEPTH_MAX)
        return wrong(s, c->line, "classes that inherit without end", c->name);
    for (uint32_t i = 0; i < c->scope.n; i++) {
        const struct py_def *d = &c->scope.v[i];

        if (d->kind != PY_FUNCTION || str_starts(d->name, "__") || attribute(s->mem, s->source, top, d->name, 0) != d ||
            has_decorator(s, d->function, &c->scope, "property") ||
            has_decorator(s, d->function, &c->scope, "functools.cached_property"))
            continue;
        if (out->n == FIELDS_MAX)
            return wrong(s, c->line, "too many methods", c->name);
        out->v[out->n++] = (struct method){ d->function, &c->scope };
    }
    for (uint32_t i = 0; st == OK && i < b.n; i++) {
        const struct py_class *base = py_class_of(s->mem, s->source, c->scope.up, b.v[i]);
        struct str name = py_full_name(s->mem, s->source, c->scope.up, b.v[i]);
        bool known = b.v[i]->kind == PY_EXPR_INDEX;

        for (size_t k = 0; k < sizeof(plain) / sizeof(*plain); k++)
            known |= str_is(name, plain[k]);
        if (base && base != c)
            st = methods_of(s, top, base, out, depth + 1);
        else if (!known)
            st = error_set(s->err, INVALID, "line %u: class %.*s inherits from %.*s, which the source does not show",
                           c->line, STR(c->name), STR(name.p ? name : S("something")));
    }
    return st;
}

enum status py_method_specs(struct arena *mem, struct py_source *source, const struct py_class *c, json_object **out,
                            struct error *err)
{
    struct py_schemas s = { .mem = mem, .source = source, .defs = json_new_object(mem), .err = err };
    struct methods *methods = arena_new_one(mem, struct methods);
    json_object *specs = json_new_array(mem);
    enum status st = methods_of(&s, c, c, methods, 0);

    if (st == OK)
        qsort(methods->v, methods->n, sizeof(*methods->v), by_name);
    for (size_t i = 0; st == OK && i < methods->n; i++)
        st = method_spec(&s, methods->v[i].f, methods->v[i].scope, specs);
    if (st == OK)
        *out = specs;
    return st;
}
