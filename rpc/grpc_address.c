/* Parses addresses and URLs of gRPC. */
#include "rpc/grpc_address.h"

#include <arpa/inet.h>
#include <string.h>

static bool read_port(struct str digits, int *port)
{
        int64_t number;
        if (!str_to_i64(digits, &number) || number < 0 || number > 65535) {
                return false;
        }
        *port = (int)number;
        return true;
}

bool grpc_address_read(struct str text, struct grpc_address *address)
{
        const char *colon = text.len > 0 ? memrchr(text.ptr, ':', text.len) : NULL;
        if (colon == NULL) {
                return false;
        }
        struct str host = {text.ptr, (size_t)(colon - text.ptr)};
        if (host.len >= 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']') {
                host = (struct str){host.ptr + 1, host.len - 2};
        }
        *address = (struct grpc_address){0};
        if (host.len == 0 || host.len >= sizeof(address->host)) {
                return false;
        }
        memcpy(address->host, host.ptr, host.len);
        return strpbrk(address->host, "/?#@, []") == NULL && strlen(address->host) == host.len &&
               read_port((struct str){colon + 1, text.len - (size_t)(colon + 1 - text.ptr)}, &address->port);
}

bool grpc_address_read_url(const char *url, struct grpc_address *address)
{
        static const struct str clear = STR("grpc://"), encrypted = STR("grpcs://");
        struct str text = str_of(url);
        bool secure = str_starts(text, encrypted);
        if (!secure && !str_starts(text, clear)) {
                return false;
        }
        size_t scheme = secure ? encrypted.len : clear.len;
        if (!grpc_address_read((struct str){text.ptr + scheme, text.len - scheme}, address) || address->port == 0) {
                return false;
        }
        address->secure = secure;
        return true;
}

bool grpc_address_is_loopback(const struct grpc_address *address)
{
        struct in_addr v4;
        struct in6_addr v6;
        if (inet_pton(AF_INET, address->host, &v4) == 1) {
                return ntohl(v4.s_addr) >> 24 == 127;
        }
        if (inet_pton(AF_INET6, address->host, &v6) == 1) {
                return IN6_IS_ADDR_LOOPBACK(&v6);
        }
        return str_equal_nocase(str_of(address->host), STR("localhost"));
}
