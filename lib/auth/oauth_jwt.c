/* oauth_jwt.c: signatures through OpenSSL's EVP. */
#include "lib/auth/oauth_jwt.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include "lib/base/encode.h"

enum {
    MAX_TOKEN = 64 * 1024,
    MAX_KEYS = 64,
    MIN_RSA_BITS = 2048,
    MAX_RSA_BYTES = 2048,
    MAX_EC_BYTES = 66,
    TOLERANCE_S = 60
};

static const struct algorithm {
    const char *name, *kty, *curve; /* curve: of JWK */
    const EVP_MD *(*digest)(void);
    bool pss;
} algorithms[] = {
    { "RS256", "RSA", NULL, EVP_sha256, false },   { "RS384", "RSA", NULL, EVP_sha384, false },
    { "RS512", "RSA", NULL, EVP_sha512, false },   { "PS256", "RSA", NULL, EVP_sha256, true },
    { "PS384", "RSA", NULL, EVP_sha384, true },    { "PS512", "RSA", NULL, EVP_sha512, true },
    { "ES256", "EC", "P-256", EVP_sha256, false }, { "ES384", "EC", "P-384", EVP_sha384, false },
    { "ES512", "EC", "P-521", EVP_sha512, false }, { "EdDSA", "OKP", "Ed25519", NULL, false },
};

static const struct algorithm *algorithm_named(struct str name)
{
    for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++) {
        if (str_is(name, algorithms[i].name))
            return &algorithms[i];
    }
    return NULL;
}

/* ---- keys */

static bool bytes_of(struct arena *mem, json_object *key, const char *name, size_t most, struct str *out)
{
    return base64_decode(mem, json_str(key, name), out) && out->n > 0 && out->n <= most;
}

static EVP_PKEY *key_from(const char *type, OSSL_PARAM_BLD *build)
{
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY_CTX *ctx = params ? EVP_PKEY_CTX_new_from_name(NULL, type, NULL) : NULL;
    EVP_PKEY *key = NULL;

    if (ctx && EVP_PKEY_fromdata_init(ctx) == 1)
        EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params);
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    return key;
}

static EVP_PKEY *rsa_key(struct arena *mem, json_object *jwk)
{
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    BIGNUM *n = NULL, *e = NULL;
    EVP_PKEY *key = NULL;
    struct str nb, eb;

    if (build && bytes_of(mem, jwk, "n", MAX_RSA_BYTES, &nb) && bytes_of(mem, jwk, "e", 8, &eb)) {
        n = BN_bin2bn((const unsigned char *)nb.p, (int)nb.n, NULL);
        e = BN_bin2bn((const unsigned char *)eb.p, (int)eb.n, NULL);
        if (n && e && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
            OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) == 1)
            key = key_from("RSA", build);
    }
    if (key && EVP_PKEY_get_bits(key) < MIN_RSA_BITS) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    BN_free(n);
    BN_free(e);
    OSSL_PARAM_BLD_free(build);
    return key;
}

/* The point is written as 04 x y (SEC 1, 2.3.3). */
static EVP_PKEY *ec_key(struct arena *mem, json_object *jwk, const char *curve)
{
    size_t bytes = strcmp(curve, "P-256") == 0 ? 32 : strcmp(curve, "P-384") == 0 ? 48 : MAX_EC_BYTES;
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    unsigned char point[1 + 2 * MAX_EC_BYTES] = { 4 };
    EVP_PKEY *key = NULL;
    struct str x, y;

    if (build && bytes_of(mem, jwk, "x", bytes, &x) && bytes_of(mem, jwk, "y", bytes, &y)) {
        memcpy(point + 1 + bytes - x.n, x.p, x.n);
        memcpy(point + 1 + 2 * bytes - y.n, y.p, y.n);
        if (OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, curve, 0) == 1 &&
            OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * bytes) == 1)
            key = key_from("EC", build);
    }
    OSSL_PARAM_BLD_free(build);
    return key;
}

static EVP_PKEY *key_of(struct arena *mem, json_object *jwk, const struct algorithm *a)
{
    struct str x;

    if (!str_is(json_str(jwk, "kty"), a->kty) || (a->curve && !str_is(json_str(jwk, "crv"), a->curve)))
        return NULL;
    if (strcmp(a->kty, "RSA") == 0)
        return rsa_key(mem, jwk);
    if (strcmp(a->kty, "EC") == 0)
        return ec_key(mem, jwk, a->curve);
    return bytes_of(mem, jwk, "x", 32, &x) && x.n == 32
               ? EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, (const unsigned char *)x.p, x.n)
               : NULL;
}

/* ---- signatures */

/* r and s, one after the other (RFC 7518, 3.4), as OpenSSL wants them. */
static bool der_signature(struct arena *mem, struct str raw, int bits, struct str *out)
{
    size_t half = ((size_t)bits + 7) / 8;
    ECDSA_SIG *sig = ECDSA_SIG_new();
    unsigned char *der = NULL;
    int n = -1;

    if (sig && raw.n == 2 * half) {
        BIGNUM *r = BN_bin2bn((const unsigned char *)raw.p, (int)half, NULL);
        BIGNUM *s = BN_bin2bn((const unsigned char *)raw.p + half, (int)half, NULL);

        if (r && s && ECDSA_SIG_set0(sig, r, s) == 1) {
            n = i2d_ECDSA_SIG(sig, &der);
        } else {
            BN_free(r);
            BN_free(s);
        }
    }
    if (n > 0)
        *out = str_copy(mem, str_n((const char *)der, (size_t)n));
    OPENSSL_free(der);
    ECDSA_SIG_free(sig);
    return n > 0;
}

static bool signature_fits(struct arena *mem, EVP_PKEY *key, const struct algorithm *a, struct str text, struct str sig)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pctx = NULL;
    bool fits = false;

    if (strcmp(a->kty, "EC") == 0 && !der_signature(mem, sig, EVP_PKEY_get_bits(key), &sig))
        goto done;
    if (!ctx || EVP_DigestVerifyInit(ctx, &pctx, a->digest ? a->digest() : NULL, NULL, key) != 1)
        goto done;
    if (a->pss && (EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) != 1 ||
                   EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST) != 1))
        goto done;
    fits = EVP_DigestVerify(ctx, (const unsigned char *)sig.p, sig.n, (const unsigned char *)text.p, text.n) == 1;
done:
    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    return fits;
}

/* A key for encryption, or for another algorithm, signs nothing. */
static bool key_is_for(json_object *jwk, const struct algorithm *a, struct str kid)
{
    struct str use = json_str(jwk, "use"), alg = json_str(jwk, "alg");

    if (kid.p && !str_eq(json_str(jwk, "kid"), kid))
        return false;
    return (!use.n || str_is(use, "sig")) && (!alg.n || str_is(alg, a->name));
}

static enum status verify(struct arena *mem, json_object *keys, const struct algorithm *a, struct str kid,
                          struct str text, struct str sig, struct error *err)
{
    size_t tried = 0;

    JSON_EACH (json_get(keys, "keys"), i, jwk) {
        EVP_PKEY *key = i < MAX_KEYS && key_is_for(jwk, a, kid) ? key_of(mem, jwk, a) : NULL;
        bool fits;

        if (!key)
            continue;
        tried++;
        fits = signature_fits(mem, key, a, text, sig);
        EVP_PKEY_free(key);
        if (fits)
            return OK;
    }
    return tried ? error_set(err, INVALID, "the signature is wrong")
                 : error_set(err, NOT_FOUND, "signed with a key that the provider does not publish");
}

static bool part(struct arena *mem, struct str *rest, struct str *out)
{
    struct str piece;

    return str_split(rest, '.', &piece) && str_find_c(piece, '=') == STR_NPOS && base64_decode(mem, piece, out);
}

enum status oauth_jwt_verify(struct arena *mem, json_object *keys, struct str token, json_object **claims,
                             struct error *err)
{
    struct str rest = token, header, body, sig;
    json_object *head, *o;
    const struct algorithm *a;
    enum status st;

    if (token.n > MAX_TOKEN || !part(mem, &rest, &header) || !part(mem, &rest, &body) || !part(mem, &rest, &sig) ||
        rest.p || json_parse(mem, header, &head, NULL) != OK || json_parse(mem, body, &o, NULL) != OK ||
        !json_is(head, json_type_object) || !json_is(o, json_type_object))
        return error_set(err, INVALID, "not a signed token");
    a = algorithm_named(json_str(head, "alg"));
    if (!a || json_has(head, "crit"))
        return error_set(err, INVALID, "signed in a way that is not taken: %.*s",
                         STR(str_utf8_first(json_str(head, "alg"), 20)));
    st = verify(mem, keys, a, json_str(head, "kid"), str_sub(token, 0, str_rfind_c(token, '.')), sig, err);
    if (st == OK)
        *claims = o;
    return st;
}

/* ---- id tokens */

static bool is_audience(json_object *aud, struct str client_id)
{
    if (json_is(aud, json_type_string))
        return str_eq(json_str_value(aud), client_id);
    JSON_EACH (aud, i, one) {
        if (str_eq(json_str_value(one), client_id))
            return true;
    }
    return false;
}

static int64_t time_claim(json_object *claims, const char *name, int64_t otherwise)
{
    double d = json_double(claims, name, -1);

    return d >= 0 && d < 1e15 ? (int64_t)d : json_has(claims, name) ? -1 : otherwise;
}

enum status oauth_id_token_check(struct arena *mem, json_object *claims, struct str issuer, struct str client_id,
                                 struct str nonce, int64_t at_s, struct error *err)
{
    json_object *aud = json_get(claims, "aud");
    struct str azp = json_str(claims, "azp");

    if (str_has(issuer, "{tenantid}"))
        issuer = str_replace(mem, issuer, S("{tenantid}"), json_str(claims, "tid"));
    if (!issuer.n || !str_eq(json_str(claims, "iss"), issuer))
        return error_set(err, INVALID, "the id token is another issuer's");
    if (!is_audience(aud, client_id))
        return error_set(err, INVALID, "the id token is for another client");
    if ((azp.n || json_length(aud) > 1) && !str_eq(azp, client_id))
        return error_set(err, INVALID, "the id token is for another party");
    if (time_claim(claims, "exp", -1) < at_s - TOLERANCE_S)
        return error_set(err, INVALID, "the id token has expired");
    if (time_claim(claims, "nbf", 0) > at_s + TOLERANCE_S || time_claim(claims, "iat", 0) > at_s + TOLERANCE_S)
        return error_set(err, INVALID, "the id token is of the future");
    if (nonce.n && !str_equal_secret(json_str(claims, "nonce"), nonce))
        return error_set(err, INVALID, "the id token is of another sign-in");
    return json_str(claims, "sub").n ? OK : error_set(err, INVALID, "the id token names nobody");
}
