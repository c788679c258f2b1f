/* scan.c: the text of one member of a JSON document, found without parsing the rest. */
#include "lib/json/json.h"

static size_t skip_space(struct str s, size_t i)
{
    while (i < s.n && (s.p[i] == ' ' || s.p[i] == '\n' || s.p[i] == '\r' || s.p[i] == '\t'))
        i++;
    return i;
}

/* i stands on the opening quote; gives the place behind the closing one, or STR_NPOS. */
static size_t skip_string(struct str s, size_t i)
{
    size_t start = ++i;

    for (;;) {
        const char *quote = i < s.n ? memchr(s.p + i, '"', s.n - i) : NULL;
        size_t at, slashes = 0;

        if (!quote)
            return STR_NPOS;
        at = (size_t)(quote - s.p);
        while (at - slashes > start && s.p[at - slashes - 1] == '\\')
            slashes++;
        i = at + 1;
        if (slashes % 2 == 0)
            return i;
    }
}

static size_t skip_value(struct str s, size_t i)
{
    size_t depth = 0;

    for (;;) {
        if (i >= s.n)
            return STR_NPOS;
        switch (s.p[i]) {
        case '"':
            i = skip_string(s, i);
            if (i == STR_NPOS)
                return i;
            break;
        case '{': case '[':
            depth++;
            i++;
            break;
        case '}': case ']':
            if (depth == 0)
                return i;                            /* behind a bare value: the parent's end */
            depth--;
            i++;
            break;
        case ',':
            if (depth == 0)
                return i;
            i++;
            continue;
        default:
            i++;
            continue;
        }
        if (depth == 0 && (s.p[i - 1] == '"' || s.p[i - 1] == '}' || s.p[i - 1] == ']'))
            return i;
    }
}

enum status json_scan_member(struct str text, const char *key, struct str *value)
{
    size_t i = skip_space(text, 0), wanted = strlen(key);

    if (i >= text.n || text.p[i] != '{')
        return INVALID;
    i = skip_space(text, i + 1);
    while (i < text.n && text.p[i] == '"') {
        size_t start = i + 1, end = skip_string(text, i), from;

        if (end == STR_NPOS)
            return INVALID;
        i = skip_space(text, end);
        if (i >= text.n || text.p[i] != ':')
            return INVALID;
        from = i = skip_space(text, i + 1);
        i = skip_value(text, i);
        if (i == STR_NPOS)
            return INVALID;
        if (end - 1 - start == wanted && memcmp(text.p + start, key, wanted) == 0) {
            *value = str_trim(str_sub(text, from, i - from));
            return value->n ? OK : INVALID;
        }
        i = skip_space(text, i);
        if (i < text.n && text.p[i] == ',')
            i = skip_space(text, i + 1);
    }
    return i < text.n && text.p[i] == '}' ? NOT_FOUND : INVALID;
}
