/* error.h: how a function says that it failed, and why. */
#ifndef LIB_BASE_ERROR_H
#define LIB_BASE_ERROR_H

#include "lib/base/str.h"

enum status {
    OK = 0,
    FAILED, /* the reason is in struct error */
    NOT_FOUND,
    INVALID,     /* the input is at fault */
    UNAVAILABLE, /* a server we need is away; trying again may help */
    TOO_BIG,
    TIMED_OUT,
    NO_SPACE /* the disk is full */
};

struct error { /* the cause, for the log: lower case, no full stop, no function names */
    char text[480];
};

/* Sets the cause and returns st. err may be NULL. */
enum status error_set(struct error *err, enum status st, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Puts what was being done before the cause: "could not keep upload: disk full". Does nothing when st is OK. */
enum status error_add(struct error *err, enum status st, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
