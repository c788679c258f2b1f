/* load_kind.h: which reader a file needs, by its name and content type, in the order in which the Python backend looks. */
#ifndef LIB_RAG_LOAD_KIND_H
#define LIB_RAG_LOAD_KIND_H

#include "lib/base/str.h"

enum load_kind {
    LOAD_TEXT,
    LOAD_CSV,
    LOAD_HTML,
    LOAD_XML,
    LOAD_PDF,
    LOAD_DOCX,
    LOAD_ODT,
    LOAD_EPUB,
    LOAD_XLSX,
    LOAD_PPTX,
    LOAD_PAGE,      /* fetched from the web, see load_page.h; no file is one */
    LOAD_OLD_OFFICE /* xls, ppt, msg: nobody here reads those */
};

enum load_kind load_kind_of(struct str name, struct str content_type); /* content_type may be absent */
const char *load_kind_name(enum load_kind kind);                       /* "csv" … */
bool load_kind_named(struct str name, enum load_kind *out);

/* What needs no engine: source code, and text/… that is not HTML. */
bool load_is_plain(struct str name, struct str content_type);
struct str load_ending(
    struct arena *mem,
    struct str name); /* "pdf": what follows the last dot, in small letters; without a dot the name */

#endif
