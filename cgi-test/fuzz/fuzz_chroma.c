/* fuzz_chroma.c: pickled labels of Chroma's index. */
#include <stdint.h>
#include <stdlib.h>

#include "lib/rag/chroma_index.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct str id, int64_t label, void *arg)
{
    const struct str *all = arg;

    (void)label;
    if (id.n && (id.p < all->p || id.p + id.n > all->p + all->n))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str all = str_n((const char *)data, size);

    chroma_read_labels(all, check, &all);
    return 0;
}
