/* chunk.c: reads the usual shape of a streamed chunk without building objects. */
#include "lib/chat/chunk.h"

enum { MAX_DEPTH = 16 };

struct scan {
    const char *p, *end;
    struct buf *scratch;
    struct chunk *out;
};

static void skip_space(struct scan *s)
{
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\n' || *s->p == '\r' || *s->p == '\t'))
        s->p++;
}

static bool eat(struct scan *s, char c)
{
    skip_space(s);
    if (s->p >= s->end || *s->p != c)
        return false;
    s->p++;
    return true;
}

static bool at_literal(struct scan *s, const char *word, size_t n)
{
    skip_space(s);
    if ((size_t)(s->end - s->p) < n || memcmp(s->p, word, n) != 0)
        return false;
    s->p += n;
    return true;
}

/* A string without its quotes, still escaped. */
static bool raw_string(struct scan *s, struct str *out, bool *escaped)
{
    const char *start;

    if (!eat(s, '"'))
        return false;
    start = s->p;
    *escaped = false;
    for (; s->p < s->end && *s->p != '"'; s->p++) {
        if ((unsigned char)*s->p < 0x20)
            return false;
        if (*s->p == '\\') {
            *escaped = true;
            if (++s->p >= s->end)
                return false;
        }
    }
    if (s->p >= s->end)
        return false;
    *out = str_n(start, (size_t)(s->p - start));
    s->p++;
    return true;
}

static int hex4(const char *p)
{
    int v = 0;

    for (int i = 0; i < 4; i++) {
        char c = p[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;

        if (digit < 0)
            return -1;
        v = v << 4 | digit;
    }
    return v;
}

static void add_utf8(struct buf *b, uint32_t c)
{
    char u[4];
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

    for (size_t i = n - 1; i > 0; i--, c >>= 6)
        u[i] = (char)(0x80 | (c & 0x3f));
    u[0] = (char)(n == 1 ? c : (0xf00u >> n & 0xff) | c);
    buf_add(b, u, n);
}

/* \uXXXX at p (behind the u): a code point, taking a second half along. 0: broken or alone. */
static uint32_t unicode_escape(const char **p, const char *end)
{
    int first, second;

    if (end - *p < 4 || (first = hex4(*p)) < 0)
        return 0;
    *p += 4;
    if (first < 0xd800 || first > 0xdfff)
        return (uint32_t)first;
    if (first > 0xdbff || end - *p < 6 || (*p)[0] != '\\' || (*p)[1] != 'u' || (second = hex4(*p + 2)) < 0xdc00 ||
        second > 0xdfff)
        return 0;
    *p += 6;
    return 0x10000 + (((uint32_t)first & 0x3ff) << 10 | ((uint32_t)second & 0x3ff));
}

static bool unescape(struct str raw, struct buf *out)
{
    const char *p = raw.p, *end = raw.p + raw.n;

    while (p < end) {
        const char *start = p;
        uint32_t c;

        while (p < end && *p != '\\')
            p++;
        buf_add(out, start, (size_t)(p - start));
        if (p >= end)
            break;
        switch (p[1]) {
        case 'n': buf_add_char(out, '\n'); break;
        case 't': buf_add_char(out, '\t'); break;
        case 'r': buf_add_char(out, '\r'); break;
        case 'b': buf_add_char(out, '\b'); break;
        case 'f': buf_add_char(out, '\f'); break;
        case '"':
        case '\\':
        case '/': buf_add_char(out, p[1]); break;
        case 'u':
            p += 2;
            c = unicode_escape(&p, end);
            if (c == 0)
                return false;
            add_utf8(out, c);
            continue;
        default: return false;
        }
        p += 2;
    }
    return !buf_failed(out);
}

/* A string of interest: decoded into the scratch if it has escapes. null and "" leave *out absent. */
static bool text_value(struct scan *s, struct str *out)
{
    struct str raw;
    bool escaped;
    size_t at = s->scratch->n;

    if (at_literal(s, "null", 4))
        return true;
    if (!raw_string(s, &raw, &escaped) || !str_utf8_valid(raw))
        return false;
    if (escaped) {
        if (!unescape(raw, s->scratch))
            return false;
        raw = str_n(s->scratch->p + at, s->scratch->n - at);
    }
    if (raw.n)
        *out = raw;
    return true;
}

static bool skip_value(struct scan *s, int depth);

static bool skip_nested(struct scan *s, char close, int depth)
{
    struct str key;
    bool escaped;

    s->p++;
    if (eat(s, close))
        return true;
    do {
        if (close == '}' && (!raw_string(s, &key, &escaped) || !eat(s, ':')))
            return false;
        if (!skip_value(s, depth + 1))
            return false;
    } while (eat(s, ','));
    return eat(s, close);
}

static bool skip_value(struct scan *s, int depth)
{
    struct str text;
    bool escaped;
    const char *start;

    skip_space(s);
    if (s->p >= s->end || depth > MAX_DEPTH)
        return false;
    switch (*s->p) {
    case '"': return raw_string(s, &text, &escaped);
    case '{': return skip_nested(s, '}', depth);
    case '[': return skip_nested(s, ']', depth);
    case 't': return at_literal(s, "true", 4);
    case 'f': return at_literal(s, "false", 5);
    case 'n': return at_literal(s, "null", 4);
    default:
        for (start = s->p; s->p < s->end && ((*s->p >= '0' && *s->p <= '9') || strchr("+-.eE", *s->p)) && *s->p; s->p++)
            ;
        return s->p > start;
    }
}

typedef bool member_fn(struct scan *s, struct str key);

static bool each_member(struct scan *s, member_fn *fn)
{
    struct str key;
    bool escaped;

    if (!eat(s, '{'))
        return false;
    if (eat(s, '}'))
        return true;
    do {
        if (!raw_string(s, &key, &escaped) || escaped || !eat(s, ':') || !fn(s, key))
            return false;
    } while (eat(s, ','));
    return eat(s, '}');
}

static bool delta_member(struct scan *s, struct str key)
{
    if (str_is(key, "content"))
        return text_value(s, &s->out->content);
    if (str_is(key, "reasoning_content") || str_is(key, "reasoning") || str_is(key, "thinking")) {
        if (s->out->reasoning.p) /* which of two names wins is json-c's business */
            return at_literal(s, "null", 4);
        return text_value(s, &s->out->reasoning);
    }
    if (str_is(key, "tool_calls"))
        return at_literal(s, "null", 4);
    return skip_value(s, 0);
}

static bool choice_member(struct scan *s, struct str key)
{
    if (str_is(key, "delta"))
        return each_member(s, delta_member);
    if (str_is(key, "finish_reason"))
        return text_value(s, &s->out->finish_reason);
    if (str_is(key, "message"))
        return false;
    return skip_value(s, 0);
}

static bool chunk_member(struct scan *s, struct str key)
{
    if (str_is(key, "choices"))
        return eat(s, '[') && each_member(s, choice_member) && eat(s, ']');
    if (str_is(key, "usage") || str_is(key, "timings") || str_is(key, "error") || str_is(key, "event") ||
        str_is(key, "selected_model_id"))
        return at_literal(s, "null", 4);
    return skip_value(s, 0);
}

bool chunk_scan(struct str text, struct buf *scratch, struct chunk *out)
{
    struct scan s = { text.p, text.p + text.n, scratch, out };

    *out = (struct chunk){ 0 };
    buf_reset(scratch);
    if (!buf_reserve(scratch, text.n)) /* decoding never makes text longer, so views into the scratch stay good */
        return false;
    if (!each_member(&s, chunk_member))
        return false;
    skip_space(&s);
    return s.p == s.end;
}
