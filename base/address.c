/* Reads, writes and compares addresses by inet_pton and inet_ntop. Keeps no state. */
#include "base/address.h"

#include <arpa/inet.h>
#include <string.h>

enum { IPV4_BITS_BEFORE = 96, ALL_BITS = 8 * ADDRESS_BYTES, NETWORK_BYTES = 8 };

static const uint8_t ipv4_prefix[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static bool is_ipv4(const uint8_t address[ADDRESS_BYTES])
{
        return memcmp(address, ipv4_prefix, sizeof(ipv4_prefix)) == 0;
}

bool address_parse(struct str text, uint8_t out[ADDRESS_BYTES])
{
        char plain[INET6_ADDRSTRLEN];
        const char *zone = text.len > 0 ? memchr(text.ptr, '%', text.len) : NULL;
        size_t len = zone != NULL ? (size_t)(zone - text.ptr) : text.len;
        if (len == 0 || len >= sizeof(plain) || memchr(text.ptr, '\0', len) != NULL) {
                return false;
        }
        memcpy(plain, text.ptr, len);
        plain[len] = '\0';
        memcpy(out, ipv4_prefix, sizeof(ipv4_prefix));
        return (zone == NULL && inet_pton(AF_INET, plain, out + sizeof(ipv4_prefix)) == 1) ||
               inet_pton(AF_INET6, plain, out) == 1;
}

char *address_write(const uint8_t address[ADDRESS_BYTES], char out[ADDRESS_TEXT_SIZE])
{
        if (is_ipv4(address)) {
                inet_ntop(AF_INET, address + sizeof(ipv4_prefix), out, ADDRESS_TEXT_SIZE);
        } else {
                inet_ntop(AF_INET6, address, out, ADDRESS_TEXT_SIZE);
        }
        return out;
}

bool address_from_socket(const struct sockaddr *from, uint8_t out[ADDRESS_BYTES])
{
        const struct sockaddr_in *v4 = (const void *)from;
        const struct sockaddr_in6 *v6 = (const void *)from;
        if (from->sa_family == AF_INET6) {
                memcpy(out, &v6->sin6_addr, ADDRESS_BYTES);
        } else if (from->sa_family == AF_INET) {
                memcpy(out, ipv4_prefix, sizeof(ipv4_prefix));
                memcpy(out + sizeof(ipv4_prefix), &v4->sin_addr, sizeof(v4->sin_addr));
        }
        return from->sa_family == AF_INET6 || from->sa_family == AF_INET;
}

void address_to_network(uint8_t address[ADDRESS_BYTES])
{
        if (!is_ipv4(address)) {
                memset(address + NETWORK_BYTES, 0, ADDRESS_BYTES - NETWORK_BYTES);
        }
}

/* Bit by bit from the left: the first n bits of both are the same. */
static bool same_start(const uint8_t a[ADDRESS_BYTES], const uint8_t b[ADDRESS_BYTES], size_t n)
{
        uint8_t rest = (uint8_t)(0xff00 >> n % 8);
        return memcmp(a, b, n / 8) == 0 && (n % 8 == 0 || ((a[n / 8] ^ b[n / 8]) & rest) == 0);
}

static bool has_bits_beyond(const struct network *network)
{
        for (size_t bit = network->bits; bit < ALL_BITS; bit++) {
                if ((network->address[bit / 8] >> (7 - bit % 8) & 1) != 0) {
                        return true;
                }
        }
        return false;
}

/* "10.0.0.0/8", or an address alone. */
static bool parse_network(struct str text, struct network *out)
{
        struct str prefix = text, address;
        int64_t bits;
        if (!str_next(&prefix, '/', &address) || !address_parse(address, out->address)) {
                return false;
        }
        int before = memchr(address.ptr, ':', address.len) == NULL ? IPV4_BITS_BEFORE : 0;
        if (address.len == text.len) {
                bits = ALL_BITS;
        } else if (prefix.len <= 3 && str_to_i64(prefix, &bits) && bits >= 0) {
                bits += before;
        } else {
                return false;
        }
        out->bits = (uint8_t)bits;
        return bits > (is_ipv4(out->address) ? IPV4_BITS_BEFORE : 0) && bits <= ALL_BITS && !has_bits_beyond(out);
}

bool networks_parse(const char *text, struct networks *out, struct str *bad)
{
        struct str rest = str_of(text), one;
        out->n = 0;
        while (str_next(&rest, ',', &one)) {
                *bad = str_trim(one);
                if (out->n == NETWORKS_MAX || !parse_network(*bad, &out->items[out->n])) {
                        return false;
                }
                out->n++;
        }
        return true;
}

bool networks_contain(const struct networks *networks, const uint8_t address[ADDRESS_BYTES])
{
        for (size_t i = 0; i < networks->n; i++) {
                const struct network *n = &networks->items[i];
                if (same_start(n->address, address, n->bits) && is_ipv4(n->address) == is_ipv4(address)) {
                        return true;
                }
        }
        return false;
}

static bool is_in_any(const uint8_t address[ADDRESS_BYTES], const char *networks)
{
        struct networks parsed = {.n = 0};
        struct str bad;
        return networks_parse(networks, &parsed, &bad) && networks_contain(&parsed, address);
}

bool address_is_public(const uint8_t address[ADDRESS_BYTES])
{
        static const uint8_t nat64[12] = {0x00, 0x64, 0xff, 0x9b};
        uint8_t plain[ADDRESS_BYTES];
        memcpy(plain, address, sizeof(plain));
        if (memcmp(address, nat64, sizeof(nat64)) == 0) {
                memcpy(plain, ipv4_prefix, sizeof(ipv4_prefix));
        }
        if (is_ipv4(plain)) {
                return !is_in_any(plain,
                                  "0.0.0.0/8, 10.0.0.0/8, 100.64.0.0/10, 127.0.0.0/8, 169.254.0.0/16, 172.16.0.0/12, "
                                  "192.0.0.0/24, 192.0.2.0/24, 192.88.99.0/24, 192.168.0.0/16, 198.18.0.0/15, "
                                  "198.51.100.0/24, 203.0.113.0/24, 224.0.0.0/4, 240.0.0.0/4");
        }
        /* 2000::/3 is what was given out; 2001::/23 and 2002::/16 are tunnels and protocols. */
        return is_in_any(plain, "2000::/3") && !is_in_any(plain, "2001::/23, 2001:db8::/32, 2002::/16, 3fff::/20");
}
