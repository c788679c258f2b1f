/* complaint.c: a second, slow reading of JSON that failed to parse, only to find what CPython's scanner would have said. */
#include "fcgi/complaint.h"

enum { MAX_DEPTH = 512 };

struct scan {
    const char *p;
    size_t n, at;
    const char *text; /* the complaint; NULL: none yet */
    size_t where;     /* byte offset */
};

static bool complain(struct scan *s, const char *text, size_t where)
{
    s->text = text;
    s->where = where;
    return false;
}

static void skip_space(struct scan *s)
{
    while (s->at < s->n && (s->p[s->at] == ' ' || s->p[s->at] == '\t' || s->p[s->at] == '\n' || s->p[s->at] == '\r'))
        s->at++;
}

static bool is(const struct scan *s, char c)
{
    return s->at < s->n && s->p[s->at] == c;
}

static bool is_digit(const struct scan *s, size_t at)
{
    return at < s->n && s->p[at] >= '0' && s->p[at] <= '9';
}

/* The scanner counts code points and asks whether four more follow the four digits' place: as many bytes follow, or more. */
static bool scan_hex(struct scan *s, size_t u)
{
    size_t points = 0, i;

    for (i = u + 1; i < s->n && points < 5; i++)
        points += ((unsigned char)s->p[i] & 0xc0) != 0x80;
    if (points < 5)
        return complain(s, "Invalid \\uXXXX escape", u);
    for (i = u + 1; i <= u + 4; i++)
        if (!strchr("0123456789abcdefABCDEF", s->p[i]) || s->p[i] == '\0')
            return complain(s, "Invalid \\uXXXX escape", u);
    return true;
}

static bool is_high_surrogate(const char *hex)
{
    return (hex[0] == 'd' || hex[0] == 'D') && strchr("89abAB", hex[1]) && hex[1];
}

static bool scan_escape(struct scan *s, size_t begin)
{
    size_t backslash = s->at++;

    if (s->at >= s->n)
        return complain(s, "Unterminated string starting at", begin);
    if (s->p[s->at] != 'u') {
        if (!strchr("\"\\/bfnrt", s->p[s->at]) || s->p[s->at] == '\0')
            return complain(s, "Invalid \\escape", backslash);
        s->at++;
        return true;
    }
    if (!scan_hex(s, s->at))
        return false;
    backslash = s->at + 5;
    /* The second half of a pair is read at once, so what is wrong in it is told of it. */
    if (is_high_surrogate(s->p + s->at + 1) && backslash + 6 < s->n && s->p[backslash] == '\\' &&
        s->p[backslash + 1] == 'u' && !scan_hex(s, backslash + 1))
        return false;
    s->at = backslash;
    return true;
}

static bool scan_string(struct scan *s)
{
    size_t begin = s->at++;

    while (s->at < s->n) {
        unsigned char c = (unsigned char)s->p[s->at];

        if (c == '"') {
            s->at++;
            return true;
        }
        if (c == '\\') {
            if (!scan_escape(s, begin))
                return false;
            continue;
        }
        if (c <= 0x1f)
            return complain(s, "Invalid control character at", s->at);
        s->at++;
    }
    return complain(s, "Unterminated string starting at", begin);
}

static bool scan_number(struct scan *s)
{
    size_t start = s->at, mark;

    if (is(s, '-'))
        s->at++;
    if (!is_digit(s, s->at))
        return complain(s, "Expecting value", start);
    if (s->p[s->at] == '0')
        s->at++;
    else
        while (is_digit(s, s->at))
            s->at++;
    if (is(s, '.') && is_digit(s, s->at + 1))
        for (s->at++; is_digit(s, s->at); s->at++)
            ;
    mark = s->at;
    if (is(s, 'e') || is(s, 'E')) {
        s->at++;
        if (is(s, '+') || is(s, '-'))
            s->at++;
        if (!is_digit(s, s->at))
            s->at = mark;
        while (is_digit(s, s->at))
            s->at++;
    }
    return true;
}

static bool scan_word(struct scan *s)
{
    static const char *const words[] = { "null", "true", "false" };

    for (size_t i = 0; i < 3; i++) {
        size_t n = strlen(words[i]);

        if (s->n - s->at >= n && memcmp(s->p + s->at, words[i], n) == 0) {
            s->at += n;
            return true;
        }
    }
    return scan_number(s);
}

static bool scan_value(struct scan *s, int depth);

static bool scan_object(struct scan *s, int depth)
{
    s->at++;
    skip_space(s);
    if (is(s, '}')) {
        s->at++;
        return true;
    }
    for (;;) {
        if (!is(s, '"'))
            return complain(s, "Expecting property name enclosed in double quotes", s->at);
        if (!scan_string(s))
            return false;
        skip_space(s);
        if (!is(s, ':'))
            return complain(s, "Expecting ':' delimiter", s->at);
        s->at++;
        skip_space(s);
        if (!scan_value(s, depth))
            return false;
        skip_space(s);
        if (is(s, '}')) {
            s->at++;
            return true;
        }
        if (!is(s, ','))
            return complain(s, "Expecting ',' delimiter", s->at);
        s->at++;
        skip_space(s);
    }
}

static bool scan_array(struct scan *s, int depth)
{
    s->at++;
    skip_space(s);
    if (is(s, ']')) {
        s->at++;
        return true;
    }
    for (;;) {
        if (!scan_value(s, depth))
            return false;
        skip_space(s);
        if (is(s, ']')) {
            s->at++;
            return true;
        }
        if (!is(s, ','))
            return complain(s, "Expecting ',' delimiter", s->at);
        s->at++;
        skip_space(s);
    }
}

static bool scan_value(struct scan *s, int depth)
{
    if (s->at >= s->n)
        return complain(s, "Expecting value", s->at);
    if (depth >= MAX_DEPTH)
        return complain(s, "Nested too deep", s->at);
    switch (s->p[s->at]) {
    case '"': return scan_string(s);
    case '{': return scan_object(s, depth + 1);
    case '[': return scan_array(s, depth + 1);
    default: return scan_word(s);
    }
}

bool json_complaint(struct str text, struct complaint *out)
{
    struct scan s = { .p = text.p, .n = text.n };
    bool good;

    skip_space(&s);
    good = scan_value(&s, 0);
    if (good) {
        skip_space(&s);
        if (s.at < s.n)
            good = complain(&s, "Extra data", s.at);
    }
    if (good)
        return false;
    out->text = s.text;
    out->position = str_utf8_length(str_sub(text, 0, s.where));
    return true;
}
