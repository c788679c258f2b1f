/* load_word.c: texts of word processors: DOCX (as docx2txt reads it) and ODT. */
#include "lib/rag/load_read.h"
#include "lib/rag/load_xmltree.h"
#include "lib/rag/load_zip.h"

static void add_direct_text(struct buf *b, const xmlNode *n)
{
    for (const xmlNode *c = n->children; c; c = c->next)
        if (c->type == XML_TEXT_NODE && c->content)
            buf_add_c(b, (const char *)c->content);
}

/* ---- DOCX (ECMA-376, part 1, 17) */

static enum status add_word_part(struct arena *mem, struct zip_files *z, const char *name, struct buf *b,
                                 struct error *err)
{
    xmlNode *root = NULL;
    struct str bytes;
    enum status st = zip_files_read(z, name, &bytes, err);

    if (st == OK)
        st = xml_tree(mem, bytes, &root, err);
    for (xmlNode *n = st == OK ? root : NULL; n; n = xml_next(root, n, true)) {
        if (xml_is(n, "t"))
            add_direct_text(b, n);
        else if (xml_is(n, "tab"))
            buf_add_char(b, '\t');
        else if (xml_is(n, "br") || xml_is(n, "cr"))
            buf_add_char(b, '\n');
        else if (xml_is(n, "p"))
            buf_add_c(b, "\n\n");
    }
    return st;
}

static bool is_number(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return true;
}

/* word/header1.xml, word/footer12.xml … */
static enum status add_word_parts(struct arena *mem, struct zip_files *z, const char *prefix, struct buf *b,
                                  struct error *err)
{
    enum status st = OK;

    for (size_t i = 0; i < zip_files_n(z) && st == OK; i++) {
        struct str name = zip_files_name(z, i), number;

        if (!str_starts(name, prefix) || !str_ends(name, ".xml"))
            continue;
        number = str_sub(name, strlen(prefix), name.n - strlen(prefix) - 4);
        if (is_number(number))
            st = add_word_part(mem, z, str_c(mem, name), b, err);
    }
    return st;
}

enum status load_docx(struct load_out *out, struct str bytes, struct error *err)
{
    struct buf b = BUF(out->mem, LOAD_MAX_TEXT);
    struct zip_files *z = NULL;
    enum status st = zip_files_open(out->mem, bytes, &z, err);

    if (st == OK)
        st = add_word_parts(out->mem, z, "word/header", &b, err);
    if (st == OK)
        st = add_word_part(out->mem, z, "word/document.xml", &b, err);
    if (st == OK)
        st = add_word_parts(out->mem, z, "word/footer", &b, err);
    if (st != OK)
        return st == NOT_FOUND ? INVALID : st;
    return load_add(out, str_trim(buf_str(&b)), NULL, err);
}

/* ---- ODT (OpenDocument 1.3, part 3, 5 and 6) */

static void add_spaces(struct arena *mem, struct buf *b, xmlNode *n)
{
    struct str count = xml_attr(mem, n, "c");
    int64_t spaces = 1;

    if (count.p && (!str_to_i64(count, &spaces) || spaces < 0 || spaces > 1000))
        spaces = 1;
    while (spaces-- > 0)
        buf_add_char(b, ' ');
}

static void add_paragraph(struct arena *mem, struct buf *b, xmlNode *p)
{
    size_t before = b->n;

    for (xmlNode *n = p; n; n = xml_next(p, n, !xml_is(n, "annotation"))) {
        if (n->type == XML_TEXT_NODE && n->content)
            buf_add_c(b, (const char *)n->content);
        else if (xml_is(n, "s"))
            add_spaces(mem, b, n);
        else if (xml_is(n, "tab"))
            buf_add_char(b, '\t');
        else if (xml_is(n, "line-break"))
            buf_add_char(b, '\n');
    }
    if (b->n > before)
        buf_add_c(b, "\n\n");
}

static bool is_paragraph(const xmlNode *n)
{
    return (xml_is(n, "p") || xml_is(n, "h")) && n->ns && n->ns->prefix &&
           strcmp((const char *)n->ns->prefix, "text") == 0;
}

enum status load_odt(struct load_out *out, struct str bytes, struct error *err)
{
    struct buf b = BUF(out->mem, LOAD_MAX_TEXT);
    struct zip_files *z = NULL;
    xmlNode *root = NULL;
    struct str content;
    enum status st = zip_files_open(out->mem, bytes, &z, err);

    if (st == OK)
        st = zip_files_read(z, "content.xml", &content, err);
    if (st == OK)
        st = xml_tree(out->mem, content, &root, err);
    if (st != OK)
        return st == NOT_FOUND ? INVALID : st;
    for (xmlNode *n = root; n; n = xml_next(root, n, !is_paragraph(n)))
        if (is_paragraph(n))
            add_paragraph(out->mem, &b, n);
    return load_add(out, str_trim(buf_str(&b)), NULL, err);
}
