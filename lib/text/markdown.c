/* markdown.c: walks cmark's tree without recursion: a text may nest as deep as it is long. */
#include "lib/text/markdown.h"

#include <cmark.h>

struct page {
    struct buf out;
    cmark_node *image; /* inside of which there is text only: its alt */
};

/* ---- lists */

static bool is_list(cmark_node *n)
{
    return n && cmark_node_get_type(n) == CMARK_NODE_LIST;
}

static bool is_item(cmark_node *n)
{
    return n && cmark_node_get_type(n) == CMARK_NODE_ITEM;
}

static cmark_node *item_before(cmark_node *item)
{
    cmark_node *list = cmark_node_parent(item);

    if (cmark_node_previous(item))
        return cmark_node_previous(item);
    return is_list(cmark_node_previous(list)) ? cmark_node_last_child(cmark_node_previous(list)) : NULL;
}

static cmark_node *item_after(cmark_node *item)
{
    cmark_node *list = cmark_node_parent(item);

    if (cmark_node_next(item))
        return cmark_node_next(item);
    return is_list(cmark_node_next(list)) ? cmark_node_first_child(cmark_node_next(list)) : NULL;
}

/* The line on which a block's text ends; that of a container may be a blank one. */
static int last_line(cmark_node *n)
{
    while (cmark_node_last_child(n) && cmark_node_get_type(n) != CMARK_NODE_PARAGRAPH &&
           cmark_node_get_type(n) != CMARK_NODE_HEADING)
        n = cmark_node_last_child(n);
    return cmark_node_get_end_line(n);
}

static bool blank_between(cmark_node *a, cmark_node *b)
{
    return a && b && cmark_node_get_start_line(b) - last_line(a) > 1;
}

/* The text of an item that stands in it without a <p>. */
static bool is_tight(cmark_node *paragraph)
{
    cmark_node *item = cmark_node_parent(paragraph);

    return is_item(item) && !cmark_node_previous(paragraph) && !blank_between(paragraph, cmark_node_next(paragraph)) &&
           !blank_between(item_before(item), item) && !blank_between(item, item_after(item));
}

static const char *list_tag(cmark_node *list)
{
    while (is_list(cmark_node_previous(list))) /* the first one says what they all are */
        list = cmark_node_previous(list);
    return cmark_node_get_list_type(list) == CMARK_ORDERED_LIST ? "ol" : "ul";
}

/* ---- text */

static void add_text(struct page *p, const char *s, bool in_attribute)
{
    for (; s && *s; s++) {
        if (*s == '&')
            buf_add_c(&p->out, "&amp;");
        else if (*s == '<')
            buf_add_c(&p->out, "&lt;");
        else if (*s == '>')
            buf_add_c(&p->out, "&gt;");
        else if (*s == '"' && in_attribute)
            buf_add_c(&p->out, "&quot;");
        else
            buf_add_char(&p->out, *s);
    }
}

static void add_attribute(struct page *p, const char *name, const char *value)
{
    buf_addf(&p->out, " %s=\"", name);
    add_text(p, value, true);
    buf_add_char(&p->out, '"');
}

static void in_image(struct page *p, cmark_node *n, bool enter)
{
    switch (cmark_node_get_type(n)) {
    case CMARK_NODE_TEXT:
    case CMARK_NODE_CODE: add_text(p, cmark_node_get_literal(n), true); break;
    case CMARK_NODE_LINEBREAK:
    case CMARK_NODE_SOFTBREAK: buf_add_char(&p->out, ' '); break;
    case CMARK_NODE_IMAGE:
        if (enter || n != p->image)
            break;
        buf_add_char(&p->out, '"');
        add_attribute(p, "src", cmark_node_get_url(n));
        if (cmark_node_get_title(n) && *cmark_node_get_title(n))
            add_attribute(p, "title", cmark_node_get_title(n));
        buf_add_c(&p->out, " />");
        p->image = NULL;
        break;
    default: break;
    }
}

static void inline_node(struct page *p, cmark_node *n, bool enter)
{
    switch (cmark_node_get_type(n)) {
    case CMARK_NODE_TEXT: add_text(p, cmark_node_get_literal(n), false); break;
    case CMARK_NODE_SOFTBREAK: buf_add_char(&p->out, '\n'); break;
    case CMARK_NODE_LINEBREAK: buf_add_c(&p->out, "<br />\n"); break;
    case CMARK_NODE_HTML_INLINE:
    case CMARK_NODE_CUSTOM_INLINE:
        buf_add_c(&p->out, cmark_node_get_literal(n) ? cmark_node_get_literal(n) : "");
        break;
    case CMARK_NODE_CODE:
        buf_add_c(&p->out, "<code>");
        add_text(p, cmark_node_get_literal(n), false);
        buf_add_c(&p->out, "</code>");
        break;
    case CMARK_NODE_EMPH: buf_add_c(&p->out, enter ? "<em>" : "</em>"); break;
    case CMARK_NODE_STRONG: buf_add_c(&p->out, enter ? "<strong>" : "</strong>"); break;
    case CMARK_NODE_LINK:
        if (!enter) {
            buf_add_c(&p->out, "</a>");
            break;
        }
        buf_add_c(&p->out, "<a");
        add_attribute(p, "href", cmark_node_get_url(n));
        if (cmark_node_get_title(n) && *cmark_node_get_title(n))
            add_attribute(p, "title", cmark_node_get_title(n));
        buf_add_char(&p->out, '>');
        break;
    case CMARK_NODE_IMAGE:
        buf_add_c(&p->out, "<img alt=\"");
        p->image = n;
        break;
    default: break;
    }
}

/* ---- blocks: each ends its line; one that holds blocks begins with a line of its own */

static void list_node(struct page *p, cmark_node *n, bool enter)
{
    if (enter && !is_list(cmark_node_previous(n)))
        buf_addf(&p->out, "<%s>\n", list_tag(n));
    if (!enter && !is_list(cmark_node_next(n)))
        buf_addf(&p->out, "</%s>\n", list_tag(n));
}

static void item_node(struct page *p, cmark_node *n, bool enter)
{
    cmark_node *first = cmark_node_first_child(n);

    if (!enter)
        buf_add_c(&p->out, "</li>\n");
    else if (!first || (cmark_node_get_type(first) == CMARK_NODE_PARAGRAPH && is_tight(first)))
        buf_add_c(&p->out, "<li>");
    else
        buf_add_c(&p->out, "<li>\n");
}

static void code_block(struct page *p, cmark_node *n)
{
    const char *info = cmark_node_get_fence_info(n);

    buf_add_c(&p->out, "<pre><code");
    if (info && *info) {
        struct str language = str_sub(str_of(info), 0, strcspn(info, " \t"));

        buf_add_c(&p->out, " class=\"language-");
        buf_add_html(&p->out, language);
        buf_add_char(&p->out, '"');
    }
    buf_add_char(&p->out, '>');
    add_text(p, cmark_node_get_literal(n), false);
    buf_add_c(&p->out, "</code></pre>\n");
}

static void block_node(struct page *p, cmark_node *n, bool enter)
{
    switch (cmark_node_get_type(n)) {
    case CMARK_NODE_BLOCK_QUOTE: buf_add_c(&p->out, enter ? "<blockquote>\n" : "</blockquote>\n"); break;
    case CMARK_NODE_LIST: list_node(p, n, enter); break;
    case CMARK_NODE_ITEM: item_node(p, n, enter); break;
    case CMARK_NODE_CODE_BLOCK: code_block(p, n); break;
    case CMARK_NODE_THEMATIC_BREAK: buf_add_c(&p->out, "<hr />\n"); break;
    case CMARK_NODE_HTML_BLOCK: buf_add_c(&p->out, cmark_node_get_literal(n) ? cmark_node_get_literal(n) : ""); break;
    case CMARK_NODE_HEADING: buf_addf(&p->out, enter ? "<h%d>" : "</h%d>\n", cmark_node_get_heading_level(n)); break;
    case CMARK_NODE_PARAGRAPH:
        if (!is_tight(n))
            buf_add_c(&p->out, enter ? "<p>" : "</p>\n");
        break;
    default: break;
    }
}

enum status markdown_html(struct arena *mem, struct str text, struct str *html)
{
    struct page p = { .out = BUF(mem, 16 * (size_t)MARKDOWN_MAX) };
    cmark_event_type event;
    cmark_node *document;
    cmark_iter *walk;

    if (text.n > MARKDOWN_MAX)
        return TOO_BIG;
    document = cmark_parse_document(text.p ? text.p : "", text.n, CMARK_OPT_DEFAULT);
    walk = cmark_iter_new(document);
    while ((event = cmark_iter_next(walk)) != CMARK_EVENT_DONE) {
        cmark_node *n = cmark_iter_get_node(walk);
        bool enter = event == CMARK_EVENT_ENTER;

        if (p.image)
            in_image(&p, n, enter);
        else if (cmark_node_get_type(n) >= CMARK_NODE_FIRST_INLINE)
            inline_node(&p, n, enter);
        else
            block_node(&p, n, enter);
    }
    cmark_iter_free(walk);
    cmark_node_free(document);
    if (buf_failed(&p.out))
        return TOO_BIG;
    *html = str_trim(buf_str(&p.out));
    return OK;
}
