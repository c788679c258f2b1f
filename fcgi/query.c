/* query.c: name=value lists of a client, and what their texts mean. */
#include "fcgi/query.h"

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
