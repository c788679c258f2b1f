/* str.c: views of bytes: comparing, searching, reading numbers, copies. */
#include "lib/base/str.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

int str_cmp(struct str a, struct str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int c = n ? memcmp(a.p, b.p, n) : 0;

    return c ? c : (a.n > b.n) - (a.n < b.n);
}

bool str_ieq(struct str a, const char *text)
{
    return a.n == strlen(text) && (a.n == 0 || strncasecmp(a.p, text, a.n) == 0);
}

bool str_starts(struct str s, const char *prefix)
{
    size_t n = strlen(prefix);

    return s.n >= n && (n == 0 || memcmp(s.p, prefix, n) == 0);
}

bool str_ends(struct str s, const char *suffix)
{
    size_t n = strlen(suffix);

    return s.n >= n && (n == 0 || memcmp(s.p + s.n - n, suffix, n) == 0);
}

size_t str_find(struct str s, struct str needle)
{
    const char *at;

    if (needle.n == 0)
        return 0;
    at = s.n ? memmem(s.p, s.n, needle.p, needle.n) : NULL;
    return at ? (size_t)(at - s.p) : STR_NPOS;
}

size_t str_find_c(struct str s, char c)
{
    const char *at = s.n ? memchr(s.p, c, s.n) : NULL;

    return at ? (size_t)(at - s.p) : STR_NPOS;
}

size_t str_rfind_c(struct str s, char c)
{
    const char *at = s.n ? memrchr(s.p, c, s.n) : NULL;

    return at ? (size_t)(at - s.p) : STR_NPOS;
}

bool str_has(struct str s, const char *needle)
{
    return str_find(s, str_of(needle)) != STR_NPOS;
}

struct str str_trim(struct str s)
{
    return str_trim_c(s, " \t\r\n\v\f");
}

struct str str_trim_c(struct str s, const char *chars)
{
    while (s.n && s.p[0] && strchr(chars, s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n && s.p[s.n - 1] && strchr(chars, s.p[s.n - 1]))
        s.n--;
    return s;
}

bool str_split(struct str *rest, char separator, struct str *piece)
{
    size_t at;

    if (!rest->p)
        return false;
    at = str_find_c(*rest, separator);
    if (at == STR_NPOS) {
        *piece = *rest;
        *rest = STR_NONE;
    } else {
        *piece = str_sub(*rest, 0, at);
        *rest = str_from(*rest, at + 1);
    }
    return true;
}

bool str_to_i64(struct str s, int64_t *out)
{
    bool negative = false;
    int64_t v = 0;

    if (s.n && (s.p[0] == '-' || s.p[0] == '+')) {
        negative = s.p[0] == '-';
        s = str_from(s, 1);
    }
    if (s.n == 0)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        if (__builtin_mul_overflow(v, (int64_t)10, &v))
            return false;
        if (negative ? __builtin_sub_overflow(v, (int64_t)(s.p[i] - '0'), &v)
                     : __builtin_add_overflow(v, (int64_t)(s.p[i] - '0'), &v))
            return false;
    }
    *out = v;
    return true;
}

bool str_to_double(struct str s, double *out)
{
    char text[64], *end;
    double v;

    if (s.n == 0 || s.n >= sizeof(text))
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (!strchr("0123456789+-.eE", s.p[i]) || !s.p[i])
            return false;
    memcpy(text, s.p, s.n);
    text[s.n] = '\0';
    errno = 0;
    v = strtod(text, &end);
    if (*end || !isfinite(v))
        return false;
    *out = v;
    return true;
}

/* Length of the UTF-8 sequence at p (RFC 3629: no surrogates, no overlong forms), 0: invalid. */
static size_t utf8_sequence(const unsigned char *p, size_t n)
{
    if (p[0] < 0x80)
        return 1;
    if (p[0] >= 0xC2 && p[0] <= 0xDF)
        return n >= 2 && (p[1] & 0xC0) == 0x80 ? 2 : 0;
    if ((p[0] & 0xF0) == 0xE0) {
        if (n < 3 || (p[1] & 0xC0) != 0x80 || (p[2] & 0xC0) != 0x80)
            return 0;
        if ((p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xED && p[1] > 0x9F))
            return 0;
        return 3;
    }
    if (p[0] >= 0xF0 && p[0] <= 0xF4) {
        if (n < 4 || (p[1] & 0xC0) != 0x80 || (p[2] & 0xC0) != 0x80 || (p[3] & 0xC0) != 0x80)
            return 0;
        if ((p[0] == 0xF0 && p[1] < 0x90) || (p[0] == 0xF4 && p[1] > 0x8F))
            return 0;
        return 4;
    }
    return 0;
}

bool str_utf8_valid(struct str s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    size_t i = 0;

    while (i < s.n) {
        uint64_t eight;
        size_t k;

        if (s.n - i >= 8) { /* eight ASCII bytes at once */
            memcpy(&eight, p + i, 8);
            if (!(eight & 0x8080808080808080u)) {
                i += 8;
                continue;
            }
        }
        k = utf8_sequence(p + i, s.n - i);
        if (k == 0)
            return false;
        i += k;
    }
    return true;
}

size_t str_utf8_length(struct str s)
{
    size_t points = 0;

    for (size_t i = 0; i < s.n; i++)
        points += (s.p[i] & 0xC0) != 0x80;
    return points;
}

struct str str_utf8_first(struct str s, size_t points)
{
    size_t i = 0;

    for (; i < s.n; i++)
        if ((s.p[i] & 0xC0) != 0x80 && points-- == 0)
            break;
    return str_sub(s, 0, i);
}

bool str_equal_secret(struct str a, struct str b)
{
    unsigned char differs = a.n != b.n;

    for (size_t i = 0; i < a.n; i++)
        differs |= (unsigned char)a.p[i] ^ (unsigned char)(b.n ? b.p[i % b.n] : 0);
    return differs == 0;
}

struct str str_copy(struct arena *mem, struct str s)
{
    char *p;

    if (!s.p)
        return s;
    p = arena_alloc(mem, s.n + 1);
    if (s.n)
        memcpy(p, s.p, s.n);
    p[s.n] = '\0';
    return str_n(p, s.n);
}

char *str_c(struct arena *mem, struct str s)
{
    return (char *)str_copy(mem, s.p ? s : S("")).p;
}

struct str str_vf(struct arena *mem, const char *format, va_list args)
{
    va_list again;
    char *p;
    int n;

    va_copy(again, args);
    n = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (n < 0)
        return S("");
    p = arena_alloc(mem, (size_t)n + 1);
    vsnprintf(p, (size_t)n + 1, format, args);
    return str_n(p, (size_t)n);
}

struct str str_f(struct arena *mem, const char *format, ...)
{
    va_list args;
    struct str s;

    va_start(args, format);
    s = str_vf(mem, format, args);
    va_end(args);
    return s;
}

struct str str_cat(struct arena *mem, struct str a, struct str b)
{
    char *p = arena_alloc(mem, a.n + b.n + 1);

    if (a.n)
        memcpy(p, a.p, a.n);
    if (b.n)
        memcpy(p + a.n, b.p, b.n);
    p[a.n + b.n] = '\0';
    return str_n(p, a.n + b.n);
}

/* The lower case of a two-byte code point of the Latin-1, Greek and Cyrillic blocks; others stay. */
static unsigned lower_point(unsigned c)
{
    if ((c >= 0xC0 && c <= 0xDE && c != 0xD7) || (c >= 0x391 && c <= 0x3A9) || (c >= 0x410 && c <= 0x42F))
        return c + 32;
    if (c >= 0x400 && c <= 0x40F)
        return c + 80;
    if ((c >= 0x100 && c <= 0x12F) || (c >= 0x132 && c <= 0x137) || (c >= 0x14A && c <= 0x177) ||
        (c >= 0x460 && c <= 0x481))
        return c | 1;
    return c;
}

struct str str_lower(struct arena *mem, struct str s)
{
    struct str out = str_copy(mem, s);
    unsigned char *p = (unsigned char *)out.p;

    for (size_t i = 0; i < out.n; i++) {
        if (p[i] >= 'A' && p[i] <= 'Z') {
            p[i] += 'a' - 'A';
        } else if (p[i] >= 0xC3 && p[i] <= 0xDF && i + 1 < out.n && (p[i + 1] & 0xC0) == 0x80) {
            unsigned c = lower_point((unsigned)(p[i] & 0x1F) << 6 | (p[i + 1] & 0x3F));

            p[i] = (unsigned char)(0xC0 | c >> 6);
            p[++i] = (unsigned char)(0x80 | (c & 0x3F));
        }
    }
    return out;
}

struct str str_replace(struct arena *mem, struct str s, struct str from, struct str to)
{
    struct buf b = BUF(mem, STR_NPOS);
    size_t at;

    if (from.n == 0 || str_find(s, from) == STR_NPOS)
        return s;
    while ((at = str_find(s, from)) != STR_NPOS) {
        buf_add(&b, s.p, at);
        buf_add_str(&b, to);
        s = str_from(s, at + from.n);
    }
    buf_add_str(&b, s);
    return buf_str(&b);
}
