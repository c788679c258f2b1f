/* glob.c: shell patterns, without recursion: after a mismatch only the last star is tried further on. */
#include "lib/base/glob.h"

/* The character at *at and the place behind it; a byte that begins none counts as itself. */
static uint32_t next_char(struct str s, size_t *at)
{
    const unsigned char *p = (const unsigned char *)s.p + *at;
    size_t left = s.n - *at, n = p[0] < 0xc0 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    uint32_t c = n == 1 ? p[0] : p[0] & (0xffu >> (n + 1));

    if (n > left) {
        *at += 1;
        return p[0];
    }
    for (size_t i = 1; i < n; i++)
        c = c << 6 | (p[i] & 0x3fu);
    *at += n;
    return c;
}

/* A set that begins at *at, behind its bracket: whether c is in it; *at moves behind it. A bracket that is never closed is a bracket. */
static bool in_set(struct str pattern, size_t *at, uint32_t c)
{
    size_t from = *at, end = from, i;
    bool negated = from < pattern.n && pattern.p[from] == '!', found = false;

    end += negated;
    if (end < pattern.n && pattern.p[end] == ']')
        end++;
    while (end < pattern.n && pattern.p[end] != ']')
        end++;
    if (end >= pattern.n)
        return c == '[';
    for (i = from + negated; i < end;) {
        struct str inside = str_sub(pattern, 0, end);
        uint32_t low = next_char(inside, &i), high = low;

        if (i + 1 < end && pattern.p[i] == '-') {
            i++;
            high = next_char(inside, &i);
        }
        found |= low <= c && c <= high;
    }
    *at = end + 1;
    return found != negated;
}

bool glob_match(struct str pattern, struct str text)
{
    size_t p = 0, t = 0, star = STR_NPOS, star_text = 0;

    if (pattern.n > GLOB_MAX_PATTERN)
        return false;
    while (t < text.n) {
        size_t next_p = p, next_t = t;
        bool same = false;

        if (p < pattern.n && pattern.p[p] == '*') {
            star = ++p;
            star_text = t;
            continue;
        }
        if (p < pattern.n) {
            uint32_t c = next_char(text, &next_t), want = next_char(pattern, &next_p);

            same = want == '?' || (want == '[' ? in_set(pattern, &next_p, c) : want == c);
        }
        if (same) {
            p = next_p;
            t = next_t;
        } else if (star != STR_NPOS) {
            next_char(text, &star_text);
            p = star;
            t = star_text;
        } else {
            return false;
        }
    }
    while (p < pattern.n && pattern.p[p] == '*')
        p++;
    return p == pattern.n;
}
