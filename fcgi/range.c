/* range.c: the Range and If-None-Match headers. */
#include "fcgi/range.h"

/* Decimal digits alone; what is beyond 64 bits is as good as the largest. */
static bool position(struct str s, int64_t *out)
{
    int64_t v = 0;

    if (s.n == 0)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, s.p[i] - '0', &v)) {
            v = INT64_MAX;
            for (; i < s.n; i++)
                if (s.p[i] < '0' || s.p[i] > '9')
                    return false;
        }
    }
    *out = v;
    return true;
}

/* One of "5-9", "5-", "-5". False: broken. n == 0: outside. */
static bool one_range(struct str text, int64_t bytes, struct range *out)
{
    size_t dash = str_find_c(text, '-');
    struct str left, right;
    int64_t first, last;

    if (dash == STR_NPOS)
        return false;
    left = str_trim(str_sub(text, 0, dash));
    right = str_trim(str_from(text, dash + 1));
    *out = (struct range){ 0, 0 };
    if (left.n == 0) {
        if (!position(right, &last))
            return false;
        if (last > bytes)
            last = bytes;
        *out = (struct range){ bytes - last, last };
        return true;
    }
    if (!position(left, &first))
        return false;
    if (right.n == 0)
        last = INT64_MAX - 1;
    else if (!position(right, &last) || last < first)
        return false;
    if (first >= bytes)
        return true;
    if (last >= bytes)
        last = bytes - 1;
    *out = (struct range){ first, last - first + 1 };
    return true;
}

static bool overlaps(struct range a, struct range b)
{
    return a.first < b.first + b.n && b.first < a.first + a.n;
}

enum range_result range_parse(struct str header, int64_t bytes, struct range ranges[RANGE_MAX], int *n)
{
    struct str rest = str_trim(header), piece;
    int asked = 0;

    *n = 0;
    if (!str_starts(rest, "bytes="))
        return RANGE_WHOLE;
    rest = str_from(rest, sizeof("bytes=") - 1);
    while (str_split(&rest, ',', &piece)) {
        struct range one;

        piece = str_trim(piece);
        if (piece.n == 0)
            continue;
        if (++asked > RANGE_MAX || !one_range(piece, bytes, &one))
            return RANGE_WHOLE;
        if (one.n == 0)
            continue;
        for (int i = 0; i < *n; i++)
            if (overlaps(ranges[i], one))
                return RANGE_WHOLE;
        ranges[(*n)++] = one;
    }
    if (asked == 0)
        return RANGE_WHOLE;
    return *n ? RANGE_SOME : RANGE_NONE;
}

bool etag_matches(struct str header, struct str etag)
{
    struct str rest = header, piece;

    if (etag.n == 0)
        return false;
    if (str_starts(etag, "W/"))
        etag = str_from(etag, 2);
    while (str_split(&rest, ',', &piece)) {
        piece = str_trim(piece);
        if (str_is(piece, "*"))
            return true;
        if (str_starts(piece, "W/"))
            piece = str_from(piece, 2);
        if (str_eq(piece, etag))
            return true;
    }
    return false;
}
