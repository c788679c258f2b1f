/* buf.c: a buffer that grows within a limit and stays NUL-terminated. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/str.h"

char *buf_reserve(struct buf *b, size_t n)
{
    size_t want, capacity;

    if (b->failed || n > b->max || b->n > b->max - n) {
        b->failed = true;
        return NULL;
    }
    want = b->n + n + 1;
    if (want > b->capacity) {
        capacity = b->capacity ? b->capacity : 64;
        while (capacity < want)
            capacity = capacity > STR_NPOS / 2 ? want : capacity * 2;
        if (b->mem) {
            b->p = arena_grow(b->mem, b->p, b->capacity, capacity);
        } else {
            char *p = realloc(b->p, capacity);

            if (!p) {
                b->failed = true;
                return NULL;
            }
            b->p = p;
        }
        b->capacity = capacity;
    }
    return b->p + b->n;
}

void buf_used(struct buf *b, size_t n)
{
    b->n += n;
    b->p[b->n] = '\0';
}

void buf_add(struct buf *b, const void *bytes, size_t n)
{
    char *p;

    if (n == 0 && b->p)
        return;
    p = buf_reserve(b, n);
    if (!p)
        return;
    if (n)
        memcpy(p, bytes, n);
    buf_used(b, n);
}

void buf_add_str(struct buf *b, struct str s)
{
    buf_add(b, s.p, s.n);
}

void buf_add_c(struct buf *b, const char *text)
{
    buf_add(b, text, strlen(text));
}

void buf_add_char(struct buf *b, char c)
{
    buf_add(b, &c, 1);
}

void buf_addf(struct buf *b, const char *format, ...)
{
    va_list args;
    char *p;
    int n;

    va_start(args, format);
    n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0) {
        b->failed = true;
        return;
    }
    p = buf_reserve(b, (size_t)n);
    if (!p)
        return;
    va_start(args, format);
    vsnprintf(p, (size_t)n + 1, format, args);
    va_end(args);
    buf_used(b, (size_t)n);
}

void buf_add_urlencoded(struct buf *b, struct str s)
{
    static const char hex[] = "0123456789ABCDEF";

    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
            c == '_' || c == '~')
            buf_add_char(b, (char)c);
        else
            buf_add(b, (char[]){ '%', hex[c >> 4], hex[c & 15] }, 3);
    }
}

void buf_add_json_string(struct buf *b, struct str s)
{
    size_t start = 0;

    buf_add_char(b, '"');
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        char two[2] = { '\\', 0 };

        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        buf_add(b, s.p + start, i - start);
        start = i + 1;
        switch (c) {
        case '"':
        case '\\': two[1] = (char)c; break;
        case '\n': two[1] = 'n'; break;
        case '\r': two[1] = 'r'; break;
        case '\t': two[1] = 't'; break;
        case '\b': two[1] = 'b'; break;
        case '\f': two[1] = 'f'; break;
        default: buf_addf(b, "\\u%04x", c); continue;
        }
        buf_add(b, two, 2);
    }
    buf_add(b, s.p + start, s.n - start);
    buf_add_char(b, '"');
}

void buf_add_html(struct buf *b, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        switch (s.p[i]) {
        case '&': buf_add_c(b, "&amp;"); break;
        case '<': buf_add_c(b, "&lt;"); break;
        case '>': buf_add_c(b, "&gt;"); break;
        case '"': buf_add_c(b, "&quot;"); break;
        case '\'': buf_add_c(b, "&#x27;"); break;
        default: buf_add_char(b, s.p[i]);
        }
    }
}

void buf_drop_front(struct buf *b, size_t n)
{
    if (n > b->n)
        n = b->n;
    if (n == 0)
        return;
    memmove(b->p, b->p + n, b->n - n);
    b->n -= n;
    b->p[b->n] = '\0';
}

void buf_reset(struct buf *b)
{
    b->n = 0;
    b->failed = false;
    if (b->p)
        b->p[0] = '\0';
}

void buf_free(struct buf *b)
{
    if (!b->mem)
        free(b->p);
    *b = (struct buf){ .mem = b->mem, .max = b->max };
}
