/* fuzz_split.c: any text is cut into pieces that are parts of it and not too long. */
#include <stdint.h>
#include <stdlib.h>

#include "lib/rag/pytext.h"
#include "lib/rag/split.h"
#include "lib/rag/tokens_word.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first two bytes are size and overlap. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *mem = arena_new(4096);
    struct rag_documents out = { NULL, 0 };
    struct rag_document doc;
    int64_t most, overlap;

    if (size < 2)
        return 0;
    most = data[0] % 64 + 1;
    overlap = data[1] % (most + 1);
    doc = (struct rag_document){ str_n((const char *)data + 2, size - 2), NULL };
    if (str_utf8_valid(doc.text)) {
        if (split_documents(mem, SPLIT_CHARACTERS, most, overlap, (struct rag_documents){ &doc, 1 }, &out, NULL) != OK)
            abort();
        for (size_t i = 0; i < out.n; i++)
            if (str_find(doc.text, out.v[i].text) == STR_NPOS || !out.v[i].text.n || !str_utf8_valid(out.v[i].text) ||
                (int64_t)str_utf8_length(out.v[i].text) > most)
                abort();
        split_documents(mem, SPLIT_MARKDOWN, most, overlap, (struct rag_documents){ &doc, 1 }, &out, NULL);
        for (size_t i = 0; i < out.n; i++)
            if (!str_utf8_valid(out.v[i].text) || (int64_t)str_utf8_length(out.v[i].text) > most)
                abort();
    }
    for (struct str rest = str_utf8_valid(doc.text) ? doc.text : STR_NONE; rest.n;) {
        size_t n = tokens_word(rest);

        if (n == 0 || n > rest.n || !str_utf8_valid(str_sub(rest, 0, n)))
            abort();
        rest = str_from(rest, n);
    }
    if (py_strip(doc.text).n > doc.text.n)
        abort();
    arena_free(mem);
    return 0;
}
