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
        case '{':
        case '[':
            depth++;
            i++;
            break;
        case '}':
        case ']':
            if (depth == 0)
                return i; /* behind a bare value: the parent's end */
            depth--;
            i++;
            break;
        case ',':
            if (depth == 0)
                return i;
            i++;
            continue;
        default: i++; continue;
        }
        if (depth == 0 && (s.p[i - 1] == '"' || s.p[i - 1] == '}' || s.p[i - 1] == ']'))
            return i;
    }
}

/* A walk over the members of an object: INVALID when text is not one; else call next until it says NOT_FOUND. */
struct member {
    struct str key, value; /* views; the key still escaped, without its quotes */
};

static enum status first_member(struct str text, size_t *i)
{
    *i = skip_space(text, 0);
    if (*i >= text.n || text.p[*i] != '{')
        return INVALID;
    *i = skip_space(text, *i + 1);
    return OK;
}

static enum status next_member(struct str text, size_t *i, struct member *m)
{
    size_t start = *i + 1, end, from;

    if (*i >= text.n || text.p[*i] != '"')
        return *i < text.n && text.p[*i] == '}' ? NOT_FOUND : INVALID;
    end = skip_string(text, *i);
    if (end == STR_NPOS)
        return INVALID;
    from = skip_space(text, end);
    if (from >= text.n || text.p[from] != ':')
        return INVALID;
    from = skip_space(text, from + 1);
    *i = skip_value(text, from);
    if (*i == STR_NPOS)
        return INVALID;
    m->key = str_sub(text, start, end - 1 - start);
    m->value = str_trim(str_sub(text, from, *i - from));
    if (m->value.n == 0)
        return INVALID;
    *i = skip_space(text, *i);
    if (*i < text.n && text.p[*i] == ',')
        *i = skip_space(text, *i + 1);
    return OK;
}

enum status json_scan_member(struct str text, const char *key, struct str *value)
{
    struct member m;
    size_t i;
    enum status st = first_member(text, &i);

    while (st == OK && (st = next_member(text, &i, &m)) == OK) {
        if (str_is(m.key, key)) {
            *value = m.value;
            return OK;
        }
    }
    return st;
}

static void add_member(struct buf *out, struct str key, struct str value)
{
    if (out->n > 1)
        buf_add_c(out, ", ");
    buf_add_char(out, '"');
    buf_add_str(out, key);
    buf_add_c(out, "\": ");
    buf_add_str(out, value);
}

struct str json_text_with(struct arena *mem, struct str object, const char *key, struct str value)
{
    struct buf out = BUF(mem, STR_NPOS);
    struct str was;

    if (json_scan_member(object, key, &was) == OK) {
        buf_reserve(&out, object.n - was.n + value.n);
        buf_add(&out, object.p, (size_t)(was.p - object.p));
        buf_add_str(&out, value);
        buf_add_str(&out, str_from(object, (size_t)(was.p - object.p) + was.n));
        return buf_str(&out);
    }
    object = str_trim(object);
    if (object.n < 2 || object.p[0] != '{' || object.p[object.n - 1] != '}')
        object = S("{}");
    buf_reserve(&out, object.n + value.n + 64);
    buf_add_str(&out, str_trim(str_sub(object, 0, object.n - 1)));
    if (out.n > 1)
        buf_add_c(&out, ", ");
    buf_add_json_string(&out, str_of(key));
    buf_add_c(&out, ": ");
    buf_add_str(&out, value);
    buf_add_char(&out, '}');
    return buf_str(&out);
}

struct str json_text_merged(struct arena *mem, struct str object, json_object *changes)
{
    struct buf out = BUF(mem, STR_NPOS);
    json_object *left = json_new_object(mem); /* changes that have not found their place yet */
    struct member m;
    size_t i;
    enum status st = first_member(object, &i);

    json_merge(left, changes);
    buf_add_char(&out, '{');
    while (st == OK && (st = next_member(object, &i, &m)) == OK) {
        const char *key = str_c(mem, m.key);

        if (json_has(left, key)) {
            add_member(&out, m.key, json_text(mem, json_get(left, key)));
            json_del(left, key);
        } else if (!json_has(changes, key)) {
            add_member(&out, m.key, m.value);
        }
    }
    json_object_object_foreach(left, key, value)
    {
        if (out.n > 1)
            buf_add_c(&out, ", ");
        buf_add_json_string(&out, str_of(key));
        buf_add_c(&out, ": ");
        json_add_to_buf(&out, value);
    }
    buf_add_char(&out, '}');
    return buf_str(&out);
}
