/* mentions.c: mentions in messages of channels. Both readers look at each character a few times at most, whatever the text. */
#include "lib/chat/mentions.h"

/* "<@X:" with a capital letter at the beginning of s? */
static bool opens(struct str s)
{
    return s.n >= 4 && s.p[0] == '<' && s.p[1] == '@' && s.p[2] >= 'A' && s.p[2] <= 'Z' && s.p[3] == ':';
}

static bool ends_id(char c)
{
    return c == '|' || c == '>';
}

bool mention_next(struct str *rest, struct mention *out)
{
    for (size_t at = 0; at + 4 < rest->n; at++) {
        struct str s = str_from(*rest, at);
        size_t n = 4;

        if (!opens(s) || ends_id(s.p[4]))
            continue;
        while (n < s.n && !ends_id(s.p[n]))
            n++;
        *out = (struct mention){ s.p[2], str_sub(s, 4, n - 4) };
        *rest = str_from(s, n);
        return true;
    }
    *rest = str_from(*rest, rest->n);
    return false;
}

/* Reads the mention at the beginning of s, which ends with the '>' at close; *shown is absent if it is none. What the answer says has been looked at
 * and holds no other mention. */
static size_t read_whole(struct str s, size_t close, struct str *shown)
{
    struct str inside = str_sub(s, 4, close - 4);
    size_t bar = str_find_c(inside, '|');

    *shown = STR_NONE;
    if (bar == 0)
        return 1;
    if (bar == inside.n - 1) /* no label: nor has any that begins before the bar */
        return close + 1;
    *shown = bar == STR_NPOS ? inside : str_from(inside, bar + 1);
    return close + 1;
}

struct str mentions_as_text(struct arena *mem, struct str text)
{
    struct buf b = BUF(mem, STR_NPOS);
    size_t close = 0; /* the first '>' at or behind the place */

    for (size_t at = 0, n; at < text.n; at += n) {
        struct str s = str_from(text, at), shown = STR_NONE;

        n = 1;
        if (close < at)
            close = at;
        while (close < text.n && text.p[close] != '>')
            close++;
        if (close < text.n && opens(s) && close - at > 4)
            n = read_whole(s, close - at, &shown);
        buf_add_str(&b, shown.p ? shown : str_sub(s, 0, n));
    }
    return buf_str(&b);
}
