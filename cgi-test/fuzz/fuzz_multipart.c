/* fuzz_multipart.c: a form body. The first line is the content type, the rest the body. */
#include <stdint.h>
#include <stdlib.h>

#include "fcgi/multipart.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void touch(struct str s, struct str whole)
{
    if (s.n && (s.p < whole.p || s.p + s.n > whole.p + whole.n))
        abort(); /* a body that is no view of the request's */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *mem = arena_new(1024);
    struct str body = str_n((const char *)data, size), type;
    struct part *parts = NULL;
    size_t n = 0;

    if (size && str_split(&body, '\n', &type) && body.p) {
        if (multipart_read(mem, type, body, &parts, &n, NULL) == OK) {
            if (n > MULTIPART_MAX_PARTS)
                abort();
            for (size_t i = 0; i < n; i++) {
                touch(parts[i].body, body);
                if (!parts[i].name.p || !str_utf8_valid(parts[i].name))
                    abort();
            }
        }
        urlencoded_read(mem, body, &parts, &n, NULL);
    }
    arena_free(mem);
    return 0;
}
