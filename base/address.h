/* IP addresses and networks, without name resolution. An address is 16 bytes; IPv4 addresses are mapped to IPv6
 * (::ffff:192.0.2.1), so that both spellings are the same client. */
#ifndef BASE_ADDRESS_H
#define BASE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include "base/str.h"

#define ADDRESS_BYTES     16
#define ADDRESS_TEXT_SIZE 46

/* "192.0.2.1", "2001:db8::1", "fe80::1%eth0" (the zone does not count): no port, no brackets. */
bool address_parse(struct str text, uint8_t out[ADDRESS_BYTES]);
/* The canonical text (RFC 5952); mapped addresses as IPv4. Returns out. */
char *address_write(const uint8_t address[ADDRESS_BYTES], char out[ADDRESS_TEXT_SIZE]);
/* The address of a socket; false for other families. */
bool address_from_socket(const struct sockaddr *from, uint8_t out[ADDRESS_BYTES]);
/* Keeps the part that identifies a customer: all of an IPv4 address, the first 64 bits of an IPv6 one. */
void address_to_network(uint8_t address[ADDRESS_BYTES]);

/* Whether it is a public address: not loopback, private, link-local, multicast, or reserved (the registries of
 * special-purpose addresses, RFC 6890). An address that embeds an IPv4 one (NAT64, RFC 6052) is judged by that. */
bool address_is_public(const uint8_t address[ADDRESS_BYTES]);

struct network {
        uint8_t address[ADDRESS_BYTES];
        uint8_t bits; /* how many of them count */
};

#define NETWORKS_MAX 64
struct networks {
        struct network items[NETWORKS_MAX];
        size_t n;
};

/* "127.0.0.1, 10.0.0.0/8, 2001:db8::/32", or nothing. False, with the entry in *bad, for invalid ones, a prefix
 * length of 0, bits beyond the prefix (probably a typo), and more than NETWORKS_MAX. */
bool networks_parse(const char *text, struct networks *out, struct str *bad);
bool networks_contain(const struct networks *networks, const uint8_t address[ADDRESS_BYTES]);

#endif
