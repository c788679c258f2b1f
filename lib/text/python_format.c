/* python_format.c: black reads standard input and writes standard output; it parses the source and runs none of it. */
#include "lib/text/python_format.h"

#include "lib/base/child.h"

enum { FORMAT_MS = 30 * 1000, FORMAT_MAX = 16 * 1024 * 1024 };

/* "error: cannot format -: Cannot parse: 1:5: def (" */
static enum status complaint(struct str text, struct error *err)
{
    struct str first = str_trim(str_sub(text, 0, str_find_c(text, '\n')));
    size_t at = str_find(first, S("cannot format -: "));

    if (at != STR_NPOS)
        first = str_from(first, at + sizeof("cannot format -: ") - 1);
    return error_set(err, INVALID, "%.*s", STR(str_utf8_first(first, 300)));
}

enum status python_format(struct arena *mem, struct str source, struct str *formatted, struct error *err)
{
    /* No file of settings is looked for, and the check that both versions mean the same is left out, as the Python backend does. */
    char *argv[] = { "black", "--fast", "--config", "/dev/null", "--no-color", "-", NULL };
    static const char *const env[] = { "HOME=/nonexistent", "XDG_CACHE_HOME=/nonexistent", "PYTHONUTF8=1",
                                       "PYTHONDONTWRITEBYTECODE=1", NULL };
    struct child black = { .program = "black",
                           .argv = argv,
                           .input_fd = -1,
                           .env = env,
                           .input = source,
                           .max_output = FORMAT_MAX,
                           .timeout_ms = FORMAT_MS,
                           .cpu_s = FORMAT_MS / 1000,
                           .memory_bytes = (size_t)2 << 30 };
    enum status st = child_run(mem, &black, err);

    if (st != OK)
        return st;
    if (black.exit_status != 0)
        return complaint(black.complaint, err);
    *formatted = black.output;
    return OK;
}
