/* load_page.h: what a web page says: its text as Beautiful Soup's get_text() gives it, and what is known about it. Read by libxml2, without building a tree. For
 * webui-extract; others call rag_load_page() (load.h). */
#ifndef LIB_RAG_LOAD_PAGE_H
#define LIB_RAG_LOAD_PAGE_H

#include "lib/base/error.h"

struct html_page {    /* valid UTF-8 without NUL, in the arena */
    struct str text;  /* without scripts, styles, templates, ruby annotations and comments; white space as it stands */
    struct str title; /* of the first title element; absent: there is none */
    struct str description; /* the meta element of that name; absent: there is none */
    struct str language;    /* the html element's lang; absent: none */
};

/* charset: as the server named it; absent: what the page says, UTF-8 if it is that, Latin-1 if not. until_ms: on mono_ms()'s clock. TIMED_OUT: it was not read to its end by then;
 * INVALID: it cannot be read at all. */
enum status html_read(struct arena *mem, struct str bytes, struct str charset, int64_t until_ms, struct html_page *out,
                      struct error *err);

#endif
