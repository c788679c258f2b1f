/* str.h: a view of bytes (pointer and length), and a buffer that grows within a limit. */
#ifndef LIB_BASE_STR_H
#define LIB_BASE_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lib/base/arena.h"

/* A view: not owned, not NUL-terminated unless its maker says so. p == NULL: absent; n == 0: empty or absent. */
struct str {
    const char *p;
    size_t n;
};

#define S(literal) ((struct str){ "" literal "", sizeof(literal) - 1 })
#define STR_NONE ((struct str){ NULL, 0 })
#define STR(s) (int)(s).n, (s).p ? (s).p : "" /* for "%.*s" */

static inline struct str str_of(const char *text) /* NULL: absent */
{
    return (struct str){ text, text ? strlen(text) : 0 };
}
static inline struct str str_n(const char *p, size_t n)
{
    return (struct str){ p, n };
}
static inline bool str_eq(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}
static inline bool str_is(struct str a, const char *text)
{
    return a.n == strlen(text) && (a.n == 0 || memcmp(a.p, text, a.n) == 0);
}
static inline struct str str_from(struct str s, size_t start) /* the rest from start; empty past the end */
{
    return start >= s.n ? (struct str){ s.p ? s.p + s.n : NULL, 0 } : (struct str){ s.p + start, s.n - start };
}
static inline struct str str_sub(struct str s, size_t start, size_t n)
{
    struct str r = str_from(s, start);

    if (r.n > n)
        r.n = n;
    return r;
}

#define STR_NPOS ((size_t)-1)

int str_cmp(struct str a, struct str b);      /* bytes, as memcmp */
bool str_ieq(struct str a, const char *text); /* ASCII case ignored */
bool str_starts(struct str s, const char *prefix);
bool str_ends(struct str s, const char *suffix);
size_t str_find(struct str s, struct str needle); /* first place, or STR_NPOS */
size_t str_find_c(struct str s, char c);
size_t str_rfind_c(struct str s, char c);
bool str_has(struct str s, const char *needle);
struct str str_trim(struct str s);                      /* ASCII white space off both ends */
struct str str_trim_c(struct str s, const char *chars); /* any of chars off both ends (Python's strip) */
bool str_split(struct str *rest, char separator,
               struct str *piece);             /* false when *rest is absent; the last piece ends it */
bool str_to_i64(struct str s, int64_t *out);   /* optional sign and decimal digits, all of s */
bool str_to_double(struct str s, double *out); /* all of s; no NaN, no infinity */
bool str_utf8_valid(struct str s);
size_t str_utf8_length(struct str s);                   /* code points */
struct str str_utf8_first(struct str s, size_t points); /* at most so many code points */
bool str_equal_secret(struct str a, struct str b);      /* constant time in the contents */

/* Copies into the arena; NUL-terminated behind the last byte. */
struct str str_copy(struct arena *mem, struct str s);
char *str_c(struct arena *mem, struct str s);
struct str str_f(struct arena *mem, const char *format, ...) __attribute__((format(printf, 2, 3)));
struct str str_vf(struct arena *mem, const char *format, va_list args)
    __attribute__((format(printf, 2, 0), nonnull(2)));
struct str str_cat(struct arena *mem, struct str a, struct str b);
struct str str_lower(struct arena *mem, struct str s); /* ASCII and the two-byte Latin, Greek, Cyrillic letters */
struct str str_replace(struct arena *mem, struct str s, struct str from, struct str to);

/* A buffer that grows in an arena (mem set) or with malloc (mem NULL: end it with buf_free). It stays NUL-terminated. A failed
 * add (over the limit) sticks: nothing more is added, and buf_failed() tells. */
struct buf {
    struct arena *mem;
    char *p;
    size_t n, capacity, max;
    bool failed;
};

#define BUF(arena, max_bytes) ((struct buf){ .mem = (arena), .max = (max_bytes) })

void buf_add(struct buf *b, const void *bytes, size_t n);
void buf_add_str(struct buf *b, struct str s);
void buf_add_c(struct buf *b, const char *text);
void buf_add_char(struct buf *b, char c);
void buf_addf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_add_urlencoded(struct buf *b, struct str s);  /* RFC 3986: all but unreserved characters as %XX */
void buf_add_json_string(struct buf *b, struct str s); /* with its quotes; UTF-8 goes through, controls are escaped */
void buf_add_html(struct buf *b, struct str s);        /* & < > " ' as Python's html.escape */
char *buf_reserve(struct buf *b, size_t n); /* room for n bytes at the end, or NULL; then set with buf_used */
void buf_used(struct buf *b, size_t n);
void buf_drop_front(struct buf *b, size_t n); /* moves the rest forward */
void buf_reset(struct buf *b);                /* empty, keeps the memory */
void buf_free(struct buf *b);
static inline bool buf_failed(const struct buf *b)
{
    return b->failed;
}
static inline struct str buf_str(const struct buf *b) /* valid until the next add */
{
    return (struct str){ b->p ? b->p : "", b->n };
}

#endif
