/* load_xmltree.h: XML of strangers as a tree: no DTD, no entities, no network, bounded depth. */
#ifndef LIB_RAG_LOAD_XMLTREE_H
#define LIB_RAG_LOAD_XMLTREE_H

#include <libxml/tree.h>

#include "lib/base/error.h"

/* The tree lives in mem. INVALID: no XML, or with a document type. */
enum status xml_tree(struct arena *mem, struct str bytes, xmlNode **root, struct error *err);

/* The node after n in the order of the document, within root; NULL: that was the last. below false: n's children are left out. */
xmlNode *xml_next(const xmlNode *root, xmlNode *n, bool below);

bool xml_is(const xmlNode *n, const char *name); /* an element of that local name, in whatever namespace */
struct str xml_attr(struct arena *mem, xmlNode *n, const char *name); /* by local name; absent */
void xml_add_text(struct buf *b, const xmlNode *n);                   /* all text below n */

#endif
