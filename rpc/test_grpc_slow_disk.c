/* gRPC: a hanging disk delays the bodies written to it, and nothing else. */
#include "rpc/testdata/wire.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/spool.h"
#include "base/testdata/disk_gate.h"
#include "rpc/grpc_request.h"

enum { CHUNK = 60000, CHUNKS = 100, BODY = CHUNK * CHUNKS, WAIT_MS = 60000 };

/* A body of several chunks, all zeros except for their heads. */
static char *make_body(size_t *len)
{
        const size_t one = GRPC_PREFIX_BYTES + 4 + CHUNK;
        char *all = calloc(CHUNKS, one);
        assert_non_null(all);
        *len = CHUNKS * one;
        for (char *at = all; at < all + *len; at += one) {
                at[2] = (char)((one - GRPC_PREFIX_BYTES) >> 16);
                at[3] = (char)((one - GRPC_PREFIX_BYTES) >> 8);
                at[4] = (char)(one - GRPC_PREFIX_BYTES);
                at[5] = 0x7a; /* field 15, and CHUNK as a varint */
                at[6] = (char)(0x80 | (CHUNK & 0x7f));
                at[7] = (char)(0x80 | (CHUNK >> 7 & 0x7f));
                at[8] = CHUNK >> 14;
        }
        return all;
}

struct upload {
        pthread_t thread;
        struct raw_request request;
        struct raw_answer answer;
};

static void *send_it(void *arg)
{
        struct upload *u = arg;
        raw_grpc_call(&u->request, &u->answer);
        return NULL;
}

static void begin(struct upload *u, char *body, size_t len)
{
        echo_log_in(c, "write");
        u->request = (struct raw_request){
            .port = port(),
            .path = PATH("Put"),
            .bytes = body,
            .len = len,
            .framed = true,
            .timeout_ms = WAIT_MS,
            .metadata = {"authorization", arena_printf(c->arena, "Bearer %s", c->bearer)},
        };
        assert_int_equal(pthread_create(&u->thread, NULL, send_it, u), 0);
}

/* The received part of the body eventually stops growing, for longer than a client may stall. */
static int64_t wait_until_no_more_comes(void)
{
        int64_t bytes = -1;
        for (int same = 0; same < 150; clock_sleep_ms(10)) {
                int64_t now = spool_bytes_in_use();
                same = now == bytes && now > 0 ? same + 1 : 0;
                bytes = now;
        }
        return bytes;
}

static void a_hanging_disk_delays_only_writers(void **state)
{
        Echo__EchoRequest in = ECHO__ECHO_REQUEST__INIT;
        Echo__Echoed out;
        struct upload u;
        size_t len;
        char *body = make_body(&len);
        in.text = "hello";
        disk_gate_close();
        begin(&u, body, len);
        disk_gate_await();
        for (int i = 0; i < 100; i++) {
                assert_int_equal(call(&echo_methods[ECHO_ECHO], NULL, &in, &out), SN_OK);
        }
        /* what may be buffered, and what the client may have sent before it was told */
        assert_in_range(wait_until_no_more_comes(), 256 << 10, (256 << 10) + 2 * GRPC_WINDOW_BYTES + (64 << 10));
        disk_gate_open();
        assert_int_equal(pthread_join(u.thread, NULL), 0);
        assert_int_equal(u.answer.status, SN_OK); /* however long it took: the client was not slow */
        free(body);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            TEST(a_hanging_disk_delays_only_writers),
        };
        log_setup("test", LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
        echo_setup();
        return cmocka_run_group_tests(tests, NULL, NULL);
}
