/* Dispatch: everything around a handler, the same for all methods and both transports, and invisible to handlers. */
#include "rpc/dispatch.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/in_flight.h"
#include "base/log.h"
#include "base/no_wait.h"
#include "base/stamps.h"
#include "db/db.h"
#include "db/ownership.h"
#include "rpc/file_answer.h"
#include "rpc/inline.h"
#include "rpc/stats.h"

enum {
        MAX_RETRIES = 5,
        FIRST_BACK_OFF_MS = 2,
        MAX_KEY_LENGTH = 255,
        DEFAULT_DEADLINE_MS = 10000,
};

/* ---- Problems ---- */

void rpc_problem_complete(struct rpc_call *c, sn_status status)
{
        if (c->problem.status != status || c->problem.detail == NULL) {
                (void)rpc_fail(c, status, NULL, "%s", sn_status_row(status)->detail);
        }
}

sn_status rpc_fail_unknown_method(struct rpc_call *c)
{
        return rpc_fail_code(c, SN_UNIMPLEMENTED, "method_unknown", NULL, "no such method");
}

sn_status rpc_fail_deadline(struct rpc_call *c)
{
        return rpc_fail(c, SN_DEADLINE_EXCEEDED, NULL, "the request waited too long; try again");
}

int64_t rpc_deadline_us(const struct rpc_method *m, int64_t outer_us)
{
        int64_t own_ms = m->deadline_ms > 0 ? m->deadline_ms : DEFAULT_DEADLINE_MS;
        int64_t own_us = clock_monotonic_us() + own_ms * 1000;
        return outer_us > 0 && outer_us < own_us ? outer_us : own_us;
}

/* ---- Before the handler ---- */

static sn_status check_scope(struct rpc_call *c, const struct rpc_method *m)
{
        if (c->actor[0] == '\0') {
                return rpc_fail_code(c, SN_UNAUTHENTICATED, "token_missing", NULL,
                                     "this method requires an access token; log in first");
        }
        if (!str_has_word(c->scope, m->scope)) {
                return rpc_fail_code(c, SN_PERMISSION_DENIED, "scope_missing", NULL,
                                     "the access token lacks the scope %s", m->scope);
        }
        if (m->step_up && clock_wall_ms() / 1000 - c->auth_time_s > RPC_STEP_UP_S) {
                return rpc_fail_code(c, SN_PERMISSION_DENIED, "step_up_required", NULL,
                                     "recent authentication is required: POST /v1/auth/step-up returns an access token "
                                     "that allows this for five minutes");
        }
        return SN_OK;
}

sn_status rpc_check_access(struct rpc_call *c)
{
        const struct rpc_method *m = c->method;
        switch (m->access) {
        case RPC_PUBLIC:
                return SN_OK;
        case RPC_INTERNAL: /* hidden from external callers */
                return c->caller[0] != '\0' ? SN_OK : rpc_fail_unknown_method(c);
        case RPC_SCOPE:
                return check_scope(c, m);
        }
        return rpc_fail_unknown_method(c);
}

sn_status rpc_check_idempotency_key(struct rpc_call *c)
{
        if (c->method->idempotency != RPC_IDEMPOTENCY_KEY) {
                c->idempotency_key = NULL;
        }
        if (c->idempotency_key == NULL) {
                return SN_OK;
        }
        size_t len = strlen(c->idempotency_key);
        bool good = len > 0 && len <= MAX_KEY_LENGTH;
        for (size_t i = 0; good && i < len; i++) {
                good = c->idempotency_key[i] > ' ' && c->idempotency_key[i] < 0x7f;
        }
        return good
                   ? SN_OK
                   : rpc_fail_code(c, SN_INVALID_ARGUMENT, "idempotency_key_invalid", "Idempotency-Key",
                                   "the key must be 1 to %d printable ASCII characters without spaces", MAX_KEY_LENGTH);
}

/* Transports give a body to methods that take one; other callers must pass one on. */
static sn_status check_body(struct rpc_call *c)
{
        if (contract_streams_body(c->method) && c->body == NULL) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, NULL, "the body is missing");
        }
        return c->body == NULL || c->body->complete || c->method->takes_part
                   ? SN_OK
                   : rpc_fail(c, SN_CANCELLED, NULL, "the body was truncated");
}

/* A password hash is not started if the call could not finish in time afterwards: if more people log in than can be
 * served, the work would be wasted on all of them. */
enum { PASSWORD_MS = 1000 };

static bool is_too_late(const struct rpc_call *c)
{
        return rpc_call_left_ms(c) <= (c->method->lane == RPC_LANE_PASSWORD ? PASSWORD_MS : 0);
}

/* All checks that need no message. */
static sn_status admit_call(struct rpc_call *c)
{
        TRY(rpc_check_access(c));
        TRY(check_body(c));
        c->deadline_us = rpc_deadline_us(c->method, c->deadline_us);
        if (is_too_late(c)) {
                return rpc_fail_deadline(c);
        }
        return rpc_check_idempotency_key(c);
}

/* The same key with a different body is rejected: bodies are compared by hash, after IDs were normalised. */
static void hash_body(struct rpc_call *c, const ProtobufCMessage *in)
{
        struct arena_mark mark = arena_mark(c->arena);
        size_t len;
        const uint8_t *packed = rpc_pack(c->arena, in, &len);
        SHA256(packed, len, c->body_hash);
        arena_reset(c->arena, mark);
}

/* ---- The handler ---- */

static sn_status replay_answer(struct rpc_call *c, ProtobufCMessage *out)
{
        ProtobufCMessage *stored;
        sn_status status = rpc_unpack(c, c->method->out, c->replayed, c->replayed_len, &stored);
        if (status != SN_OK) { /* our own bytes: never the client's fault */
                log_event(LOG_LEVEL_ERROR, "cannot decode a stored response",
                          LOG_STR("event.action", c->method->full_name));
                return rpc_fail(c, SN_INTERNAL, NULL, "%s", sn_status_row(SN_INTERNAL)->detail);
        }
        memcpy(out, stored, c->method->out->descriptor->sizeof_message);
        return SN_OK;
}

/* False if the deadline would pass during the wait. */
static bool back_off(const struct rpc_call *c, int attempt)
{
        int64_t most_ms = (int64_t)FIRST_BACK_OFF_MS << attempt;
        int64_t wait_ms = 1 + random_below((uint32_t)most_ms);
        if (wait_ms >= rpc_call_left_ms(c)) {
                return false;
        }
        clock_sleep_ms(wait_ms);
        return true;
}

static void rewind_body(const struct rpc_call *c)
{
        if (c->body != NULL) {
                (void)lseek(c->body->fd, 0, SEEK_SET);
        }
}

/* A handler whose transaction was rolled back left nothing but memory, so it can run again from the start. */
static sn_status run_handler(struct rpc_call *c, const ProtobufCMessage *in, ProtobufCMessage *out)
{
        const struct arena_mark mark = arena_mark(c->arena);
        for (int attempt = 0;; attempt++) {
                c->retry = false;
                rewind_body(c);
                sn_status status = c->method->invoke(c->service->handlers, c, in, out);
                if (status != SN_ABORTED || !c->retry) {
                        return status;
                }
                if (attempt == MAX_RETRIES || !back_off(c, attempt)) {
                        return rpc_fail_code(c, SN_UNAVAILABLE, "contention", NULL,
                                             "too many concurrent changes to the same item; try again");
                }
                rpc_call_drop_file(c);
                protobuf_c_message_init(c->method->out->descriptor, out);
                c->problem = (struct rpc_problem){0};
                arena_reset(c->arena, mark);
        }
}

static bool is_write(const struct rpc_method *m)
{
        return m->rate == RPC_RATE_WRITE || m->rate == RPC_RATE_AUTH ||
               (m->http_verb != NULL && strcmp(m->http_verb, "GET") != 0);
}

/* A committed change must not be answered with an error: the client would repeat it, or believe that it was undone.
 * Rejected credentials are the exception, since the rejection itself is recorded. Reads may commit what they
 * remember. */
static void assert_success_is_kept(const struct rpc_call *c, sn_status status)
{
#ifndef NDEBUG
        if (c->committed && is_write(c->method) && status != SN_OK && status != SN_UNAUTHENTICATED) {
                fprintf(stderr, "sonet: %s failed (%s) after its transaction was committed\n", c->method->full_name,
                        sn_status_name(status));
                abort();
        }
#else
        (void)c;
        (void)status;
#endif
}

/* Everything that the handler draws and commits falls within: lists read only up to the settled position. */
static sn_status run_in_flight(struct rpc_call *c, const ProtobufCMessage *in, ProtobufCMessage *out)
{
        struct in_flight write;

        if (!is_write(c->method)) {
                return run_handler(c, in, out);
        }
        in_flight_begin(&write, c->service);
        sn_status status = run_handler(c, in, out);
        in_flight_end(&write);
        return status;
}

static sn_status validate_and_run(struct rpc_call *c, const ProtobufCMessage *in, ProtobufCMessage *out)
{
        /* Validation lowercases IDs in place: the message belongs to the call, whoever built it. */
        TRY(rpc_validate(c, c->method->in, (ProtobufCMessage *)in));
        if (c->idempotency_key != NULL) {
                hash_body(c, in);
        }
        sn_status status = db_replay(c);
        if (status == SN_OK) {
                status = run_in_flight(c, in, out);
        }
        if (status == SN_REPLAYED) {
                status = replay_answer(c, out);
        }
        assert_success_is_kept(c, status);
        if (status == SN_OK && c->method->answers_file) {
                TRY(rpc_choose_region(c, in, out));
        }
        if (status == SN_OK && !c->committed && arena_exhausted(c->arena)) {
                return rpc_fail_code(c, SN_RESOURCE_EXHAUSTED, "too_large", NULL,
                                     "the response would be too large; ask for less");
        }
        return status;
}

/* ---- After it ---- */

static enum log_level level_of(const struct rpc_method *m, sn_status status)
{
        if (status == SN_INTERNAL || status == SN_UNKNOWN || status == SN_DATA_LOSS) {
                return LOG_LEVEL_ERROR;
        }
        return status != SN_OK || is_write(m) ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG;
}

/* The detail is not logged: it may contain what a member wrote. */
static void write_log(const struct rpc_call *c, sn_status status, int64_t duration_us)
{
        enum log_level level = level_of(c->method, status);
        if (!log_enabled(level)) {
                return;
        }
        struct log_field fields[10];
        int n = 0;
        fields[n++] = LOG_STR("event.action", c->method->full_name + 1);
        fields[n++] = LOG_STR("sonet.code", sn_status_name(status));
        fields[n++] = LOG_INT("event.duration", duration_us * 1000); /* ECS uses nanoseconds */
        if (c->trace_id != NULL) {
                fields[n++] = LOG_STR("trace.id", c->trace_id);
        }
        if (c->request_id != NULL) {
                fields[n++] = LOG_STR("http.request.id", c->request_id);
        }
        if (c->actor[0] != '\0') {
                fields[n++] = LOG_STR("user.id", c->actor);
        }
        if (c->caller[0] != '\0') {
                fields[n++] = LOG_STR("sonet.caller", c->caller);
        }
        if (status != SN_OK && c->problem.code != NULL) {
                fields[n++] = LOG_STR("error.code", c->problem.code);
        }
        if (status != SN_OK && c->problem.field != NULL) {
                fields[n++] = LOG_STR("sonet.field", c->problem.field);
        }
        log_fields(level, "rpc", fields, n);
}

static sn_status complete_call(struct rpc_call *c, sn_status status, int64_t started_us)
{
        int64_t duration_us = clock_monotonic_us() - started_us;
        if (status != SN_OK) {
                rpc_call_drop_file(c);
                rpc_problem_complete(c, status);
        }
        if (!rpc_inline_count(c->method, status, duration_us)) {
                rpc_stats_count(c->method, status, duration_us);
        }
        write_log(c, status, duration_us);
        return status;
}

/* What was read from memory must still be true now, or it is not sent. May block. An attempt that would block runs
 * again on a worker, and is counted there. */
static sn_status confirm_and_complete(struct rpc_call *c, sn_status status, int64_t started_us)
{
        if (c->service != NULL) {
                db_ownership_stamp(c->service->ownership);
        }
        if (c->service != NULL && !db_ownership_held(c->service->ownership) && !no_wait_refuses()) {
                db_ownership_confirm(c->service->ownership);
        }
        if (no_wait_refused()) {
                rpc_call_drop_file(c);
                return status != SN_OK ? status : SN_UNAVAILABLE;
        }
        return complete_call(c, status, started_us);
}

void rpc_dispatch_repeated(struct rpc_call *c, int64_t started_us)
{
        (void)complete_call(c, SN_OK, started_us);
}

/* Nothing was read. */
sn_status rpc_dispatch_refused(struct rpc_call *c, sn_status status)
{
        return complete_call(c, status, clock_monotonic_us());
}

sn_status rpc_dispatch(struct rpc_call *c, const ProtobufCMessage *in, ProtobufCMessage *out)
{
        int64_t started_us = clock_monotonic_us();
        sn_status status = admit_call(c);
        if (status == SN_OK) {
                status = validate_and_run(c, in, out);
        }
        return confirm_and_complete(c, status, started_us);
}

static sn_status unpack_and_run(struct rpc_call *c, const uint8_t *bytes, size_t len, ProtobufCMessage **out)
{
        ProtobufCMessage *in;
        TRY(rpc_unpack(c, c->method->in, bytes, len, &in));
        if (arena_exhausted(c->arena)) {
                return rpc_fail_code(c, SN_RESOURCE_EXHAUSTED, "too_large", NULL, "the request is too large");
        }
        *out = contract_new_message(c->method->out, c->arena);
        return validate_and_run(c, in, *out);
}

sn_status rpc_dispatch_packed(struct rpc_call *c, const uint8_t *bytes, size_t len, ProtobufCMessage **out)
{
        int64_t started_us = clock_monotonic_us();
        sn_status status = admit_call(c);
        if (status == SN_OK) {
                status = unpack_and_run(c, bytes, len, out);
        }
        return confirm_and_complete(c, status, started_us);
}
