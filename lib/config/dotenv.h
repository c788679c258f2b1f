/* dotenv.h: the .env format as python-dotenv reads it: export, quotes, escapes, comments, ${NAME} and ${NAME:-default}. */
#ifndef LIB_CONFIG_DOTENV_H
#define LIB_CONFIG_DOTENV_H

#include "lib/base/str.h"

struct dotenv_entry {
    struct str name;  /* NUL-terminated */
    struct str value; /* NUL-terminated; absent: the line was a name without "=" */
};
struct dotenv {
    struct dotenv_entry *v; /* in the order of the file; of two with the same name the later one counts */
    size_t n;
    size_t broken; /* lines that could not be read and were left out */
};

/* environment(name) is what ${NAME} finds first (NULL: not set); then what stands further up in the file. */
void dotenv_parse(struct arena *mem, struct str text, const char *(*environment)(const char *name), struct dotenv *out);

/* The value of the last entry with this name; absent. */
struct str dotenv_get(const struct dotenv *d, struct str name);

#endif
