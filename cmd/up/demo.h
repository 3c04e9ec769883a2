/* The demo account of `sonet up --demo`: something to log in with in the first minute. Its password is printed, so
 * it is only created on request. */
#ifndef CMD_UP_DEMO_H
#define CMD_UP_DEMO_H

#include "base/buf.h"
#include "cmd/http_client.h"

#define DEMO_USERNAME "demo"

struct demo {
        char password[44]; /* "" when there is no demo account */
};

/* Registers it on the first start, through the public API; afterwards reads folder/demo-account, which keeps its
 * password. */
void demo_ensure(struct demo *demo, const struct http_target *target, const char *folder);
/* The addresses; where there is a demo account also its password and three commands to try. grpc: where gRPC is, in
 * words. */
void demo_print(const struct demo *demo, const struct http_target *target, const char *grpc, const char *folder,
                struct buf *out);

#endif
