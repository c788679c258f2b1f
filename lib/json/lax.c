/* lax.c: numbers and truths out of text. */
#include "lib/json/lax.h"

#include <errno.h>
#include <stdlib.h>

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
