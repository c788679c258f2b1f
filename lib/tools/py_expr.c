/* py_expr.c: the shape of expressions. */
#include "lib/tools/py_expr.h"

#include <errno.h>
#include <math.h>

enum { DEPTH_MAX = 60 };

struct reader {
    struct arena *mem;
    const struct py_token *v;
    uint32_t at, end;
    unsigned depth;
    bool failed;
};

static struct py_expr *expression(struct reader *r);

static struct py_expr *make(struct reader *r, enum py_expr_kind kind)
{
    struct py_expr *e = arena_new_one(r->mem, struct py_expr);

    e->kind = kind;
    e->line = r->at < r->end ? r->v[r->at].line : r->end ? r->v[r->end - 1].line : 0;
    return e;
}

static bool op(const struct reader *r, const char *text)
{
    return r->at < r->end && py_is_op(&r->v[r->at], text);
}

static void add(struct reader *r, struct py_expr *e, struct py_expr *item, struct str key)
{
    uint32_t room = e->n < 4 ? 4 : e->n;

    if (e->n == 0 || (e->n >= 4 && (e->n & (e->n - 1)) == 0)) {
        e->items = arena_grow(r->mem, e->items, e->n * sizeof(*e->items), 2 * room * sizeof(*e->items));
        e->keys = arena_grow(r->mem, e->keys, e->n * sizeof(*e->keys), 2 * room * sizeof(*e->keys));
    }
    e->items[e->n] = item;
    e->keys[e->n++] = key;
}

/* ---- numbers and texts */

static json_object *number(struct arena *mem, struct str text)
{
    char plain[80];
    size_t n = 0;
    int base = 10;
    char *end;

    for (size_t i = 0; i < text.n && n < sizeof(plain) - 1; i++)
        if (text.p[i] != '_')
            plain[n++] = text.p[i];
    plain[n] = '\0';
    if (text.n >= sizeof(plain) || n == 0)
        return NULL;
    if (n > 2 && plain[0] == '0' && strchr("xXoObB", plain[1]))
        base = strchr("xX", plain[1]) ? 16 : strchr("oO", plain[1]) ? 8 : 2;
    errno = 0;
    if (base != 10 || !strpbrk(plain, ".eE")) {
        long long v = strtoll(base == 10 ? plain : plain + 2, &end, base);

        return errno || *end ? NULL : json_new_int(mem, v);
    }
    if (strpbrk(plain, "xXjJnN"))
        return NULL;
    {
        double d = strtod(plain, &end);

        return *end || !isfinite(d) ? NULL : json_new_double(mem, d);
    }
}

static void add_code_point(struct buf *b, unsigned long c)
{
    if (c >= 0xd800 && c <= 0xdfff)
        c = 0xfffd;
    if (c < 0x80) {
        buf_add_char(b, (char)c);
    } else if (c < 0x800) {
        buf_add_char(b, (char)(0xc0 | c >> 6));
        buf_add_char(b, (char)(0x80 | (c & 0x3f)));
    } else if (c < 0x10000) {
        buf_add_char(b, (char)(0xe0 | c >> 12));
        buf_add_char(b, (char)(0x80 | (c >> 6 & 0x3f)));
        buf_add_char(b, (char)(0x80 | (c & 0x3f)));
    } else {
        buf_add_char(b, (char)(0xf0 | c >> 18));
        buf_add_char(b, (char)(0x80 | (c >> 12 & 0x3f)));
        buf_add_char(b, (char)(0x80 | (c >> 6 & 0x3f)));
        buf_add_char(b, (char)(0x80 | (c & 0x3f)));
    }
}

/* The digits behind \x, \u, \U or \ooo; *i is moved past them. False: they are broken. */
static bool digits(struct str s, size_t *i, size_t max, bool exactly, unsigned base, unsigned long *out)
{
    size_t n = 0;

    *out = 0;
    for (; n < max && *i < s.n; n++, ++*i) {
        char c = s.p[*i];
        unsigned d = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                     : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10)
                     : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A' + 10)
                                            : 99;

        if (d >= base)
            break;
        *out = *out * base + d;
    }
    return exactly ? n == max : n > 0;
}

static bool unescape(struct buf *b, struct str s, bool raw)
{
    static const char from[] = "\\'\"abfnrtv", to[] = "\\'\"\a\b\f\n\r\t\v";

    for (size_t i = 0; i < s.n;) {
        unsigned long c;
        const char *known;

        if (s.p[i] == '\r') { /* line ends are \n, whatever the file has */
            buf_add_char(b, '\n');
            i += i + 1 < s.n && s.p[i + 1] == '\n' ? 2 : 1;
            continue;
        }
        if (raw || s.p[i] != '\\' || i + 1 >= s.n) {
            buf_add_char(b, s.p[i++]);
            continue;
        }
        i++;
        known = strchr(from, s.p[i]);
        if (s.p[i] == '\n' || s.p[i] == '\r') {
            i += s.p[i] == '\r' && i + 1 < s.n && s.p[i + 1] == '\n' ? 2 : 1;
        } else if (known && s.p[i]) {
            buf_add_char(b, to[known - from]);
            i++;
        } else if (s.p[i] >= '0' && s.p[i] <= '7') {
            if (!digits(s, &i, 3, false, 8, &c))
                return false;
            add_code_point(b, c);
        } else if (s.p[i] == 'x' || s.p[i] == 'u' || s.p[i] == 'U') {
            size_t n = s.p[i] == 'x' ? 2 : s.p[i] == 'u' ? 4 : 8;

            i++;
            if (!digits(s, &i, n, true, 16, &c) || c > 0x10ffff)
                return false;
            add_code_point(b, c);
        } else if (s.p[i] == 'N') {
            return false; /* a character by its Unicode name */
        } else {
            buf_add_char(b, '\\');
        }
    }
    return true;
}

/* One STRING token. */
static bool add_string(struct buf *b, struct str token, bool *is_bytes)
{
    size_t prefix = 0, quotes;
    bool raw = false, formatted = false;
    struct str s;

    for (; prefix < token.n && token.p[prefix] != '"' && token.p[prefix] != '\''; prefix++) {
        raw |= token.p[prefix] == 'r' || token.p[prefix] == 'R';
        formatted |= token.p[prefix] == 'f' || token.p[prefix] == 'F';
        *is_bytes |= token.p[prefix] == 'b' || token.p[prefix] == 'B';
    }
    s = str_from(token, prefix);
    quotes = s.n >= 6 && s.p[0] == s.p[1] && s.p[1] == s.p[2] ? 3 : 1;
    s = str_sub(s, quotes, s.n - 2 * quotes);
    if (formatted && (str_find_c(s, '{') != STR_NPOS || str_find_c(s, '}') != STR_NPOS))
        return false;
    return unescape(b, s, raw);
}

static bool strings(struct arena *mem, const struct py_token *v, uint32_t from, uint32_t to, struct str *out,
                    bool *is_bytes)
{
    struct buf b = BUF(mem, PY_SOURCE_MAX);

    *is_bytes = false;
    for (uint32_t i = from; i < to; i++)
        if (!add_string(&b, v[i].text, is_bytes))
            return false;
    *out = buf_str(&b);
    return !buf_failed(&b);
}

bool py_string(struct arena *mem, const struct py_tokens *t, struct py_range range, struct str *out)
{
    bool is_bytes;

    return range.from < range.to && strings(mem, t->v, range.from, range.to, out, &is_bytes) && !is_bytes;
}

/* ---- from the inside out */

/* To the comma or closing bracket behind an item that is not understood. */
static void skip_item(struct reader *r)
{
    while (r->at < r->end && !op(r, ",") && !op(r, ")") && !op(r, "]") && !op(r, "}")) {
        if (r->v[r->at].pair > r->at)
            r->at = r->v[r->at].pair;
        r->at++;
    }
}

static struct py_expr *item(struct reader *r, const char *closing, bool may_be_key)
{
    uint32_t start = r->at;
    struct py_expr *e = expression(r);

    if (!r->failed && (op(r, ",") || op(r, closing) || (may_be_key && op(r, ":"))))
        return e;
    r->at = start;
    r->failed = false;
    e = make(r, PY_EXPR_OTHER);
    skip_item(r);
    return e;
}

/* Up to the closing bracket, which is taken. What is not understood is an OTHER among them. */
static void items(struct reader *r, struct py_expr *e, const char *closing)
{
    while (!r->failed && r->at < r->end && !op(r, closing)) {
        bool may_be_key = e->kind == PY_EXPR_DICT ? e->n % 2 == 0 : e->kind == PY_EXPR_SET && e->n == 0;
        struct str key = STR_NONE;

        if (e->kind == PY_EXPR_CALL && r->at + 1 < r->end && r->v[r->at].kind == PY_NAME &&
            py_is_op(&r->v[r->at + 1], "=")) {
            key = r->v[r->at].text;
            r->at += 2;
        }
        add(r, e, item(r, closing, may_be_key), key);
        if (e->kind == PY_EXPR_SET && e->n == 1 && op(r, ":"))
            e->kind = PY_EXPR_DICT;
        if (e->kind == PY_EXPR_DICT && e->n % 2 == 1) {
            r->failed |= !op(r, ":");
            r->at++;
        } else if (op(r, ",")) {
            r->at++;
        } else {
            break;
        }
    }
    if (!op(r, closing))
        r->failed = true;
    else
        r->at++;
}

static struct py_expr *string_atom(struct reader *r)
{
    struct py_expr *e = make(r, PY_EXPR_CONSTANT);
    uint32_t from = r->at;
    struct str text;

    while (r->at < r->end && r->v[r->at].kind == PY_STRING)
        r->at++;
    if (strings(r->mem, r->v, from, r->at, &text, &e->is_bytes))
        e->value = json_new_str(r->mem, text);
    else
        e->kind = PY_EXPR_OTHER;
    return e;
}

static struct py_expr *name_atom(struct reader *r)
{
    struct py_expr *e = make(r, PY_EXPR_NAME);
    const struct py_token *t = &r->v[r->at++];

    e->name = t->text;
    if (str_is(t->text, "None"))
        e->kind = PY_EXPR_NONE;
    else if (str_is(t->text, "True") || str_is(t->text, "False")) {
        e->kind = PY_EXPR_CONSTANT;
        e->value = json_new_bool(r->mem, str_is(t->text, "True"));
    } else if (py_is_keyword(t->text)) {
        r->failed = true;
    }
    return e;
}

static struct py_expr *parenthesis(struct reader *r)
{
    struct py_expr *e = make(r, PY_EXPR_TUPLE);
    uint32_t closing = r->v[r->at].pair;

    r->at++;
    items(r, e, ")");
    if (e->n == 1 && closing > 0 && closing < r->end && !py_is_op(&r->v[closing - 1], ","))
        return e->items[0];
    return e;
}

static struct py_expr *atom(struct reader *r)
{
    struct py_expr *e;

    if (r->at >= r->end) {
        r->failed = true;
        return make(r, PY_EXPR_OTHER);
    }
    switch (r->v[r->at].kind) {
    case PY_STRING: return string_atom(r);
    case PY_NAME: return name_atom(r);
    case PY_NUMBER:
        e = make(r, PY_EXPR_CONSTANT);
        e->value = number(r->mem, r->v[r->at++].text);
        if (!e->value)
            e->kind = PY_EXPR_OTHER;
        return e;
    default: break;
    }
    if (op(r, "("))
        return parenthesis(r);
    if (op(r, "[") || op(r, "{")) {
        bool is_list = op(r, "[");

        e = make(r, is_list ? PY_EXPR_LIST : PY_EXPR_SET);
        r->at++;
        if (!is_list && op(r, "}"))
            e->kind = PY_EXPR_DICT;
        items(r, e, is_list ? "]" : "}");
        return e;
    }
    e = make(r, PY_EXPR_ELLIPSIS);
    if (op(r, "..."))
        r->at++;
    else
        r->failed = true;
    return e;
}

/* .name, (arguments), [indexes] */
static struct py_expr *primary(struct reader *r)
{
    struct py_expr *e = atom(r), *outer;

    while (!r->failed && (op(r, ".") || op(r, "(") || op(r, "["))) {
        if (op(r, ".")) {
            outer = make(r, PY_EXPR_ATTRIBUTE);
            r->at++;
            if (r->at >= r->end || r->v[r->at].kind != PY_NAME) {
                r->failed = true;
                break;
            }
            outer->name = r->v[r->at++].text;
            add(r, outer, e, STR_NONE);
        } else {
            bool is_call = op(r, "(");

            outer = make(r, is_call ? PY_EXPR_CALL : PY_EXPR_INDEX);
            r->at++;
            add(r, outer, e, STR_NONE);
            items(r, outer, is_call ? ")" : "]");
        }
        outer->line = e->line;
        e = outer;
    }
    return e;
}

static struct py_expr *unary(struct reader *r)
{
    struct py_expr *e;

    if (!op(r, "-") && !op(r, "+") && !op(r, "~") && !(r->at < r->end && py_is_name(&r->v[r->at], "not")))
        return primary(r);
    if (++r->depth > DEPTH_MAX) {
        r->failed = true;
        return make(r, PY_EXPR_OTHER);
    }
    e = make(r, PY_EXPR_UNARY);
    e->name = r->v[r->at++].text;
    add(r, e, unary(r), STR_NONE);
    r->depth--;
    return e;
}

static int strength(const struct reader *r) /* 0: no operator that is known here */
{
    static const struct {
        const char *op;
        int strength;
    } ops[] = { { "or", 1 }, { "and", 2 }, { "==", 3 }, { "!=", 3 }, { "|", 4 }, { "+", 5 },
                { "-", 5 },  { "*", 6 },   { "/", 6 },  { "//", 6 }, { "%", 6 }, { "**", 7 } };

    for (size_t i = 0; i < sizeof(ops) / sizeof(*ops); i++)
        if (op(r, ops[i].op) || (r->at < r->end && py_is_name(&r->v[r->at], ops[i].op)))
            return ops[i].strength;
    return 0;
}

static struct py_expr *binary(struct reader *r, int weakest)
{
    struct py_expr *e = unary(r), *outer;
    int s;

    while (!r->failed && (s = strength(r)) >= weakest && s > 0) {
        outer = make(r, PY_EXPR_BINARY);
        outer->name = r->v[r->at++].text;
        outer->line = e->line;
        add(r, outer, e, STR_NONE);
        add(r, outer, binary(r, s + 1), STR_NONE);
        e = outer;
    }
    return e;
}

static struct py_expr *expression(struct reader *r)
{
    struct py_expr *e;

    if (++r->depth > DEPTH_MAX)
        r->failed = true;
    e = r->failed ? make(r, PY_EXPR_OTHER) : binary(r, 1);
    r->depth--;
    return e;
}

static const struct py_expr *whole(struct reader *r)
{
    struct py_expr *e = expression(r), *tuple;

    if (!r->failed && op(r, ",")) { /* a, b without parentheses */
        tuple = make(r, PY_EXPR_TUPLE);
        add(r, tuple, e, STR_NONE);
        while (!r->failed && op(r, ",")) {
            r->at++;
            if (r->at < r->end)
                add(r, tuple, expression(r), STR_NONE);
        }
        e = tuple;
    }
    if (r->failed || r->at != r->end) {
        uint32_t line = e->line;

        e = make(r, PY_EXPR_OTHER);
        e->line = line;
    }
    return e;
}

const struct py_expr *py_expr_read(struct arena *mem, const struct py_tokens *t, struct py_range range)
{
    struct reader r = { .mem = mem, .v = t->v, .at = range.from, .end = range.to };

    return whole(&r);
}

const struct py_expr *py_expr_read_text(struct arena *mem, struct str text)
{
    struct reader r = { .mem = mem };
    struct py_tokens t;

    if (py_tokenize(mem, str_cat(mem, S("("), str_cat(mem, text, S(")"))), &t, NULL) != OK)
        return make(&r, PY_EXPR_OTHER);
    r.v = t.v;
    while (r.v[r.end].kind != PY_NEWLINE && r.v[r.end].kind != PY_END)
        r.end++;
    return whole(&r);
}

const struct py_expr *py_argument(const struct py_expr *call, const char *keyword, uint32_t place)
{
    for (uint32_t i = 1; i < call->n; i++)
        if (call->keys[i].p && str_is(call->keys[i], keyword))
            return call->items[i];
    return place && place < call->n && !call->keys[place].p ? call->items[place] : NULL;
}
