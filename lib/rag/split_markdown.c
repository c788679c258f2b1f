/* split_markdown.c: sections of a Markdown text. */
#include "lib/rag/split_markdown.h"

#include "lib/rag/pytext.h"

struct sections {
    struct arena *mem;
    struct markdown_section *v;
    size_t n, room;
    struct buf text; /* of the last section, which may go on */
};

struct reading {
    struct str now[MARKDOWN_LEVELS];     /* the headers above the next line */
    struct str of_text[MARKDOWN_LEVELS]; /* the headers above the lines that are collected */
    struct buf text;                     /* the collected lines */
    bool any;                            /* there is a collected line, be it empty */
    const char *fence;                   /* inside a block of code: what ends it */
};

static bool same(const struct str *a, const struct str *b)
{
    for (int i = 0; i < MARKDOWN_LEVELS; i++)
        if ((a[i].p == NULL) != (b[i].p == NULL) || !str_eq(a[i], b[i]))
            return false;
    return true;
}

static int count(const struct str *headings)
{
    int n = 0;

    for (int i = 0; i < MARKDOWN_LEVELS; i++)
        n += headings[i].p != NULL;
    return n;
}

static bool ends_in_header(struct str text)
{
    size_t at = str_rfind_c(text, '\n');

    return str_starts(at == STR_NPOS ? text : str_from(text, at + 1), "#");
}

static void end_section(struct sections *to)
{
    if (to->n)
        to->v[to->n - 1].text = str_copy(to->mem, buf_str(&to->text));
    buf_reset(&to->text);
}

/* A paragraph joins the section before it if that has the same headers, or is so far nothing but the header above this one. */
static void add_paragraph(struct sections *to, struct str text, const struct str *headings)
{
    struct markdown_section *last = to->n ? &to->v[to->n - 1] : NULL;

    if (last && (same(last->headings, headings) ||
                 (count(last->headings) < count(headings) && ends_in_header(buf_str(&to->text))))) {
        buf_add_c(&to->text, "  \n");
        buf_add_str(&to->text, text);
        memcpy(last->headings, headings, sizeof(last->headings));
        return;
    }
    end_section(to);
    if (to->n == to->room) {
        size_t more = to->room ? to->room * 2 : 16;

        to->v = arena_grow(to->mem, to->v, to->room * sizeof(*to->v), more * sizeof(*to->v));
        to->room = more;
    }
    buf_add_str(&to->text, text);
    memcpy(to->v[to->n++].headings, headings, sizeof(last->headings));
}

static void end_paragraph(struct sections *to, struct reading *in)
{
    if (!in->any)
        return;
    add_paragraph(to, buf_str(&in->text), in->of_text);
    buf_reset(&in->text);
    in->any = false;
}

static void collect(struct reading *in, struct str line)
{
    if (in->any)
        buf_add_char(&in->text, '\n');
    buf_add_str(&in->text, line);
    in->any = true;
}

static struct str printable(struct arena *mem, struct str line)
{
    struct buf b = BUF(mem, STR_NPOS);
    size_t bytes;

    for (line = py_strip(line); line.n; line = str_from(line, bytes))
        if (point_is_printable(utf8_at(line, &bytes)))
            buf_add(&b, line.p, bytes);
    return buf_str(&b);
}

/* 1 to 6: "## Title"; 0: no header. */
static int header_level(struct str line)
{
    size_t n = 0;

    while (n < line.n && line.p[n] == '#')
        n++;
    return n >= 1 && n <= MARKDOWN_LEVELS && (n == line.n || line.p[n] == ' ') ? (int)n : 0;
}

static void note_fence(struct reading *in, struct str line)
{
    if (in->fence) {
        if (str_starts(line, in->fence))
            in->fence = NULL;
    } else if (str_starts(line, "```") && str_find(str_from(line, 3), S("```")) == STR_NPOS) {
        in->fence = "```";
    } else if (str_starts(line, "~~~")) {
        in->fence = "~~~";
    }
}

static void read_line(struct sections *to, struct reading *in, struct str line)
{
    int level;

    note_fence(in, line);
    if (in->fence) {
        collect(in, line);
        return; /* the headers above stay as they were for the lines that are collected */
    }
    level = header_level(line);
    if (level) {
        for (int i = level - 1; i < MARKDOWN_LEVELS; i++)
            in->now[i] = STR_NONE;
        in->now[level - 1] = py_strip(str_from(line, (size_t)level));
        if (!in->now[level - 1].p)
            in->now[level - 1] = S("");
        end_paragraph(to, in);
        collect(in, line);
    } else if (line.n) {
        collect(in, line);
    } else {
        end_paragraph(to, in);
    }
    memcpy(in->of_text, in->now, sizeof(in->now));
}

size_t markdown_sections(struct arena *mem, struct str text, struct markdown_section **out)
{
    struct sections to = { .mem = mem, .text = BUF(mem, STR_NPOS) };
    struct reading in = { .text = BUF(mem, STR_NPOS) };
    struct str line;

    if (!text.p)
        text = S("");
    while (str_split(&text, '\n', &line))
        read_line(&to, &in, printable(mem, line));
    end_paragraph(&to, &in);
    end_section(&to);
    *out = to.v;
    return to.n;
}
