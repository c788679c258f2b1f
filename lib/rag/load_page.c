/* load_page.c: web pages through libxml2's push parser: every element and text passes by once. */
#include "lib/rag/load_page.h"

#include <libxml/HTMLparser.h>

#include "lib/base/clock.h"
#include "lib/rag/load_read.h"

enum { AT_ONCE = 64 * 1024 };

struct reading {
    struct arena *mem;
    struct buf text, title;
    struct html_page *page;
    int hidden;   /* how many elements whose text nobody reads are open */
    int in_title; /* 1: inside the first; 2: after it */
};

static bool is_hidden(const xmlChar *name)
{
    static const char *const names[] = { "script", "style", "template", "rt", "rp" };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp((const char *)name, names[i]) == 0)
            return true;
    return false;
}

static struct str attribute(const xmlChar **attributes, const char *name)
{
    for (; attributes && attributes[0]; attributes += 2)
        if (str_ieq(str_of((const char *)attributes[0]), name))
            return attributes[1] ? str_of((const char *)attributes[1]) : S("");
    return STR_NONE;
}

static void start_element(void *arg, const xmlChar *name, const xmlChar **attributes)
{
    struct reading *r = arg;
    struct str value;

    r->hidden += is_hidden(name);
    if (strcmp((const char *)name, "title") == 0 && r->in_title == 0)
        r->in_title = 1;
    if (strcmp((const char *)name, "html") == 0 && !r->page->language.p) {
        value = attribute(attributes, "lang");
        if (value.p)
            r->page->language = str_copy(r->mem, value);
    }
    if (strcmp((const char *)name, "meta") == 0 && !r->page->description.p &&
        str_is(attribute(attributes, "name"), "description")) {
        value = attribute(attributes, "content");
        r->page->description = value.p ? str_copy(r->mem, value) : S("No description found.");
    }
}

static void end_element(void *arg, const xmlChar *name)
{
    struct reading *r = arg;

    if (is_hidden(name) && r->hidden > 0)
        r->hidden--;
    if (strcmp((const char *)name, "title") == 0 && r->in_title == 1)
        r->in_title = 2;
}

static void add_text(void *arg, const xmlChar *text, int n)
{
    struct reading *r = arg;

    if (r->hidden == 0)
        buf_add(&r->text, text, (size_t)n);
    if (r->in_title == 1)
        buf_add(&r->title, text, (size_t)n);
}

static void pass_over(void *arg, const xmlChar *text, int n)
{
    (void)arg;
    (void)text;
    (void)n;
}

/* libxml2 does not promise that what it hands on is valid. */
static struct str cleaned(struct arena *mem, struct str s)
{
    struct buf b = BUF(mem, STR_NPOS);

    if (str_utf8_valid(s) && str_find_c(s, '\0') == STR_NPOS)
        return s;
    for (size_t i = 0; i < s.n;) {
        size_t n = (unsigned char)s.p[i] < 0x80   ? 1
                   : (unsigned char)s.p[i] < 0xE0 ? 2
                   : (unsigned char)s.p[i] < 0xF0 ? 3
                                                  : 4;
        struct str one = str_sub(s, i, n);

        if (one.n == n && str_utf8_valid(one)) {
            if (one.p[0])
                buf_add_str(&b, one);
            i += n;
        } else {
            buf_add_c(&b, "\xEF\xBF\xBD");
            i++;
        }
    }
    return buf_str(&b);
}

static xmlCharEncoding encoding_of(struct arena *mem, struct str bytes, struct str charset)
{
    xmlCharEncoding named = charset.n ? xmlParseCharEncoding(str_c(mem, charset)) : XML_CHAR_ENCODING_NONE;

    if (named != XML_CHAR_ENCODING_NONE && named != XML_CHAR_ENCODING_ERROR)
        return named;
    return str_utf8_valid(bytes) ? XML_CHAR_ENCODING_UTF8 : XML_CHAR_ENCODING_NONE;
}

static enum status parse(htmlParserCtxtPtr parser, struct str bytes, int64_t until_ms, struct error *err)
{
    while (bytes.n) {
        struct str some = str_sub(bytes, 0, AT_ONCE);

        if (mono_ms() >= until_ms)
            return error_set(err, TIMED_OUT, "the page takes too long to read");
        htmlParseChunk(parser, some.p, (int)some.n, 0); /* errors are mended, as browsers do */
        bytes = str_from(bytes, some.n);
    }
    htmlParseChunk(parser, NULL, 0, 1);
    return OK;
}

enum status html_read(struct arena *mem, struct str bytes, struct str charset, int64_t until_ms, struct html_page *out,
                      struct error *err)
{
    static htmlSAXHandler handler = { .startElement = start_element,
                                      .endElement = end_element,
                                      .characters = add_text,
                                      .ignorableWhitespace = add_text,
                                      .cdataBlock = pass_over };
    struct reading r = { mem, BUF(mem, bytes.n * 4 + 4096), BUF(mem, 64 * 1024), out, 0, 0 };
    htmlParserCtxtPtr parser;
    enum status st;

    *out = (struct html_page){ STR_NONE };
    parser = htmlCreatePushParserCtxt(&handler, &r, NULL, 0, NULL, encoding_of(mem, bytes, charset));
    if (!parser)
        return error_set(err, INVALID, "the page cannot be read");
    htmlCtxtUseOptions(parser, HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_NONET);
    st = parse(parser, bytes, until_ms, err);
    htmlFreeParserCtxt(parser);
    if (st != OK)
        return st;
    out->text = cleaned(mem, buf_str(&r.text));
    if (r.in_title)
        out->title = cleaned(mem, buf_str(&r.title));
    if (out->description.p)
        out->description = cleaned(mem, out->description);
    if (out->language.p)
        out->language = cleaned(mem, out->language);
    return OK;
}

/* The input is the name of the character set on a line of its own (perhaps empty), then the page. */
enum status load_page(struct load_out *out, struct str bytes, struct error *err)
{
    json_object *metadata = json_new_object(out->mem);
    size_t line = str_find_c(bytes, '\n');
    struct html_page page;
    enum status st;

    if (line == STR_NPOS)
        return error_set(err, INVALID, "the character set is missing");
    st = html_read(out->mem, str_from(bytes, line + 1), str_sub(bytes, 0, line), INT64_MAX, &page, err);
    if (st != OK)
        return st;
    if (page.title.p)
        json_set_str(metadata, "title", page.title);
    if (page.description.p)
        json_set_str(metadata, "description", page.description);
    json_set_str(metadata, "language", page.language.p ? page.language : S("No language found."));
    return load_add_as_is(out, page.text, metadata, err);
}
