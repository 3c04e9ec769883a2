/* gRPC: bodies in chunks, and rejected ones. */
#include "rpc/testdata/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <openssl/sha.h>

#include "auth/service_token.h"
#include "auth/token.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/spool.h"
#include "db/db.h"
#include "db/ownership.h"
#include "http/server.h"
#include "rpc/call_graph.h"
#include "rpc/grpc_chunk.h"
#include "rpc/grpc_wire.h"

enum { MIB = 1 << 20, WAIT_MS = 60000 };

/* The spool's thread closes files. */
static void wait_until_spool_is_empty(void)
{
        for (int i = 0; spool_bytes_in_use() != 0; i++) {
                assert_true(i < WAIT_MS);
                clock_sleep_ms(1);
        }
}

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

static void bodies_of_any_size_arrive(void **state)
{
        static const int64_t sizes[] = {0,           1, GRPC_CHUNK_BYTES - 1, GRPC_CHUNK_BYTES, GRPC_CHUNK_BYTES + 1,
                                        20 * MIB + 3};
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
                uint8_t hash[SHA256_DIGEST_LENGTH];
                Echo__Echoed out;
                struct rpc_body body = {.fd = make_file(sizes[i]),
                                        .size = sizes[i],
                                        .complete = true,
                                        .file_name = "Größe \"1\".txt",
                                        .mime_type = "text/plain"};
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
        wait_until_spool_is_empty();
}

static void an_oversized_body_is_rejected_while_it_arrives(void **state)
{
        Echo__Echoed out;
        int64_t size = 33 * MIB;
        struct rpc_body body = {
            .fd = make_file(size), .size = size, .complete = true, .file_name = "", .mime_type = ""};
        assert_int_equal(put(&echo_methods[ECHO_PUT], &body, &out), SN_RESOURCE_EXHAUSTED);
        assert_string_equal(c->problem.code, "too_large");
        assert_int_equal(echo_runs(), 0);
        close(body.fd);
}

static void an_interrupted_body_is_passed_to_methods_with_partial(void **state)
{
        Echo__Echoed out;
        struct rpc_body body = {.fd = make_file(5), .size = 5, .complete = false, .file_name = "", .mime_type = ""};
        assert_int_equal(put(&echo_methods[ECHO_PUT_PART], &body, &out), SN_OK);
        assert_int_equal(out.body_bytes, 5);
        assert_false(out.body_complete);
        assert_int_equal(put(&echo_methods[ECHO_PUT], &body, &out), SN_CANCELLED);
        close(body.fd);
}

static void callers_without_permission_are_rejected_before_the_body(void **state)
{
        struct raw_answer answer;
        raw_grpc_call(&(struct raw_request){.port = port(), .path = PATH("Put"), .bytes = "\x7a\x01x", .len = 3},
                      &answer);
        assert_int_equal(answer.status, SN_UNAUTHENTICATED);
        assert_true(answer.has_problem);
        wait_until_spool_is_empty();
}

/* As while PostgreSQL is unreachable: responses from memory wait for it, on workers. */
static void an_error_on_the_io_thread_does_not_wait_for_ownership(void **state)
{
        struct raw_answer answer;
        struct db *db = db_new(&(struct db_options){.name = "echo", .url = "host=/nonexistent", .max_connections = 1});
        struct db_ownership *never_held = db_ownership_new();
        assert_non_null(db);
        db_ownership_add(never_held, db, "echo");
        echo_service.ownership = never_held;
        raw_grpc_call(&(struct raw_request){.port = port(), .path = PATH("Put"), .bytes = "\x7a\x01x", .len = 3},
                      &answer);
        echo_service.ownership = NULL;
        assert_int_equal(answer.status, SN_UNAUTHENTICATED);
        db_ownership_free(never_held);
        db_free(db);
}

static void await_spooled(void)
{
        int64_t until_us = clock_monotonic_us() + WAIT_MS * INT64_C(1000);
        while (spool_bytes_in_use() == 0) {
                assert_true(clock_monotonic_us() < until_us);
                clock_sleep_ms(2);
        }
}

static void end_session(void)
{
        await_spooled();
        token_revoke_session(c->session, clock_wall_ms() / 1000 + TOKEN_LIFE_S);
}

/* Two messages, the second of which is sent after the session has ended; the client never ends the stream. */
static void an_ended_session_aborts_at_the_next_chunk(void **state)
{
        struct raw_answer answer;
        const char two[] = "\0\0\0\0\x03\x7a\x01x\0\0\0\0\x03\x7a\x01y";
        struct token_claims claims = {
            .subject = ECHO_MEMBER, .session = "01890a5d-ac96-774b-bcce-b302099a8777", .scope = "write"};
        char *token;
        assert_int_equal(token_sign(c, &claims, &token), SN_OK);
        c->session = claims.session;
        raw_grpc_call(&(struct raw_request){.port = port(),
                                            .path = PATH("Put"),
                                            .bytes = two,
                                            .len = sizeof(two) - 1,
                                            .framed = true,
                                            .metadata = {"authorization", arena_printf(c->arena, "Bearer %s", token)},
                                            .timeout_ms = WAIT_MS,
                                            .hold_at = 8,
                                            .held = end_session,
                                            .never_ends = true},
                      &answer);
        assert_int_equal(answer.status, SN_UNAUTHENTICATED);
        assert_non_null(strstr(answer.detail, "session"));
        wait_until_spool_is_empty();
        assert_int_equal(echo_runs(), 0);
}

/* As if the body took longer than the token is valid: it was valid when the gateway admitted it. */
static void a_token_that_expired_during_the_body_counts_as_when_admitted(void **state)
{
        Echo__PutRequest in = ECHO__PUT_REQUEST__INIT;
        Echo__Echoed out = ECHO__ECHOED__INIT;
        int64_t now_s = clock_wall_ms() / 1000;
        struct token_claims claims = {.subject = ECHO_MEMBER,
                                      .session = "01890a5d-ac96-774b-bcce-b302099a8776",
                                      .scope = "write",
                                      .expires_s = now_s - 100};
        struct rpc_body body = {.fd = make_file(3), .size = 3, .complete = true, .file_name = "", .mime_type = ""};
        char *expired;
        assert_int_equal(token_sign(c, &claims, &expired), SN_OK);
        c->body = &body;
        c->bearer = expired;
        const char *token = service_token_for(c->arena, CALL_GRAPH_GATEWAY, "echo");
        const struct rpc_method *m = &echo_methods[ECHO_PUT];
        const struct {
                int64_t admitted_ms;
                const char *token, *code;
        } cases[] = {
            {(now_s - 101) * 1000, token, NULL},
            {(now_s - 100) * 1000, token, "token_expired"},
            {0, token, "token_expired"},
            {(now_s - 101) * 1000, NULL, "token_expired"}, /* our own client is trusted, others are not */
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                c->admitted_ms = cases[i].admitted_ms;
                sn_status status = sonet_grpc_channel_call(channel, c, m, cases[i].token, &in.base, &out.base);
                assert_int_equal(status, cases[i].code == NULL ? SN_OK : SN_UNAUTHENTICATED);
                assert_true(cases[i].code == NULL || strcmp(c->problem.code, cases[i].code) == 0);
        }
        token_revoke_session(claims.session, now_s + TOKEN_LIFE_S);
        c->admitted_ms = (now_s - 101) * 1000;
        assert_int_equal(sonet_grpc_channel_call(channel, c, m, token, &in.base, &out.base), SN_UNAUTHENTICATED);
        assert_string_equal(c->problem.code, "token_revoked");
        c->body = NULL;
        close(body.fd);
}

static void malformed_chunks_are_rejected(void **state)
{
        static const struct {
                const char *bytes;
                size_t len;
                int status;
        } cases[] = {
            {"\x7a\x02x", 3, SN_INVALID_ARGUMENT},          /* shorter than its length */
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
        wait_until_spool_is_empty();
}

static void a_gzip_chunk_is_accepted(void **state)
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

static void a_full_spool_rejects_with_retry_after(void **state)
{
        Echo__Echoed out;
        struct rpc_body body = {
            .fd = make_file(3 * MIB), .size = 3 * MIB, .complete = true, .file_name = "", .mime_type = ""};
        spool_setup(&(struct spool_options){.folder = "", .max_bytes = 2 * MIB, .max_files = 8});
        assert_int_equal(put(&echo_methods[ECHO_PUT], &body, &out), SN_RESOURCE_EXHAUSTED);
        assert_string_equal(c->problem.code, "spool_full");
        assert_true(c->problem.retry_after_s > 0);
        wait_until_spool_is_empty();
        spool_setup(&(struct spool_options){.folder = "", .max_bytes = 64 * MIB, .max_files = 8});
        assert_int_equal(put(&echo_methods[ECHO_PUT], &body, &out), SN_OK);
        close(body.fd);
}

/* An endless body of messages, each with the given number of bytes: true if it was rejected. */
static bool is_refused_in_messages_of(size_t bytes, size_t messages)
{
        const size_t one = GRPC_PREFIX_BYTES + (bytes > 0 ? 2 : 0) + bytes;
        char *all = calloc(messages, one), *at = all;
        struct raw_answer answer;
        assert_non_null(all);
        for (size_t i = 0; i < messages; i++, at += one) {
                at[4] = (char)(one - GRPC_PREFIX_BYTES);
                if (bytes > 0) {
                        at[5] = 0x7a;
                        at[6] = (char)bytes;
                }
        }
        echo_log_in(c, "write");
        raw_grpc_call(
            &(struct raw_request){.port = port(),
                                  .path = PATH("Put"),
                                  .bytes = all,
                                  .len = messages * one,
                                  .framed = true,
                                  .timeout_ms = WAIT_MS,
                                  .metadata = {"authorization", arena_printf(c->arena, "Bearer %s", c->bearer)}},
            &answer);
        free(all);
        assert_true(answer.status == SN_OK || strstr(answer.detail, "bytes") != NULL);
        return answer.status == SN_RESOURCE_EXHAUSTED;
}

static void a_body_of_messages_without_data_is_limited(void **state)
{
        assert_true(is_refused_in_messages_of(0, 14000));
        assert_true(is_refused_in_messages_of(1, 12000)); /* seven bytes around one */
        assert_false(is_refused_in_messages_of(1, 8000));
        assert_false(is_refused_in_messages_of(100, 20000));
        wait_until_spool_is_empty();
}

/* Our own services act for many clients. */
static void an_address_has_a_share_of_the_spool_and_a_service_all_of_it(void **state)
{
        static char chunk[4 + 1000] = "\x7a\xe8\x07";
        struct raw_answer answer;
        Echo__Echoed out;
        struct rpc_body body = {
            .fd = make_file(1000), .size = 1000, .complete = true, .file_name = "", .mime_type = ""};
        echo_log_in(c, "write");
        const char *bearer = arena_printf(c->arena, "Bearer %s", c->bearer);
        const struct raw_request request = {
            .port = port(), .path = PATH("Put"), .bytes = chunk, .len = 1003, .metadata = {"authorization", bearer}};
        const struct {
                int64_t bytes;
                int status;
        } cases[] = {{3996, SN_RESOURCE_EXHAUSTED}, {4000, SN_OK}};
        for (size_t i = 0; i < 2; i++) {
                http_limit_shares(&(struct http_shares){.spool_bytes = cases[i].bytes, .spool_files = 4});
                raw_grpc_call(&request, &answer);
                assert_int_equal(answer.status, cases[i].status);
                assert_int_equal(put(&echo_methods[ECHO_PUT], &body, &out), SN_OK);
        }
        http_limit_shares(&(struct http_shares){.connections = 0});
        close(body.fd);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            TEST(bodies_of_any_size_arrive),
            TEST(an_oversized_body_is_rejected_while_it_arrives),
            TEST(an_interrupted_body_is_passed_to_methods_with_partial),
            TEST(callers_without_permission_are_rejected_before_the_body),
            TEST(an_error_on_the_io_thread_does_not_wait_for_ownership),
            TEST(an_ended_session_aborts_at_the_next_chunk),
            TEST(a_token_that_expired_during_the_body_counts_as_when_admitted),
            TEST(malformed_chunks_are_rejected),
            TEST(a_body_of_messages_without_data_is_limited),
            TEST(an_address_has_a_share_of_the_spool_and_a_service_all_of_it),
            TEST(a_gzip_chunk_is_accepted),
            TEST(a_full_spool_rejects_with_retry_after),
        };
        log_setup("test", LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
        echo_setup();
        return cmocka_run_group_tests(tests, NULL, NULL);
}
