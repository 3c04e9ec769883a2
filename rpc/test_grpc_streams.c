/* gRPC: bodies and files, between two processes' ends of a connection. */
#include "rpc/testdata/wire.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
#include <openssl/sha.h>

#include "auth/service_token.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/spool.h"
#include "rpc/call_graph.h"
#include "rpc/grpc_chunk.h"
#include "rpc/grpc_client.h"
#include "rpc/grpc_relay.h"

enum { MIB = 1 << 20, WAIT_MS = 60000 };

/* ---- Uploads ---- */

static int make_file(int64_t size)
{
        int fd = memfd_create("body", MFD_CLOEXEC);
        assert_true(fd >= 0);
        assert_int_equal(ftruncate(fd, size), 0);
        for (int64_t at = 0; at + 8 <= size; at += 4096) {
                assert_int_equal(pwrite(fd, &at, sizeof(at), at), sizeof(at));
        }
        return fd;
}

static void hash_file(int fd, int64_t size, uint8_t hash[SHA256_DIGEST_LENGTH])
{
        void *bytes = size > 0 ? mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, fd, 0) : NULL;
        SHA256(size > 0 ? bytes : (const void *)"", (size_t)size, hash);
        if (size > 0) {
                munmap(bytes, (size_t)size);
        }
}

static sn_status put(const struct rpc_method *m, const struct rpc_body *body, Echo__Echoed *out)
{
        Echo__PutRequest in = ECHO__PUT_REQUEST__INIT;
        echo__echoed__init(out);
        in.text = "hello";
        c->body = body;
        echo_log_in(c, "write");
        const char *token = service_token_for(c->arena, CALL_GRAPH_GATEWAY, "echo");
        sn_status status = sonet_grpc_channel_call(channel, c, m, token, &in.base, &out->base);
        c->body = NULL;
        return status;
}

static void a_body_arrives_whatever_its_size(void **state)
{
        static const int64_t sizes[] = {0,           1, GRPC_CHUNK_BYTES - 1, GRPC_CHUNK_BYTES, GRPC_CHUNK_BYTES + 1,
                                        20 * MIB + 3};
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
                uint8_t hash[SHA256_DIGEST_LENGTH];
                Echo__Echoed out;
                struct rpc_body body = {make_file(sizes[i]), sizes[i], true, "Größe \"1\".txt", "text/plain"};
                hash_file(body.fd, sizes[i], hash);
                assert_int_equal(put(&echo_methods[ECHO_PUT], &body, &out), SN_OK);
                assert_int_equal(out.body_bytes, sizes[i]);
                assert_memory_equal(out.body_hash.data, hash, sizeof(hash));
                assert_true(out.body_complete);
                assert_string_equal(out.text, "hello");
                assert_string_equal(out.body_name, body.file_name);
                assert_string_equal(out.body_type, body.mime_type);
                assert_string_equal(out.actor, ECHO_MEMBER);
                close(body.fd);
        }
        assert_int_equal(spool_bytes_in_use(), 0);
}

static void a_body_that_is_too_large_is_refused_while_it_comes(void **state)
{
        Echo__Echoed out;
        int64_t size = 33 * MIB;
        struct rpc_body body = {make_file(size), size, true, "", ""};
        assert_int_equal(put(&echo_methods[ECHO_PUT], &body, &out), SN_RESOURCE_EXHAUSTED);
        assert_string_equal(c->problem.code, "too_large");
        assert_int_equal(echo_runs(), 0);
        close(body.fd);
}

static void a_body_that_broke_off_is_handed_on_to_who_takes_a_part(void **state)
{
        Echo__Echoed out;
        struct rpc_body body = {make_file(5), 5, false, "", ""};
        assert_int_equal(put(&echo_methods[ECHO_PUT_PART], &body, &out), SN_OK);
        assert_int_equal(out.body_bytes, 5);
        assert_false(out.body_complete);
        assert_int_equal(put(&echo_methods[ECHO_PUT], &body, &out), SN_CANCELLED);
        close(body.fd);
}

static void who_may_not_call_learns_so_before_the_body(void **state)
{
        struct raw_answer answer;
        raw_grpc_call(&(struct raw_request){.port = port(), .path = PATH("Put"), .bytes = "\x7a\x01x", .len = 3},
                      &answer);
        assert_int_equal(answer.status, SN_UNAUTHENTICATED);
        assert_true(answer.has_problem);
        assert_int_equal(spool_bytes_in_use(), 0);
}

static void what_is_no_chunk_is_refused(void **state)
{
        static const struct {
                const char *bytes;
                size_t len;
                int status;
        } cases[] = {
            {"\x7a\x02x", 3, SN_INVALID_ARGUMENT},          /* shorter than it says */
            {"\x7a\x01x\x7a\x01y", 6, SN_INVALID_ARGUMENT}, /* twice */
            {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 11, SN_INVALID_ARGUMENT},
            {"\x0b\x0c", 2, SN_INVALID_ARGUMENT},         /* a group */
            {"\x0a\x02\xff\xfe", 4, SN_INVALID_ARGUMENT}, /* text that is not UTF-8 */
            {"\x7a\x01x", 3, SN_OK},
        };
        echo_log_in(c, "write");
        const char *bearer = arena_printf(c->arena, "Bearer %s", c->bearer);
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct raw_answer answer;
                raw_grpc_call(&(struct raw_request){.port = port(),
                                                    .path = PATH("Put"),
                                                    .bytes = cases[i].bytes,
                                                    .len = cases[i].len,
                                                    .metadata = {"authorization", bearer}},
                              &answer);
                assert_int_equal(answer.status, cases[i].status);
        }
        assert_int_equal(spool_bytes_in_use(), 0);
}

static void a_chunk_in_gzip_is_taken(void **state)
{
        struct raw_answer answer;
        static char chunk[4 + 1000] = "\x7a\xe8\x07";
        echo_log_in(c, "write");
        const char *bearer = arena_printf(c->arena, "Bearer %s", c->bearer);
        raw_grpc_call(&(struct raw_request){.port = port(),
                                            .path = PATH("Put"),
                                            .bytes = chunk,
                                            .len = 1003,
                                            .compressed = true,
                                            .metadata = {"authorization", bearer}},
                      &answer);
        assert_int_equal(answer.status, SN_OK);
        static char zeros[200000];
        raw_grpc_call(&(struct raw_request){.port = port(),
                                            .path = PATH("Put"),
                                            .bytes = zeros,
                                            .len = sizeof(zeros),
                                            .compressed = true,
                                            .metadata = {"authorization", bearer}},
                      &answer);
        assert_int_equal(answer.status, SN_RESOURCE_EXHAUSTED);
}

static void a_full_spool_refuses_and_says_when_to_come_back(void **state)
{
        Echo__Echoed out;
        struct rpc_body body = {make_file(3 * MIB), 3 * MIB, true, "", ""};
        spool_setup(&(struct spool_options){.folder = "", .max_bytes = 2 * MIB, .max_files = 8});
        assert_int_equal(put(&echo_methods[ECHO_PUT], &body, &out), SN_RESOURCE_EXHAUSTED);
        assert_string_equal(c->problem.code, "spool_full");
        assert_true(c->problem.retry_after_s > 0);
        assert_int_equal(spool_bytes_in_use(), 0);
        spool_setup(&(struct spool_options){.folder = "", .max_bytes = 64 * MIB, .max_files = 8});
        assert_int_equal(put(&echo_methods[ECHO_PUT], &body, &out), SN_OK);
        close(body.fd);
}

/* ---- Downloads ---- */

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

/* To the end, or so many bytes. */
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

static void a_file_arrives_whatever_its_size(void **state)
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

static void only_the_region_that_is_asked_for_is_sent(void **state)
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

static void a_refusal_in_place_of_a_file_is_a_problem(void **state)
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

/* What the reader does not read stays with the callee, but for the windows and the pipe. */
static void who_reads_slowly_holds_up_only_the_own_file(void **state)
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

static void a_reader_who_goes_ends_the_stream(void **state)
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

static void files_on_their_way_are_bounded(void **state)
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

/* The pipe ends before its time, which its reader sees. */
static void a_callee_that_stops_breaks_the_file_off(void **state)
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

static void heads_and_splits_agree(void **state)
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
            TEST(a_body_arrives_whatever_its_size),
            TEST(a_body_that_is_too_large_is_refused_while_it_comes),
            TEST(a_body_that_broke_off_is_handed_on_to_who_takes_a_part),
            TEST(who_may_not_call_learns_so_before_the_body),
            TEST(what_is_no_chunk_is_refused),
            TEST(a_chunk_in_gzip_is_taken),
            TEST(a_full_spool_refuses_and_says_when_to_come_back),
            TEST(a_file_arrives_whatever_its_size),
            TEST(only_the_region_that_is_asked_for_is_sent),
            TEST(a_refusal_in_place_of_a_file_is_a_problem),
            TEST(who_reads_slowly_holds_up_only_the_own_file),
            TEST(a_reader_who_goes_ends_the_stream),
            TEST(files_on_their_way_are_bounded),
            TEST(a_callee_that_stops_breaks_the_file_off),
            TEST(closing_a_channel_ends_its_files),
            cmocka_unit_test(heads_and_splits_agree),
        };
        log_setup("test", LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
        echo_setup();
        return cmocka_run_group_tests(tests, NULL, NULL);
}
