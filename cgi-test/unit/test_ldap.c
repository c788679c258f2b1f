/* test_ldap.c: names that go into filters, names that come out of a directory, and where the directory is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/auth/directory.h"
#include "lib/auth/ldap.h"

static void test_a_value_stays_a_value_in_a_filter(void **state)
{
    static const struct {
        const char *label, *in;
        size_t n;
        const char *want;
    } cases[] = {
        { "an ordinary name", "ann", 3, "ann" },
        { "nothing", "", 0, "" },
        { "any name", "*", 1, "\\2a" },
        { "a further condition", ")(uid=*", 7, "\\29\\28uid=\\2a" },
        { "an escape", "\\2a", 3, "\\5c2a" },
        { "NUL", "a\0b", 3, "a\\00b" },
        { "controls", "\n\x1f\x7f", 3, "\\0a\\1f\\7f" },
        { "what means nothing inside a value", "a&b|c!d=e<f>g~h,i j", 19, "a&b|c!d=e<f>g~h,i j" },
        { "letters of others", "\xc3\xa9", 2, "\xc3\xa9" },
    };
    struct arena *mem = arena_new(4096);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct str got = ldap_filter_value(mem, str_n(cases[i].in, cases[i].n));

        if (!str_is(got, cases[i].want))
            fail_msg("%s: want %s, got %.*s", cases[i].label, cases[i].want, STR(got));
    }
    arena_free(mem);
}

static void test_common_names(void **state)
{
    static const struct {
        const char *label, *in, *want;
    } cases[] = {
        { "the first part", "cn=staff,ou=groups,dc=test", "staff" },
        { "capitals", "CN=Staff,OU=Groups,DC=test", "Staff" },
        { "a later part", "ou=x,cn=y,dc=test", "y" },
        { "the first of two", "cn=a,cn=b", "a" },
        { "blanks between parts", "cn=a b, ou=groups", "a b" },
        { "a comma in it", "cn=Sales\\, north,ou=groups", "Sales, north" },
        { "letters of others", "cn=caf\xc3\xa9,ou=groups", "caf\xc3\xa9" },
        { "bytes in hex", "cn=caf\\c3\\a9,ou=groups", "caf\xc3\xa9" },
        { "what looks like one inside a value", "ou=x\\,cn=admin,dc=test", NULL },
        { "one of several values", "ou=x+cn=y,dc=test", "y" },
        { "none", "ou=groups,dc=test", NULL },
        { "an empty one", "cn=,dc=test", NULL },
        { "BER in hex", "cn=#04024869,dc=test", NULL },
        { "no name at all", "staff", NULL },
        { "nothing", "", NULL },
    };
    struct arena *mem = arena_new(4096);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct str got = ldap_common_name(mem, str_of(cases[i].in));

        if (cases[i].want ? !str_is(got, cases[i].want) : got.n > 0)
            fail_msg("%s: got %.*s", cases[i].label, STR(got));
    }
    assert_int_equal(ldap_common_name(mem, S("cn=a\0,cn=b")).n, 0);
    arena_free(mem);
}

static void test_addresses(void **state)
{
    static const struct {
        const char *label, *host;
        int port;
        bool tls;
        const char *want_host; /* NULL: none */
        int want_port;
        bool want_tls;
    } cases[] = {
        { "plain", "ldap.test", 389, false, "ldap.test", 389, false },
        { "TLS", "ldap.test", 10636, true, "ldap.test", 10636, true },
        { "the usual port", "ldap.test", 0, false, "ldap.test", 389, false },
        { "the usual port of TLS", " ldap.test ", 0, true, "ldap.test", 636, true },
        { "a plain address wins", "LDAP://ldap.test", 389, true, "ldap.test", 389, false },
        { "a TLS address wins", "ldaps://ldap.test:1636/", 389, false, "ldap.test", 1636, true },
        { "a port in the host", "ldap.test:3389", 389, false, "ldap.test", 3389, false },
        { "IPv6", "::1", 389, false, "::1", 389, false },
        { "IPv6 in brackets", "ldaps://[fe80::1]:1636", 0, false, "fe80::1", 1636, true },
        { "IPv6 in brackets without a port", "ldap://[::1]", 0, false, "::1", 389, false },
        { "nothing", "", 389, false, NULL },
        { "only a scheme", "ldap://", 389, false, NULL },
        { "another scheme", "http://x", 389, false, NULL },
        { "a socket", "ldapi://%2Frun%2Fldapi", 389, false, NULL },
        { "a path", "ldap://x/dc=test", 389, false, NULL },
        { "somebody before the host", "a@b", 389, false, NULL },
        { "blanks", "a b", 389, false, NULL },
        { "a line break", "a\r\nb", 389, false, NULL },
        { "two ports", "x:1:2", 389, false, NULL },
        { "no number", "x:y", 389, false, NULL },
        { "a port too high", "x:65536", 389, false, NULL },
        { "a port below none", "x", -1, false, NULL },
        { "brackets that stay open", "[::1", 389, false, NULL },
        { "no address in brackets", "[x]:1", 389, false, NULL },
        { "more behind brackets", "[::1]x", 389, false, NULL },
    };
    struct arena *mem = arena_new(4096);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct directory_address a = { STR_NONE, 0, false };
        bool good = directory_address(mem, str_of(cases[i].host), cases[i].port, cases[i].tls, &a);

        if (good != (cases[i].want_host != NULL))
            fail_msg("%s: %s", cases[i].label, good ? "taken" : "refused");
        if (good && (!str_is(a.host, cases[i].want_host) || a.port != cases[i].want_port || a.tls != cases[i].want_tls))
            fail_msg("%s: got %.*s port %d tls %d", cases[i].label, STR(a.host), a.port, a.tls);
    }
    arena_free(mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_a_value_stays_a_value_in_a_filter),
                                        cmocka_unit_test(test_common_names), cmocka_unit_test(test_addresses) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
