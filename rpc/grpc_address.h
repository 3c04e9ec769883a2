/* Addresses that gRPC listens on and connects to. */
#ifndef RPC_GRPC_ADDRESS_H
#define RPC_GRPC_ADDRESS_H

#include <stdbool.h>
#include "base/str.h"

struct grpc_address {
        bool secure;
        char host[256]; /* a host name or address, without brackets */
        int port;
};

/* "127.0.0.1:8081", "[::1]:8081", "note.example:8081"; port 0 is allowed. */
bool grpc_address_read(struct str host_and_port, struct grpc_address *address);
/* "grpc://host:port" or "grpcs://host:port"; the port must not be 0. */
bool grpc_address_read_url(const char *url, struct grpc_address *address);
/* True for 127.0.0.0/8, ::1 and localhost. */
bool grpc_address_is_loopback(const struct grpc_address *address);

#endif
