/* fuzz_mentions.c: the text of a channel's message. */
#include <stdint.h>
#include <stdlib.h>

#include "lib/chat/mentions.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *mem = arena_new(4096);
    struct str text = str_n((const char *)data, size), rest = text;
    struct mention m;

    while (mention_next(&rest, &m)) {
        if (m.type < 'A' || m.type > 'Z' || m.id.n == 0 || m.id.p < text.p || m.id.p + m.id.n > text.p + text.n)
            abort();
    }
    if (mentions_as_text(mem, text).n > text.n)
        abort();
    arena_free(mem);
    return 0;
}
