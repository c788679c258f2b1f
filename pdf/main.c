/* main.c: webui-pdf: a chat on paper. Reads {"title", "messages": [{"role", "content", "model", "timestamp"}]} on standard input, writes a PDF to
 * standard output. Pango chooses fonts for every script, shapes it and orders it; cairo embeds what is used of them. It is a program of its own, so that the
 * responders stay small, and so that a text which is too much for it costs nobody else anything. */
#include <pango/pangocairo.h>

#include <cairo-pdf.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/json/json.h"

enum { INPUT_MAX = 64 * 1024 * 1024, PIECE_MAX = 16 * 1024, WORD_MAX = 1024 };

static const double width = 595.28, height = 841.89; /* A4 in points */
static const double left = 40, right = 555, top = 40, bottom = 800;

struct paper {
    cairo_t *cr;
    PangoLayout *layout;
    double y;
};

static void new_page(struct paper *p)
{
    cairo_show_page(p->cr);
    p->y = top;
}

static void space(struct paper *p, double points)
{
    p->y += points;
    if (p->y > bottom)
        new_page(p);
}

/* The lines of the layout, each where there is room for it. */
static void print_lines(struct paper *p)
{
    PangoLayoutIter *i = pango_layout_get_iter(p->layout);

    do {
        PangoLayoutLine *line = pango_layout_iter_get_line_readonly(i);
        PangoRectangle box;
        double high, baseline;

        pango_layout_iter_get_line_extents(i, NULL, &box);
        high = (double)box.height / PANGO_SCALE;
        baseline = (double)(pango_layout_iter_get_baseline(i) - box.y) / PANGO_SCALE;
        if (p->y + high > bottom)
            new_page(p);
        cairo_move_to(p->cr, left + (double)box.x / PANGO_SCALE, p->y + baseline);
        pango_cairo_show_layout_line(p->cr, line);
        p->y += high;
    } while (pango_layout_iter_next_line(i));
    pango_layout_iter_free(i);
}

/* Control characters mean nothing on paper. */
static void clean(char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)s[i] < 0x20 && s[i] != '\t')
            s[i] = ' ';
}

static void print_paragraph(struct paper *p, struct arena *mem, struct str text)
{
    struct str copy = str_copy(mem, text);

    clean((char *)(uintptr_t)copy.p, copy.n);
    pango_layout_set_text(p->layout, copy.p, (int)copy.n);
    print_lines(p);
}

/* How much of a line is laid out at a time: a book in one paragraph, or a word without an end, would take very long. Cut after a space where there is
 * one, and never within a character. */
static size_t piece_of(struct str s)
{
    size_t space_at = 0;

    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == ' ')
            space_at = i + 1;
        if ((i < PIECE_MAX && i + 1 - space_at <= WORD_MAX) || ((unsigned char)s.p[i] & 0xc0) == 0x80)
            continue;
        return i < PIECE_MAX || !space_at ? i : space_at;
    }
    return s.n;
}

static void print(struct paper *p, const char *font, double grey, struct str text)
{
    PangoFontDescription *description = pango_font_description_from_string(font);
    struct str line;

    pango_layout_set_font_description(p->layout, description);
    pango_font_description_free(description);
    cairo_set_source_rgb(p->cr, grey, grey, grey);
    while (str_split(&text, '\n', &line)) {
        do {
            struct arena *mem = arena_new(32 * 1024);
            size_t n = piece_of(line);

            print_paragraph(p, mem, str_sub(line, 0, n));
            line = str_from(line, n);
            arena_free(mem);
        } while (line.n);
    }
}

/* ---- what is printed */

static struct str text_of(struct arena *mem, json_object *content)
{
    struct buf b = BUF(mem, INPUT_MAX);

    if (json_is(content, json_type_string))
        return json_str_value(content);
    JSON_EACH (content, i, part) {
        if (!json_str(part, "text").p)
            continue;
        if (b.n)
            buf_add_char(&b, '\n');
        buf_add_str(&b, json_str(part, "text"));
    }
    return buf_str(&b);
}

static struct str date_of(struct arena *mem, json_object *message)
{
    time_t t = (time_t)json_double(message, "timestamp", 0);
    char text[64];
    struct tm tm;

    if (t <= 0 || !localtime_r(&t, &tm) || !strftime(text, sizeof(text), "%Y-%m-%d, %H:%M:%S", &tm))
        return S("");
    return str_f(mem, "%s", text);
}

static struct str capitalized(struct arena *mem, struct str role)
{
    struct str copy = str_copy(mem, role);
    char *p = (char *)(uintptr_t)copy.p;

    if (copy.n && p[0] >= 'a' && p[0] <= 'z')
        p[0] = (char)(p[0] - 'a' + 'A');
    return copy;
}

static void print_message(struct paper *p, struct arena *mem, json_object *message)
{
    struct str role = json_str(message, "role").n ? json_str(message, "role") : S("user"),
               model = str_is(role, "assistant") ? json_str(message, "model") : STR_NONE, date = date_of(mem, message);

    if (p->y > bottom - 80) /* a heading does not stay alone at the end of a page */
        new_page(p);
    print(p, "Noto Sans, DejaVu Sans, Sans Bold 13", 0, capitalized(mem, role));
    if (model.n)
        print(p, "Noto Sans, DejaVu Sans, Sans 9", 0.35, model);
    if (date.n)
        print(p, "Noto Sans, DejaVu Sans, Sans 9", 0.35, date);
    space(p, 8);
    print(p, "Noto Sans, DejaVu Sans, Sans 11", 0, text_of(mem, json_get(message, "content")));
    space(p, 18);
}

static cairo_status_t to_stdout(void *arg, const unsigned char *bytes, unsigned n)
{
    (void)arg;
    return write_all(STDOUT_FILENO, str_n((const char *)bytes, n), NULL) == OK ? CAIRO_STATUS_SUCCESS
                                                                               : CAIRO_STATUS_WRITE_ERROR;
}

static cairo_status_t print_chat(struct arena *mem, json_object *chat)
{
    cairo_surface_t *surface = cairo_pdf_surface_create_for_stream(to_stdout, NULL, width, height);
    struct paper p = { .cr = cairo_create(surface), .y = top };
    cairo_status_t st;

    p.layout = pango_cairo_create_layout(p.cr);
    pango_layout_set_width(p.layout, (int)((right - left) * PANGO_SCALE));
    pango_layout_set_wrap(p.layout, PANGO_WRAP_WORD_CHAR);
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_TITLE, str_c(mem, json_str(chat, "title")));
    print(&p, "Noto Sans, DejaVu Sans, Sans Bold 18", 0, json_str(chat, "title"));
    space(&p, 16);
    JSON_EACH (json_get(chat, "messages"), i, message)
        print_message(&p, mem, message);
    g_object_unref(p.layout);
    cairo_destroy(p.cr);
    cairo_surface_finish(surface);
    st = cairo_surface_status(surface);
    cairo_surface_destroy(surface);
    return st;
}

int main(int argc, char **argv)
{
    struct arena *mem = arena_new(64 * 1024);
    struct error err = { "" };
    json_object *chat = NULL;
    struct str text;
    cairo_status_t st;

    (void)argv;
    if (argc > 1) {
        fputs("usage: webui-pdf < chat.json > chat.pdf\n", stderr);
        return 2;
    }
    if (file_read(mem, "/dev/stdin", INPUT_MAX, &text, &err) != OK || json_parse(mem, text, &chat, &err) != OK ||
        !json_is(chat, json_type_object)) {
        fprintf(stderr, "webui-pdf: %s\n", err.text[0] ? err.text : "not a chat");
        return 1;
    }
    st = print_chat(mem, chat);
    if (st != CAIRO_STATUS_SUCCESS)
        fprintf(stderr, "webui-pdf: %s\n", cairo_status_to_string(st));
    arena_free(mem);
    return st == CAIRO_STATUS_SUCCESS ? 0 : 1;
}
