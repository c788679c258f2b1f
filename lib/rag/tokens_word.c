/* tokens_word.c: cl100k_base's pattern, read by hand:
 *
 *   '(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s
 */
#include "lib/rag/tokens_word.h"

#include <utf8proc.h>

#include "lib/rag/pytext.h"

enum kind { LETTER, NUMBER, SPACE, OTHER };

struct point {
    unsigned value;
    enum kind kind;
    size_t bytes; /* 0: the end */
};

static struct point at(struct str text, size_t place)
{
    struct str rest = str_from(text, place);
    struct point p = { 0, OTHER, 0 };

    if (!rest.n)
        return p;
    p.value = utf8_at(rest, &p.bytes);
    switch (utf8proc_category((utf8proc_int32_t)p.value)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO: p.kind = LETTER; break;
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO: p.kind = NUMBER; break;
    default:
        if (point_is_space(p.value) && !(p.value >= 0x1C && p.value <= 0x1F))
            p.kind = SPACE;
    }
    return p;
}

static bool is_break(struct point p)
{
    return p.bytes && (p.value == '\r' || p.value == '\n');
}

/* Behind all points of a kind. */
static size_t pass(struct str text, size_t place, enum kind kind)
{
    struct point p;

    while ((p = at(text, place)).bytes && p.kind == kind)
        place += p.bytes;
    return place;
}

static bool is_letter_of(unsigned c, const char *letters)
{
    if (c == 0x17F) /* the long s, which is an s in any case */
        c = 's';
    return c < 0x80 && c && strchr(letters, (int)(c | 0x20)) && ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

/* "'s", "'LL" …; 0: none. */
static size_t contraction(struct str text)
{
    struct point a, b;

    if (text.p[0] != '\'')
        return 0;
    a = at(text, 1);
    if (!a.bytes)
        return 0;
    if (is_letter_of(a.value, "sdmt"))
        return 1 + a.bytes;
    b = at(text, 1 + a.bytes);
    if (b.bytes && ((is_letter_of(a.value, "l") && is_letter_of(b.value, "l")) ||
                    (is_letter_of(a.value, "vr") && is_letter_of(b.value, "e"))))
        return 1 + a.bytes + b.bytes;
    return 0;
}

/* The text begins with white space: up to its last line break, else all of it but the last, which goes with the word behind it. */
static size_t space(struct str text)
{
    size_t end = pass(text, 0, SPACE), behind_break = 0, last = 0;

    if (end == text.n)
        return end;
    for (size_t place = 0; place < end;) {
        struct point p = at(text, place);

        last = place;
        place += p.bytes;
        if (is_break(p))
            behind_break = place;
    }
    if (behind_break)
        return behind_break;
    return last > 0 ? last : end;
}

size_t tokens_word(struct str text)
{
    struct point first = at(text, 0), second;
    size_t end = contraction(text);

    if (end)
        return end;
    if (first.kind == LETTER)
        return pass(text, 0, LETTER);
    if (first.kind == NUMBER) {
        for (int n = 0; n < 3 && at(text, end).kind == NUMBER && at(text, end).bytes; n++)
            end += at(text, end).bytes;
        return end;
    }
    second = at(text, first.bytes);
    if (!is_break(first) && second.bytes && second.kind == LETTER)
        return pass(text, first.bytes, LETTER);
    if (first.kind == OTHER || (first.value == ' ' && second.bytes && second.kind == OTHER)) {
        end = pass(text, first.kind == OTHER ? 0 : first.bytes, OTHER);
        while (is_break(at(text, end)))
            end += at(text, end).bytes;
        return end;
    }
    return space(text);
}
