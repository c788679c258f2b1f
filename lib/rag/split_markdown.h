/* split_markdown.h: a Markdown text by its headers, as LangChain's MarkdownHeaderTextSplitter has it when headers stay in the text. */
#ifndef LIB_RAG_SPLIT_MARKDOWN_H
#define LIB_RAG_SPLIT_MARKDOWN_H

#include "lib/base/str.h"

enum { MARKDOWN_LEVELS = 6 };

struct markdown_section {
    struct str text;                      /* lines joined by a line break, paragraphs by two spaces and one */
    struct str headings[MARKDOWN_LEVELS]; /* the headers that it stands under, by level; absent: none of that level */
};

/* How many; the array and the texts live in mem. */
size_t markdown_sections(struct arena *mem, struct str text, struct markdown_section **out);

#endif
