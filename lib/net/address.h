/* address.h: which IP addresses are of the public Internet. */
#ifndef LIB_NET_ADDRESS_H
#define LIB_NET_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

/* false: loopback, private, link-local, shared (CGNAT), multicast, documentation, reserved, or an IPv6 address that stands for such an IPv4 one (mapped,
 * compatible, NAT64, 6to4, Teredo); and everything that is neither IPv4 nor IPv6. */
bool address_is_public(const struct sockaddr *address);

#endif
