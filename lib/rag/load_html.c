/* load_html.c: pages, read by libxml2's forgiving parser, which is what stands behind lxml in Python, too. */
#include <libxml/HTMLparser.h>
#include <limits.h>

#include "lib/rag/load_read.h"
#include "lib/rag/load_xmltree.h"

static void free_doc(void *doc)
{
    xmlFreeDoc(doc);
}

static bool is_block(const xmlNode *n)
{
    static const char *const names[] = { "p",       "div",  "br",    "li",         "tr", "h1", "h2",  "h3",
                                         "h4",      "h5",   "h6",    "title",      "ul", "ol", "pre", "section",
                                         "article", "body", "table", "blockquote", "dt", "dd", "hr" };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (xml_is(n, names[i]))
            return true;
    return false;
}

static bool is_hidden(const xmlNode *n)
{
    return xml_is(n, "script") || xml_is(n, "style") || xml_is(n, "template");
}

static void end_line(struct buf *b)
{
    while (b->n && (b->p[b->n - 1] == ' ' || b->p[b->n - 1] == '\t'))
        b->n--;
    if (b->n && b->p[b->n - 1] != '\n')
        buf_add_char(b, '\n');
}

/* With blocks, white space counts once, as a browser shows it. */
static void add_words(struct buf *b, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        bool space = s.p[i] == ' ' || s.p[i] == '\n' || s.p[i] == '\t' || s.p[i] == '\r';

        if (!space)
            buf_add_char(b, s.p[i]);
        else if (b->n && b->p[b->n - 1] != ' ' && b->p[b->n - 1] != '\n')
            buf_add_char(b, ' ');
    }
}

static void add_node(struct buf *text, const xmlNode *n, bool blocks)
{
    if (blocks && is_block(n))
        end_line(text);
    if ((n->type != XML_TEXT_NODE && n->type != XML_CDATA_SECTION_NODE) || !n->content)
        return;
    if (blocks)
        add_words(text, str_of((const char *)n->content));
    else
        buf_add_c(text, (const char *)n->content);
}

static void add_page(struct buf *text, xmlNode *root, bool blocks)
{
    for (xmlNode *n = root;;) {
        add_node(text, n, blocks);
        if (n->type == XML_ELEMENT_NODE && n->children && !is_hidden(n)) {
            n = n->children;
            continue;
        }
        for (;; n = n->parent) { /* leaves what has no more */
            if (blocks && is_block(n))
                end_line(text);
            if (n == root)
                return;
            if (n->next)
                break;
        }
        n = n->next;
    }
}

static struct str title_of(struct arena *mem, xmlNode *root)
{
    for (xmlNode *n = root; n; n = xml_next(root, n, true)) {
        struct buf b = BUF(mem, 64 * 1024);

        if (!xml_is(n, "title"))
            continue;
        xml_add_text(&b, n);
        return buf_str(&b);
    }
    return S("");
}

enum status load_html_text(struct arena *mem, struct str page, bool blocks, struct buf *text, struct str *title,
                           struct error *err)
{
    const int options = HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_NONET;
    htmlDocPtr doc = NULL;
    xmlNode *root;

    if (page.n < INT_MAX)
        doc = htmlReadMemory(page.p, (int)page.n, NULL, str_utf8_valid(page) ? "UTF-8" : NULL, options);
    root = doc ? xmlDocGetRootElement(doc) : NULL;
    if (doc)
        arena_at_end(mem, free_doc, doc);
    if (!root) {
        if (str_trim(page).n)
            return error_set(err, INVALID, "This file is no HTML page");
        if (title)
            *title = S("");
        return OK;
    }
    add_page(text, root, blocks);
    if (title)
        *title = title_of(mem, root);
    return buf_failed(text) ? error_set(err, TOO_BIG, "The text of this file is too large") : OK;
}

enum status load_html(struct load_out *out, struct str bytes, struct error *err)
{
    struct buf text = BUF(out->mem, LOAD_MAX_TEXT);
    json_object *metadata = json_new_object(out->mem);
    struct str title;
    enum status st = load_html_text(out->mem, bytes, false, &text, &title, err);

    if (st != OK)
        return st;
    json_set_str(metadata, "title", title);
    return load_add(out, buf_str(&text), metadata, err);
}
