/* fuzz_yjs.c: updates of a shared document, each behind its length (two bytes): the document takes any bytes, and what it makes of them can be read again
 * and says all that it was told. */
#include <stdint.h>
#include <stdlib.h>

#include "lib/yjs/document.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct yjs_document *d)
{
    struct arena *mem = arena_new(4096);
    struct yjs_ranges inserts = { 0 }, deletes = { 0 };
    struct str whole = str_copy(mem, yjs_document_state(d)), again;
    size_t structs, structs_again;
    struct error err;

    if (yjs_examine(whole, &structs, &inserts, &deletes, &err) != OK || !yjs_ranges_within(&d->known, &inserts) ||
        !yjs_ranges_within(&inserts, &d->known) || !yjs_ranges_within(&d->deleted, &deletes) ||
        !yjs_ranges_within(&deletes, &d->deleted))
        abort();
    if (yjs_merge(mem, &whole, 1, true, &again, &structs_again, &err) != OK || !str_eq(whole, again) ||
        structs_again > structs)
        abort();
    yjs_ranges_subtract(&inserts, &deletes);
    yjs_deletion(mem, &inserts);
    yjs_ranges_free(&inserts);
    yjs_ranges_free(&deletes);
    arena_free(mem);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct yjs_document d = { 0 };
    struct str rest = str_n((const char *)data, size);
    struct error err;
    bool is_new;

    while (rest.n >= 2) {
        size_t n = (size_t)((unsigned char)rest.p[0] | (unsigned char)rest.p[1] << 8);
        struct str update = str_sub(rest, 2, n);

        if (yjs_document_add(&d, update, &is_new, &err) == OK && is_new)
            check(&d);
        rest = str_from(rest, 2 + n);
    }
    check(&d);
    yjs_document_free(&d);
    return 0;
}
