/* py_source.c: statements of Python source, read line by line. */
#include "lib/tools/py_source.h"

enum { NESTING_MAX = 100, DEFINITIONS_MAX = 3000 };

struct reader {
    struct arena *mem;
    struct py_tokens t;
    struct error *err;
    const struct py_scope *module;
    bool too_many; /* definitions in one scope: names are looked for one after the other */
};

const struct py_def *py_find(const struct py_scope *scope, struct str name)
{
    for (uint32_t i = scope->n; i > 0; i--)
        if (str_eq(scope->v[i - 1].name, name))
            return &scope->v[i - 1];
    return NULL;
}

const struct py_def *py_lookup(const struct py_scope *scope, struct str name)
{
    const struct py_def *d = NULL;

    for (; scope && !d; scope = scope->up)
        d = py_find(scope, name);
    return d;
}

static struct py_def *define(struct reader *r, struct py_scope *scope, enum py_def_kind kind, uint32_t at)
{
    struct py_def *d;

    if (scope->n == scope->room) {
        uint32_t room = scope->room ? scope->room * 2 : 8;

        scope->v = arena_grow(r->mem, scope->v, scope->room * sizeof(*scope->v), room * sizeof(*scope->v));
        scope->room = room;
    }
    if (scope->n == DEFINITIONS_MAX) {
        r->too_many = true;
        scope->n--;
    }
    d = &scope->v[scope->n++];
    *d = (struct py_def){ .kind = kind, .name = r->t.v[at].text, .line = r->t.v[at].line };
    return d;
}

static enum status wrong(struct reader *r, uint32_t at, const char *what)
{
    return error_set(r->err, INVALID, "%s (line %u)", what, r->t.v[at].line);
}

static bool op(const struct reader *r, uint32_t at, const char *text)
{
    return py_is_op(&r->t.v[at], text);
}

static bool name(const struct reader *r, uint32_t at, const char *text)
{
    return py_is_name(&r->t.v[at], text);
}

static bool is_identifier(const struct reader *r, uint32_t at)
{
    return r->t.v[at].kind == PY_NAME && !py_is_keyword(r->t.v[at].text);
}

/* The next place in [from, to) with this operator outside of brackets and lambdas; to: there is none. */
static uint32_t find_op(const struct reader *r, uint32_t from, uint32_t to, const char *text)
{
    uint32_t lambdas = 0;

    for (uint32_t i = from; i < to; i++) {
        if (lambdas == 0 && op(r, i, text))
            return i;
        if (name(r, i, "lambda"))
            lambdas++;
        else if (lambdas && op(r, i, ":"))
            lambdas--;
        if (r->t.v[i].pair > i)
            i = r->t.v[i].pair;
    }
    return to;
}

static uint32_t line_end(const struct reader *r, uint32_t at) /* its NEWLINE */
{
    while (r->t.v[at].kind != PY_NEWLINE && r->t.v[at].kind != PY_END)
        at++;
    return at;
}

/* Behind the block whose INDENT stands at at. */
static uint32_t block_end(const struct reader *r, uint32_t at)
{
    uint32_t depth = 0;

    for (;; at++) {
        if (r->t.v[at].kind == PY_INDENT)
            depth++;
        else if (r->t.v[at].kind == PY_DEDENT && --depth == 0)
            return at + 1;
        else if (r->t.v[at].kind == PY_END)
            return at;
    }
}

/* ---- what no Python has: two values side by side, two operators of two sides side by side */

static bool ends_value(const struct py_token *t)
{
    if (t->kind == PY_NAME)
        return !py_is_keyword(t->text);
    return t->kind == PY_NUMBER || t->kind == PY_STRING ||
           (t->kind == PY_OP && (strchr(")]}", t->text.p[0]) || str_is(t->text, "...")));
}

static bool starts_value(const struct py_token *t)
{
    if (t->kind == PY_NAME)
        return !py_is_keyword(t->text) || str_is(t->text, "lambda");
    return t->kind == PY_NUMBER || t->kind == PY_STRING || (t->kind == PY_OP && str_is(t->text, "{"));
}

static bool is_two_sided(const struct py_token *t)
{
    static const char *const ops[] = { "=",  "==", "!=", "<",  ">",  "<=",  ">=",  "/=",  "%",  "&",
                                       "|",  "^",  "<<", ">>", "+=", "-=",  "*=",  "%=",  "&=", "|=",
                                       "^=", "@=", "//", ":=", "->", "**=", "//=", ">>=", "<<=" };

    if (t->kind != PY_OP)
        return false;
    for (size_t i = 0; i < sizeof(ops) / sizeof(*ops); i++)
        if (str_is(t->text, ops[i]))
            return true;
    return false;
}

static bool is_soft_keyword(const struct py_token *t) /* at the start of a statement */
{
    return py_is_name(t, "match") || py_is_name(t, "case") || py_is_name(t, "type");
}

static enum status check_line(struct reader *r, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++) {
        const struct py_token *a = &r->t.v[i], *b = &r->t.v[i + 1];
        bool side_by_side = ends_value(a) && starts_value(b) && !(a->kind == PY_STRING && b->kind == PY_STRING);

        if (side_by_side && i == from && is_soft_keyword(a))
            continue;
        if (side_by_side || (is_two_sided(a) && (is_two_sided(b) || b->kind == PY_NEWLINE || py_is_op(b, ")") ||
                                                 py_is_op(b, "]") || py_is_op(b, "}") || py_is_op(b, ";"))))
            return wrong(r, i + 1, "invalid syntax");
    }
    return OK;
}

/* ---- statements */

static enum status read_block(struct reader *r, uint32_t at, uint32_t end, struct py_scope *scope, unsigned depth);

/* name[: annotation][= value], and a = b = value. */
static void read_simple(struct reader *r, uint32_t from, uint32_t to, struct py_scope *scope)
{
    uint32_t colon = from + 1, equals, last = from, next;
    struct py_def *d;

    if (!is_identifier(r, from))
        return;
    if (colon < to && op(r, colon, ":")) {
        equals = find_op(r, colon + 1, to, "=");
        d = define(r, scope, PY_VALUE, from);
        d->annotation = (struct py_range){ colon + 1, equals };
        if (equals < to)
            d->value = (struct py_range){ equals + 1, to };
        return;
    }
    while ((next = find_op(r, last, to, "=")) < to)
        last = next + 1;
    while (from + 1 < to && is_identifier(r, from) && op(r, from + 1, "=")) {
        d = define(r, scope, PY_VALUE, from);
        d->value = (struct py_range){ last, to };
        from += 2;
    }
}

static struct str dotted(struct reader *r, uint32_t *at, uint32_t to)
{
    struct buf b = BUF(r->mem, 4096);

    while (*at < to && (op(r, *at, ".") || op(r, *at, "...") || r->t.v[*at].kind == PY_NAME)) {
        if (name(r, *at, "import") || name(r, *at, "as"))
            break;
        buf_add_str(&b, r->t.v[(*at)++].text);
    }
    return buf_str(&b);
}

/* import a.b as c, d */
static void read_import(struct reader *r, uint32_t at, uint32_t to, struct py_scope *scope)
{
    for (at++; at < to;) {
        uint32_t first = at;
        struct str module = dotted(r, &at, to);
        struct py_def *d;

        if (first == at)
            return;
        if (at + 1 < to && name(r, at, "as")) {
            d = define(r, scope, PY_IMPORT, at + 1);
            d->module = module;
            at += 2;
        } else {
            d = define(r, scope, PY_IMPORT, first);
            d->module = r->t.v[first].text; /* import a.b makes a known */
        }
        if (at < to && op(r, at, ","))
            at++;
    }
}

/* from a import b as c, (d, e), * */
static void read_from(struct reader *r, uint32_t at, uint32_t to, struct py_scope *scope)
{
    struct str module;

    at++;
    module = dotted(r, &at, to);
    if (at >= to || !name(r, at, "import"))
        return;
    for (at++; at < to; at++) {
        struct py_def *d;

        if (op(r, at, "*")) {
            d = define(r, scope, PY_IMPORT, at);
        } else if (is_identifier(r, at)) {
            bool renamed = at + 2 < to && name(r, at + 1, "as");

            d = define(r, scope, PY_IMPORT, renamed ? at + 2 : at);
            d->member = r->t.v[at].text;
            at += renamed ? 2 : 0;
        } else {
            continue;
        }
        d->module = module;
    }
}

/* The statements of a line, or of a suite on the line of its colon. */
static void read_simple_line(struct reader *r, uint32_t from, uint32_t to, struct py_scope *scope)
{
    while (from < to) {
        uint32_t end = find_op(r, from, to, ";");

        if (from < end && name(r, from, "import"))
            read_import(r, from, end, scope);
        else if (from < end && name(r, from, "from"))
            read_from(r, from, end, scope);
        else if (from < end)
            read_simple(r, from, end, scope);
        from = end + 1;
    }
}

/* The first statement of a suite, if it is a text. at: its first token, or the INDENT before it. */
static struct py_range docstring(const struct reader *r, uint32_t at)
{
    struct py_range d;

    if (r->t.v[at].kind == PY_INDENT)
        at++;
    d = (struct py_range){ at, at };
    while (r->t.v[d.to].kind == PY_STRING)
        d.to++;
    if (r->t.v[d.to].kind != PY_NEWLINE && !op(r, d.to, ";"))
        d.to = at;
    return d;
}

static enum status read_parameters(struct reader *r, uint32_t from, uint32_t to, struct py_function *f)
{
    uint32_t room = 0;

    while (from < to) {
        uint32_t end = find_op(r, from, to, ","), colon, equals;
        struct py_parameter p = { PY_PLAIN };

        if (op(r, from, "*") || op(r, from, "**")) {
            p.kind = op(r, from, "*") ? PY_STAR : PY_STAR_STAR;
            from++;
        }
        if (from == end || op(r, from, "/")) { /* a lone * or /: how those on either side are passed */
            from = end + 1;
            continue;
        }
        if (!is_identifier(r, from))
            return wrong(r, from, "invalid syntax");
        p.name = r->t.v[from].text;
        colon = from + 1 < end && op(r, from + 1, ":") ? from + 1 : from;
        equals = find_op(r, from, end, "=");
        if (colon > from)
            p.annotation = (struct py_range){ colon + 1, equals };
        else if (equals != from + 1 && from + 1 != end)
            return wrong(r, from, "invalid syntax");
        if (equals < end)
            p.value = (struct py_range){ equals + 1, end };
        if (f->parameters_n == room) {
            uint32_t more = room ? room * 2 : 8;

            f->parameters = arena_grow(r->mem, f->parameters, room * sizeof(p), more * sizeof(p));
            room = more;
        }
        f->parameters[f->parameters_n++] = p;
        from = end + 1;
    }
    return OK;
}

/* self.name = value in a method's body. */
static void read_own(struct reader *r, uint32_t from, uint32_t to, struct str self, struct py_scope *own)
{
    for (uint32_t i = from; i + 4 < to; i++) {
        bool starts = r->t.v[i - 1].kind == PY_NEWLINE || r->t.v[i - 1].kind == PY_INDENT ||
                      r->t.v[i - 1].kind == PY_DEDENT;
        uint32_t end, equals;
        struct py_def *d;

        if (!starts || !str_eq(r->t.v[i].text, self) || !op(r, i + 1, ".") || !is_identifier(r, i + 2))
            continue;
        end = line_end(r, i);
        equals = find_op(r, i + 3, end, "=");
        if (equals != i + 3 && !op(r, i + 3, ":"))
            continue;
        d = define(r, own, PY_VALUE, i + 2);
        if (equals < end)
            d->value = (struct py_range){ equals + 1, end };
    }
}

/* def name(parameters) -> type: suite. at: the name. *next: behind its suite. */
static enum status read_function(struct reader *r, uint32_t at, struct py_scope *scope, struct py_class *owner,
                                 struct py_range *decorators, uint32_t decorators_n, uint32_t *next)
{
    uint32_t line = line_end(r, at), open = at + 1, colon;
    struct py_function *f = arena_new_one(r->mem, struct py_function);
    struct py_def *d;
    enum status st;

    if (!is_identifier(r, at))
        return wrong(r, at, "invalid syntax");
    if (op(r, open, "[")) /* type parameters */
        open = r->t.v[open].pair + 1;
    if (!op(r, open, "("))
        return wrong(r, at, "expected '('");
    colon = find_op(r, r->t.v[open].pair, line, ":");
    if (colon == line)
        return wrong(r, at, "expected ':'");
    *f = (struct py_function){
        .name = r->t.v[at].text, .line = r->t.v[at].line, .decorators = decorators, .decorators_n = decorators_n
    };
    st = read_parameters(r, open + 1, r->t.v[open].pair, f);
    if (st != OK)
        return st;
    *next = line + 1;
    if (colon + 1 < line)
        f->docstring = docstring(r, colon + 1);
    else if (r->t.v[line + 1].kind != PY_INDENT)
        return wrong(r, at, "expected an indented block after function definition");
    else
        f->docstring = docstring(r, line + 1);
    if (colon + 1 == line)
        *next = block_end(r, line + 1);
    if (owner && f->parameters_n)
        read_own(r, line + 1, *next, f->parameters[0].name, &owner->own);
    d = define(r, scope, PY_FUNCTION, at);
    d->function = f;
    return OK;
}

/* class Name(arguments): suite. at: the name. */
static enum status read_class(struct reader *r, uint32_t at, struct py_scope *scope, unsigned depth, uint32_t *next)
{
    uint32_t line = line_end(r, at), open = at + 1, colon;
    struct py_class *c = arena_new_one(r->mem, struct py_class);
    struct py_def *d;
    enum status st;

    if (!is_identifier(r, at))
        return wrong(r, at, "invalid syntax");
    if (op(r, open, "["))
        open = r->t.v[open].pair + 1;
    *c = (struct py_class){ .name = r->t.v[at].text, .line = r->t.v[at].line };
    c->scope.up = r->module;
    if (op(r, open, "(")) {
        c->arguments = (struct py_range){ open + 1, r->t.v[open].pair };
        open = r->t.v[open].pair + 1;
    }
    colon = open;
    if (!op(r, colon, ":"))
        return wrong(r, at, "expected ':'");
    d = define(r, scope, PY_CLASS, at); /* first, so that its own methods may name it */
    d->class_ = c;
    if (colon + 1 < line) {
        c->docstring = docstring(r, colon + 1);
        read_simple_line(r, colon + 1, line, &c->scope);
        *next = line + 1;
        return OK;
    }
    if (r->t.v[line + 1].kind != PY_INDENT)
        return wrong(r, at, "expected an indented block after class definition");
    c->docstring = docstring(r, line + 1);
    *next = block_end(r, line + 1);
    st = read_block(r, line + 2, *next - 1, &c->scope, depth + 1);
    return st;
}

static bool opens_block(const struct reader *r, uint32_t at)
{
    static const char *const words[] = { "if", "elif", "else", "try", "except", "finally", "with", "for", "while" };

    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        if (name(r, at, words[i]))
            return true;
    return name(r, at, "async");
}

/* Not run when the module is loaded: nothing is taken to fail. */
static bool is_never_run(const struct reader *r, uint32_t at)
{
    if (name(r, at, "except"))
        return true;
    return name(r, at, "if") && (name(r, at + 1, "TYPE_CHECKING") || name(r, at + 1, "__name__") ||
                                 (name(r, at + 1, "typing") && name(r, at + 3, "TYPE_CHECKING")));
}

/* if …: and its like. */
static enum status read_compound(struct reader *r, uint32_t at, struct py_scope *scope, unsigned depth, uint32_t *next)
{
    uint32_t line = line_end(r, at), colon = find_op(r, at, line, ":");

    if (colon == line)
        return wrong(r, at, "expected ':'");
    if (colon + 1 < line) {
        read_simple_line(r, colon + 1, line, scope);
        *next = line + 1;
        return OK;
    }
    if (r->t.v[line + 1].kind != PY_INDENT)
        return wrong(r, at, "expected an indented block");
    *next = block_end(r, line + 1);
    return is_never_run(r, at) ? OK : read_block(r, line + 2, *next - 1, scope, depth + 1);
}

/* @decorator lines, then what they decorate. */
static enum status read_decorators(struct reader *r, uint32_t *at, struct py_range **out, uint32_t *n)
{
    uint32_t room = 0;

    *out = NULL;
    *n = 0;
    while (op(r, *at, "@")) {
        uint32_t end = line_end(r, *at);

        if (*n == room) {
            uint32_t more = room ? room * 2 : 4;

            *out = arena_grow(r->mem, *out, room * sizeof(**out), more * sizeof(**out));
            room = more;
        }
        (*out)[(*n)++] = (struct py_range){ *at + 1, end };
        *at = end + 1;
    }
    if (*n && !name(r, *at, "def") && !name(r, *at, "class") && !name(r, *at, "async"))
        return wrong(r, *at, "invalid syntax");
    return OK;
}

/* The class whose scope this is, for self.…; NULL: a module's. */
static struct py_class *owner_of(const struct reader *r, struct py_scope *scope)
{
    return scope == r->module ? NULL : (struct py_class *)(void *)((char *)scope - offsetof(struct py_class, scope));
}

static enum status read_statement(struct reader *r, uint32_t at, struct py_scope *scope, unsigned depth, uint32_t *next)
{
    struct py_range *decorators;
    uint32_t decorators_n, end;
    enum status st = read_decorators(r, &at, &decorators, &decorators_n);

    if (st != OK)
        return st;
    end = line_end(r, at);
    if (name(r, at, "async") && name(r, at + 1, "def"))
        at++;
    if (name(r, at, "def"))
        return read_function(r, at + 1, scope, owner_of(r, scope), decorators, decorators_n, next);
    if (name(r, at, "class"))
        return read_class(r, at + 1, scope, depth, next);
    if (opens_block(r, at))
        return read_compound(r, at, scope, depth, next);
    *next = end + 1;
    if (r->t.v[end + 1].kind == PY_INDENT) {
        if (!is_soft_keyword(&r->t.v[at]) || !op(r, end - 1, ":"))
            return wrong(r, end + 1, "unexpected indent");
        *next = block_end(r, end + 1); /* match: nothing is defined in there that anybody here looks for */
        return OK;
    }
    read_simple_line(r, at, end, scope);
    return OK;
}

/* [at, end): statements of one block. */
static enum status read_block(struct reader *r, uint32_t at, uint32_t end, struct py_scope *scope, unsigned depth)
{
    enum status st = OK;

    if (depth > NESTING_MAX)
        return wrong(r, at, "too many levels of indentation");
    while (st == OK && at < end) {
        if (r->t.v[at].kind == PY_INDENT)
            return wrong(r, at, "unexpected indent");
        if (r->t.v[at].kind == PY_DEDENT || r->t.v[at].kind == PY_NEWLINE)
            at++;
        else
            st = read_statement(r, at, scope, depth, &at);
    }
    return st;
}

enum status py_read(struct arena *mem, struct str text, struct py_source *out, struct error *err)
{
    struct reader r = { .mem = mem, .err = err, .module = &out->scope };
    enum status st = py_tokenize(mem, text, &r.t, err);
    uint32_t last = 0;

    if (st != OK)
        return st;
    *out = (struct py_source){ .tokens = r.t };
    for (uint32_t i = 0; st == OK && i < r.t.n; i++) {
        if (r.t.v[i].kind == PY_NEWLINE)
            st = check_line(&r, last, i);
        if (r.t.v[i].kind != PY_NAME && r.t.v[i].kind != PY_NUMBER && r.t.v[i].kind != PY_STRING &&
            r.t.v[i].kind != PY_OP)
            last = i + 1;
    }
    if (st == OK)
        st = read_block(&r, 0, r.t.n - 1, &out->scope, 0);
    return st == OK && r.too_many ? error_set(err, INVALID, "too many definitions in one place") : st;
}
