/* pytext.c: Python's ideas of white space, of what can be printed, and of repr(). */
#include "lib/rag/pytext.h"

unsigned utf8_at(struct str s, size_t *bytes)
{
    const unsigned char *p = (const unsigned char *)s.p;

    *bytes = 1;
    if (p[0] >= 0xC2 && p[0] < 0xE0 && s.n > 1) {
        *bytes = 2;
        return (p[0] & 0x1Fu) << 6 | (p[1] & 0x3Fu);
    }
    if (p[0] >= 0xE0 && p[0] < 0xF0 && s.n > 2) {
        *bytes = 3;
        return (p[0] & 0x0Fu) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
    }
    if (p[0] >= 0xF0 && p[0] < 0xF5 && s.n > 3) {
        *bytes = 4;
        return (p[0] & 0x07u) << 18 | (p[1] & 0x3Fu) << 12 | (p[2] & 0x3Fu) << 6 | (p[3] & 0x3Fu);
    }
    return p[0];
}

bool point_is_space(unsigned c)
{
    if (c < 0x80)
        return c == ' ' || (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x1F);
    return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 ||
           c == 0x202F || c == 0x205F || c == 0x3000;
}

/* Categories Cc, Cf, Cs, Co, Zl, Zp, and Zs but for the space. */
static const struct {
    unsigned first, last;
} unprintable[] = {
    { 0x7F, 0xA0 },       { 0xAD, 0xAD },       { 0x600, 0x605 },     { 0x61C, 0x61C },      { 0x6DD, 0x6DD },
    { 0x70F, 0x70F },     { 0x890, 0x891 },     { 0x8E2, 0x8E2 },     { 0x1680, 0x1680 },    { 0x180E, 0x180E },
    { 0x2000, 0x200F },   { 0x2028, 0x202F },   { 0x205F, 0x206F },   { 0x3000, 0x3000 },    { 0xD800, 0xF8FF },
    { 0xFEFF, 0xFEFF },   { 0xFFF9, 0xFFFB },   { 0x110BD, 0x110BD }, { 0x110CD, 0x110CD },  { 0x13430, 0x1343F },
    { 0x1BCA0, 0x1BCA3 }, { 0x1D173, 0x1D17A }, { 0xE0001, 0xE007F }, { 0xF0000, 0x10FFFF },
};

bool point_is_printable(unsigned c)
{
    if (c < 0x7F)
        return c >= 0x20;
    for (size_t i = 0; i < sizeof(unprintable) / sizeof(unprintable[0]); i++)
        if (c >= unprintable[i].first && c <= unprintable[i].last)
            return false;
    return true;
}

struct str py_strip(struct str s)
{
    size_t bytes;

    while (s.n && point_is_space(utf8_at(s, &bytes)))
        s = str_from(s, bytes);
    while (s.n) {
        size_t start = s.n - 1;

        while (start > 0 && s.n - start < 4 && ((unsigned char)s.p[start] & 0xC0) == 0x80)
            start--;
        if (!point_is_space(utf8_at(str_from(s, start), &bytes)))
            break;
        s.n = start;
    }
    return s;
}

/* ---- repr */

static void add_repr_str(struct buf *b, struct str s)
{
    char quote = str_find_c(s, '\'') != STR_NPOS && str_find_c(s, '"') == STR_NPOS ? '"' : '\'';
    size_t bytes;

    buf_add_char(b, quote);
    for (; s.n; s = str_from(s, bytes)) {
        unsigned c = utf8_at(s, &bytes);

        if (c == (unsigned)quote || c == '\\')
            buf_addf(b, "\\%c", (char)c);
        else if (c == '\n' || c == '\r' || c == '\t')
            buf_addf(b, "\\%c", c == '\n' ? 'n' : c == '\r' ? 'r' : 't');
        else if (point_is_printable(c))
            buf_add(b, s.p, bytes);
        else
            buf_addf(b, c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x", c);
    }
    buf_add_char(b, quote);
}

static void add_repr(struct buf *b, json_object *v)
{
    bool first = true;

    switch (json_object_get_type(v)) {
    case json_type_null: buf_add_c(b, "None"); return;
    case json_type_boolean: buf_add_c(b, json_object_get_boolean(v) ? "True" : "False"); return;
    case json_type_string: add_repr_str(b, json_str_value(v)); return;
    case json_type_int:
    case json_type_double: json_add_to_buf(b, v); return;
    case json_type_array:
        buf_add_char(b, '[');
        JSON_EACH (v, i, item) {
            buf_add_c(b, i ? ", " : "");
            add_repr(b, item);
        }
        buf_add_char(b, ']');
        return;
    case json_type_object:
        buf_add_char(b, '{');
        json_object_object_foreach(v, key, value)
        {
            buf_add_c(b, first ? "" : ", ");
            first = false;
            add_repr_str(b, str_of(key));
            buf_add_c(b, ": ");
            add_repr(b, value);
        }
        buf_add_char(b, '}');
        return;
    }
}

struct str py_repr(struct arena *mem, json_object *value)
{
    struct buf b = BUF(mem, STR_NPOS);

    add_repr(&b, value);
    return buf_str(&b);
}
