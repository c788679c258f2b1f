/* error.c: the cause of a failure, worded where it is known. */
#include "lib/base/error.h"

#include <stdio.h>

enum status error_set(struct error *err, enum status st, const char *format, ...)
{
    va_list args;

    if (err) {
        va_start(args, format);
        vsnprintf(err->text, sizeof(err->text), format, args);
        va_end(args);
    }
    return st;
}

enum status error_add(struct error *err, enum status st, const char *format, ...)
{
    char cause[sizeof(err->text)];
    va_list args;
    size_t n;

    if (st == OK || !err)
        return st;
    memcpy(cause, err->text, sizeof(cause));
    va_start(args, format);
    vsnprintf(err->text, sizeof(err->text), format, args);
    va_end(args);
    n = strlen(err->text);
    if (cause[0])
        snprintf(err->text + n, sizeof(err->text) - n, ": %s", cause);
    return st;
}
