/* settings_md.c: prints docs/settings.md; see the rule in GNUmakefile. */
#include <stdio.h>

#include "lib/config/settings_doc.h"

int main(void)
{
    struct buf out = BUF(NULL, 1024 * 1024);

    settings_markdown(&out);
    if (buf_failed(&out) || fwrite(out.p, 1, out.n, stdout) != out.n || fflush(stdout) != 0)
        return 1;
    buf_free(&out);
    return 0;
}
