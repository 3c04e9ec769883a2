/* Implements wire.h. */
#include "rpc/testdata/wire.h"

#include <stdio.h>

#include "base/buf.h"

struct rpc_lanes *lanes;
struct sonet_grpc_server *server;
struct sonet_grpc_channel *channel;
struct rpc_call *c;
atomic_bool is_ready = true;

static bool ready(void *context)
{
        (void)context;
        return is_ready;
}

int port(void)
{
        return sonet_grpc_server_port(server);
}

sn_status start_on(const char *address, const struct grpc_tls *tls)
{
        struct buf error;
        buf_init(&error, 1000);
        sn_status status = sonet_grpc_server_start(address, tls, lanes, 100, ready, NULL, &server, &error);
        if (status == SN_OK) {
                assert_int_equal(error.len, 0);
        } else {
                assert_true(error.len > 0);
        }
        buf_free(&error);
        return status;
}

void start_server(int port_wanted)
{
        char address[64];
        snprintf(address, sizeof(address), "127.0.0.1:%d", port_wanted);
        assert_int_equal(start_on(address, NULL), SN_OK);
}

struct sonet_grpc_channel *open_channel(const char *scheme, const struct grpc_tls *tls)
{
        struct sonet_grpc_channel *opened = NULL;
        struct buf error;
        char url[64];
        buf_init(&error, 1000);
        snprintf(url, sizeof(url), "%s://127.0.0.1:%d", scheme, port());
        assert_int_equal(sonet_grpc_channel_open(url, tls, 64, &opened, &error), SN_OK);
        buf_free(&error);
        return opened;
}

static int setup_with(int threads, int queue_length)
{
        rpc_register_local(&echo_service);
        lanes = rpc_lanes_new(threads, 1, queue_length);
        start_server(0);
        channel = open_channel("grpc", NULL);
        c = echo_call_new();
        (void)echo_runs();
        return 0;
}

int setup(void **state)
{
        (void)state;
        return setup_with(4, 16); /* two for calls */
}

int setup_narrow(void **state)
{
        (void)state;
        return setup_with(1, 1);
}

int teardown(void **state)
{
        (void)state;
        echo_gate_open();
        sonet_grpc_channel_close(channel);
        sonet_grpc_server_stop(server, 5000);
        server = NULL;
        rpc_lanes_free(lanes);
        rpc_call_free(c);
        rpc_close();
        return 0;
}

sn_status call(const struct rpc_method *m, const char *service_token, const Echo__EchoRequest *in, Echo__Echoed *out)
{
        echo__echoed__init(out);
        return sonet_grpc_channel_call(channel, c, m, service_token, &in->base, &out->base);
}

int raw_status(const struct raw_request *request)
{
        struct raw_answer answer;
        struct raw_request with_port = *request;
        with_port.port = port();
        raw_grpc_call(&with_port, &answer);
        return answer.status;
}
