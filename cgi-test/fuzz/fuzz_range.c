/* fuzz_range.c: Range and If-None-Match headers. The first byte gives the size of the file. */
#include <stdint.h>
#include <stdlib.h>

#include "fcgi/range.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int64_t sizes[] = { 0, 1, 10, 1000, INT64_MAX };
    struct range ranges[RANGE_MAX];
    struct str header;
    int64_t bytes, sum = 0;
    int n = 0;

    if (size == 0)
        return 0;
    bytes = sizes[data[0] % (sizeof(sizes) / sizeof(*sizes))];
    header = str_n((const char *)data + 1, size - 1);
    if (range_parse(header, bytes, ranges, &n) == RANGE_SOME) {
        if (n < 1 || n > RANGE_MAX)
            abort();
        for (int i = 0; i < n; i++) {
            if (ranges[i].first < 0 || ranges[i].n <= 0 || ranges[i].n > bytes - ranges[i].first)
                abort();
            sum += ranges[i].n;
        }
        if (sum > bytes)
            abort(); /* more than the file */
    }
    etag_matches(header, S("\"x\""));
    return 0;
}
