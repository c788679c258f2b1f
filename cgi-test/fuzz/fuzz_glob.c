/* fuzz_glob.c: a pattern, a line end, and the text that it is held against. */
#include <stdint.h>
#include <stdlib.h>

#include "lib/base/glob.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_n((const char *)data, size), pattern;

    if (!str_split(&text, '\n', &pattern))
        return 0;
    if (glob_match(pattern, text) && pattern.n == 0 && text.n > 0)
        abort();
    if (!glob_match(S("*"), text))
        abort();
    return 0;
}
