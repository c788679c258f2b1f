/* fernet.c: version 0x80 | time | IV | AES-128-CBC | HMAC-SHA-256, in base64url (github.com/fernet/spec). */
#include "lib/auth/fernet.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include "lib/base/clock.h"
#include "lib/base/encode.h"
#include "lib/base/random.h"

enum { VERSION = 0x80, KEY = 16, IV = 16, HEAD = 1 + 8 + IV, MAC = 32, MAX_SEALED = 16 * 1024 * 1024, SKEW_S = 60 };

struct keys {
    unsigned char sign[KEY], encrypt[KEY];
};

static void keys_of(struct arena *mem, struct str key, struct keys *out)
{
    unsigned char hash[SHA256_DIGEST_LENGTH];
    struct str bytes;

    if (key.n != 44 || !base64_decode(mem, key, &bytes) || bytes.n != 2 * KEY) {
        SHA256((const unsigned char *)(key.p ? key.p : ""), key.n, hash);
        bytes = str_n((const char *)hash, sizeof(hash));
    }
    memcpy(out->sign, bytes.p, KEY);
    memcpy(out->encrypt, bytes.p + KEY, KEY);
}

static bool mac_of(const struct keys *k, const unsigned char *bytes, size_t n, unsigned char out[MAC])
{
    unsigned int len = MAC;

    return HMAC(EVP_sha256(), k->sign, KEY, bytes, n, out, &len) && len == MAC;
}

/* AES-128-CBC with PKCS #7; the length of out, or -1. */
static int cipher(const struct keys *k, const unsigned char *iv, bool encrypt, const unsigned char *in, int n,
                  unsigned char *out)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int a = 0, b = 0, total = -1;

    if (ctx && EVP_CipherInit_ex(ctx, EVP_aes_128_cbc(), NULL, k->encrypt, iv, encrypt) == 1 &&
        EVP_CipherUpdate(ctx, out, &a, in, n) == 1 && EVP_CipherFinal_ex(ctx, out + a, &b) == 1)
        total = a + b;
    EVP_CIPHER_CTX_free(ctx);
    return total;
}

struct str fernet_seal(struct arena *mem, struct str key, struct str text)
{
    unsigned char *out;
    struct keys k;
    int64_t at = now_s();
    int n;

    if (text.n > MAX_SEALED / 2)
        return STR_NONE;
    keys_of(mem, key, &k);
    out = arena_alloc(mem, HEAD + text.n + IV + MAC);
    out[0] = VERSION;
    for (int i = 0; i < 8; i++)
        out[1 + i] = (unsigned char)(at >> (56 - 8 * i));
    random_bytes(out + 9, IV);
    n = cipher(&k, out + 9, true, (const unsigned char *)(text.p ? text.p : ""), (int)text.n, out + HEAD);
    if (n < 0 || !mac_of(&k, out, HEAD + (size_t)n, out + HEAD + n))
        return STR_NONE;
    OPENSSL_cleanse(&k, sizeof(k));
    /* Python's tokens have their padding. */
    return str_replace(mem,
                       str_replace(mem, base64_encode(mem, str_n((char *)out, HEAD + (size_t)n + MAC)), S("+"), S("-")),
                       S("/"), S("_"));
}

static bool too_old(const unsigned char *bytes, int64_t max_age_s)
{
    int64_t at = 0;

    for (int i = 0; i < 8; i++)
        at = (int64_t)((uint64_t)at << 8 | bytes[1 + i]);
    return max_age_s && (at > now_s() + SKEW_S || at < now_s() - max_age_s);
}

enum status fernet_open(struct arena *mem, struct str key, struct str sealed, int64_t max_age_s, struct str *text,
                        struct error *err)
{
    unsigned char mac[MAC], *out;
    const unsigned char *bytes;
    struct str raw;
    struct keys k;
    size_t body;
    int n;

    if (sealed.n > MAX_SEALED || !base64_decode(mem, sealed, &raw) || raw.n < HEAD + IV + MAC)
        return error_set(err, INVALID, "not a sealed text");
    bytes = (const unsigned char *)raw.p;
    body = raw.n - MAC;
    keys_of(mem, key, &k);
    if (bytes[0] != VERSION || (body - HEAD) % IV != 0 || !mac_of(&k, bytes, body, mac) ||
        CRYPTO_memcmp(mac, bytes + body, MAC) != 0)
        return error_set(err, INVALID, "sealed with another key, or changed");
    if (too_old(bytes, max_age_s))
        return error_set(err, INVALID, "too old");
    out = arena_alloc(mem, body - HEAD + 1);
    n = cipher(&k, bytes + 9, false, bytes + HEAD, (int)(body - HEAD), out);
    OPENSSL_cleanse(&k, sizeof(k));
    if (n < 0)
        return error_set(err, INVALID, "cannot be decrypted");
    out[n] = '\0';
    *text = str_n((char *)out, (size_t)n);
    return OK;
}
