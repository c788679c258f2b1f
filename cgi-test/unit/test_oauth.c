/* test_oauth.c: sealed texts, signed tokens of others, claims, blocked groups, where metadata is looked for. */
#include "lib/auth/fernet.h"
#include "lib/auth/oauth_account.h"
#include "lib/auth/oauth_clients.h"
#include "lib/auth/oauth_flow.h"
#include "lib/auth/oauth_jwt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* Made by Python's cryptography.fernet: the specification's own vector (github.com/fernet/spec/generate.json). */
static void sealed(void **state)
{
    static const char
        key[] = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=",
        token[] = "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4Iwq"
                  "DA==";
    struct arena *mem = arena_new(4096);
    struct str text = STR_NONE, made;
    struct error err;
    char *broken = str_c(mem, str_of(token));

    (void)state;
    assert_int_equal(fernet_open(mem, str_of(key), str_of(token), 0, &text, &err), OK);
    assert_true(str_is(text, "hello"));
    assert_int_equal(fernet_open(mem, str_of(key), str_of(token), 60, &text, &err), INVALID); /* of 1985 */
    assert_int_equal(fernet_open(mem, S("another"), str_of(token), 0, &text, &err), INVALID);
    for (size_t i = 0; i + 2 < strlen(token); i += 7) {
        char was = broken[i];

        broken[i] = was == 'A' ? 'B' : 'A';
        assert_int_equal(fernet_open(mem, str_of(key), str_of(broken), 0, &text, &err), INVALID);
        broken[i] = was;
    }
    for (size_t n = 0; n < strlen(token); n += 5)
        assert_int_equal(fernet_open(mem, str_of(key), str_sub(str_of(token), 0, n), 0, &text, &err), INVALID);
    made = fernet_seal(mem, S("any text is a key"), S("{\"a\":1}"));
    assert_true(str_starts(made, "gAAAAA"));
    assert_int_equal(fernet_open(mem, S("any text is a key"), made, 60, &text, &err), OK);
    assert_true(str_is(text, "{\"a\":1}"));
    made = fernet_seal(mem, S("k"), S(""));
    assert_int_equal(fernet_open(mem, S("k"), made, 0, &text, &err), OK);
    assert_int_equal(text.n, 0);
    arena_free(mem);
}

/* RFC 7515, appendices A.2 (RS256) and A.3 (ES256). */
#define RSA_KEY                                                                                                        \
    "{\"kty\":\"RSA\",\"n\":\"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-"                   \
    "4qPCJrcS2mJPMEzP1Pt0"                                                                                             \
    "Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-"     \
    "KXBdQ"                                                                                                            \
    "OS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs" \
    "91kzk2PAcDTW9gb54h4FRWyuXpoQ\",\"e\":\"AQAB\"}"
#define EC_KEY                                                                                 \
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"," \
    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}"
#define BODY "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
#define RS_SIG                                                                                                  \
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_"                     \
    "O8W2Fp5jujGbds9uJdbF9CUAr7t1d"                                                                             \
    "nZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--" \
    "xi12jzDwu"                                                                                                 \
    "sC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_"       \
    "IoypGlUPQGe77R"                                                                                            \
    "w"

static void signatures(void **state)
{
    static const struct {
        const char *label, *keys, *token;
        enum status want;
    } cases[] = {
        { "RS256", RSA_KEY, "eyJhbGciOiJSUzI1NiJ9." BODY "." RS_SIG, OK },
        { "ES256", EC_KEY,
          "eyJhbGciOiJFUzI1NiJ9." BODY
          ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
          OK },
        { "the right key among others", EC_KEY "," RSA_KEY, "eyJhbGciOiJSUzI1NiJ9." BODY "." RS_SIG, OK },
        { "another key", EC_KEY, "eyJhbGciOiJSUzI1NiJ9." BODY "." RS_SIG, NOT_FOUND },
        { "no key", "", "eyJhbGciOiJSUzI1NiJ9." BODY "." RS_SIG, NOT_FOUND },
        { "another algorithm", RSA_KEY, "eyJhbGciOiJSUzM4NCJ9." BODY "." RS_SIG, INVALID },
        { "none", RSA_KEY, "eyJhbGciOiJub25lIn0." BODY ".", INVALID },
        { "none, signed", RSA_KEY, "eyJhbGciOiJub25lIn0." BODY "." RS_SIG, INVALID },
        { "HMAC", RSA_KEY, "eyJhbGciOiJIUzI1NiJ9." BODY "." RS_SIG, INVALID },
        { "short EC signature", EC_KEY, "eyJhbGciOiJFUzI1NiJ9." BODY ".DtEh", INVALID },
        { "two parts", RSA_KEY, "eyJhbGciOiJSUzI1NiJ9." BODY, INVALID },
        { "four parts", RSA_KEY, "eyJhbGciOiJSUzI1NiJ9." BODY "." RS_SIG ".x", INVALID },
        { "changed body", RSA_KEY, "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UifQ." RS_SIG, INVALID },
        { "nothing", RSA_KEY, "", INVALID },
    };
    struct arena *mem = arena_new(4096);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        json_object *keys = json_parse_or_null(mem, str_f(mem, "{\"keys\":[%s]}", cases[i].keys)), *claims = NULL;
        struct error err = { "" };
        enum status st = oauth_jwt_verify(mem, keys, str_of(cases[i].token), &claims, &err);

        assert_non_null(keys);
        if (st != cases[i].want)
            fail_msg("%s: status %d %s", cases[i].label, st, err.text);
        if (st == OK)
            assert_true(str_is(json_str(claims, "iss"), "joe"));
    }
    arena_free(mem);
}

static void id_tokens(void **state)
{
    static const struct {
        const char *label, *claims;
        bool good;
    } cases[] = {
        { "good", "{\"iss\":\"i\",\"aud\":\"c\",\"exp\":1100,\"iat\":1000,\"nonce\":\"n\",\"sub\":\"s\"}", true },
        { "list", "{\"iss\":\"i\",\"aud\":[\"c\",\"d\"],\"azp\":\"c\",\"exp\":1100,\"nonce\":\"n\",\"sub\":\"s\"}",
          true },
        { "within tolerance", "{\"iss\":\"i\",\"aud\":\"c\",\"exp\":950,\"iat\":1050,\"nonce\":\"n\",\"sub\":\"s\"}",
          true },
        { "issuer", "{\"iss\":\"j\",\"aud\":\"c\",\"exp\":1100,\"nonce\":\"n\",\"sub\":\"s\"}", false },
        { "no issuer", "{\"aud\":\"c\",\"exp\":1100,\"nonce\":\"n\",\"sub\":\"s\"}", false },
        { "audience", "{\"iss\":\"i\",\"aud\":\"d\",\"exp\":1100,\"nonce\":\"n\",\"sub\":\"s\"}", false },
        { "no audience", "{\"iss\":\"i\",\"exp\":1100,\"nonce\":\"n\",\"sub\":\"s\"}", false },
        { "several and no party", "{\"iss\":\"i\",\"aud\":[\"c\",\"d\"],\"exp\":1100,\"nonce\":\"n\",\"sub\":\"s\"}",
          false },
        { "party", "{\"iss\":\"i\",\"aud\":\"c\",\"azp\":\"d\",\"exp\":1100,\"nonce\":\"n\",\"sub\":\"s\"}", false },
        { "expired", "{\"iss\":\"i\",\"aud\":\"c\",\"exp\":900,\"nonce\":\"n\",\"sub\":\"s\"}", false },
        { "no end", "{\"iss\":\"i\",\"aud\":\"c\",\"nonce\":\"n\",\"sub\":\"s\"}", false },
        { "end is a text", "{\"iss\":\"i\",\"aud\":\"c\",\"exp\":\"never\",\"nonce\":\"n\",\"sub\":\"s\"}", false },
        { "not yet", "{\"iss\":\"i\",\"aud\":\"c\",\"exp\":1100,\"nbf\":1070,\"nonce\":\"n\",\"sub\":\"s\"}", false },
        { "nonce", "{\"iss\":\"i\",\"aud\":\"c\",\"exp\":1100,\"nonce\":\"m\",\"sub\":\"s\"}", false },
        { "no nonce", "{\"iss\":\"i\",\"aud\":\"c\",\"exp\":1100,\"sub\":\"s\"}", false },
        { "no subject", "{\"iss\":\"i\",\"aud\":\"c\",\"exp\":1100,\"nonce\":\"n\"}", false },
    };
    struct arena *mem = arena_new(4096);
    struct error err;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        json_object *claims = json_parse_or_null(mem, str_of(cases[i].claims));

        assert_non_null(claims);
        if ((oauth_id_token_check(mem, claims, S("i"), S("c"), S("n"), 1000, &err) == OK) != cases[i].good)
            fail_msg("%s", cases[i].label);
    }
    arena_free(mem);
}

static void groups_and_claims(void **state)
{
    static const struct {
        const char *pattern, *name;
        bool blocked;
    } cases[] = {
        { "admins", "admins", true },
        { "admins", "admins2", false },
        { "sec*", "secret", true },
        { "*ret", "secret", true },
        { "s?cret", "secret", true },
        { "s?cret", "sscret", true },
        { "s?cret", "scret", false },
        { "^x[0-9]+$", "x12", true },
        { "^x[0-9]+$", "ax12", false },
        { "(a|b)c", "xbcx", true },
        { "[", "[", true },
        { "[", "x", false },
        { "*a*b*c*", "xxaxxbxxcxx", true },
        { "*a*b*c*", "xxaxxcxxbxx", false },
        { "", "", false },
    };
    struct arena *mem = arena_new(4096);
    json_object *claims = json_parse_or_null(
        mem, S("{\"a\":{\"b\":[\"x\"]},\"https://x.y/roles\":\"r\",\"n\":null,\"a.c\":\"dotted\"}"));

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        json_object *patterns = json_new_array(mem);

        json_push_str(patterns, str_of(cases[i].pattern));
        if (oauth_group_blocked(patterns, str_of(cases[i].name)) != cases[i].blocked)
            fail_msg("%s of %s", cases[i].name, cases[i].pattern);
    }
    assert_int_equal(json_length(oauth_claim(mem, claims, S("a.b"))), 1);
    assert_true(str_is(json_str_value(oauth_claim(mem, claims, S("https://x.y/roles"))), "r"));
    assert_true(str_is(json_str_value(oauth_claim(mem, claims, S("a.c"))), "dotted"));
    assert_null(oauth_claim(mem, claims, S("a.x.y")));
    assert_null(oauth_claim(mem, claims, S("")));
    assert_null(oauth_claim(mem, NULL, S("a")));
    arena_free(mem);
}

static void addresses(void **state)
{
    struct arena *mem = arena_new(4096);
    struct str v[4];

    (void)state;
    assert_int_equal(oauth_metadata_urls(mem, S("https://h.test:8443/a/b/?x=1"), v), 4);
    assert_true(str_is(v[0], "https://h.test:8443/.well-known/oauth-authorization-server"));
    assert_true(str_is(v[1], "https://h.test:8443/.well-known/openid-configuration"));
    assert_true(str_is(v[2], "https://h.test:8443/.well-known/oauth-authorization-server/a/b"));
    assert_true(str_is(v[3], "https://h.test:8443/.well-known/openid-configuration/a/b"));
    assert_int_equal(oauth_metadata_urls(mem, S("http://h"), v), 2);
    assert_int_equal(oauth_metadata_urls(mem, S("http://h/"), v), 2);
    assert_int_equal(oauth_metadata_urls(mem, S("http://"), v), 0);
    assert_int_equal(oauth_metadata_urls(mem, S("ftp://h/x"), v), 0);
    assert_int_equal(oauth_metadata_urls(mem, S(""), v), 0);
    assert_null(oauth_flow_cookie_name(mem, S("0123456789abcdef0123456789abcdeX")));
    assert_null(oauth_flow_cookie_name(mem, S("short")));
    assert_string_equal(oauth_flow_cookie_name(mem, S("0123456789abcdef0123456789abcdef")), "oauth_state_0123456789ab");
    arena_free(mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sealed),    cmocka_unit_test(signatures),
        cmocka_unit_test(id_tokens), cmocka_unit_test(groups_and_claims),
        cmocka_unit_test(addresses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
