/* arguments.c: the arguments of a tool call as models write them. A literal of Python's is rewritten as JSON, token by token, and then parsed as such. */
#include "lib/tools/arguments.h"

enum { MAX_BYTES = 4 * 1024 * 1024 };

struct scan {
    struct str s;
    size_t at;
    struct buf *out;
};

/* \xNN is not JSON's: \u00NN is. Other escapes of Python's keep the escaped character. */
static bool add_escape(struct scan *c)
{
    char e = c->at < c->s.n ? c->s.p[c->at] : '\0';

    c->at++;
    switch (e) {
    case '\0': return false;
    case 'n':
    case 't':
    case 'r':
    case 'b':
    case 'f':
    case '"':
    case '\\':
    case 'u':
        buf_add_char(c->out, '\\');
        buf_add_char(c->out, e);
        return true;
    case 'x': buf_add_c(c->out, "\\u00"); return true; /* json_parse() looks at the digits */
    case '\'': buf_add_char(c->out, '\''); return true;
    case '\n': return true;
    default:
        buf_add_c(c->out, "\\\\");
        buf_add_char(c->out, e);
        return true;
    }
}

/* A string in quotes of either kind; false: it does not end. */
static bool add_string(struct scan *c)
{
    char quote = c->s.p[c->at++];

    buf_add_char(c->out, '"');
    while (c->at < c->s.n) {
        char ch = c->s.p[c->at++];

        if (ch == quote) {
            buf_add_char(c->out, '"');
            return true;
        }
        if (ch == '\\') {
            if (!add_escape(c))
                return false;
        } else if (ch == '"') {
            buf_add_c(c->out, "\\\"");
        } else if ((unsigned char)ch < 0x20) {
            buf_addf(c->out, "\\u%04x", (unsigned)ch);
        } else {
            buf_add_char(c->out, ch);
        }
    }
    return false;
}

static bool is_name(char ch)
{
    return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || ch == '_';
}

static bool add_name(struct scan *c)
{
    static const struct {
        const char *python, *json;
    } names[] = { { "True", "true" }, { "False", "false" }, { "None", "null" },
                  { "true", "true" }, { "false", "false" }, { "null", "null" } };
    size_t start = c->at;
    struct str name;

    while (c->at < c->s.n && is_name(c->s.p[c->at]))
        c->at++;
    name = str_sub(c->s, start, c->at - start);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (str_is(name, names[i].python)) {
            buf_add_c(c->out, names[i].json);
            return true;
        }
    return false;
}

/* Takes away a comma (and white space) that stands before a closing bracket. */
static void drop_last_comma(struct buf *b)
{
    size_t n = b->n;

    while (n && strchr(" \t\r\n", b->p[n - 1]))
        n--;
    if (n && b->p[n - 1] == ',') {
        b->n = n - 1;
        b->p[b->n] = '\0';
    }
}

static bool rewrite(struct scan *c)
{
    while (c->at < c->s.n) {
        char ch = c->s.p[c->at];

        if (ch == '"' || ch == '\'') {
            if (!add_string(c))
                return false;
        } else if (is_name(ch) && !(ch == 'e' || ch == 'E')) {
            if (!add_name(c))
                return false;
        } else {
            if (ch == ')' || ch == ']' || ch == '}')
                drop_last_comma(c->out);
            buf_add_char(c->out, ch == '(' ? '[' : ch == ')' ? ']' : ch);
            c->at++;
        }
    }
    return !buf_failed(c->out);
}

json_object *tool_arguments(struct arena *mem, struct str text)
{
    json_object *v = NULL;
    struct buf json = BUF(mem, MAX_BYTES * 2);
    struct scan c = { text, 0, &json };

    if (text.n > MAX_BYTES)
        return NULL;
    if (json_parse(mem, text, &v, NULL) == OK)
        return v;
    return rewrite(&c) ? json_parse_or_null(mem, buf_str(&json)) : NULL;
}
