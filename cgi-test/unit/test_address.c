/* test_address.c: which addresses are public. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <string.h>

#include "lib/net/address.h"

static const struct {
    const char *text;
    bool is_public;
} cases[] = {
    { "8.8.8.8", true },
    { "1.1.1.1", true },
    { "126.255.255.255", true },
    { "128.0.0.1", true },
    { "172.15.255.255", true },
    { "172.32.0.1", true },
    { "100.63.255.255", true },
    { "100.128.0.1", true },
    { "198.17.255.255", true },
    { "223.255.255.255", true },
    { "0.0.0.0", false },
    { "10.1.2.3", false },
    { "100.64.0.1", false },
    { "127.0.0.1", false },
    { "127.255.255.254", false },
    { "169.254.169.254", false },
    { "172.16.0.1", false },
    { "172.31.255.255", false },
    { "192.0.0.8", false },
    { "192.0.2.1", false },
    { "192.168.1.1", false },
    { "198.18.0.1", false },
    { "198.19.255.255", false },
    { "224.0.0.1", false },
    { "255.255.255.255", false },
    { "2606:4700:4700::1111", true },
    { "2a00:1450:4001:80b::200e", true },
    { "::ffff:8.8.8.8", true },
    { "64:ff9b::8.8.8.8", true },
    { "2002:808:808::1", true },
    { "::", false },
    { "::1", false },
    { "::127.0.0.1", false },
    { "::ffff:127.0.0.1", false },
    { "::ffff:10.0.0.1", false },
    { "::ffff:169.254.169.254", false },
    { "64:ff9b::10.0.0.1", false },
    { "64:ff9b::7f00:1", false },
    { "64:ff9b:1::1", false },
    { "2002:7f00:1::", false },
    { "2002:a00:1::", false },
    { "2001::1", false },
    { "2001:db8::1", false },
    { "3fff::1", false },
    { "fc00::1", false },
    { "fd12:3456::1", false },
    { "fe80::1", false },
    { "fec0::1", false },
    { "ff02::1", false },
    { "100::1", false },
};

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sockaddr_storage a;
        struct sockaddr_in *v4 = (struct sockaddr_in *)&a;
        struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&a;

        memset(&a, 0, sizeof(a));
        a.ss_family = strchr(cases[i].text, ':') ? AF_INET6 : AF_INET;
        assert_int_equal(inet_pton(a.ss_family, cases[i].text,
                                   a.ss_family == AF_INET6 ? (void *)&v6->sin6_addr : (void *)&v4->sin_addr),
                         1);
        if (address_is_public((struct sockaddr *)&a) != cases[i].is_public)
            fail_msg("%s", cases[i].text);
    }
}

static void test_other_families(void **state)
{
    struct sockaddr a = { .sa_family = AF_UNIX };

    (void)state;
    assert_false(address_is_public(&a));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_cases), cmocka_unit_test(test_other_families) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
