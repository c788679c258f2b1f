/* encode.c: base64, hex, percent-encoding, SHA-256. */
#include "lib/base/encode.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <unistd.h>

static struct str encode64(struct arena *mem, struct str in, const char *alphabet, bool padded)
{
    char *out = arena_alloc(mem, (in.n / 3 + 1) * 4 + 1);
    const unsigned char *p = (const unsigned char *)in.p;
    size_t n = 0;

    for (size_t i = 0; i < in.n; i += 3) {
        size_t left = in.n - i;
        unsigned v = (unsigned)p[i] << 16 | (left > 1 ? (unsigned)p[i + 1] << 8 : 0) | (left > 2 ? p[i + 2] : 0);

        out[n++] = alphabet[v >> 18];
        out[n++] = alphabet[v >> 12 & 63];
        if (left > 1)
            out[n++] = alphabet[v >> 6 & 63];
        else if (padded)
            out[n++] = '=';
        if (left > 2)
            out[n++] = alphabet[v & 63];
        else if (padded)
            out[n++] = '=';
    }
    out[n] = '\0';
    return str_n(out, n);
}

struct str base64_encode(struct arena *mem, struct str bytes)
{
    return encode64(mem, bytes, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", true);
}

struct str base64url_encode(struct arena *mem, struct str bytes)
{
    return encode64(mem, bytes, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", false);
}

static int digit64(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

bool base64_decode(struct arena *mem, struct str text, struct str *bytes)
{
    char *out;
    size_t n = 0;
    unsigned v = 0, bits = 0;

    for (int i = 0; i < 2 && text.n && text.p[text.n - 1] == '='; i++)
        text.n--;
    if (text.n % 4 == 1)
        return false;
    out = arena_alloc(mem, text.n / 4 * 3 + 4);
    for (size_t i = 0; i < text.n; i++) {
        int d = digit64(text.p[i]);

        if (d < 0)
            return false;
        v = (v << 6 | (unsigned)d) & 0xffffff;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            out[n++] = (char)(v >> bits);
        }
    }
    out[n] = '\0';
    *bytes = str_n(out, n);
    return true;
}

struct str hex_encode(struct arena *mem, struct str bytes)
{
    static const char hex[] = "0123456789abcdef";
    char *out = arena_alloc(mem, bytes.n * 2 + 1);

    for (size_t i = 0; i < bytes.n; i++) {
        out[2 * i] = hex[(unsigned char)bytes.p[i] >> 4];
        out[2 * i + 1] = hex[(unsigned char)bytes.p[i] & 15];
    }
    out[bytes.n * 2] = '\0';
    return str_n(out, bytes.n * 2);
}

static int digit16(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool url_decode(struct arena *mem, struct str text, bool plus_is_space, struct str *out)
{
    char *p = arena_alloc(mem, text.n + 1);
    size_t n = 0;

    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];

        if (c == '%') {
            bool whole = text.n - i > 2;
            int hi = whole ? digit16(text.p[i + 1]) : -1, lo = whole ? digit16(text.p[i + 2]) : -1;

            if (hi < 0 || lo < 0)
                return false;
            c = (char)(hi << 4 | lo);
            i += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        p[n++] = c;
    }
    p[n] = '\0';
    *out = str_n(p, n);
    return true;
}

struct str url_encode(struct arena *mem, struct str text)
{
    struct buf b = BUF(mem, STR_NPOS);

    buf_add_urlencoded(&b, text);
    return buf_str(&b);
}

struct str sha256_hex(struct arena *mem, struct str bytes)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];

    SHA256((const unsigned char *)(bytes.p ? bytes.p : ""), bytes.n, digest);
    return hex_encode(mem, str_n((char *)digest, sizeof(digest)));
}

bool sha256_fd_hex(struct arena *mem, int fd, struct str *hex)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    EVP_MD_CTX *sum = EVP_MD_CTX_new();
    bool good = sum && EVP_DigestInit_ex(sum, EVP_sha256(), NULL) == 1;
    off_t at = 0;
    ssize_t n = 1;

    while (good && n > 0) {
        char chunk[64 * 1024];

        while ((n = pread(fd, chunk, sizeof(chunk), at)) < 0 && errno == EINTR) {
        }
        good = n >= 0 && EVP_DigestUpdate(sum, chunk, (size_t)n) == 1;
        at += n;
    }
    good = good && EVP_DigestFinal_ex(sum, digest, NULL) == 1;
    EVP_MD_CTX_free(sum);
    if (good)
        *hex = hex_encode(mem, str_n((char *)digest, sizeof(digest)));
    return good;
}
