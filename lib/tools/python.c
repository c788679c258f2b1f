/* python.c: tools and functions, by their source. */
#include "lib/tools/python.h"

#include "lib/tools/py_expr.h"
#include "lib/tools/py_schema.h"

/* ---- texts */

struct str python_imports_replaced(struct arena *mem, struct str content)
{
    static const char *const modules[] = { "utils", "apps", "main", "config" };

    for (size_t i = 0; i < sizeof(modules) / sizeof(*modules); i++)
        content = str_replace(mem, content, str_f(mem, "from %s", modules[i]),
                              str_f(mem, "from open_webui.%s", modules[i]));
    return content;
}

/* The next line as Python's splitlines() cuts: also at vertical tabs, form feeds, separators, NEL, U+2028 and U+2029. */
static bool next_line(struct str *rest, struct str *line)
{
    size_t i = 0, end = 0;

    if (rest->n == 0)
        return false;
    for (; i < rest->n && !end; i++) {
        unsigned char c = (unsigned char)rest->p[i];
        struct str here = str_from(*rest, i);

        if (c == '\r')
            end = i + 1 < rest->n && rest->p[i + 1] == '\n' ? 2 : 1;
        else if (c == '\n' || c == '\v' || c == '\f' || (c >= 0x1c && c <= 0x1e))
            end = 1;
        else if (str_starts(here, "\xc2\x85"))
            end = 2;
        else if (str_starts(here, "\xe2\x80\xa8") || str_starts(here, "\xe2\x80\xa9"))
            end = 3;
    }
    *line = end ? str_sub(*rest, 0, i - 1) : *rest;
    *rest = end ? str_from(*rest, i - 1 + end) : STR_NONE;
    return true;
}

static struct str stripped(struct str s)
{
    return str_trim_c(s, " \t\n\r\f\v\x1c\x1d\x1e\x1f");
}

/* "key: value", the key of letters and underscores. */
static bool read_pair(struct str line, struct str *key, struct str *value)
{
    size_t n = 0;

    line = stripped(line);
    while (n < line.n &&
           (line.p[n] == '_' || (line.p[n] >= 'a' && line.p[n] <= 'z') || (line.p[n] >= 'A' && line.p[n] <= 'Z')))
        n++;
    if (n == 0 || n >= line.n || line.p[n] != ':')
        return false;
    *key = str_sub(line, 0, n);
    *value = stripped(str_from(line, n + 1));
    return true;
}

json_object *python_frontmatter(struct arena *mem, struct str content)
{
    json_object *o = json_new_object(mem);
    struct str line, key, value;

    if (!next_line(&content, &line) || !str_is(stripped(line), "\"\"\""))
        return o;
    while (next_line(&content, &line) && !str_has(line, "\"\"\""))
        if (read_pair(line, &key, &value))
            json_set_str(o, str_c(mem, key), value.n ? value : S(""));
    return o;
}

enum status python_check(struct arena *mem, struct str content, struct error *err)
{
    struct py_source source;

    return py_read(mem, content, &source, err);
}

/* ---- classes */

/* The class of that name in the module. OK with NULL: the module has nothing of that name. */
static enum status class_named(struct arena *mem, struct py_source *source, const char *name,
                               const struct py_class **out, struct error *err)
{
    const struct py_def *d = py_find(&source->scope, str_of(name));
    struct py_expr by_name = { .kind = PY_EXPR_NAME, .name = str_of(name) };

    *out = d ? py_class_of(mem, source, &source->scope, &by_name) : NULL;
    if (d && !*out)
        return error_set(err, INVALID, "line %u: %s is not a class that the source shows", d->line, name);
    return OK;
}

static enum status tools_class(struct arena *mem, struct str content, struct py_source *source,
                               const struct py_class **out, struct error *err)
{
    enum status st = py_read(mem, content, source, err);

    if (st == OK)
        st = class_named(mem, source, "Tools", out, err);
    if (st == OK && !*out)
        st = error_set(err, INVALID, "No Tools class found in the module");
    return st;
}

static enum status function_class(struct arena *mem, struct str content, struct py_source *source,
                                  const struct py_class **out, const char **type, struct error *err)
{
    static const struct {
        const char *name, *type;
    } kinds[] = { { "Pipe", "pipe" }, { "Filter", "filter" }, { "Action", "action" } };
    enum status st = py_read(mem, content, source, err);

    for (size_t i = 0; st == OK && i < sizeof(kinds) / sizeof(*kinds); i++) {
        st = class_named(mem, source, kinds[i].name, out, err);
        if (st == OK && *out) {
            *type = kinds[i].type;
            return OK;
        }
    }
    return st == OK ? error_set(err, INVALID, "No Function class found in the module") : st;
}

enum status python_tool_specs(struct arena *mem, struct str content, json_object **out, struct error *err)
{
    struct py_source source;
    const struct py_class *tools;
    enum status st = tools_class(mem, content, &source, &tools, err);

    return st == OK ? py_method_specs(mem, &source, tools, out, err) : st;
}

/* toggle = True, in the class or by self.toggle. */
static bool has_toggle(struct arena *mem, struct py_source *source, const struct py_class *c)
{
    const struct py_def *d = py_find(&c->own, S("toggle"));
    json_object *v;

    if (!d)
        d = py_class_attribute(mem, source, c, S("toggle"));
    return d && d->kind == PY_VALUE && d->value.from < d->value.to &&
           py_value(mem, source, &c->scope, py_expr_read(mem, &source->tokens, d->value), &v) && json_truthy(v);
}

enum status python_function_type(struct arena *mem, struct str content, const char **out, bool *toggle,
                                 struct error *err)
{
    struct py_source source;
    const struct py_class *c;
    enum status st = function_class(mem, content, &source, &c, out, err);

    if (st == OK)
        *toggle = strcmp(*out, "filter") == 0 && has_toggle(mem, &source, c);
    return st;
}

static enum status find_valves(struct arena *mem, enum python_kind kind, struct str content, enum python_valves which,
                               struct py_source *source, const struct py_class **out, struct error *err)
{
    const char *type, *name = which == PYTHON_VALVES ? "Valves" : "UserValves";
    const struct py_class *c;
    const struct py_def *d;
    enum status st = kind == PYTHON_TOOL ? tools_class(mem, content, source, &c, err)
                                         : function_class(mem, content, source, &c, &type, err);

    *out = NULL;
    if (st != OK || !(d = py_class_attribute(mem, source, c, str_of(name))))
        return st;
    if (d->kind == PY_CLASS)
        *out = d->class_;
    else if (d->kind == PY_VALUE && d->value.from < d->value.to)
        *out = py_class_of(mem, source, &c->scope, py_expr_read(mem, &source->tokens, d->value));
    return *out ? OK : error_set(err, INVALID, "line %u: %s is not a class that the source shows", d->line, name);
}

enum status python_valves_schema(struct arena *mem, enum python_kind kind, struct str content, enum python_valves which,
                                 json_object **out, struct error *err)
{
    struct py_source source;
    const struct py_class *valves;
    enum status st = find_valves(mem, kind, content, which, &source, &valves, err);

    *out = NULL;
    return st == OK && valves ? py_model_schema(mem, &source, valves, out, err) : st;
}

bool python_has_valves(struct arena *mem, enum python_kind kind, struct str content, enum python_valves which)
{
    struct py_source source;
    const struct py_class *valves;

    if (!str_has(content, which == PYTHON_VALVES ? "Valves" : "UserValves"))
        return false;
    return find_valves(mem, kind, content, which, &source, &valves, NULL) == OK && valves;
}
