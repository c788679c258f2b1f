/* address.c: public and other addresses: the registries of special-purpose addresses of RFC 6890 and its updates. */
#include "lib/net/address.h"

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct block4 {
    uint32_t first;
    int bits;
};

static const struct block4 special4[] = {
    { 0x00000000, 8 },  /* "this" network */
    { 0x0a000000, 8 },  /* private */
    { 0x64400000, 10 }, /* shared (CGNAT) */
    { 0x7f000000, 8 },  /* loopback */
    { 0xa9fe0000, 16 }, /* link-local, with the metadata services of clouds */
    { 0xac100000, 12 }, /* private */
    { 0xc0000000, 24 }, /* protocol assignments */
    { 0xc0000200, 24 }, /* documentation */
    { 0xc0586300, 24 }, /* 6to4 relays */
    { 0xc0a80000, 16 }, /* private */
    { 0xc6120000, 15 }, /* benchmarks */
    { 0xc6336400, 24 }, /* documentation */
    { 0xcb007100, 24 }, /* documentation */
    { 0xe0000000, 4 },  /* multicast */
    { 0xf0000000, 4 },  /* reserved, broadcast */
};

static bool is_public4(uint32_t a)
{
    for (size_t i = 0; i < sizeof(special4) / sizeof(special4[0]); i++) {
        if ((a ^ special4[i].first) >> (32 - special4[i].bits) == 0)
            return false;
    }
    return true;
}

static uint32_t ipv4_at(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static bool is_public6(const uint8_t *a)
{
    static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff }, nat64[12] = { 0, 0x64, 0xff, 0x9b },
                         zero[12] = { 0 };

    if (memcmp(a, mapped, 12) == 0 || memcmp(a, nat64, 12) == 0)
        return is_public4(ipv4_at(a + 12));
    if (memcmp(a, zero, 12) == 0) /* unspecified, loopback, compatible */
        return false;
    if (a[0] == 0x20 && a[1] == 0x02) /* 6to4 */
        return is_public4(ipv4_at(a + 2));
    if (a[0] == 0x20 && a[1] == 0x01 && (a[2] & 0xfe) == 0) /* 2001::/23: Teredo, ORCHID, benchmarks … */
        return false;
    if (a[0] == 0x20 && a[1] == 0x01 && a[2] == 0x0d && a[3] == 0xb8) /* documentation */
        return false;
    if (a[0] == 0x3f && a[1] == 0xff && (a[2] & 0xf0) == 0) /* documentation */
        return false;
    return (a[0] & 0xe0) == 0x20; /* 2000::/3 is what is given out; all the rest is private, link-local, multicast … */
}

bool address_is_public(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET)
        return is_public4(ntohl(((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr));
    if (address->sa_family == AF_INET6)
        return is_public6(((const struct sockaddr_in6 *)(const void *)address)->sin6_addr.s6_addr);
    return false;
}
