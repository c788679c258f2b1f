/* fuzz_dotenv.c: any bytes as a .env file. */
#include <stdlib.h>

#include "lib/config/dotenv.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static const char *environment(const char *name)
{
    return name[0] == 'H' ? "some ${thing}" : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct arena *mem = arena_new(4096);
    struct dotenv d;

    dotenv_parse(mem, str_n((const char *)bytes, n), environment, &d);
    for (size_t i = 0; i < d.n; i++) {
        struct str got = dotenv_get(&d, d.v[i].name);

        /* Names are never empty, and everything is NUL-terminated behind its end. */
        if (d.v[i].name.n == 0 || d.v[i].name.p[d.v[i].name.n] != '\0' || (got.p && got.p[got.n] != '\0'))
            abort();
    }
    arena_free(mem);
    return 0;
}
