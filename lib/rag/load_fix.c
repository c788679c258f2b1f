/* load_fix.c: mends texts, a line at a time. */
#include "lib/rag/load_fix.h"

#include <libxml/HTMLparser.h>
#include <stdlib.h>
#include <utf8proc.h>

enum { MAX_LINE = 1024 * 1024, MAX_ROUNDS = 3 };

struct line { /* characters */
    uint32_t *v;
    size_t n;
};

/* ---- UTF-8 */

static size_t decode_one(const unsigned char *p, size_t left, uint32_t *c)
{
    size_t n = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

    if (n > left)
        n = 1;
    *c = n == 1 ? p[0] : p[0] & (0xffu >> (n + 1));
    for (size_t i = 1; i < n; i++)
        *c = *c << 6 | (p[i] & 0x3fu);
    return n;
}

static void add_char(struct buf *b, uint32_t c)
{
    utf8proc_uint8_t bytes[4];
    utf8proc_ssize_t n = utf8proc_encode_char((utf8proc_int32_t)c, bytes);

    if (n > 0)
        buf_add(b, bytes, (size_t)n);
}

/* ---- HTML entities */

/* The character of "&name;" or "&#n;" at the beginning of s; 0: none. *n: its length. */
static uint32_t entity(struct str s, size_t *n)
{
    size_t end = str_find_c(str_sub(s, 0, 28), ';');
    const htmlEntityDesc *known;
    char name[28];
    unsigned long c;
    char *rest;

    if (end == STR_NPOS || end < 2)
        return 0;
    memcpy(name, s.p + 1, end - 1);
    name[end - 1] = '\0';
    *n = end + 1;
    if (name[0] != '#') {
        known = htmlEntityLookup((const xmlChar *)name);
        return known ? known->value : 0;
    }
    if (name[1] == 'x' || name[1] == 'X')
        c = name[2] ? strtoul(name + 2, &rest, 16) : 0;
    else
        c = name[1] >= '0' && name[1] <= '9' ? strtoul(name + 1, &rest, 10) : 0;
    if (c == 0 || *rest || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        return 0;
    return (uint32_t)c;
}

static struct str unescape(struct arena *mem, struct str s)
{
    struct buf b = BUF(mem, s.n * 4 + 16);

    for (size_t i = 0; i < s.n;) {
        size_t n = 0;
        uint32_t c = s.p[i] == '&' ? entity(str_from(s, i), &n) : 0;

        if (c) {
            add_char(&b, c);
            i += n;
        } else {
            buf_add_char(&b, s.p[i++]);
        }
    }
    return buf_str(&b);
}

/* ---- UTF-8 that was read as Windows-1252 */

static const uint16_t windows[32] = { 0x20ac, 0x81,   0x201a, 0x192,  0x201e, 0x2026, 0x2020, 0x2021,
                                      0x2c6,  0x2030, 0x160,  0x2039, 0x152,  0x8d,   0x17d,  0x8f,
                                      0x90,   0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
                                      0x2dc,  0x2122, 0x161,  0x203a, 0x153,  0x9d,   0x17e,  0x178 };

/* The byte that reads as c, or -1. */
static int byte_of(uint32_t c)
{
    if (c < 0x100)
        return (int)c;
    for (int i = 0; i < 32; i++)
        if (windows[i] == c)
            return 0x80 + i;
    return -1;
}

/* Signs that often follow a letter in good text: they prove nothing. */
static bool is_ordinary(uint32_t c)
{
    static const uint16_t signs[] = { 0xa0, 0xab, 0xbb, 0x2018, 0x2019, 0x201c, 0x201d, 0x2026, 0x2013, 0x2014 };

    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++)
        if (signs[i] == c)
            return true;
    return false;
}

/* How many characters from v[at] would be one character of UTF-8; 0: they would not. */
static size_t sequence(const struct line *l, size_t at, uint32_t *c)
{
    int lead = byte_of(l->v[at]);
    size_t n = lead >= 0xc2 && lead <= 0xdf   ? 2
               : lead >= 0xe0 && lead <= 0xef ? 3
               : lead >= 0xf0 && lead <= 0xf4 ? 4
                                              : 0;
    uint32_t out = n ? (uint32_t)lead & (0xffu >> (n + 1)) : 0;

    if (n == 0 || at + n > l->n)
        return 0;
    for (size_t i = 1; i < n; i++) {
        int b = byte_of(l->v[at + i]);

        if (b < 0x80 || b > 0xbf)
            return 0;
        out = out << 6 | ((uint32_t)b & 0x3f);
    }
    if ((n == 3 && out < 0x800) || (n == 4 && (out < 0x10000 || out > 0x10ffff)) || (out >= 0xd800 && out < 0xe000))
        return 0;
    *c = out;
    return n;
}

static bool is_small(const struct line *l, size_t at)
{
    return at > 0 && l->v[at - 1] >= 'a' && l->v[at - 1] <= 'z';
}

/* Whether nobody would write this sequence on purpose. */
static bool is_telling(const struct line *l, size_t at, size_t n)
{
    bool plain = true;

    for (size_t i = 1; i < n; i++) {
        if (l->v[at + i] >= 0x80 && l->v[at + i] < 0xa0) /* a control character that no text has */
            return true;
        plain &= is_ordinary(l->v[at + i]);
    }
    if (n > 2)
        return !plain;
    if (l->v[at] == 0xc2)
        return l->v[at + 1] >= 0xa0 && l->v[at + 1] < 0x100;
    return l->v[at] == 0xc3 && (!plain || is_small(l, at));
}

struct finding {
    size_t telling, others;
    bool all_fits; /* every character outside of ASCII belongs to a sequence */
};

static struct finding look(const struct line *l)
{
    struct finding f = { .all_fits = true };

    for (size_t i = 0; i < l->n;) {
        uint32_t c;
        size_t n = l->v[i] < 0x80 ? 0 : sequence(l, i, &c);

        if (n && is_telling(l, i, n))
            f.telling++;
        else if (n)
            f.others++;
        else
            f.all_fits &= l->v[i] < 0x80;
        i += n ? n : 1;
    }
    return f;
}

/* true: something was mended. Shortens the line in place. */
static bool mend_encoding(struct line *l)
{
    struct finding f = look(l);
    bool all = f.all_fits && (f.telling || f.others > 1);
    size_t to = 0;

    if (!f.telling && !all)
        return false;
    for (size_t i = 0; i < l->n;) {
        uint32_t c;
        size_t n = l->v[i] < 0x80 ? 0 : sequence(l, i, &c);

        if (n && (all || is_telling(l, i, n))) {
            l->v[to++] = c;
            i += n;
        } else {
            l->v[to++] = l->v[i++];
        }
    }
    l->n = to;
    return true;
}

/* ---- single characters */

static const struct {
    uint32_t c;
    const char *to;
} ligatures[] = {
    { 0x132, "IJ" },   { 0x133, "ij" },   { 0x149, "ʼn" },  { 0x1f1, "DZ" },  { 0x1f2, "Dz" },  { 0x1f3, "dz" },
    { 0x1c4, "DŽ" },   { 0x1c5, "Dž" },   { 0x1c6, "dž" },  { 0x1c7, "LJ" },  { 0x1c8, "Lj" },  { 0x1c9, "lj" },
    { 0x1ca, "NJ" },   { 0x1cb, "Nj" },   { 0x1cc, "nj" },  { 0xfb00, "ff" }, { 0xfb01, "fi" }, { 0xfb02, "fl" },
    { 0xfb03, "ffi" }, { 0xfb04, "ffl" }, { 0xfb05, "ſt" }, { 0xfb06, "st" },
};

static bool add_ligature(struct buf *b, uint32_t c)
{
    for (size_t i = 0; i < sizeof ligatures / sizeof ligatures[0]; i++) {
        if (ligatures[i].c == c) {
            buf_add_c(b, ligatures[i].to);
            return true;
        }
    }
    return false;
}

static bool add_wide(struct buf *b, uint32_t c)
{
    utf8proc_int32_t to[32];
    utf8proc_ssize_t n;

    if (c == 0x3000) {
        buf_add_char(b, ' ');
        return true;
    }
    if (c < 0xff01 || c >= 0xfff0)
        return false;
    n = utf8proc_decompose_char((utf8proc_int32_t)c, to, 32, UTF8PROC_COMPOSE | UTF8PROC_COMPAT, NULL);
    for (utf8proc_ssize_t i = 0; i < n && i < 32; i++)
        add_char(b, (uint32_t)to[i]);
    return n > 0;
}

static bool is_control(uint32_t c)
{
    return c < 9 || c == 0xb || (c >= 0xe && c < 0x20) || c == 0x7f || (c >= 0x206a && c < 0x2070) || c == 0xfeff ||
           (c >= 0xfff9 && c < 0xfffd);
}

/* "\033[1;31m": its length, or 0. */
static size_t terminal_escape(const struct line *l, size_t at)
{
    size_t i = at + 2;

    if (l->v[at] != 27 || at + 1 >= l->n || l->v[at + 1] != '[')
        return 0;
    while (i < l->n && ((l->v[i] >= '0' && l->v[i] <= '9') || l->v[i] == ';'))
        i++;
    if (i >= l->n || !((l->v[i] >= 'a' && l->v[i] <= 'z') || (l->v[i] >= 'A' && l->v[i] <= 'Z')))
        return 0;
    return i + 1 - at;
}

static void add_fixed(struct buf *b, uint32_t c)
{
    if (c >= 0x80 && c < 0xa0)
        c = windows[c - 0x80];
    if (c == 0x2bc || (c >= 0x2018 && c <= 0x201b))
        buf_add_char(b, '\'');
    else if (c >= 0x201c && c <= 0x201f)
        buf_add_char(b, '"');
    else if (c == 0x2028 || c == 0x2029 || c == 0x85)
        buf_add_char(b, '\n');
    else if (!is_control(c) && !add_ligature(b, c) && !add_wide(b, c))
        add_char(b, c);
}

/* ---- a line */

static bool needs_nothing(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (c >= 0x7f || c == '&' || (c < 32 && c != '\n' && c != '\t' && c != '\f'))
            return false;
    }
    return true;
}

static struct line read_line(struct arena *mem, struct str s)
{
    struct line l = { arena_array(mem, sizeof(uint32_t), s.n + 1), 0 };

    for (size_t i = 0; i < s.n;)
        i += decode_one((const unsigned char *)s.p + i, s.n - i, &l.v[l.n++]);
    return l;
}

static void add_composed(struct buf *out, struct str s)
{
    utf8proc_uint8_t *composed = NULL;
    utf8proc_ssize_t n = utf8proc_map((const utf8proc_uint8_t *)s.p, (utf8proc_ssize_t)s.n, &composed,
                                      UTF8PROC_STABLE | UTF8PROC_COMPOSE);

    if (n >= 0)
        buf_add(out, composed, (size_t)n);
    else
        buf_add_str(out, s);
    free(composed);
}

static void add_line(struct arena *mem, struct buf *out, struct str s, bool has_entities)
{
    struct buf b = BUF(mem, s.n * 8 + 64);
    struct line l;

    if (has_entities && str_find_c(s, '&') != STR_NPOS)
        s = unescape(mem, s);
    l = read_line(mem, s);
    for (int round = 0; round < MAX_ROUNDS && mend_encoding(&l); round++)
        ;
    for (size_t i = 0; i < l.n;) {
        size_t escape = terminal_escape(&l, i);

        if (!escape)
            add_fixed(&b, l.v[i]);
        i += escape ? escape : 1;
    }
    add_composed(out, buf_str(&b));
}

struct str load_fix(struct arena *mem, struct str text)
{
    struct arena *scratch = arena_new(64 * 1024);
    struct buf out = BUF(mem, text.n * 4 + 64);
    bool has_entities = true; /* until a "<" says that the text is HTML itself */

    buf_reserve(&out, text.n + 1);
    while (text.n) {
        size_t n = str_find_c(str_sub(text, 0, MAX_LINE), '\n');
        struct str line;

        n = n != STR_NPOS ? n + 1 : text.n < MAX_LINE ? text.n : MAX_LINE;
        while (n < text.n && ((unsigned char)text.p[n] & 0xc0) == 0x80)
            n++;
        line = str_sub(text, 0, n);
        text = str_from(text, n);
        if (str_find_c(line, '<') != STR_NPOS)
            has_entities = false;
        if (needs_nothing(line)) {
            buf_add_str(&out, line);
        } else {
            add_line(scratch, &out, line, has_entities);
            arena_reset(scratch);
        }
    }
    arena_free(scratch);
    return buf_str(&out);
}
