/* py_token.c: the tokens of Python source: lines are joined in brackets, indentation becomes tokens. */
#include "lib/tools/py_token.h"

enum { BRACKETS_MAX = 200, INDENTS_MAX = 100, TAB = 8 };

struct reader {
    struct str s;
    size_t at;
    uint32_t line;
    struct py_tokens tokens;
    uint32_t room;
    struct arena *mem;
    struct error *err;
    struct {
        size_t columns, columns_of_one; /* a tab counts 8, and 1: both must agree */
    } indents[INDENTS_MAX + 1];
    size_t indents_n;
    uint32_t open[BRACKETS_MAX];
    size_t open_n;
};

bool py_is_op(const struct py_token *t, const char *op)
{
    return t->kind == PY_OP && str_is(t->text, op);
}

bool py_is_name(const struct py_token *t, const char *name)
{
    return t->kind == PY_NAME && str_is(t->text, name);
}

bool py_is_keyword(struct str name)
{
    static const char *const words[] = { "and",      "as",       "assert", "async", "await",  "break",  "class",
                                         "continue", "def",      "del",    "elif",  "else",   "except", "finally",
                                         "for",      "from",     "global", "if",    "import", "in",     "is",
                                         "lambda",   "nonlocal", "not",    "or",    "pass",   "raise",  "return",
                                         "try",      "while",    "with",   "yield" };

    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        if (str_is(name, words[i]))
            return true;
    return false;
}

static enum status wrong(struct reader *r, uint32_t line, const char *what)
{
    return error_set(r->err, INVALID, "%s (line %u)", what, line);
}

static void push(struct reader *r, enum py_token_kind kind, size_t start, size_t n)
{
    if (r->tokens.n == r->room) {
        uint32_t room = r->room ? r->room * 2 : 256;

        r->tokens.v = arena_grow(r->mem, r->tokens.v, r->room * sizeof(*r->tokens.v), room * sizeof(*r->tokens.v));
        r->room = room;
    }
    r->tokens.v[r->tokens.n++] = (struct py_token){ str_sub(r->s, start, n), r->line, 0, kind };
}

static char peek(const struct reader *r, size_t ahead)
{
    return r->at + ahead < r->s.n ? r->s.p[r->at + ahead] : '\0';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool starts_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

/* Past the end of this line: \n, \r\n or \r. */
static void next_line(struct reader *r)
{
    if (peek(r, 0) == '\r' && peek(r, 1) == '\n')
        r->at++;
    if (r->at < r->s.n)
        r->at++;
    r->line++;
}

static bool at_line_end(const struct reader *r)
{
    return r->at >= r->s.n || r->s.p[r->at] == '\n' || r->s.p[r->at] == '\r';
}

/* ---- indentation */

static void measure(struct reader *r, size_t *columns, size_t *columns_of_one)
{
    *columns = *columns_of_one = 0;
    for (;; r->at++) {
        switch (peek(r, 0)) {
        case ' ':
            ++*columns;
            ++*columns_of_one;
            break;
        case '\t':
            *columns = (*columns / TAB + 1) * TAB;
            ++*columns_of_one;
            break;
        case '\f': *columns = *columns_of_one = 0; break;
        default: return;
        }
    }
}

/* At the start of a line outside of brackets. Lines without code give nothing. */
static enum status indentation(struct reader *r)
{
    size_t columns, ones;

    for (;;) {
        measure(r, &columns, &ones);
        if (peek(r, 0) == '#')
            while (!at_line_end(r))
                r->at++;
        if (r->at >= r->s.n)
            return OK;
        if (!at_line_end(r))
            break;
        next_line(r);
    }
    if (columns > r->indents[r->indents_n].columns) {
        if (ones <= r->indents[r->indents_n].columns_of_one)
            return wrong(r, r->line, "inconsistent use of tabs and spaces in indentation");
        if (r->indents_n == INDENTS_MAX - 1)
            return wrong(r, r->line, "too many levels of indentation");
        r->indents[++r->indents_n].columns = columns;
        r->indents[r->indents_n].columns_of_one = ones;
        push(r, PY_INDENT, r->at, 0);
        return OK;
    }
    while (columns < r->indents[r->indents_n].columns) {
        r->indents_n--;
        push(r, PY_DEDENT, r->at, 0);
    }
    if (columns != r->indents[r->indents_n].columns)
        return wrong(r, r->line, "unindent does not match any outer indentation level");
    if (ones != r->indents[r->indents_n].columns_of_one)
        return wrong(r, r->line, "inconsistent use of tabs and spaces in indentation");
    return OK;
}

/* ---- single tokens */

/* Length of a string's prefix (r, b, u, f and their pairs) if a quote follows; STR_NPOS: it is none. */
static size_t string_prefix(const struct reader *r)
{
    size_t n = 0;

    while (n < 3 && peek(r, n) && strchr("rRbBuUfF", peek(r, n)))
        n++;
    return n < 3 && (peek(r, n) == '"' || peek(r, n) == '\'') ? n : STR_NPOS;
}

static enum status take_string(struct reader *r, size_t prefix)
{
    size_t start = r->at;
    uint32_t line = r->line;
    char quote;
    bool triple;

    r->at += prefix;
    quote = peek(r, 0);
    triple = peek(r, 1) == quote && peek(r, 2) == quote;
    r->at += triple ? 3 : 1;
    for (;;) {
        char c = peek(r, 0);

        if (r->at >= r->s.n || (!triple && at_line_end(r)))
            return wrong(r, line, triple ? "unterminated triple-quoted string literal" : "unterminated string literal");
        if (c == '\\') {
            r->at++;
            if (at_line_end(r))
                next_line(r);
            else
                r->at++;
        } else if (at_line_end(r)) {
            next_line(r);
        } else if (c == quote && (!triple || (peek(r, 1) == quote && peek(r, 2) == quote))) {
            r->at += triple ? 3 : 1;
            break;
        } else {
            r->at++;
        }
    }
    push(r, PY_STRING, start, r->at - start);
    r->tokens.v[r->tokens.n - 1].line = line;
    return OK;
}

/* Digits, letters and dots; a sign behind the e of an exponent. What number it is, whoever needs it finds out. */
static void take_number(struct reader *r)
{
    size_t start = r->at;
    bool hex = peek(r, 0) == '0' && (peek(r, 1) == 'x' || peek(r, 1) == 'X');

    while (is_digit(peek(r, 0)) || starts_name(peek(r, 0)) || peek(r, 0) == '.') {
        bool exponent = !hex && (peek(r, 0) == 'e' || peek(r, 0) == 'E');

        r->at++;
        if (exponent && (peek(r, 0) == '+' || peek(r, 0) == '-') && is_digit(peek(r, 1)))
            r->at++;
    }
    push(r, PY_NUMBER, start, r->at - start);
}

static size_t operator_length(const struct reader *r)
{
    static const char *const ops[] = { "**=", "//=", ">>=", "<<=", "...", "->", ":=", "==", "!=", "<=", ">=", "**",
                                       "//",  ">>",  "<<",  "+=",  "-=",  "*=", "/=", "%=", "&=", "|=", "^=", "@=" };

    for (size_t i = 0; i < sizeof(ops) / sizeof(*ops); i++)
        if (str_starts(str_from(r->s, r->at), ops[i]))
            return strlen(ops[i]);
    return peek(r, 0) && strchr("+-*/%@&|^~<>=()[]{},:.;", peek(r, 0)) ? 1 : 0;
}

static enum status close_bracket(struct reader *r, char c)
{
    char opening = c == ')' ? '(' : c == ']' ? '[' : '{', text[80];
    uint32_t partner;

    if (r->open_n == 0) {
        snprintf(text, sizeof(text), "unmatched '%c'", c);
        return wrong(r, r->line, text);
    }
    partner = r->open[--r->open_n];
    if (r->tokens.v[partner].text.p[0] != opening) {
        snprintf(text, sizeof(text), "closing parenthesis '%c' does not match opening parenthesis '%c'", c,
                 r->tokens.v[partner].text.p[0]);
        return wrong(r, r->line, text);
    }
    r->tokens.v[partner].pair = r->tokens.n;
    push(r, PY_OP, r->at, 1);
    r->tokens.v[r->tokens.n - 1].pair = partner;
    r->at++;
    return OK;
}

static enum status take_operator(struct reader *r)
{
    size_t n = operator_length(r);
    char c = peek(r, 0);

    if (n == 0)
        return wrong(r, r->line, "invalid syntax");
    if (strchr(")]}", c))
        return close_bracket(r, c);
    if (n == 1 && strchr("([{", c)) {
        if (r->open_n == BRACKETS_MAX)
            return wrong(r, r->line, "too many nested parentheses");
        r->open[r->open_n++] = r->tokens.n;
    }
    push(r, PY_OP, r->at, n);
    r->at += n;
    return OK;
}

static enum status take_token(struct reader *r)
{
    size_t start = r->at, prefix;
    char c = peek(r, 0);

    if (c == '\0')
        return wrong(r, r->line, "source code cannot contain null bytes");
    prefix = string_prefix(r);
    if (prefix != STR_NPOS)
        return take_string(r, prefix);
    if (is_digit(c) || (c == '.' && is_digit(peek(r, 1)))) {
        take_number(r);
        return OK;
    }
    if (!starts_name(c))
        return take_operator(r);
    while (starts_name(peek(r, 0)) || is_digit(peek(r, 0)))
        r->at++;
    push(r, PY_NAME, start, r->at - start);
    return OK;
}

/* ---- all of it */

/* One logical line: up to its NEWLINE. */
static enum status take_line(struct reader *r)
{
    enum status st = OK;

    while (st == OK && r->at < r->s.n) {
        char c = peek(r, 0);

        if (c == ' ' || c == '\t' || c == '\f') {
            r->at++;
        } else if (c == '#') {
            while (!at_line_end(r))
                r->at++;
        } else if (c == '\\') {
            r->at++;
            if (!at_line_end(r) || r->at >= r->s.n)
                return wrong(r, r->line, "unexpected character after line continuation character");
            next_line(r);
        } else if (!at_line_end(r)) {
            st = take_token(r);
        } else if (r->open_n) {
            next_line(r);
        } else {
            push(r, PY_NEWLINE, r->at, 0);
            next_line(r);
            return OK;
        }
    }
    return st;
}

static enum status finish(struct reader *r)
{
    if (r->open_n) {
        const struct py_token *open = &r->tokens.v[r->open[r->open_n - 1]];
        char text[40];

        snprintf(text, sizeof(text), "'%c' was never closed", open->text.p[0]);
        return wrong(r, open->line, text);
    }
    if (r->tokens.n && r->tokens.v[r->tokens.n - 1].kind != PY_NEWLINE &&
        r->tokens.v[r->tokens.n - 1].kind != PY_DEDENT)
        push(r, PY_NEWLINE, r->s.n, 0);
    for (; r->indents_n; r->indents_n--)
        push(r, PY_DEDENT, r->s.n, 0);
    push(r, PY_END, r->s.n, 0);
    return OK;
}

enum status py_tokenize(struct arena *mem, struct str text, struct py_tokens *out, struct error *err)
{
    struct reader r = { .s = text, .line = 1, .mem = mem, .err = err };
    enum status st = OK;

    if (text.n > PY_SOURCE_MAX)
        return error_set(err, TOO_BIG, "the source is longer than %d bytes", PY_SOURCE_MAX);
    if (str_starts(text, "\xef\xbb\xbf"))
        r.at = 3;
    while (st == OK && r.at < text.n) {
        st = indentation(&r);
        if (st == OK)
            st = take_line(&r);
    }
    if (st == OK)
        st = finish(&r);
    if (st == OK)
        *out = r.tokens;
    return st;
}
