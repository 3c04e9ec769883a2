/* gRPC: files between two ends of a connection. */
#include "rpc/testdata/wire.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "auth/service_token.h"
#include "base/clock.h"
#include "base/log.h"
#include "rpc/call_graph.h"
#include "rpc/grpc_chunk.h"
#include "rpc/grpc_client.h"
#include "rpc/grpc_relay.h"

enum { MIB = 1 << 20, WAIT_MS = 60000 };

static sn_status fetch(int64_t size, const char *range, bool head, File__Chunk *out)
{
        Echo__GetFileRequest in = ECHO__GET_FILE_REQUEST__INIT;
        File__Conditions conditions = FILE__CONDITIONS__INIT;
        file__chunk__init(out);
        in.size = size;
        in.conditions = &conditions;
        conditions.range = (char *)range;
        conditions.head = head;
        const char *token = service_token_for(c->arena, CALL_GRAPH_GATEWAY, "echo");
        return sonet_grpc_channel_call(channel, c, &echo_methods[ECHO_GET_FILE], token, &in.base, &out->base);
}

/* To the end, or the given number of bytes. */
static int64_t read_some(int fd, int64_t from, int64_t most)
{
        static unsigned char bytes[1 << 16];
        int64_t total = 0;
        while (total < most) {
                struct pollfd one = {.fd = fd, .events = POLLIN};
                assert_int_equal(poll(&one, 1, WAIT_MS), 1);
                size_t wanted = most - total < (int64_t)sizeof(bytes) ? (size_t)(most - total) : sizeof(bytes);
                ssize_t n = read(fd, bytes, wanted);
                if (n < 0 && errno == EAGAIN) {
                        continue;
                }
                assert_true(n >= 0);
                if (n == 0) {
                        break;
                }
                for (ssize_t i = 0; i < n; i++) {
                        if (bytes[i] != (from + total + i) % 251) {
                                fail_msg("byte %lld is wrong", (long long)(from + total + i));
                        }
                }
                total += n;
        }
        return total;
}

static void files_of_any_size_arrive(void **state)
{
        static const int64_t sizes[] = {1, 250, GRPC_CHUNK_BYTES, GRPC_CHUNK_BYTES + 1, 30 * MIB + 7};
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
                File__Chunk out;
                assert_int_equal(fetch(sizes[i], "", false, &out), SN_OK);
                assert_int_equal(out.size, sizes[i]);
                assert_int_equal(out.length, sizes[i]);
                assert_string_equal(out.mime_type, "text/x-echo");
                assert_non_null(c->file);
                assert_true(c->file->is_pipe);
                assert_int_equal(c->file->length, sizes[i]);
                assert_int_equal(read_some(c->file->fd, 0, INT64_MAX), sizes[i]);
                rpc_call_drop_file(c);
        }
}

static void only_the_requested_region_is_sent(void **state)
{
        File__Chunk out;
        assert_int_equal(fetch(1000, "bytes=300-599", false, &out), SN_OK);
        assert_int_equal(out.outcome, FILE__OUTCOME__OUTCOME_PART);
        assert_int_equal(read_some(c->file->fd, 300, INT64_MAX), 300);
        rpc_call_drop_file(c);
        assert_int_equal(fetch(1000, "", true, &out), SN_OK);
        assert_int_equal(out.length, 1000);
        assert_null(c->file);
        assert_int_equal(fetch(1000, "bytes=1000-", false, &out), SN_OK);
        assert_int_equal(out.outcome, FILE__OUTCOME__OUTCOME_UNSATISFIABLE);
        assert_null(c->file);
        assert_int_equal(fetch(0, "", false, &out), SN_OK);
        assert_null(c->file);
}

static void an_error_instead_of_a_file_is_a_problem(void **state)
{
        File__Chunk out;
        assert_int_equal(fetch(-1, "", false, &out), SN_INVALID_ARGUMENT);
        assert_string_equal(c->problem.field, "size");
        assert_null(c->file);
}

static void await_relays(int n)
{
        int64_t until_us = clock_monotonic_us() + WAIT_MS * INT64_C(1000);
        while (atomic_load(&channel->n_relays) != n) {
                assert_true(clock_monotonic_us() < until_us);
                clock_sleep_ms(2);
        }
}

/* Unread data stays with the callee, except for the windows and the pipe. */
static void a_slow_reader_delays_only_its_own_file(void **state)
{
        File__Chunk out;
        Echo__EchoRequest in = ECHO__ECHO_REQUEST__INIT;
        Echo__Echoed echoed;
        int slow[8];
        for (size_t i = 0; i < 8; i++) {
                assert_int_equal(fetch(30 * MIB, "", false, &out), SN_OK);
                slow[i] = c->file->fd;
                c->file = NULL;
                assert_int_equal(read_some(slow[i], 0, 1000), 1000);
        }
        in.text = "meanwhile";
        assert_int_equal(call(&echo_methods[ECHO_ECHO], NULL, &in, &echoed), SN_OK);
        assert_int_equal(fetch(5 * MIB, "", false, &out), SN_OK);
        assert_int_equal(read_some(c->file->fd, 0, INT64_MAX), 5 * MIB);
        rpc_call_drop_file(c);
        assert_true(atomic_load(&channel->n_relays) >= 8);
        for (size_t i = 0; i < 8; i++) {
                assert_int_equal(read_some(slow[i], 1000, INT64_MAX), 30 * MIB - 1000);
                close(slow[i]);
        }
        await_relays(0);
}

static void a_reader_that_disconnects_ends_the_stream(void **state)
{
        File__Chunk out;
        for (int i = 0; i < 300; i++) { /* more than a connection has streams */
                assert_int_equal(fetch(10 * MIB, "", false, &out), SN_OK);
                assert_int_equal(read_some(c->file->fd, 0, 10), 10);
                rpc_call_drop_file(c);
                if (i % 50 == 49) {
                        await_relays(0);
                }
        }
}

static void files_in_flight_are_limited(void **state)
{
        File__Chunk out;
        int fds[GRPC_RELAYS_MAX];
        for (int i = 0; i < GRPC_RELAYS_MAX; i++) {
                assert_int_equal(fetch(MIB, "", false, &out), SN_OK);
                fds[i] = c->file->fd;
                c->file = NULL;
        }
        assert_int_equal(fetch(MIB, "", false, &out), SN_UNAVAILABLE);
        Echo__EchoRequest in = ECHO__ECHO_REQUEST__INIT;
        Echo__Echoed echoed;
        assert_int_equal(call(&echo_methods[ECHO_ECHO], NULL, &in, &echoed), SN_OK);
        for (int i = 0; i < GRPC_RELAYS_MAX; i++) {
                close(fds[i]);
        }
        await_relays(0);
        assert_int_equal(fetch(MIB, "", false, &out), SN_OK);
        rpc_call_drop_file(c);
}

/* The pipe ends early, which its reader sees. */
static void a_callee_that_stops_interrupts_the_file(void **state)
{
        File__Chunk out;
        assert_int_equal(fetch(30 * MIB, "", false, &out), SN_OK);
        assert_int_equal(read_some(c->file->fd, 0, 1000), 1000);
        int old = port();
        sonet_grpc_server_stop(server, 10);
        assert_true(read_some(c->file->fd, 1000, INT64_MAX) < 30 * MIB - 1000);
        rpc_call_drop_file(c);
        await_relays(0);
        start_server(old);
}

static void closing_a_channel_ends_its_files(void **state)
{
        File__Chunk out;
        assert_int_equal(fetch(30 * MIB, "", false, &out), SN_OK);
        sonet_grpc_channel_close(channel);
        assert_true(read_some(c->file->fd, 0, INT64_MAX) < 30 * MIB);
        rpc_call_drop_file(c);
        channel = open_channel("grpc", NULL);
}

/* ---- Chunks ---- */

static void heads_and_splits_are_consistent(void **state)
{
        static const uint32_t fields[] = {1, 15, 16, 5000};
        static const size_t sizes[] = {0, 1, 127, 128, GRPC_CHUNK_BYTES};
        static char message[GRPC_CHUNK_HEAD_BYTES + GRPC_CHUNK_BYTES];
        for (size_t i = 0; i < 4 * 5; i++) {
                struct str bytes;
                struct buf rest;
                size_t size = sizes[i % 5], head = grpc_chunk_head(fields[i / 5], size, message);
                assert_true(head <= GRPC_CHUNK_HEAD_BYTES);
                buf_init(&rest, 100);
                assert_true(grpc_chunk_split((struct str){message + GRPC_PREFIX_BYTES, head - GRPC_PREFIX_BYTES + size},
                                             fields[i / 5], &bytes, &rest));
                assert_int_equal(bytes.len, size);
                assert_ptr_equal(size > 0 ? bytes.ptr : message + head, message + head);
                assert_int_equal(rest.len, 0);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            TEST(files_of_any_size_arrive),
            TEST(only_the_requested_region_is_sent),
            TEST(an_error_instead_of_a_file_is_a_problem),
            TEST(a_slow_reader_delays_only_its_own_file),
            TEST(a_reader_that_disconnects_ends_the_stream),
            TEST(files_in_flight_are_limited),
            TEST(a_callee_that_stops_interrupts_the_file),
            TEST(closing_a_channel_ends_its_files),
            cmocka_unit_test(heads_and_splits_are_consistent),
        };
        log_setup("test", LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
        echo_setup();
        return cmocka_run_group_tests(tests, NULL, NULL);
}
