/* filter.c: a recursive descent over the grammar of RFC 7644, figure 1. */
#include "lib/scim/filter.h"

struct reader {
    struct arena *mem;
    struct str rest;
    struct error *err;
    int depth, comparisons;
};

static const char *const schemas[] = { "urn:ietf:params:scim:schemas:core:2.0:user:",
                                       "urn:ietf:params:scim:schemas:core:2.0:group:" };

static void skip_space(struct reader *r)
{
    while (r->rest.n && r->rest.p[0] == ' ')
        r->rest = str_from(r->rest, 1);
}

static enum status broken(struct reader *r, const char *wanted)
{
    return r->rest.n ? error_set(r->err, INVALID, "%s expected at \"%.*s\"", wanted, STR(str_utf8_first(r->rest, 40)))
                     : error_set(r->err, INVALID, "%s expected at the end", wanted);
}

static bool takes_char(struct reader *r, char c)
{
    if (!r->rest.n || r->rest.p[0] != c)
        return false;
    r->rest = str_from(r->rest, 1);
    return true;
}

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '$' || c == '.' || c == ':';
}

static struct str word(struct reader *r)
{
    size_t n = 0;

    while (n < r->rest.n && is_name_char(r->rest.p[n]))
        n++;
    return str_sub(r->rest, 0, n);
}

/* A keyword, and that it ends here. */
static bool takes_word(struct reader *r, const char *keyword)
{
    struct str w = word(r);

    if (!str_ieq(w, keyword))
        return false;
    r->rest = str_from(r->rest, w.n);
    return true;
}

/* An attribute's name in small letters, its schema taken off. Names of other schemas (extensions) keep theirs. */
static enum status read_attribute(struct reader *r, struct str *out)
{
    struct str w = word(r), lower = str_lower(r->mem, w);

    for (size_t i = 0; i < sizeof(schemas) / sizeof(schemas[0]); i++) {
        if (str_starts(lower, schemas[i]))
            lower = str_from(lower, strlen(schemas[i]));
    }
    if (!lower.n || ((lower.p[0] < 'a' || lower.p[0] > 'z') && lower.p[0] != '$'))
        return broken(r, "an attribute");
    r->rest = str_from(r->rest, w.n);
    *out = lower;
    return OK;
}

/* ---- values */

static enum status read_text(struct reader *r, struct condition *c)
{
    json_object *value = NULL;
    size_t n = 1;

    while (n < r->rest.n && r->rest.p[n] != '"')
        n += r->rest.p[n] == '\\' ? 2 : 1;
    if (n >= r->rest.n || json_parse(r->mem, str_sub(r->rest, 0, n + 1), &value, NULL) != OK ||
        !json_is(value, json_type_string))
        return broken(r, "a string");
    c->value_type = VALUE_TEXT;
    c->text = str_copy(r->mem, json_str_value(value));
    if (str_find_c(c->text, '\0') != STR_NPOS)
        return error_set(r->err, INVALID, "NUL in a string");
    r->rest = str_from(r->rest, n + 1);
    return OK;
}

static enum status read_value(struct reader *r, struct condition *c)
{
    size_t n = 0;

    if (r->rest.n && r->rest.p[0] == '"')
        return read_text(r, c);
    c->truth = takes_word(r, "true");
    if (c->truth || takes_word(r, "false")) {
        c->value_type = VALUE_TRUTH;
        return OK;
    }
    if (takes_word(r, "null")) {
        c->value_type = VALUE_NULL;
        return OK;
    }
    while (n < r->rest.n && (is_name_char(r->rest.p[n]) || r->rest.p[n] == '+'))
        n++;
    if (!n || !str_to_double(str_sub(r->rest, 0, n), &c->number))
        return broken(r, "a value");
    c->value_type = VALUE_NUMBER;
    r->rest = str_from(r->rest, n);
    return OK;
}

/* ---- expressions */

static enum status read_or(struct reader *r, const struct condition **out);

static enum status read_inner(struct reader *r, char closing, const char *wanted, const struct condition **out)
{
    enum status st;

    if (++r->depth > SCIM_FILTER_DEPTH)
        return error_set(r->err, INVALID, "nested deeper than %d", SCIM_FILTER_DEPTH);
    skip_space(r);
    st = read_or(r, out);
    r->depth--;
    if (st != OK)
        return st;
    skip_space(r);
    return takes_char(r, closing) ? OK : broken(r, wanted);
}

static enum status read_comparison(struct reader *r, struct condition *c)
{
    static const struct {
        const char *name;
        enum condition_op op;
    } ops[] = { { "eq", OP_EQUAL },      { "ne", OP_NOT_EQUAL }, { "co", OP_CONTAINS },      { "sw", OP_STARTS },
                { "ew", OP_ENDS },       { "gt", OP_GREATER },   { "ge", OP_GREATER_EQUAL }, { "lt", OP_LESS },
                { "le", OP_LESS_EQUAL }, { "pr", OP_PRESENT } };

    if (++r->comparisons > CONDITION_MAX_VALUES)
        return error_set(r->err, INVALID, "more than %d comparisons", CONDITION_MAX_VALUES);
    c->type = COMPARE;
    skip_space(r);
    for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
        if (!takes_word(r, ops[i].name))
            continue;
        c->op = ops[i].op;
        skip_space(r);
        return c->op == OP_PRESENT ? OK : read_value(r, c);
    }
    return broken(r, "an operator");
}

static enum status read_factor(struct reader *r, const struct condition **out)
{
    struct condition *c = arena_new_one(r->mem, struct condition);
    struct str before = r->rest;
    enum status st;

    skip_space(r);
    if (takes_char(r, '('))
        return read_inner(r, ')', "\")\"", out);
    *out = c;
    if (takes_word(r, "not")) {
        skip_space(r);
        if (takes_char(r, '(')) {
            c->type = NOT;
            return read_inner(r, ')', "\")\"", &c->left);
        }
        r->rest = before; /* an attribute of that name */
        skip_space(r);
    }
    st = read_attribute(r, &c->attribute);
    if (st != OK)
        return st;
    if (takes_char(r, '[')) {
        c->type = WITHIN;
        return read_inner(r, ']', "\"]\"", &c->left);
    }
    return read_comparison(r, c);
}

/* factor { word factor }: what is joined earlier stands deeper on the left. The tree's depth is bounded by the number of comparisons. */
static enum status read_chain(struct reader *r, const char *joining, enum condition_type type,
                              enum status (*part)(struct reader *r, const struct condition **out),
                              const struct condition **out)
{
    enum status st = part(r, out);

    while (st == OK) {
        struct str before = r->rest;
        struct condition *both;

        skip_space(r);
        if (!takes_word(r, joining)) {
            r->rest = before;
            break;
        }
        both = arena_new_one(r->mem, struct condition);
        both->type = type;
        both->left = *out;
        st = part(r, &both->right);
        *out = both;
    }
    return st;
}

static enum status read_and(struct reader *r, const struct condition **out)
{
    return read_chain(r, "and", ALL_OF, read_factor, out);
}

static enum status read_or(struct reader *r, const struct condition **out)
{
    return read_chain(r, "or", ONE_OF, read_and, out);
}

static enum status check_text(struct str text, struct error *err)
{
    if (text.n > SCIM_FILTER_MAX)
        return error_set(err, INVALID, "longer than %d bytes", SCIM_FILTER_MAX);
    return str_utf8_valid(text) ? OK : error_set(err, INVALID, "no UTF-8");
}

enum status scim_filter_parse(struct arena *mem, struct str text, const struct condition **out, struct error *err)
{
    struct reader r = { .mem = mem, .rest = text, .err = err };
    const struct condition *c = NULL;
    enum status st = check_text(text, err);

    if (st == OK)
        st = read_or(&r, &c);
    skip_space(&r);
    if (st == OK && r.rest.n)
        st = broken(&r, "\"and\", \"or\" or the end");
    if (st == OK)
        *out = c;
    return st;
}

enum status scim_path_parse(struct arena *mem, struct str text, struct scim_path *out, struct error *err)
{
    struct reader r = { .mem = mem, .rest = str_trim(text), .err = err };
    struct scim_path path = { 0 };
    struct str name = STR_NONE;
    enum status st = check_text(text, err);
    size_t dot;

    if (st == OK)
        st = read_attribute(&r, &name);
    if (st != OK)
        return st;
    dot = str_starts(name, "urn:") ? STR_NPOS : str_find_c(name, '.');
    path.attribute = str_sub(name, 0, dot);
    path.sub = dot == STR_NPOS ? STR_NONE : str_from(name, dot + 1);
    if (dot == STR_NPOS && takes_char(&r, '[')) {
        st = read_inner(&r, ']', "\"]\"", &path.which);
        if (st == OK && takes_char(&r, '.'))
            st = read_attribute(&r, &path.sub);
    }
    if (st == OK && r.rest.n)
        st = broken(&r, "the end");
    if (st == OK)
        *out = path;
    return st;
}

/* ---- against a value in hand */

static json_object *member(json_object *o, struct str name)
{
    if (!json_is(o, json_type_object))
        return NULL;
    json_object_object_foreach(o, key, value)
    {
        if (str_ieq(name, key))
            return value;
    }
    return NULL;
}

static bool ordered(enum condition_op op, int order)
{
    switch (op) {
    case OP_EQUAL: return order == 0;
    case OP_NOT_EQUAL: return order != 0;
    case OP_GREATER: return order > 0;
    case OP_GREATER_EQUAL: return order >= 0;
    case OP_LESS: return order < 0;
    case OP_LESS_EQUAL: return order <= 0;
    default: return false;
    }
}

static bool text_matches(const struct condition *c, struct str value)
{
    struct arena *mem = arena_new(1024);
    struct str a = str_lower(mem, value), b = str_lower(mem, c->text);
    bool found = c->op == OP_CONTAINS ? str_find(a, b) != STR_NPOS
                 : c->op == OP_STARTS ? a.n >= b.n && str_eq(str_sub(a, 0, b.n), b)
                 : c->op == OP_ENDS   ? a.n >= b.n && str_eq(str_from(a, a.n - b.n), b)
                                      : ordered(c->op, str_cmp(a, b));

    arena_free(mem);
    return found;
}

static bool compares(const struct condition *c, json_object *value)
{
    double number;

    if (c->op == OP_PRESENT)
        return value && !(json_is(value, json_type_string) && json_str_value(value).n == 0);
    if (!value || c->value_type == VALUE_NULL)
        return (c->op == OP_EQUAL && !value && c->value_type == VALUE_NULL) ||
               (c->op == OP_NOT_EQUAL && (value || c->value_type != VALUE_NULL));
    if (json_is(value, json_type_string) && c->value_type == VALUE_TEXT)
        return text_matches(c, json_str_value(value));
    if (json_is(value, json_type_boolean)) {
        bool truth = json_object_get_boolean(value),
             other = c->value_type == VALUE_TRUTH ? c->truth : str_ieq(c->text, "true");

        return c->op == OP_EQUAL ? truth == other : c->op == OP_NOT_EQUAL && truth != other;
    }
    if (c->value_type != VALUE_NUMBER || !(json_is(value, json_type_int) || json_is(value, json_type_double)))
        return c->op == OP_NOT_EQUAL;
    number = json_object_get_double(value);
    return ordered(c->op, number < c->number ? -1 : number > c->number);
}

bool scim_matches(const struct condition *c, json_object *value)
{
    switch (c->type) {
    case ALL_OF: return scim_matches(c->left, value) && scim_matches(c->right, value);
    case ONE_OF: return scim_matches(c->left, value) || scim_matches(c->right, value);
    case NOT: return !scim_matches(c->left, value);
    case COMPARE: return compares(c, member(value, c->attribute));
    case WITHIN: break;
    }
    return false;
}
