/* A gRPC server with the echo service and a channel to it, for tests of gRPC. */
#ifndef RPC_TESTDATA_WIRE_H
#define RPC_TESTDATA_WIRE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdatomic.h>

#include "rpc/grpc.h"
#include "rpc/lanes.h"
#include "rpc/testdata/echo.h"
#include "rpc/testdata/raw_grpc.h"

#define PATH(method) "/sonet.echo.v1.EchoService/" method

extern struct rpc_lanes *lanes;
extern struct sonet_grpc_server *server;
extern struct sonet_grpc_channel *channel;
extern struct rpc_call *c;
extern atomic_bool is_ready;

int port(void);
sn_status start_on(const char *address, const struct grpc_tls *tls);
void start_server(int port_wanted);
struct sonet_grpc_channel *open_channel(const char *scheme, const struct grpc_tls *tls);

int setup(void **state);
int setup_narrow(void **state); /* one thread, and a queue of one */
int teardown(void **state);
#define TEST(fn)        cmocka_unit_test_setup_teardown(fn, setup, teardown)
#define NARROW_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup_narrow, teardown)

sn_status call(const struct rpc_method *m, const char *service_token, const Echo__EchoRequest *in, Echo__Echoed *out);
int raw_status(const struct raw_request *request);

#endif
