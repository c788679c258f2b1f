/* markdown.h: Markdown as HTML. libcmark reads it (CommonMark); the HTML is laid out as Python-Markdown prints it, with its idea of lists: neighbours of different kinds are one
 * list, and an item is a paragraph where a blank line parts it from the next or the last. HTML in the text stays: whoever shows it must clean it. */
#ifndef LIB_TEXT_MARKDOWN_H
#define LIB_TEXT_MARKDOWN_H

#include "lib/base/error.h"

enum { MARKDOWN_MAX = 4 * 1024 * 1024 };

/* TOO_BIG: longer than MARKDOWN_MAX. */
enum status markdown_html(struct arena *mem, struct str text, struct str *html);

#endif
