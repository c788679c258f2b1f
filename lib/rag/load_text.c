/* load_text.c: the bytes of a text file as UTF-8. */
#include <iconv.h>
#include <uchardet/uchardet.h>

#include "lib/rag/load_read.h"

/* "\r\n" and "\r" become "\n"; NUL is no text. */
static struct str plain_lines(struct arena *mem, struct str s)
{
    char *p = arena_alloc(mem, s.n + 1);
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\0' || (s.p[i] == '\n' && i > 0 && s.p[i - 1] == '\r'))
            continue;
        p[n++] = s.p[i] == '\r' ? '\n' : s.p[i];
    }
    p[n] = '\0';
    return str_n(p, n);
}

static bool convert(struct arena *mem, const char *from, struct str bytes, struct str *out)
{
    size_t room = bytes.n * 4 + 16, left = room, in_left = bytes.n, done;
    char *to = arena_alloc(mem, room + 1), *at = to, *in = (char *)bytes.p;
    iconv_t c = iconv_open("UTF-8", from);

    if (c == (iconv_t)-1)
        return false;
    done = iconv(c, &in, &in_left, &at, &left);
    iconv_close(c);
    if (done == (size_t)-1 || in_left)
        return false;
    *out = str_n(to, (size_t)(at - to));
    return true;
}

static const char *by_bom(struct str s, size_t *skip)
{
    static const struct {
        const char *bom;
        size_t n;
        const char *encoding;
    } boms[] = {
        { "\xff\xfe\0\0", 4, "UTF-32LE" },
        { "\0\0\xfe\xff", 4, "UTF-32BE" },
        { "\xff\xfe", 2, "UTF-16LE" },
        { "\xfe\xff", 2, "UTF-16BE" },
    };

    for (size_t i = 0; i < sizeof boms / sizeof boms[0]; i++) {
        if (s.n >= boms[i].n && memcmp(s.p, boms[i].bom, boms[i].n) == 0) {
            *skip = boms[i].n;
            return boms[i].encoding;
        }
    }
    return NULL;
}

static bool by_guess(struct arena *mem, struct str bytes, struct str *out)
{
    uchardet_t detector = uchardet_new();
    bool good = false;
    const char *name;

    if (!detector)
        return false;
    if (uchardet_handle_data(detector, bytes.p, bytes.n) == 0) {
        uchardet_data_end(detector);
        name = uchardet_get_charset(detector);
        good = *name && convert(mem, name, bytes, out);
    }
    uchardet_delete(detector);
    return good;
}

/* Bytes that no text has: pictures, programs, archives. */
static bool is_binary(struct str s)
{
    size_t odd = 0;

    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        odd += c < 32 && c != '\n' && c != '\r' && c != '\t' && c != '\f' && c != 27;
    }
    return odd > s.n / 50;
}

enum status load_decode(struct arena *mem, struct str bytes, struct str *text, struct error *err)
{
    size_t skip = 0;
    const char *encoding = by_bom(bytes, &skip);
    struct str out = bytes;

    if (bytes.n > LOAD_MAX_TEXT)
        return error_set(err, TOO_BIG, "The text of this file is too large");
    if (encoding ? !convert(mem, encoding, str_from(bytes, skip), &out)
                 : !str_utf8_valid(bytes) && (is_binary(bytes) || !by_guess(mem, bytes, &out)))
        return error_set(err, INVALID, "This file is no text, and nobody here can read its kind");
    if (!str_utf8_valid(out))
        return error_set(err, INVALID, "This file is no text, and nobody here can read its kind");
    *text = plain_lines(mem, out);
    return OK;
}
