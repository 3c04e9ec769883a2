/* The demo account of `sonet up --demo`: for logging in within the first minute. Its password is printed, so it is
 * only created on request. */
#ifndef CMD_UP_DEMO_H
#define CMD_UP_DEMO_H

#include "base/buf.h"
#include "cmd/http_client.h"

#define DEMO_USERNAME "demo"

struct demo {
        char password[44]; /* "" without a demo account */
};

/* Registers it on the first start, through the public API; later reads folder/demo-account, which holds its
 * password. */
void demo_ensure(struct demo *demo, const struct http_target *target, const char *folder);
/* Prints the addresses and, with a demo account, its password and three commands to try. grpc: the gRPC addresses as
 * text. */
void demo_print(const struct demo *demo, const struct http_target *target, const char *grpc, const char *folder,
                struct buf *out);

#endif
