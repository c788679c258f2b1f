/* random.c: the kernel's random numbers, a buffer at a time. */
#include "lib/base/random.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "lib/base/encode.h"

void random_bytes(void *out, size_t n)
{
    static unsigned char pool[512];
    static size_t left;
    static pid_t owner; /* a forked child must not repeat its parent's bytes */
    unsigned char *p = out;

    if (owner != getpid()) {
        owner = getpid();
        left = 0;
    }
    while (n) {
        size_t k;

        if (left == 0) {
            ssize_t got = getrandom(pool, sizeof(pool), 0);

            if (got < 0 && errno == EINTR)
                continue;
            if (got <= 0)
                abort();
            left = (size_t)got;
        }
        k = n < left ? n : left;
        memcpy(p, pool + left - k, k);
        memset(pool + left - k, 0, k);
        left -= k;
        p += k;
        n -= k;
    }
}

struct str random_uuid(struct arena *mem)
{
    static const char hex[] = "0123456789abcdef";
    unsigned char b[16];
    char *p = arena_alloc(mem, 37);
    size_t n = 0;

    random_bytes(b, sizeof(b));
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            p[n++] = '-';
        p[n++] = hex[b[i] >> 4];
        p[n++] = hex[b[i] & 15];
    }
    p[n] = '\0';
    return str_n(p, n);
}

struct str random_hex(struct arena *mem, size_t bytes)
{
    unsigned char *b = arena_alloc(mem, bytes ? bytes : 1);

    random_bytes(b, bytes);
    return hex_encode(mem, str_n((char *)b, bytes));
}

bool uuid_valid(struct str s)
{
    if (s.n != 36)
        return false;
    for (size_t i = 0; i < 36; i++) {
        char c = s.p[i];

        if (i == 8 || i == 13 || i == 18 || i == 23
                ? c != '-'
                : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')))
            return false;
    }
    return true;
}
