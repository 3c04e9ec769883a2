/* Serving one request: metadata to identity, bytes to dispatch, status and problem back. Knows nothing of threads and
 * queues. */
#include "rpc/grpc_request.h"

#include <stdlib.h>
#include <string.h>
#include <grpc/support/alloc.h>

#include "base/clock.h"
#include "base/log.h"
#include "rpc/call_graph.h"
#include "rpc/dispatch.h"
#include "rpc/health.h"
#include "rpc/stats.h"

enum { MAX_DEADLINE_S = 86400 };

/* ---- Its life ---- */

struct grpc_request *grpc_request_new(struct sonet_grpc_server *server, const struct served *served)
{
        struct grpc_request *r = calloc(1, sizeof(*r));
        if (r == NULL) {
                return NULL;
        }
        r->server = server;
        r->served = served;
        grpc_metadata_array_init(&r->metadata);
        grpc_call_details_init(&r->details);
        return r;
}

void grpc_request_free(struct grpc_request *r)
{
        if (r->call != NULL) {
                grpc_call_unref(r->call);
        }
        if (r->payload != NULL) {
                grpc_byte_buffer_destroy(r->payload);
        }
        for (size_t i = 0; i < r->n_trailers; i++) {
                grpc_slice_unref(r->trailers[i].value);
        }
        grpc_metadata_array_destroy(&r->metadata);
        grpc_call_details_destroy(&r->details);
        free(r);
}

int64_t grpc_request_deadline_us(const struct grpc_request *r)
{
        static const struct rpc_method none; /* the default deadline, for what is no method of ours */
        const struct rpc_method *m = r->served->method != NULL ? r->served->method : &none;
        if (r->served->kind == SERVED_UNKNOWN ||
            gpr_time_cmp(r->deadline, gpr_inf_future(r->deadline.clock_type)) == 0) {
                return rpc_deadline_us(m, 0);
        }
        gpr_timespec left =
            gpr_time_sub(gpr_convert_clock_type(r->deadline, GPR_CLOCK_MONOTONIC), gpr_now(GPR_CLOCK_MONOTONIC));
        int64_t left_s = left.tv_sec < 0 ? 0 : left.tv_sec > MAX_DEADLINE_S ? MAX_DEADLINE_S : left.tv_sec;
        return rpc_deadline_us(m, clock_monotonic_us() + left_s * 1000000 + left.tv_nsec / 1000);
}

/* ---- Metadata ---- */

struct metadata {
        struct str authorization, service, traceparent, request_id, idempotency_key, client_address, client_agent,
            user_agent, forwarded, x_forwarded_for;
};

/* Several of one name are one list, as in HTTP. */
static void join(struct arena *arena, struct str *list, struct str value)
{
        if (list->ptr == NULL) {
                *list = value;
                return;
        }
        *list = str_of(arena_printf(arena, "%.*s, %.*s", (int)list->len, list->ptr, (int)value.len, value.ptr));
}

static struct metadata read_metadata(struct arena *arena, const grpc_metadata_array *array)
{
        struct metadata md = {0};
        const struct {
                struct str name;
                struct str *value;
        } known[] = {
            {STR(MD_AUTHORIZATION), &md.authorization},
            {STR(MD_SERVICE), &md.service},
            {STR(MD_TRACEPARENT), &md.traceparent},
            {STR(MD_REQUEST_ID), &md.request_id},
            {STR(MD_IDEMPOTENCY_KEY), &md.idempotency_key},
            {STR(MD_CLIENT_ADDRESS), &md.client_address},
            {STR(MD_CLIENT_AGENT), &md.client_agent},
            {STR("user-agent"), &md.user_agent},
            {STR("forwarded"), &md.forwarded},
            {STR("x-forwarded-for"), &md.x_forwarded_for},
        };
        for (size_t i = 0; i < array->count; i++) {
                struct str key = sonet_grpc_view(&array->metadata[i].key);
                for (size_t k = 0; k < sizeof(known) / sizeof(known[0]); k++) {
                        if (str_equal(key, known[k].name)) {
                                join(arena, known[k].value, sonet_grpc_view(&array->metadata[i].value));
                        }
                }
        }
        return md;
}

/* The library writes "ipv4:127.0.0.1:4711" and "ipv6:%5B::1%5D:4711". */
static const char *peer_address(struct arena *arena, grpc_call *call)
{
        char *peer = grpc_call_get_peer(call);
        struct str rest = str_of(peer), scheme = {0};
        (void)str_next(&rest, ':', &scheme);
        const char *port = rest.len > 0 ? memrchr(rest.ptr, ':', rest.len) : NULL;
        struct str host = {rest.ptr, port != NULL ? (size_t)(port - rest.ptr) : rest.len};
        if (str_starts(host, STR("%5B")) && host.len >= 6) {
                host = (struct str){host.ptr + 3, host.len - 6};
        } else if (str_starts(host, STR("[")) && host.len >= 2) {
                host = (struct str){host.ptr + 1, host.len - 2};
        }
        const char *address = str_dup(arena, host);
        gpr_free(peer);
        return address;
}

/* ---- Identity ---- */

static const char *service_of_property(struct arena *arena, const grpc_auth_context *auth, const char *property)
{
        grpc_auth_property_iterator it = grpc_auth_context_find_properties_by_name(auth, property);
        for (const grpc_auth_property *p = NULL; (p = grpc_auth_property_iterator_next(&it)) != NULL;) {
                char *name = arena_strndup(arena, p->value, p->value_length);
                if (strlen(name) == p->value_length && call_graph_knows(name)) {
                        return name;
                }
        }
        return "";
}

/* The service that a verified client certificate names, or "". */
static const char *certificate_service(struct arena *arena, grpc_call *call)
{
        const char *name = "";
        grpc_auth_context *auth = grpc_call_auth_context(call);
        if (auth != NULL && grpc_auth_context_peer_is_authenticated(auth)) {
                name = service_of_property(arena, auth, GRPC_X509_SAN_PROPERTY_NAME);
                if (name[0] == '\0') {
                        name = service_of_property(arena, auth, GRPC_X509_CN_PROPERTY_NAME);
                }
        }
        grpc_auth_context_release(auth);
        return name;
}

static sn_status identify(struct grpc_request *r, struct rpc_call *c, const struct metadata *md,
                          bool trusts_certificates)
{
        return rpc_authenticate(c, &(struct rpc_sender){
                                       .peer = peer_address(c->arena, r->call),
                                       .authorization = md->authorization,
                                       .service_token = md->service,
                                       .audience = r->served->service->name,
                                       .certificate = trusts_certificates ? certificate_service(c->arena, r->call) : "",
                                       .user_agent = md->user_agent,
                                       .forwarded = md->forwarded,
                                       .x_forwarded_for = md->x_forwarded_for,
                                       .client_address = md->client_address,
                                       .client_agent = md->client_agent,
                                   });
}

/* ---- The call ---- */

static struct rpc_call call_of(struct grpc_request *r, struct arena *arena, const struct metadata *md)
{
        return (struct rpc_call){
            .arena = arena,
            .service = r->served->service,
            .method = r->served->method,
            CALL_OF_NOBODY,
            .client_address = "",
            .user_agent = "",
            .trace_id = rpc_trace_id(arena, md->traceparent),
            .request_id = rpc_request_id(arena, md->request_id),
            .deadline_us = r->work.deadline_us,
            .now_ms = clock_wall_ms(),
            .idempotency_key = md->idempotency_key.ptr != NULL ? str_dup(arena, md->idempotency_key) : NULL,
        };
}

static sn_status read_payload(struct grpc_request *r, struct rpc_call *c, grpc_slice *bytes)
{
        if (r->payload == NULL || !sonet_grpc_bytes(r->payload, bytes)) {
                return rpc_fail_code(c, SN_INVALID_ARGUMENT, "message_unreadable", NULL,
                                     "send one message, of at most 4 MiB, without compression");
        }
        return SN_OK;
}

static sn_status serve_method(struct grpc_request *r, struct rpc_call *c, const struct metadata *md,
                              bool trusts_certificates, ProtobufCMessage **answer)
{
        grpc_slice bytes;
        sn_status status = identify(r, c, md, trusts_certificates);
        if (status == SN_OK) {
                status = rpc_take_rate(c, &r->rate);
        }
        if (status == SN_OK) {
                status = read_payload(r, c, &bytes);
        }
        if (status != SN_OK) {
                return rpc_dispatch_refused(c, status);
        }
        struct str view = sonet_grpc_view(&bytes);
        status = rpc_dispatch_packed(c, (const uint8_t *)view.ptr, view.len, answer);
        grpc_slice_unref(bytes);
        return status;
}

static sn_status serve_health(struct grpc_request *r, struct rpc_call *c, const struct grpc_request_context *context,
                              ProtobufCMessage **answer)
{
        grpc_slice bytes;
        TRY(read_payload(r, c, &bytes));
        struct str view = sonet_grpc_view(&bytes);
        bool ready = context->ready == NULL || context->ready(context->context);
        sn_status status = health_check(c, (const uint8_t *)view.ptr, view.len, ready, answer);
        grpc_slice_unref(bytes);
        return status;
}

/* ---- The answer ---- */

static void add_trailer(struct grpc_request *r, const char *key, grpc_slice value)
{
        r->trailers[r->n_trailers++] = (grpc_metadata){.key = grpc_slice_from_static_string(key), .value = value};
}

/* The header fields of REST. */
static void add_rate_trailers(struct grpc_request *r)
{
        char value[RATE_LIMIT_VALUE_SIZE];
        if (r->rate.limit > 0) {
                add_trailer(r, MD_RATE_LIMIT_POLICY, sonet_grpc_text(r->rate.policy));
                add_trailer(r, MD_RATE_LIMIT, sonet_grpc_text(rate_limit_value(&r->rate, value)));
        }
}

static void set_status(struct grpc_request *r, grpc_op *op, const struct rpc_problem *problem, grpc_slice *detail)
{
        op->op = GRPC_OP_SEND_STATUS_FROM_SERVER;
        op->data.send_status_from_server.status = (grpc_status_code)problem->status;
        if (problem->status != SN_OK) {
                add_trailer(r, MD_PROBLEM, sonet_grpc_problem_pack(problem));
                *detail = sonet_grpc_text(problem->detail);
                op->data.send_status_from_server.status_details = detail;
        }
        add_rate_trailers(r);
        op->data.send_status_from_server.trailing_metadata = r->trailers;
        op->data.send_status_from_server.trailing_metadata_count = r->n_trailers;
}

/* Everything that is left to do with the call, in one batch: its end is that of r, which must not be touched
 * afterwards.
 */
static void send_answer(struct grpc_request *r, const struct rpc_problem *problem, grpc_byte_buffer *message)
{
        grpc_slice detail = grpc_empty_slice();
        grpc_op ops[4] = {{.op = GRPC_OP_SEND_INITIAL_METADATA}, {.op = GRPC_OP_RECV_CLOSE_ON_SERVER}};
        size_t n = 2;
        ops[1].data.recv_close_on_server.cancelled = &r->cancelled;
        set_status(r, &ops[n++], problem, &detail);
        if (message != NULL) {
                ops[n].op = GRPC_OP_SEND_MESSAGE;
                ops[n++].data.send_message.send_message = message;
        }
        grpc_call_error error = grpc_call_start_batch(r->call, ops, n, &r->ended, NULL);
        grpc_slice_unref(detail);
        if (message != NULL) {
                grpc_byte_buffer_destroy(message);
        }
        if (error != GRPC_CALL_OK) { /* cannot happen with batches that are well-formed; without it r would never end */
                log_event(LOG_LEVEL_ERROR, "grpc refused an answer",
                          LOG_STR("error.message", grpc_call_error_to_string(error)));
                abort();
        }
}

static grpc_byte_buffer *pack_answer(struct rpc_call *c, const ProtobufCMessage *answer, sn_status *status)
{
        if (protobuf_c_message_get_packed_size(answer) > SONET_GRPC_MESSAGE_BYTES) {
                *status = rpc_fail_code(c, SN_RESOURCE_EXHAUSTED, "too_large", NULL,
                                        "the answer would be too large; ask for less");
                return NULL;
        }
        grpc_slice slice = sonet_grpc_pack(answer);
        grpc_byte_buffer *message = grpc_raw_byte_buffer_create(&slice, 1);
        grpc_slice_unref(slice);
        return message;
}

void grpc_request_serve(struct grpc_request *r, const struct grpc_request_context *context, bool expired)
{
        static const struct rpc_problem out_of_memory = {
            .status = SN_UNAVAILABLE, .code = "unavailable", .detail = "out of memory"};
        struct arena *arena = arena_new(SONET_GRPC_ARENA_BYTES);
        if (arena == NULL) {
                send_answer(r, &out_of_memory, NULL);
                return;
        }
        struct metadata md = read_metadata(arena, &r->metadata);
        struct rpc_call c = call_of(r, arena, &md);
        ProtobufCMessage *answer = NULL;
        sn_status status;
        if (expired) {
                status = rpc_fail_deadline(&c);
                if (c.method != NULL) {
                        status = rpc_dispatch_refused(&c, status);
                }
        } else if (r->served->kind == SERVED_METHOD) {
                status = serve_method(r, &c, &md, context->trusts_certificates, &answer);
        } else {
                status = serve_health(r, &c, context, &answer);
        }
        grpc_byte_buffer *message = status == SN_OK ? pack_answer(&c, answer, &status) : NULL;
        if (status == SN_OK) {
                c.problem = (struct rpc_problem){0};
        } else {
                rpc_problem_complete(&c, status);
        }
        send_answer(r, &c.problem, message);
        arena_free(arena);
}

void grpc_request_refuse(struct grpc_request *r, const struct rpc_problem *problem)
{
        if (r->served->method != NULL) {
                rpc_stats_count(r->served->method, problem->status, 0);
        }
        send_answer(r, problem, NULL);
}
