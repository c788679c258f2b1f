/* test_token.c: tokens, password hashes, the list of revoked tokens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/auth/auth.h"
#include "lib/auth/token.h"
#include "lib/base/encode.h"
#include "lib/base/file.h"
#include "lib/base/shared.h"
#include "lib/store/revoked.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define SECRET S("a-secret-for-the-tests")
#define NOW ((int64_t)1800000000)

static struct arena *mem;
static char dir[64];

/* Signs whatever it is given: what a broken or hostile issuer could make of the right key. */
static struct str forge(struct str secret, const char *header, const char *claims)
{
    struct str h = base64url_encode(mem, str_of(header)), c = base64url_encode(mem, str_of(claims)), body;
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned n;

    body = str_f(mem, "%.*s.%.*s", STR(h), STR(c));
    HMAC(EVP_sha256(), secret.p, (int)secret.n, (const unsigned char *)body.p, body.n, mac, &n);
    h = base64url_encode(mem, str_n((const char *)mac, n));
    return str_f(mem, "%.*s.%.*s", STR(body), STR(h));
}

static void test_round_trip(void **state)
{
    struct token_claims t;
    struct str token, again;

    (void)state;
    assert_int_equal(token_sign(mem, SECRET, S("user \"1\""), NOW + 100, NOW * 1000 + 123, &token), OK);
    assert_int_equal(token_sign(mem, SECRET, S("user \"1\""), NOW + 100, NOW * 1000 + 123, &again), OK);
    assert_false(str_eq(token, again));
    assert_int_equal(token_verify(mem, SECRET, token, NOW, &t, NULL), OK);
    assert_true(str_is(t.id, "user \"1\""));
    assert_int_equal(t.exp_s, NOW + 100);
    assert_int_equal(t.iat_s, NOW);
    assert_int_equal(t.issued_ms, NOW * 1000 + 123);
    assert_int_equal(t.jti.n, 32);
    assert_true(str_eq(t.key, t.jti));
    assert_int_equal(token_sign(mem, SECRET, S("u"), 0, NOW * 1000, &token), OK);
    assert_int_equal(token_verify(mem, SECRET, token, NOW + 1000000000, &t, NULL), OK);
    assert_int_equal(t.exp_s, 0);
}

static void test_claims(void **state)
{
    static const char hs256[] = "{\"alg\":\"HS256\",\"typ\":\"JWT\"}";
    static const struct {
        const char *label, *header, *claims;
        enum status want;
    } cases[] = {
        { "legacy", hs256, "{\"id\":\"u\"}", OK },
        { "header in another order", "{\"typ\": \"JWT\", \"alg\": \"HS256\"}", "{\"id\":\"u\"}", OK },
        { "ends later", hs256, "{\"id\":\"u\",\"exp\":1800000001}", OK },
        { "a fraction of a second", hs256, "{\"id\":\"u\",\"exp\":1800000001.5}", OK },
        { "within the tolerance", hs256, "{\"id\":\"u\",\"exp\":1799999941}", OK },
        { "beyond the tolerance", hs256, "{\"id\":\"u\",\"exp\":1799999940}", INVALID },
        { "never was good", hs256, "{\"id\":\"u\",\"iat\":1799999999,\"exp\":1799999999}", INVALID },
        { "not yet, by a little", hs256, "{\"id\":\"u\",\"nbf\":1800000060}", OK },
        { "not yet", hs256, "{\"id\":\"u\",\"nbf\":1800000061}", INVALID },
        { "no id", hs256, "{\"exp\":1800000100}", INVALID },
        { "an id that is a number", hs256, "{\"id\":1}", INVALID },
        { "an empty id", hs256, "{\"id\":\"\"}", INVALID },
        { "an id with a NUL", hs256, "{\"id\":\"u\\u0000x\"}", INVALID },
        { "exp as text", hs256, "{\"id\":\"u\",\"exp\":\"1800000100\"}", INVALID },
        { "exp null", hs256, "{\"id\":\"u\",\"exp\":null}", INVALID },
        { "exp 0", hs256, "{\"id\":\"u\",\"exp\":0}", INVALID },
        { "exp negative", hs256, "{\"id\":\"u\",\"exp\":-5}", INVALID },
        { "exp endless", hs256, "{\"id\":\"u\",\"exp\":1e300}", INVALID },
        { "claims are a list", hs256, "[\"id\"]", INVALID },
        { "claims are no JSON", hs256, "{\"id\":", INVALID },
        { "alg none", "{\"alg\":\"none\"}", "{\"id\":\"u\"}", INVALID },
        { "alg in lower case", "{\"alg\":\"hs256\"}", "{\"id\":\"u\"}", INVALID },
        { "alg HS512", "{\"alg\":\"HS512\"}", "{\"id\":\"u\"}", INVALID },
        { "alg RS256", "{\"alg\":\"RS256\"}", "{\"id\":\"u\"}", INVALID },
        { "no alg", "{}", "{\"id\":\"u\"}", INVALID },
        { "alg is a list", "{\"alg\":[\"HS256\"]}", "{\"id\":\"u\"}", INVALID },
        { "an extension that must be understood", "{\"alg\":\"HS256\",\"crit\":[\"x\"]}", "{\"id\":\"u\"}", INVALID },
        { "header is no JSON", "x", "{\"id\":\"u\"}", INVALID },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct token_claims t;
        enum status got = token_verify(mem, SECRET, forge(SECRET, cases[i].header, cases[i].claims), NOW, &t, NULL);

        if (got != cases[i].want)
            fail_msg("%s: %d, not %d", cases[i].label, got, cases[i].want);
    }
}

static void test_signature(void **state)
{
    struct token_claims t;
    struct str token, changed, text[8];

    (void)state;
    assert_int_equal(token_sign(mem, SECRET, S("u"), 0, NOW * 1000, &token), OK);
    assert_int_equal(token_verify(mem, S("another secret"), token, NOW, &t, NULL), INVALID);
    assert_int_equal(token_verify(mem, S(""), token, NOW, &t, NULL), INVALID);
    /* The last character has two bits that decode to nothing: a second spelling of the same signature is not taken. */
    for (size_t i = 0; i < token.n; i++) {
        for (int k = 0; k < 2; k++) {
            char c = token.p[i];

            changed = str_copy(mem, token);
            ((char *)changed.p)[i] = k ? (c == 'A' ? 'B' : 'A') : (char)(c ^ 1);
            if (!str_eq(changed, token) && token_verify(mem, SECRET, changed, NOW, &t, NULL) != INVALID)
                fail_msg("character %zu was changed and nobody noticed", i);
        }
    }
    for (size_t n = 0; n < token.n; n++)
        assert_int_equal(token_verify(mem, SECRET, str_sub(token, 0, n), NOW, &t, NULL), INVALID);
    text[0] = str_cat(mem, token, S("="));
    text[1] = str_cat(mem, token, S("."));
    text[2] = str_cat(mem, S(" "), token);
    text[3] = str_cat(mem, token, S(" "));
    text[4] = S("..");
    text[5] = S("");
    text[6] = STR_NONE;
    text[7] = str_cat(mem, S("."), token);
    for (size_t i = 0; i < COUNT(text); i++)
        assert_int_equal(token_verify(mem, SECRET, text[i], NOW, &t, NULL), INVALID);
}

/* A token that PyJWT 2 made with this key: {"id": "u1", "exp": 4102444800}. */
static void test_python_token(void **state)
{
    struct str token = S("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpZCI6InUxIiwiZXhwIjo0MTAyNDQ0ODAwfQ."
                         "vaPv9o0eIj03Iih1q2BvAJNG2P1Z9H7wa_VyrmxkFI4");
    struct token_claims t;

    (void)state;
    assert_int_equal(token_verify(mem, SECRET, token, NOW, &t, NULL), OK);
    assert_true(str_is(t.id, "u1"));
    assert_int_equal(t.exp_s, 4102444800);
    assert_int_equal(t.issued_ms, 0);
    assert_int_equal(t.key.n, 32);
}

static void test_passwords(void **state)
{
    char seventy_two[73];
    struct str hash, again;

    (void)state;
    memset(seventy_two, 'x', sizeof(seventy_two) - 1);
    seventy_two[72] = 0;
    assert_int_equal(password_hash(mem, S("pass"), &hash, NULL), OK);
    assert_true(str_starts(hash, "$2b$12$"));
    assert_int_equal(hash.n, 60);
    assert_int_equal(password_hash(mem, S("pass"), &again, NULL), OK);
    assert_false(str_eq(hash, again));
    assert_true(password_matches(mem, S("pass"), hash));
    assert_false(password_matches(mem, S("Pass"), hash));
    assert_false(password_matches(mem, str_n("pass\0x", 6), hash));
    assert_false(password_matches(mem, S(""), hash));
    assert_false(password_matches(mem, S("pass"), STR_NONE));
    assert_false(password_matches(mem, S("pass"), S("pass")));
    assert_false(password_matches(mem, S("pass"), S("$2b$12$short")));
    assert_int_equal(password_hash(mem, str_of(seventy_two), &hash, NULL), OK);
    assert_int_equal(password_hash(mem, str_cat(mem, str_of(seventy_two), S("y")), &hash, NULL), TOO_BIG);
    assert_int_equal(password_hash(mem, str_n("a\0b", 3), &hash, NULL), INVALID);
}

/* Made by passlib 1.7.4 (Python's bcrypt) and by older libraries: "secret". */
static void test_foreign_hashes(void **state)
{
    (void)state;
    assert_true(password_matches(mem, S("secret"), S("$2b$12$27ZZvz.mH9Jsq2VBXrJ4yuErIssvlRIEJI9MG0L2wD7QHRbSeqdRu")));
    assert_false(password_matches(mem, S("secreT"), S("$2b$12$27ZZvz.mH9Jsq2VBXrJ4yuErIssvlRIEJI9MG0L2wD7QHRbSeqdRu")));
}

static void test_revoked_tokens(void **state)
{
    struct str a = S("0123456789abcdef0123456789abcdef"), b = S("ffffffffffffffffffffffffffffffff");

    (void)state;
    assert_int_equal(revoked_check(mem, dir, a, S("u"), NOW, NULL), OK);
    assert_int_equal(revoked_add_token(mem, dir, a, 0, NULL), OK);
    assert_int_equal(revoked_check(mem, dir, a, S("u"), NOW, NULL), INVALID);
    assert_int_equal(revoked_check(mem, dir, b, S("u"), NOW, NULL), OK);
}

static void test_revoked_user(void **state)
{
    struct str kept = S("0000000000000000000000000000000a"), old = S("0000000000000000000000000000000b");

    (void)state;
    assert_int_equal(revoked_add_user(mem, dir, S("v"), 5000, kept, NULL), OK);
    assert_int_equal(revoked_check(mem, dir, old, S("v"), 4999, NULL), INVALID);
    assert_int_equal(revoked_check(mem, dir, old, S("v"), 5000, NULL), INVALID);
    assert_int_equal(revoked_check(mem, dir, old, S("v"), 5001, NULL), OK);
    assert_int_equal(revoked_check(mem, dir, old, S("v"), 0, NULL), INVALID); /* legacy: nobody knows when */
    assert_int_equal(revoked_check(mem, dir, kept, S("v"), 4000, NULL), OK);
    assert_int_equal(revoked_check(mem, dir, old, S("w"), 4999, NULL), OK);
    /* A later change ends the token that was spared before; an older line that comes late changes nothing. */
    assert_int_equal(revoked_add_user(mem, dir, S("v"), 6000, STR_NONE, NULL), OK);
    assert_int_equal(revoked_add_user(mem, dir, S("v"), 5500, kept, NULL), OK);
    assert_int_equal(revoked_check(mem, dir, kept, S("v"), 4000, NULL), INVALID);
    assert_int_equal(revoked_check(mem, dir, old, S("v"), 5900, NULL), INVALID);
}

/* What another machine has revoked: only news are kept, and nothing that is no such line. */
static void test_revoked_elsewhere(void **state)
{
    struct str path = str_f(mem, "%s/revoked", dir), before, after, d = S("000000000000000000000000000000d1"),
               news = S("f 0 abc\nt 0 000000000000000000000000000000d1\nt 0 000000000000000000000000000000d1 x\nt x "
                        "00d2\nt 0 zz\nu 5 00 -\nu 7 00000000000000d3 -\nu 7\n\nq 1 00\nt 1000 00d5\nt 0 00d4");

    (void)state;
    assert_int_equal(revoked_merge(mem, dir, news, NULL), OK);
    assert_int_equal(revoked_check(mem, dir, d, S("u"), NOW, NULL), INVALID);
    assert_int_equal(file_read(mem, path.p, 1 << 20, &before, NULL), OK);
    assert_true(str_ends(before, "t 0 000000000000000000000000000000d1\nu 5 00 -\nu 7 00000000000000d3 -\nt 0 00d4\n"));
    assert_int_equal(revoked_merge(mem, dir, before, NULL), OK);
    assert_int_equal(revoked_merge(mem, dir, S("u 6 00000000000000d3 -\n"), NULL), OK);
    assert_int_equal(file_read(mem, path.p, 1 << 20, &after, NULL), OK);
    assert_true(str_eq(before, after));
    assert_int_equal(revoked_merge(mem, dir, S(""), NULL), OK);
}

static void test_half_a_line_is_not_joined(void **state)
{
    struct str path = str_f(mem, "%s/revoked", dir), a = S("000000000000000000000000000000c1");
    int fd = open(path.p, O_WRONLY | O_APPEND | O_CREAT, 0600);

    (void)state;
    assert_int_equal(write_all(fd, S("t 0 000000000000000000"), NULL), OK);
    close(fd);
    assert_int_equal(revoked_add_token(mem, dir, a, 0, NULL), OK);
    assert_int_equal(revoked_check(mem, dir, a, S("u"), NOW, NULL), INVALID);
}

/* Four processes write at once, through several rewritings: no line is lost, what has ended is. */
static void test_many_writers(void **state)
{
    struct stat st;
    struct str path = str_f(mem, "%s/revoked", dir);
    enum { WRITERS = 4, LINES = 1500 };

    (void)state;
    for (int w = 0; w < WRITERS; w++) {
        if (fork() == 0) {
            struct arena *own = arena_new(4096);
            int bad = 0;

            for (int i = 0; i < LINES; i++) {
                bad |= revoked_add_token(own, dir, str_f(own, "%016x%08x%08x", 0xabc, w + 1, i + 1), 0, NULL) != OK;
                bad |= revoked_add_token(own, dir, str_f(own, "%016x%08x%08x", 0xdef, w + 101, i + 1), 1000, NULL) !=
                       OK;
            }
            _exit(bad);
        }
    }
    for (int w = 0; w < WRITERS; w++) {
        int status = 0;

        wait(&status);
        assert_int_equal(status, 0);
    }
    counter_bump(COUNTER_USERS);
    for (int w = 0; w < WRITERS; w++) {
        for (int i = 0; i < LINES; i++)
            assert_int_equal(
                revoked_check(mem, dir, str_f(mem, "%016x%08x%08x", 0xabc, w + 1, i + 1), S("u"), NOW, NULL), INVALID);
    }
    assert_int_equal(stat(path.p, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    /* Written in full: 12000 lines of some 40 bytes; the half that has ended went at a rewriting. */
    assert_true(st.st_size < 12000 * 38);
}

static void test_unreadable_list_refuses(void **state)
{
    struct str other = str_f(mem, "%s/other", dir), path = str_f(mem, "%s/revoked", other.p);

    (void)state;
    assert_int_equal(mkdir(other.p, 0700), 0);
    assert_int_equal(symlink("/etc/passwd", path.p), 0);
    counter_bump(COUNTER_USERS);
    assert_int_equal(revoked_check(mem, other.p, S("00000000000000000000000000000001"), S("u"), NOW, NULL),
                     UNAVAILABLE);
    unlink(path.p);
    rmdir(other.p);
    counter_bump(COUNTER_USERS);
}

static void test_addresses(void **state)
{
    static const struct {
        const char *in;
        bool want;
    } cases[] = {
        { "a@b.c", true },       { "someone@localhost", true },
        { "a@b", false },        { "a@nodot", false },
        { "", false },           { "@b.c", false },
        { "no-address", false }, { "a@.c", false },
        { "a@b.", false },       { "a@b.c@d", true },
        { "a@b@c.d", false },    { "a b@c d.e", true },
        { "a@b..c", true },      { "@localhost", true },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        if (auth_email_valid(str_of(cases[i].in)) != cases[i].want)
            fail_msg("\"%s\"", cases[i].in);
    }
    assert_false(auth_email_valid(str_n("a@b.c\0d", 7)));
}

static void test_tries(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++) {
        assert_true(auth_may_try(mem, S("a@b.c"), S("192.0.2.1")));
        auth_failed_try(mem, S("A@b.c"), S("192.0.2.1"));
    }
    assert_false(auth_may_try(mem, S("a@b.c"), S("192.0.2.2")));
    assert_true(auth_may_try(mem, S("other@b.c"), S("192.0.2.1")));
    /* Many accounts from one network: an IPv6 host has a /64 to itself. */
    for (int i = 0; i < 100; i++)
        auth_failed_try(mem, str_f(mem, "account%d@b.c", i), str_f(mem, "2001:db8:1:2::%x", i + 1));
    assert_false(auth_may_try(mem, S("fresh@b.c"), S("2001:db8:1:2:ffff::1")));
    assert_true(auth_may_try(mem, S("fresh@b.c"), S("2001:db8:1:3::1")));
}

static int start(void **state)
{
    (void)state;
    mem = arena_new(64 * 1024);
    snprintf(dir, sizeof(dir), "/tmp/test-token-XXXXXX");
    return mkdtemp(dir) && shared_open(dir, NULL) == OK ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    unlink(str_f(mem, "%s/revoked", dir).p);
    unlink(str_f(mem, "%s/counters", dir).p);
    rmdir(dir);
    arena_free(mem);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),        cmocka_unit_test(test_claims),
        cmocka_unit_test(test_signature),         cmocka_unit_test(test_python_token),
        cmocka_unit_test(test_passwords),         cmocka_unit_test(test_foreign_hashes),
        cmocka_unit_test(test_revoked_tokens),    cmocka_unit_test(test_revoked_user),
        cmocka_unit_test(test_revoked_elsewhere), cmocka_unit_test(test_half_a_line_is_not_joined),
        cmocka_unit_test(test_many_writers),      cmocka_unit_test(test_unreadable_list_refuses),
        cmocka_unit_test(test_addresses),         cmocka_unit_test(test_tries),
    };

    return cmocka_run_group_tests(tests, start, end);
}
