/* fuzz_load.c: the readers of documents. The first byte says which one. */
#include <stdint.h>
#include <stdlib.h>

#include "lib/rag/load_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char kinds[] = {
        't', 'c', 'h', 'x', 'p', 'd', 'o', 'e', 's', 'l'
    }; /* in the order of enum load_kind */
    struct rag_documents docs = { NULL, 0 };
    struct error err = { "" };
    struct arena *mem;
    enum status st;
    size_t kind = 0;

    while (size && kind < sizeof kinds && kinds[kind] != data[0])
        kind++;
    if (size == 0 || kind == sizeof kinds)
        return 0;
    mem = arena_new(4096);
    st = load_read(mem, (enum load_kind)kind, str_n((const char *)data + 1, size - 1), &docs, &err);
    if (st != OK && st != INVALID && st != TOO_BIG)
        abort();
    if (st != OK && !err.text[0])
        abort();
    for (size_t i = 0; st == OK && i < docs.n; i++)
        if (!str_utf8_valid(docs.v[i].text) || memchr(docs.v[i].text.p, '\0', docs.v[i].text.n) ||
            !json_is(docs.v[i].metadata, json_type_object))
            abort();
    arena_free(mem);
    return 0;
}
