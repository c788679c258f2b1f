/* token.c: JSON web tokens (RFC 7519) with HS256. */
#include "lib/auth/token.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>

#include "lib/base/clock.h"
#include "lib/base/encode.h"
#include "lib/base/random.h"

enum { MAX_TOKEN = 4096, TOLERANCE_S = 60, KEY_DIGITS = 32 };

/* {"alg":"HS256","typ":"JWT"}, as PyJWT writes it */
#define HEADER "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"

static struct str signature(struct arena *mem, struct str secret, struct str signed_part)
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    if (!HMAC(EVP_sha256(), secret.p ? secret.p : "", (int)secret.n, (const unsigned char *)signed_part.p,
              signed_part.n, mac, &n))
        return STR_NONE;
    return base64url_encode(mem, str_n((const char *)mac, n));
}

/* Our jti starts with the time in milliseconds: a token made in the second of a change of password is told from one made before. */
static struct str new_jti(struct arena *mem, int64_t at_ms)
{
    struct str noise = random_hex(mem, 10);

    return str_f(mem, "%012llx%.*s", (unsigned long long)at_ms & 0xffffffffffffULL, STR(noise));
}

static bool is_hex(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!strchr("0123456789abcdef", s.p[i]) || !s.p[i])
            return false;
    }
    return true;
}

enum status token_sign(struct arena *mem, struct str secret, struct str user_id, int64_t expires_s, int64_t at_ms,
                       struct str *out)
{
    struct buf claims = BUF(mem, MAX_TOKEN / 2);
    struct str jti = new_jti(mem, at_ms), body, mac;

    buf_add_c(&claims, "{\"id\":");
    buf_add_json_string(&claims, user_id);
    if (expires_s)
        buf_addf(&claims, ",\"exp\":%lld", (long long)expires_s);
    buf_addf(&claims, ",\"iat\":%lld,\"jti\":\"%.*s\"}", (long long)(at_ms / 1000), STR(jti));
    if (buf_failed(&claims))
        return TOO_BIG;
    body = base64url_encode(mem, buf_str(&claims));
    body = str_f(mem, HEADER ".%.*s", STR(body));
    mac = signature(mem, secret, body);
    if (!mac.p)
        return FAILED;
    *out = str_f(mem, "%.*s.%.*s", STR(body), STR(mac));
    return OK;
}

enum status token_make(struct arena *mem, struct config *c, struct str user_id, int64_t expires_s, struct str *out,
                       struct error *err)
{
    struct str secret;
    enum status st = config_secret_key(c, true, &secret, err);

    if (st != OK)
        return error_add(err, st, "could not sign a token");
    st = token_sign(mem, secret, user_id, expires_s, now_ms(), out);
    return st == OK ? OK : error_set(err, st, "could not sign a token");
}

/* A NumericDate. Absent: 0. false: no number, or none that can be a time. */
static bool read_time(json_object *claims, const char *name, int64_t *out)
{
    json_object *v = json_get(claims, name);
    double d;

    *out = 0;
    if (!json_has(claims, name))
        return true;
    if (json_is(v, json_type_int))
        *out = json_object_get_int64(v);
    else if (json_is(v, json_type_double) && (d = json_object_get_double(v)) > 0 && d < 1e15)
        *out = (int64_t)d;
    return *out > 0;
}

bool token_expired(const struct token_claims *claims, int64_t at_s)
{
    return claims->exp_s && (at_s - TOLERANCE_S >= claims->exp_s || (claims->iat_s && claims->exp_s <= claims->iat_s));
}

static void name_token(struct arena *mem, struct token_claims *t, struct str signed_part)
{
    int64_t ms = 0;

    if (t->jti.n == KEY_DIGITS && is_hex(t->jti)) {
        t->key = t->jti;
        for (int i = 0; i < 12; i++)
            ms = ms << 4 | (t->jti.p[i] <= '9' ? t->jti.p[i] - '0' : t->jti.p[i] - 'a' + 10);
        if (ms / 1000 == t->iat_s)
            t->issued_ms = ms;
    } else {
        t->key = str_sub(sha256_hex(mem, t->jti.n ? t->jti : signed_part), 0, KEY_DIGITS);
    }
    if (!t->issued_ms)
        t->issued_ms = t->iat_s <= INT64_MAX / 1000 ? t->iat_s * 1000 : 0;
}

static enum status read_claims(struct arena *mem, struct str header, struct str body, int64_t at_s,
                               struct token_claims *t)
{
    struct str text;
    json_object *o;
    int64_t nbf;

    if (!str_is(header, HEADER)) {
        if (!base64_decode(mem, header, &text) || json_parse(mem, text, &o, NULL) != OK ||
            !str_is(json_str(o, "alg"), "HS256") || json_has(o, "crit"))
            return INVALID;
    }
    if (!base64_decode(mem, body, &text) || json_parse(mem, text, &o, NULL) != OK || !json_is(o, json_type_object))
        return INVALID;
    t->id = json_str(o, "id");
    t->jti = json_str(o, "jti");
    if (!t->id.n || memchr(t->id.p, 0, t->id.n))
        return INVALID;
    if (!read_time(o, "exp", &t->exp_s) || !read_time(o, "iat", &t->iat_s) || !read_time(o, "nbf", &nbf))
        return INVALID;
    return token_expired(t, at_s) || nbf - TOLERANCE_S > at_s ? INVALID : OK;
}

enum status token_verify(struct arena *mem, struct str secret, struct str token, int64_t at_s, struct token_claims *out,
                         struct error *err)
{
    struct token_claims t = { 0 };
    size_t first = str_find_c(token, '.'), last = str_rfind_c(token, '.');
    struct str signed_part, mac;

    if (token.n > MAX_TOKEN || first == STR_NPOS || first == last ||
        str_find_c(str_sub(token, first + 1, last - first - 1), '.') != STR_NPOS)
        return error_set(err, INVALID, "no token");
    signed_part = str_sub(token, 0, last);
    mac = signature(mem, secret, signed_part);
    /* The texts are compared, not the bytes: one signature has one spelling. */
    if (!mac.p || !secret.n || !str_equal_secret(mac, str_from(token, last + 1)))
        return error_set(err, INVALID, "bad signature");
    if (read_claims(mem, str_sub(token, 0, first), str_sub(token, first + 1, last - first - 1), at_s, &t) != OK)
        return error_set(err, INVALID, "expired, or not for us");
    name_token(mem, &t, signed_part);
    *out = t;
    return OK;
}

enum status token_read(struct arena *mem, struct config *c, struct str token, struct token_claims *out,
                       struct error *err)
{
    struct str secret;
    enum status st = config_secret_key(c, true, &secret, err);

    if (st != OK)
        return error_add(err, st, "could not read a token");
    return token_verify(mem, secret, token, now_s(), out, err);
}
