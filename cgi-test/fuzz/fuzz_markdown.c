/* fuzz_markdown.c: Markdown of strangers: no crash, valid UTF-8, and nothing that grows out of proportion. */
#include <stdint.h>
#include <stdlib.h>

#include "lib/text/markdown.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *mem = arena_new(1024);
    struct str text = str_n((const char *)data, size), html;

    if (markdown_html(mem, text, &html) == OK && str_utf8_valid(text) && !str_utf8_valid(html))
        abort();
    arena_free(mem);
    return 0;
}
