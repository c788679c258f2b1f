/* query.c: name=value lists of a client, and what their texts mean. */
#include "fcgi/query.h"

#include <errno.h>

#include "lib/base/encode.h"

static struct str decode(struct arena *mem, struct str raw)
{
    struct str s;

    if (str_find_c(raw, '%') == STR_NPOS && str_find_c(raw, '+') == STR_NPOS)
        return str_copy(mem, raw);
    if (url_decode(mem, raw, true, &s))
        return str_copy(mem, s);
    return str_replace(mem, raw, S("+"), S(" "));
}

bool query_next(struct arena *mem, struct str *rest, struct str *name, struct str *value)
{
    struct str pair;

    while (str_split(rest, '&', &pair)) {
        size_t at;

        if (pair.n == 0)
            continue;
        at = str_find_c(pair, '=');
        *name = decode(mem, at == STR_NPOS ? pair : str_sub(pair, 0, at));
        *value = at == STR_NPOS ? S("") : decode(mem, str_from(pair, at + 1));
        return true;
    }
    return false;
}

struct str query_last(struct arena *mem, struct str query, const char *name)
{
    struct str rest = query, found = STR_NONE, key, value;
    size_t pairs = 0;

    while (pairs++ < QUERY_MAX_PAIRS && query_next(mem, &rest, &key, &value))
        if (str_is(key, name))
            found = value;
    return found;
}

struct str cookie_find(struct str header, const char *name)
{
    struct str rest = header, found = STR_NONE, pair;

    while (str_split(&rest, ';', &pair)) {
        size_t at = str_find_c(pair, '=');

        if (at == STR_NPOS || !str_is(str_trim(str_sub(pair, 0, at)), name))
            continue;
        found = str_trim(str_from(pair, at + 1));
        if (found.n >= 2 && found.p[0] == '"' && found.p[found.n - 1] == '"')
            found = str_sub(found, 1, found.n - 2);
    }
    return found;
}

/* Digits with single underscores between them, copied without; false: no such thing. */
static bool plain_digits(struct str text, char *out, size_t room, size_t *n)
{
    bool digit_before = false;

    *n = 0;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];

        if (c == '_') {
            if (!digit_before || i + 1 == text.n)
                return false;
            digit_before = false;
            continue;
        }
        if (c < '0' || c > '9')
            return false;
        digit_before = true;
        if (*n < room)
            out[*n] = c;
        ++*n;
    }
    return *n > 0;
}

enum number_result lax_int(struct str text, int64_t *out)
{
    struct str s = str_trim(text), digits;
    bool negative = s.n && s.p[0] == '-';
    uint64_t v = 0;
    char plain[4301];
    size_t dot, n, zeros = 0;

    if (s.n && (s.p[0] == '-' || s.p[0] == '+'))
        s = str_from(s, 1);
    dot = str_find_c(s, '.');
    digits = dot == STR_NPOS ? s : str_sub(s, 0, dot);
    if (dot != STR_NPOS) {
        for (zeros = dot + 1; zeros < s.n && s.p[zeros] == '0'; zeros++)
            ;
        if (zeros == dot + 1 || zeros < s.n)
            return NUMBER_BROKEN;
    }
    if (!plain_digits(digits, plain, sizeof(plain), &n))
        return NUMBER_BROKEN;
    if (n > sizeof(plain))
        return NUMBER_TOO_BIG;
    for (size_t i = 0; i < n; i++)
        if (__builtin_mul_overflow(v, 10u, &v) || __builtin_add_overflow(v, (uint64_t)(plain[i] - '0'), &v))
            return NUMBER_TOO_BIG;
    if (v > (uint64_t)INT64_MAX + negative)
        return NUMBER_TOO_BIG;
    *out = negative ? (int64_t)(0 - v) : (int64_t)v;
    return NUMBER_OK;
}

bool lax_double(struct str text, double *out)
{
    struct str s = str_trim(text);
    char plain[400];
    size_t n = 0;
    char *end;

    if (s.n == 0 || s.n >= sizeof(plain))
        return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if (c == '_') {
            bool between = i > 0 && i + 1 < s.n && s.p[i - 1] >= '0' && s.p[i - 1] <= '9' && s.p[i + 1] >= '0' &&
                           s.p[i + 1] <= '9';

            if (!between)
                return false;
            continue;
        }
        if (!strchr("0123456789+-.eE", c) ||
            c == '\0') /* neither hexadecimal nor nan nor infinity, which JSON has not */
            return false;
        plain[n++] = c;
    }
    plain[n] = '\0';
    errno = 0;
    *out = strtod(plain, &end);
    return end == plain + n && end != plain && __builtin_isfinite(*out);
}

bool lax_bool(struct str text, bool *out)
{
    static const char *const yes[] = { "1", "on", "t", "true", "y", "yes" };
    static const char *const no[] = { "0", "off", "f", "false", "n", "no" };

    for (size_t i = 0; i < sizeof(yes) / sizeof(*yes); i++) {
        if (str_ieq(text, yes[i]))
            return *out = true;
        if (str_ieq(text, no[i])) {
            *out = false;
            return true;
        }
    }
    return false;
}

/* The value at *at: a quoted string with backslash escapes, or a token up to the next semicolon. */
static struct str parameter_value(struct arena *mem, struct str s, size_t *at)
{
    struct buf b = BUF(mem, 16 * 1024);
    size_t start = *at;

    if (*at >= s.n || s.p[*at] != '"') {
        while (*at < s.n && s.p[*at] != ';')
            ++*at;
        return str_copy(mem, str_trim(str_sub(s, start, *at - start)));
    }
    for (++*at; *at < s.n && s.p[*at] != '"'; ++*at) {
        if (s.p[*at] == '\\' && *at + 1 < s.n && (s.p[*at + 1] == '"' || s.p[*at + 1] == '\\'))
            ++*at;
        buf_add_char(&b, s.p[*at]);
    }
    while (*at < s.n && s.p[*at] != ';')
        ++*at;
    return buf_str(&b);
}

struct str header_parameter(struct arena *mem, struct str header, const char *name)
{
    size_t at = str_find_c(header, ';');

    while (at != STR_NPOS && at < header.n) {
        size_t eq = ++at;
        struct str key, value;

        while (eq < header.n && header.p[eq] != '=' && header.p[eq] != ';')
            eq++;
        key = str_trim(str_sub(header, at, eq - at));
        at = eq;
        if (eq >= header.n || header.p[eq] == ';')
            continue;
        for (at = eq + 1; at < header.n && (header.p[at] == ' ' || header.p[at] == '\t'); at++)
            ;
        value = parameter_value(mem, header, &at);
        if (str_ieq(key, name))
            return value;
    }
    return STR_NONE;
}
