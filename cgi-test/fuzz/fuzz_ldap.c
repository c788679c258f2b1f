/* fuzz_ldap.c: the first line a user name, the second the name of a group, the third the directory's host. A user name must stay one value of a filter. */
#include <ldap.h>
#include <stdlib.h>

#include "lib/auth/directory.h"
#include "lib/auth/ldap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Escaped, nothing in it ends the value; read back, it is what it was. */
static void try_filter(struct arena *mem, struct str name)
{
    struct str out = ldap_filter_value(mem, name);
    size_t k = 0;

    for (size_t i = 0; i < out.n; i++, k++) {
        int c = (unsigned char)out.p[i];

        if (c == '*' || c == '(' || c == ')' || c == 0)
            abort();
        if (c == '\\') {
            if (i + 2 >= out.n || digit(out.p[i + 1]) < 0 || digit(out.p[i + 2]) < 0)
                abort();
            c = digit(out.p[i + 1]) << 4 | digit(out.p[i + 2]);
            i += 2;
        }
        if (k >= name.n || c != (unsigned char)name.p[k])
            abort();
    }
    if (k != name.n)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct arena *mem = arena_new(4096);
    struct str rest = str_copy(mem, str_n((const char *)data, n)), line = STR_NONE;
    struct directory_address a;

    if (str_split(&rest, '\n', &line))
        try_filter(mem, line);
    if (str_split(&rest, '\n', &line))
        ldap_common_name(mem, line);
    if (str_split(&rest, '\n', &line) && directory_address(mem, line, 0, false, &a) &&
        (a.port < 1 || a.port > 65535 || !a.host.n || memchr(a.host.p, '/', a.host.n)))
        abort();
    arena_free(mem);
    return 0;
}
