/* load_xml.c: the words of an XML document: what stands in its elements, a paragraph each. */
#include "lib/rag/load_read.h"
#include "lib/rag/load_xmltree.h"

enum status load_xml(struct load_out *out, struct str bytes, struct error *err)
{
    struct buf text = BUF(out->mem, LOAD_MAX_TEXT);
    xmlNode *root = NULL;
    enum status st = xml_tree(out->mem, bytes, &root, err);

    for (xmlNode *n = st == OK ? root : NULL; n; n = xml_next(root, n, true)) {
        struct str words;

        if ((n->type != XML_TEXT_NODE && n->type != XML_CDATA_SECTION_NODE) || !n->content)
            continue;
        words = str_trim(str_of((const char *)n->content));
        if (words.n && text.n)
            buf_add_c(&text, "\n\n");
        buf_add_str(&text, words);
    }
    return st == OK ? load_add(out, buf_str(&text), NULL, err) : st;
}
