/* The callers' side of the gRPC client: blocking unary calls. A caller fills in its call, hands it to the loop's
 * thread, and sleeps until it is done. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/no_wait.h"
#include "base/shared_stamps.h"
#include "rpc/dispatch.h"
#include "rpc/grpc_client.h"
#include "rpc/grpc_relay.h"
#include "sonet/file.rpc.h"

/* ---- Channels ---- */

static void run_and_wait(struct sonet_grpc_channel *channel, void (*run)(struct grpc_task *task))
{
        sem_init(&channel->done, 0, 0);
        channel->task.run = run;
        grpc_loop_give(channel->loop, &channel->task);
        while (sem_wait(&channel->done) != 0) {
        }
        sem_destroy(&channel->done);
}

static bool use_certificates(struct sonet_grpc_channel *channel, const struct grpc_tls *tls, struct buf *error)
{
        struct tls_files files = {0};
        if (!channel->address.secure) {
                return true;
        }
        if (tls != NULL) {
                files = (struct tls_files){tls->certificate_pem, tls->key_pem, tls->ca_pem};
        }
        channel->tls = tls_client(&files, error);
        return channel->tls != NULL;
}

sn_status sonet_grpc_channel_open(const char *url, const struct grpc_tls *tls, int max_calls,
                                  struct sonet_grpc_channel **channel, struct buf *error)
{
        struct grpc_address address;
        if (!grpc_address_read_url(url, &address)) {
                buf_printf(error, "%s is not of the form grpc://host:port or grpcs://host:port", url);
                return SN_INVALID_ARGUMENT;
        }
        if (!address.secure && !grpc_address_is_loopback(&address)) {
                buf_printf(error, "%s would be unencrypted beyond this machine: use grpcs://", url);
                return SN_FAILED_PRECONDITION;
        }
        struct sonet_grpc_channel *opened = calloc(1, sizeof(*opened));
        if (opened == NULL) {
                buf_append_c(error, "out of memory");
                return SN_UNAVAILABLE;
        }
        opened->address = address;
        opened->waiting_end = &opened->waiting;
        snprintf(opened->authority, sizeof(opened->authority), strchr(address.host, ':') != NULL ? "[%s]:%d" : "%s:%d",
                 address.host, address.port);
        callee_bound_init(&opened->bound, max_calls, opened->authority);
        if (!use_certificates(opened, tls, error)) {
                sonet_grpc_channel_close(opened);
                return SN_FAILED_PRECONDITION;
        }
        opened->loop = grpc_loop_acquire();
        if (opened->loop == NULL) {
                buf_append_c(error, "cannot start the thread of the gRPC client");
                sonet_grpc_channel_close(opened);
                return SN_UNAVAILABLE;
        }
        run_and_wait(opened, grpc_channel_open);
        *channel = opened;
        return SN_OK;
}

void sonet_grpc_channel_close(struct sonet_grpc_channel *channel)
{
        if (channel == NULL) {
                return;
        }
        if (channel->loop != NULL) {
                run_and_wait(channel, grpc_channel_close);
                grpc_loop_release(channel->loop);
        }
        tls_context_free(channel->tls);
        callee_bound_end(&channel->bound);
        free(channel);
}

/* ---- Sending ---- */

static void add_field(struct grpc_call *call, const char *name, struct str value)
{
        call->fields[call->n_fields++] =
            (nghttp2_nv){(uint8_t *)name, (uint8_t *)value.ptr, strlen(name), value.len, NGHTTP2_NV_FLAG_NONE};
}

/* A value that HTTP/2 cannot carry is left out. */
static void add_metadata(struct grpc_call *call, const char *name, const char *value)
{
        if (value != NULL && grpc_is_plain_value(value)) {
                add_field(call, name, str_of(value));
        }
}

/* Secrets, which are not indexed for header compression; and credentials differ from call to call anyway. */
static void add_secret(struct grpc_call *call, const char *name, const char *value)
{
        size_t before = call->n_fields;
        add_metadata(call, name, value);
        if (call->n_fields > before) {
                call->fields[before].flags |= NGHTTP2_NV_FLAG_NO_INDEX;
        }
}

static const char *traceparent_of(const struct rpc_call *c)
{
        uint64_t span;
        random_bytes(&span, sizeof(span));
        return arena_printf(c->arena, "00-%s-%016llx-01", c->trace_id, (unsigned long long)(span | 1));
}

/* No grpc-timeout for a body: the callee watches its progress, and applies the method's deadline after it. */
static void add_body_fields(struct grpc_call *call, const struct rpc_call *c)
{
        add_metadata(call, MD_FILE_NAME, grpc_binary_write(c->arena, str_of(c->body->file_name)));
        add_metadata(call, MD_MIME_TYPE, grpc_binary_write(c->arena, str_of(c->body->mime_type)));
        add_metadata(call, MD_BROKEN_OFF, c->body->complete ? NULL : "1");
}

static void fill_fields(struct grpc_call *call, const struct rpc_call *c, const struct rpc_method *m,
                        const char *service_token)
{
        add_field(call, ":method", STR("POST"));
        add_field(call, ":scheme", call->channel->address.secure ? STR("https") : STR("http"));
        add_field(call, ":path", str_of(m->full_name));
        add_field(call, ":authority", str_of(call->channel->authority));
        add_field(call, "content-type", STR(GRPC_CONTENT_TYPE));
        add_field(call, "te", STR("trailers"));
        if (c->body != NULL) {
                add_body_fields(call, c);
        } else {
                add_secret(call, MD_TIMEOUT, grpc_timeout_write(c->arena, c->deadline_us - clock_monotonic_us()));
        }
        if (c->bearer[0] != '\0') {
                add_secret(call, MD_AUTHORIZATION, arena_printf(c->arena, "Bearer %s", c->bearer));
                add_secret(call, MD_ADMITTED,
                           c->admitted_ms > 0 ? arena_printf(c->arena, "%" PRId64, c->admitted_ms) : NULL);
        }
        add_secret(call, MD_SERVICE, service_token);
        if (c->trace_id != NULL) {
                add_secret(call, MD_TRACEPARENT, traceparent_of(c));
        }
        add_secret(call, MD_REQUEST_ID, c->request_id);
        add_secret(call, MD_IDEMPOTENCY_KEY, c->idempotency_key);
        if (stamps_recording()) {
                add_metadata(call, MD_STAMPS_MEMORY, shared_stamps_name());
        }
        add_metadata(call, MD_CLIENT_ADDRESS, c->client_address);
        if (c->user_agent != NULL && c->user_agent[0] != '\0') {
                add_metadata(call, MD_CLIENT_AGENT, grpc_binary_write(c->arena, str_of(c->user_agent)));
        }
}

/* ---- The response ---- */

static sn_status fail_unreadable(struct rpc_call *c, const struct rpc_method *m)
{
        return rpc_fail(c, SN_INTERNAL, NULL, "cannot decode the response of the %s service", m->service->name);
}

static sn_status take_reply(struct rpc_call *c, const struct rpc_method *m, const struct grpc_call *call,
                            ProtobufCMessage *out)
{
        struct str message;
        ProtobufCMessage *unpacked;
        if (grpc_frame_only(c->arena, (struct str){call->reply.data, call->reply.len}, false, &message) !=
            GRPC_FRAME_WHOLE) {
                return fail_unreadable(c, m);
        }
        if (rpc_unpack(c, m->out, (const uint8_t *)message.ptr, message.len, &unpacked) != SN_OK) {
                /* the callee's fault, not our caller's */
                log_event(LOG_LEVEL_ERROR, "a gRPC response violates its contract",
                          LOG_STR("event.action", m->full_name), LOG_STR("sonet.field", c->problem.field));
                return fail_unreadable(c, m);
        }
        memcpy(out, unpacked, m->out->descriptor->sizeof_message); /* its parts are in the arena */
        return SN_OK;
}

static sn_status status_of(const struct grpc_call *call)
{
        int64_t number;
        switch (call->end) {
        case GRPC_END_ANSWERED:
                return str_to_i64(call->status, &number) && number >= 0 && number < SN_STATUS_COUNT ? (sn_status)number
                                                                                                    : SN_UNKNOWN;
        case GRPC_END_UNREACHED:
        case GRPC_END_LOST:
        case GRPC_END_REFUSED:
                return SN_UNAVAILABLE;
        case GRPC_END_DEADLINE:
                return SN_DEADLINE_EXCEEDED;
        case GRPC_END_TOO_LARGE:
                return SN_RESOURCE_EXHAUSTED;
        }
        return SN_UNKNOWN;
}

/* With the trailer, the callee itself says what went wrong; without it, the error comes from something in between,
 * and its text is not for clients. */
static sn_status take_problem(struct rpc_call *c, const struct rpc_method *m, const struct grpc_call *call,
                              sn_status status)
{
        struct rpc_problem problem = {.status = status};
        if (call->problem.ptr != NULL) {
                grpc_problem_read(c, m, call->problem, &problem);
        } else if (call->message.ptr != NULL) {
                log_event(LOG_LEVEL_DEBUG, "a gRPC call failed", LOG_STR("event.action", m->full_name),
                          LOG_STR("error.message", grpc_text_read(c->arena, call->message)));
        }
        if (problem.detail != NULL) {
                c->problem = problem;
                return status;
        }
        if (status == SN_UNAVAILABLE) {
                return rpc_fail(c, status, NULL, "the %s service is unreachable; try again shortly", m->service->name);
        }
        c->problem = problem;
        rpc_problem_complete(c, status);
        return status;
}

/* ---- One call ---- */

static void add_body(struct grpc_call *call, const struct rpc_call *c, const struct rpc_method *m)
{
        if (c->body != NULL) {
                call->body = grpc_region_of(c->body->fd, 0, c->body->size, contract_chunk_field(m->in)->number, NULL);
                call->stall_us = (int64_t)m->stall_ms * 1000;
                call->answer_us = (int64_t)m->deadline_ms * 1000;
                call->deadline_us = clock_monotonic_us() + call->stall_us;
        }
}

/* False: the message is too large. */
static bool run_call(struct grpc_call *call, struct rpc_call *c, const struct rpc_method *m, const char *service_token,
                     const ProtobufCMessage *in)
{
        if (!grpc_frame_write(in, &call->request)) {
                return false;
        }
        call->task.run = grpc_channel_begin_call;
        call->deadline_us = c->deadline_us;
        buf_init(&call->reply, GRPC_PREFIX_BYTES + GRPC_MESSAGE_BYTES);
        add_body(call, c, m);
        fill_fields(call, c, m, service_token);
        NO_WAIT_ASSERT();
        sem_init(&call->done, 0, 0);
        grpc_loop_give(call->channel->loop, &call->task);
        while (sem_wait(&call->done) != 0) {
        }
        sem_destroy(&call->done);
        return true;
}

static sn_status fail_too_large(struct rpc_call *c, enum grpc_end *end)
{
        *end = GRPC_END_ANSWERED;
        return rpc_fail_code(c, SN_RESOURCE_EXHAUSTED, "too_large", NULL, "the request is too large");
}

/* What the callee read becomes part of this thread's record. */
static void take_stamps(struct rpc_call *c, const struct grpc_call *call)
{
        struct str packed;
        if (stamps_recording() && (call->stamps.ptr == NULL || !grpc_binary_read(c->arena, call->stamps, &packed) ||
                                   !shared_stamps_add(packed))) {
                stamps_spoil();
        }
}

static sn_status take_answer(struct rpc_call *c, const struct rpc_method *m, const struct grpc_call *call,
                             ProtobufCMessage *out)
{
        sn_status status = status_of(call);
        take_stamps(c, call);
        return status == SN_OK ? take_reply(c, m, call, out) : take_problem(c, m, call, status);
}

static sn_status call_once(struct sonet_grpc_channel *channel, struct rpc_call *c, const struct rpc_method *m,
                           const char *service_token, const ProtobufCMessage *in, ProtobufCMessage *out,
                           enum grpc_end *end)
{
        struct grpc_call call = {.channel = channel, .arena = c->arena};
        if (!run_call(&call, c, m, service_token, in)) {
                return fail_too_large(c, end);
        }
        sn_status status = take_answer(c, m, &call, out);
        *end = call.end;
        buf_free(&call.request);
        buf_free(&call.reply);
        return status;
}

/* ---- A call whose response is a file ---- */

static bool bytes_follow(const struct rpc_method *m, const ProtobufCMessage *in, const ProtobufCMessage *out)
{
        const struct rpc_field *field = contract_conditions_field(m->in);
        const File__Conditions *conditions =
            field != NULL ? *(File__Conditions *const *)((const char *)in + field->offset) : NULL;
        return ((const File__Chunk *)out)->length > 0 && (conditions == NULL || !conditions->head);
}

static sn_status take_file(struct rpc_call *c, const struct rpc_method *m, struct grpc_relay *relay,
                           const ProtobufCMessage *in, ProtobufCMessage *out)
{
        TRY(take_reply(c, m, &relay->call, out));
        if (bytes_follow(m, in, out)) {
                TRY(rpc_answer_file(c, grpc_relay_take_fd(relay)));
                c->file->is_pipe = true;
                c->file->length = ((File__Chunk *)out)->length;
        }
        return SN_OK;
}

static sn_status fetch_once(struct sonet_grpc_channel *channel, struct rpc_call *c, const struct rpc_method *m,
                            const char *service_token, const ProtobufCMessage *in, ProtobufCMessage *out,
                            enum grpc_end *end)
{
        struct grpc_relay *relay =
            atomic_load(&channel->n_relays) < GRPC_RELAYS_MAX ? grpc_relay_new(channel, m) : NULL;
        if (relay == NULL) {
                *end = GRPC_END_REFUSED;
                return rpc_fail(c, SN_UNAVAILABLE, NULL, "too many file transfers are in progress; try again shortly");
        }
        if (!run_call(&relay->call, c, m, service_token, in)) {
                grpc_relay_abandon(relay);
                return fail_too_large(c, end);
        }
        stamps_spoil();
        *end = relay->answered ? GRPC_END_ANSWERED : relay->call.end;
        sn_status status = relay->answered ? take_file(c, m, relay, in, out) : take_answer(c, m, &relay->call, out);
        grpc_relay_release(relay);
        return status;
}

static sn_status call_within_bound(struct sonet_grpc_channel *channel, struct rpc_call *c, const struct rpc_method *m,
                                   const char *service_token, const ProtobufCMessage *in, ProtobufCMessage *out,
                                   enum grpc_end *end)
{
        if (!callee_bound_enter(&channel->bound, c->deadline_us)) {
                *end = GRPC_END_REFUSED;
                return rpc_fail(c, SN_UNAVAILABLE, NULL, "the %s service is not responding; try again shortly",
                                m->service->name);
        }
        sn_status status = (m->answers_file ? fetch_once : call_once)(channel, c, m, service_token, in, out, end);
        callee_bound_leave(&channel->bound, *end != GRPC_END_LOST && *end != GRPC_END_DEADLINE);
        return status;
}

/* Reads may be retried, which hides the restart of a service from readers. */
static bool is_read(const struct rpc_method *m)
{
        return m->access == RPC_INTERNAL || (m->http_verb != NULL && strcmp(m->http_verb, "GET") == 0);
}

sn_status sonet_grpc_channel_call(struct sonet_grpc_channel *channel, struct rpc_call *c, const struct rpc_method *m,
                                  const char *service_token, const ProtobufCMessage *in, ProtobufCMessage *out)
{
        enum grpc_end end;
        bool was_away = atomic_load_explicit(&channel->away, memory_order_relaxed);
        sn_status status = call_within_bound(channel, c, m, service_token, in, out, &end);
        bool again = end == GRPC_END_UNREACHED || (end == GRPC_END_LOST && is_read(m));
        if (again && !was_away && !rpc_call_expired(c)) {
                status = call_within_bound(channel, c, m, service_token, in, out, &end);
        }
        return status;
}
