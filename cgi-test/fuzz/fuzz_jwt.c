/* fuzz_jwt.c: a token as a client sends it, and (a first line for the header, the rest for the claims) one signed with the right key. */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>

#include "lib/auth/token.h"
#include "lib/base/encode.h"

#define SECRET S("fuzz")
#define NOW 1800000000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct str sign(struct arena *mem, struct str header, struct str claims)
{
    struct str h = base64url_encode(mem, header), c = base64url_encode(mem, claims), body, mac;
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned bytes_n;

    body = str_f(mem, "%.*s.%.*s", STR(h), STR(c));
    HMAC(EVP_sha256(), SECRET.p, (int)SECRET.n, (const unsigned char *)body.p, body.n, bytes, &bytes_n);
    mac = base64url_encode(mem, str_n((const char *)bytes, bytes_n));
    return str_f(mem, "%.*s.%.*s", STR(body), STR(mac));
}

static void try_token(struct arena *mem, struct str token)
{
    struct token_claims t;

    if (token_verify(mem, SECRET, token, NOW, &t, NULL) != OK)
        return;
    if (!t.id.n || memchr(t.id.p, 0, t.id.n) || t.key.n != 32 || t.issued_ms < 0 || token_expired(&t, NOW))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct arena *mem = arena_new(4096);
    struct str text = str_copy(mem, str_n((const char *)data, n)), header;

    try_token(mem, text);
    if (str_split(&text, '\n', &header))
        try_token(mem, sign(mem, header, text.p ? text : S("")));
    arena_free(mem);
    return 0;
}
