/* load_xmltree.c: XML of strangers as a tree. */
#include "lib/rag/load_xmltree.h"

#include <limits.h>
#include <libxml/parser.h>

static void quiet(void *arg, const char *format, ...)
{
    (void)arg, (void)format;
}

/* A document type can define entities, which grow: such a document is not read at all. */
static void refuse_doctype(void *arg, const xmlChar *name, const xmlChar *external, const xmlChar *system)
{
    (void)name, (void)external, (void)system;
    xmlStopParser(arg);
}

static void free_doc(void *doc)
{
    xmlFreeDoc(doc);
}

enum status xml_tree(struct arena *mem, struct str bytes, xmlNode **root, struct error *err)
{
    xmlParserCtxt *c = bytes.n && bytes.n < INT_MAX ? xmlNewParserCtxt() : NULL;
    xmlDoc *doc;

    if (!c)
        return error_set(err, INVALID, "The file holds broken XML");
    xmlSetGenericErrorFunc(NULL, quiet);
    c->sax->internalSubset = refuse_doctype;
    c->sax->error = quiet;
    c->sax->fatalError = quiet;
    c->sax->warning = quiet;
    doc = xmlCtxtReadMemory(c, bytes.p, (int)bytes.n, NULL, NULL,
                            XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA);
    if (doc)
        arena_at_end(mem, free_doc, doc);
    xmlFreeParserCtxt(c);
    *root = doc ? xmlDocGetRootElement(doc) : NULL;
    return *root ? OK : error_set(err, INVALID, "The file holds broken XML, or XML with a document type");
}

xmlNode *xml_next(const xmlNode *root, xmlNode *n, bool below)
{
    if (below && n->children && n->type == XML_ELEMENT_NODE)
        return n->children;
    while (n && n != root && !n->next)
        n = n->parent;
    return n && n != root ? n->next : NULL;
}

bool xml_is(const xmlNode *n, const char *name)
{
    return n && n->type == XML_ELEMENT_NODE && strcmp((const char *)n->name, name) == 0;
}

struct str xml_attr(struct arena *mem, xmlNode *n, const char *name)
{
    for (xmlAttr *a = n->type == XML_ELEMENT_NODE ? n->properties : NULL; a; a = a->next) {
        xmlChar *value;
        struct str out;

        if (strcmp((const char *)a->name, name) != 0)
            continue;
        value = xmlNodeListGetString(n->doc, a->children, 1);
        out = str_copy(mem, value ? str_of((const char *)value) : S(""));
        xmlFree(value);
        return out;
    }
    return STR_NONE;
}

void xml_add_text(struct buf *b, const xmlNode *root)
{
    for (xmlNode *n = (xmlNode *)root; n; n = xml_next(root, n, true))
        if ((n->type == XML_TEXT_NODE || n->type == XML_CDATA_SECTION_NODE) && n->content)
            buf_add_c(b, (const char *)n->content);
}
