/* dotenv.c: reads .env files; each reader below takes one piece off the front of the text, or nothing. */
#include "lib/config/dotenv.h"

static bool is_blank(char c) /* white space within a line */
{
    return c == ' ' || c == '\t' || c == '\v' || c == '\f';
}

static bool is_space(char c)
{
    return is_blank(c) || c == '\r' || c == '\n';
}

static void take(struct str *in, size_t n)
{
    in->p += n;
    in->n -= n;
}

static void skip_blanks(struct str *in)
{
    while (in->n > 0 && is_blank(in->p[0]))
        take(in, 1);
}

/* To the end of the line, without it. */
static struct str read_line(struct str *in)
{
    struct str line = { in->p, 0 };

    while (line.n < in->n && in->p[line.n] != '\r' && in->p[line.n] != '\n')
        line.n++;
    take(in, line.n);
    return line;
}

static bool read_line_end(struct str *in)
{
    skip_blanks(in);
    if (in->n == 0)
        return true;
    if (in->n > 1 && in->p[0] == '\r' && in->p[1] == '\n')
        take(in, 2);
    else if (in->p[0] == '\r' || in->p[0] == '\n')
        take(in, 1);
    else
        return false;
    return true;
}

static void skip_export(struct str *in)
{
    if (str_starts(*in, "export") && in->n > 6 && is_blank(in->p[6])) {
        take(in, 6);
        skip_blanks(in);
    }
}

/* absent, and true: a comment stands here. */
static bool read_name(struct arena *mem, struct str *in, struct str *name)
{
    size_t n = 0;

    *name = STR_NONE;
    if (in->n > 0 && in->p[0] == '#')
        return true;
    if (in->n > 0 && in->p[0] == '\'') {
        size_t end = str_find_c(str_from(*in, 1), '\'');

        if (end == STR_NPOS || end == 0)
            return false;
        *name = str_copy(mem, str_n(in->p + 1, end));
        take(in, end + 2);
        return true;
    }
    while (n < in->n && in->p[n] != '=' && in->p[n] != '#' && !is_space(in->p[n]))
        n++;
    if (n == 0)
        return false;
    *name = str_copy(mem, str_n(in->p, n));
    take(in, n);
    return true;
}

/* What a backslash and c mean between quotes; 0: the backslash stays. */
static char escaped(char quote, char c)
{
    static const char from[] = "\\'\"abfnrtv", to[] = "\\'\"\a\b\f\n\r\t\v";
    const char *at = c ? strchr(from, c) : NULL;

    if (!at || (quote == '\'' && at - from > 1))
        return 0;
    return to[at - from];
}

static bool read_quoted(struct arena *mem, struct str *in, struct str *value)
{
    char quote = in->p[0], *to;
    size_t end = 1, n = 0;

    while (end < in->n && in->p[end] != quote)
        end += in->p[end] == '\\' ? 2 : 1;
    if (end >= in->n)
        return false;
    to = arena_alloc(mem, end);
    for (size_t i = 1; i < end; i++) {
        char c = in->p[i], meant = c == '\\' ? escaped(quote, in->p[i + 1]) : 0;

        to[n++] = meant ? meant : c;
        if (c == '\\' && !meant)
            to[n++] = in->p[i + 1];
        if (c == '\\')
            i++;
    }
    to[n] = '\0';
    *value = str_n(to, n);
    take(in, end + 1);
    return true;
}

static struct str read_unquoted(struct arena *mem, struct str *in)
{
    struct str line = read_line(in);

    for (size_t i = 1; i < line.n; i++)
        if (line.p[i] == '#' && is_blank(line.p[i - 1]))
            line.n = i;
    return str_copy(mem, str_trim(line));
}

static bool read_value(struct arena *mem, struct str *in, struct str *value)
{
    bool blanks = in->n > 1 && is_blank(in->p[1]);

    take(in, 1); /* the "=" */
    skip_blanks(in);
    if (in->n == 0 || in->p[0] == '\r' || in->p[0] == '\n' || (blanks && in->p[0] == '#'))
        *value = S("");
    else if (in->p[0] == '\'' || in->p[0] == '"')
        return read_quoted(mem, in, value);
    else
        *value = read_unquoted(mem, in);
    return true;
}

struct str dotenv_get(const struct dotenv *d, struct str name)
{
    for (size_t i = d->n; i > 0; i--)
        if (str_eq(d->v[i - 1].name, name))
            return d->v[i - 1].value;
    return STR_NONE;
}

/* ${NAME} or ${NAME:-default} at the start of text: its length, or 0. */
static size_t variable_at(struct str text, struct str *name, struct str *otherwise)
{
    size_t end, n = 2;

    if (!str_starts(text, "${") || (end = str_find_c(text, '}')) == STR_NPOS)
        return 0;
    while (n < end && text.p[n] != ':')
        n++;
    *name = str_n(text.p + 2, n - 2);
    *otherwise = S("");
    if (n == end)
        return end + 1;
    if (n + 1 >= end || text.p[n + 1] != '-')
        return 0;
    *otherwise = str_n(text.p + n + 2, end - n - 2);
    return end + 1;
}

static struct str interpolate(struct arena *mem, const struct dotenv *above, const char *(*environment)(const char *),
                              struct str text)
{
    struct buf out = BUF(mem, 1024 * 1024);

    if (str_find(text, S("${")) == STR_NPOS)
        return text;
    while (text.n > 0) {
        struct str name, value;
        size_t n = variable_at(text, &name, &value);
        const char *set = n ? environment(str_c(mem, name)) : NULL;

        if (n == 0) {
            buf_add(&out, text.p, 1);
            take(&text, 1);
            continue;
        }
        if (set) {
            value = str_of(set);
        } else {
            for (size_t i = 0; i < above->n; i++) /* a name without a value is empty, not missing */
                if (str_eq(above->v[i].name, name))
                    value = above->v[i].value.p ? above->v[i].value : S("");
        }
        buf_add_str(&out, value);
        take(&text, n);
    }
    return buf_failed(&out) ? S("") : str_copy(mem, buf_str(&out));
}

static void add_entry(struct arena *mem, struct dotenv *d, struct str name, struct str value)
{
    if ((d->n & (d->n - 1)) == 0) { /* the room doubles at powers of two */
        size_t old = d->n * sizeof *d->v;

        d->v = arena_grow(mem, d->v, old, old ? 2 * old : sizeof *d->v);
    }
    d->v[d->n++] = (struct dotenv_entry){ name, value };
}

void dotenv_parse(struct arena *mem, struct str text, const char *(*environment)(const char *name), struct dotenv *out)
{
    *out = (struct dotenv){ 0 };
    if (str_starts(text, "\xef\xbb\xbf"))
        take(&text, 3);
    for (;;) {
        struct str name = STR_NONE, value = STR_NONE;
        bool good;

        while (text.n > 0 && is_space(text.p[0]))
            take(&text, 1);
        if (text.n == 0)
            return;
        skip_export(&text);
        good = read_name(mem, &text, &name);
        skip_blanks(&text);
        if (good && text.n > 0 && text.p[0] == '=')
            good = read_value(mem, &text, &value);
        if (good) {
            skip_blanks(&text);
            if (text.n > 0 && text.p[0] == '#')
                read_line(&text);
            good = read_line_end(&text);
        }
        if (!good) {
            out->broken++;
            read_line(&text);
        } else if (name.p) {
            add_entry(mem, out, name, value.p ? interpolate(mem, out, environment, value) : STR_NONE);
        }
    }
}
