/* The gRPC server: the engine of http/ with HTTP/2 only. Requests that are not for us are rejected on the I/O
 * thread, once their head is there; a complete request goes to the lane of its method. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/spool.h"
#include "http/tls.h"
#include "rpc/dispatch.h"
#include "rpc/grpc_address.h"
#include "rpc/grpc_conversation.h"
#include "rpc/grpc_request.h"
#include "rpc/grpc_upload.h"
#include "rpc/health.h"
#include "rpc/inline.h"
#include "rpc/lanes.h"
#include "rpc/reflection.h"
#include "rpc/stats.h"

enum {
        STREAMS_MAX = 256,
        SLOW_CLIENT_MS = 10000,
        IDLE_MS = 300000,
        UNREAD_BYTES = 64 << 20, /* of responses that clients have not read, in total */
        STOP_LOOK_MS = 2,
};

struct sonet_grpc_server {
        struct http_server *http;
        const struct rpc_lanes *lanes;
        struct grpc_request_context context;
        struct served *served; /* by path */
        size_t n_served;
        struct conversations conversations;
        atomic_int running; /* requests with workers, whether or not their clients are still there */
};

/* ---- Methods ---- */

static int compare_paths(const void *a, const void *b)
{
        return strcmp(((const struct served *)a)->path, ((const struct served *)b)->path);
}

static const struct served *find_served(const struct sonet_grpc_server *s, const char *path)
{
        const struct served wanted = {.path = path};
        return bsearch(&wanted, s->served, s->n_served, sizeof(*s->served), compare_paths);
}

static const struct rpc_method reflection = {
    .name = "ServerReflectionInfo", .access = RPC_PUBLIC, .rate = RPC_RATE_READ, .deadline_ms = 600000};

static const struct served own[] = {
    {.kind = SERVED_HEALTH, .path = HEALTH_CHECK_METHOD},
    {.kind = SERVED_REFLECTION, .path = REFLECTION_METHOD, .method = &reflection},
    {.kind = SERVED_REFLECTION, .path = REFLECTION_METHOD_ALPHA, .method = &reflection},
};

/* All methods of the local services, and the server's own. */
static bool list_served(struct sonet_grpc_server *s)
{
        const struct rpc_service *const *contracts;
        size_t n_contracts = contract_services(&contracts), n = sizeof(own) / sizeof(own[0]);
        for (size_t i = 0; i < n_contracts; i++) {
                n += contracts[i]->n_methods;
        }
        s->served = calloc(n, sizeof(*s->served));
        if (s->served == NULL) {
                return false;
        }
        for (size_t i = 0; i < n_contracts; i++) {
                struct service *local = rpc_local_service(contracts[i]->name);
                for (size_t k = 0; local != NULL && k < contracts[i]->n_methods; k++) {
                        const struct rpc_method *m = &contracts[i]->methods[k];
                        s->served[s->n_served++] = (struct served){SERVED_METHOD, m->full_name, m, local};
                }
        }
        for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
                s->served[s->n_served++] = own[i];
        }
        qsort(s->served, s->n_served, sizeof(*s->served), compare_paths);
        return true;
}

/* ---- Requests ---- */

/* Fills in the response. Always returns false. */
static bool answer_problem_early(struct http_request *http, const struct rpc_problem *problem,
                                 struct http_response *early)
{
        grpc_response_of_problem(http->arena, problem, early);
        return false;
}

static bool refuse_http(int status, const char *text, struct http_response *early)
{
        early->status = status;
        http_response_header(early, "content-type", "text/plain; charset=utf-8");
        buf_append_c(&early->body, text);
        return false;
}

/* A caller without access learns so before any of the body is read. */
static bool begin_upload(struct sonet_grpc_server *s, struct grpc_request *r, size_t *max_body,
                         struct http_response *early)
{
        sn_status status = grpc_request_admit(r, &s->context);
        if (status == SN_OK) {
                status = grpc_upload_begin(r, rpc_lanes_of_call(s->lanes, r->call.method));
        }
        if (status != SN_OK) {
                (void)rpc_dispatch_refused(&r->call, status);
                return answer_problem_early(r->http, &r->call.problem, early);
        }
        *max_body = SIZE_MAX; /* counted without its framing */
        return true;
}

static bool on_headers(void *context, struct http_request *http, size_t *max_body, struct http_response *early)
{
        static const struct rpc_problem unknown = {SN_UNIMPLEMENTED, "method_unknown", NULL, "no such method", 0, NULL};
        struct sonet_grpc_server *s = context;
        struct rpc_problem problem;
        if (!grpc_is_content_type(http_request_header(http, "content-type"))) {
                return refuse_http(415, "This port serves gRPC only; send content-type: application/grpc.\n", early);
        }
        if (strcmp(http->method, "POST") != 0) {
                http_response_header(early, "allow", "POST");
                return refuse_http(405, "gRPC calls must use POST.\n", early);
        }
        struct grpc_request *r = ARENA_NEW(http->arena, struct grpc_request);
        *r = (struct grpc_request){.server = s, .http = http, .served = find_served(s, http->path)};
        http->user = r;
        *max_body = GRPC_PREFIX_BYTES + GRPC_MESSAGE_BYTES;
        if (r->served == NULL) {
                return answer_problem_early(http, &unknown, early);
        }
        if (!grpc_request_read_head(r, &problem)) {
                return answer_problem_early(http, &problem, early);
        }
        if (r->served->kind == SERVED_REFLECTION) {
                conversation_begin(&s->conversations, r, reflection_answer, early);
                return false;
        }
        if (r->served->method != NULL && r->served->method->answers_file) {
                http_file_expect(http);
        }
        return !contract_streams_body(r->served->method) || begin_upload(s, r, max_body, early);
}

static void forget_attempt(const struct grpc_request *r)
{
        if (r->tried) {
                rpc_inline_waited(r->served->method);
        }
}

/* A call from memory costs less than handing it to a worker. The calls of one connection, of which there may be many,
 * are read by one thread, so only methods that say that they are quick are tried. */
static bool is_answered(struct sonet_grpc_server *s, struct grpc_request *r, struct http_response *early)
{
        const struct rpc_method *m = r->served->method;
        struct http_response answer = {0};
        if (m == NULL || !m->quick || !rpc_inline_is_worth(m) || !grpc_request_try(r, &s->context, &answer)) {
                return false;
        }
        *early = answer;
        return true;
}

static void run_request(struct work *work, bool expired)
{
        struct grpc_request *r = (struct grpc_request *)work;
        struct sonet_grpc_server *s = r->server;
        struct http_response response = {0};
        grpc_request_serve(r, &s->context, expired, &response);
        forget_attempt(r);
        http_respond(r->http, &response);
        atomic_fetch_sub(&s->running, 1); /* r has ended and must not be touched */
}

static bool on_request(void *context, struct http_request *http, struct http_response *early)
{
        struct sonet_grpc_server *s = context;
        struct grpc_request *r = http->user;
        const struct rpc_method *m = r->served->method;
        r->work.run = run_request;
        if (r->upload != NULL) { /* from now on */
                r->work.deadline_us = rpc_deadline_us(m, r->asked_deadline_us);
        }
        struct workers *lane = m != NULL ? rpc_lanes_of_call(s->lanes, m) : rpc_lanes_of_request(s->lanes, NULL);

        if (is_answered(s, r, early)) {
                return false;
        }
        atomic_fetch_add(&s->running, 1);
        if (workers_submit(lane, &r->work)) {
                return true;
        }
        atomic_fetch_sub(&s->running, 1);
        forget_attempt(r);
        struct rpc_problem full = rpc_lanes_refusal(lane);

        if (m != NULL) {
                rpc_stats_count(m, full.status, 0);
        }
        return answer_problem_early(http, &full, early);
}

static sn_status status_of_http(int status)
{
        switch (status) {
        case 408:
                return SN_DEADLINE_EXCEEDED;
        case 413:
        case 414:
        case 431:
                return SN_RESOURCE_EXHAUSTED;
        case 503:
                return SN_UNAVAILABLE;
        default:
                return SN_INVALID_ARGUMENT;
        }
}

/* Rejections by the engine, in gRPC's form. */
static void on_refusal(void *context, struct http_request *http, int status, const char *detail,
                       struct http_response *response)
{
        struct rpc_problem problem = {.status = status_of_http(status), .detail = detail};
        problem.code = problem.status == SN_RESOURCE_EXHAUSTED ? "too_large"
                       : problem.status == SN_UNAVAILABLE      ? "unavailable"
                       : status == 408                         ? "deadline_exceeded"
                                                               : "malformed_request";
        problem.retry_after_s = problem.status == SN_UNAVAILABLE ? 1 : 0;
        grpc_response_of_problem(http->arena, &problem, response);
}

/* ---- Start and stop ---- */

static void bodies_have_room(void *server)
{
        http_sinks_have_room(server);
}

static sn_status listen_on(struct sonet_grpc_server *s, const struct grpc_address *address, const struct grpc_tls *tls,
                           int max_connections, struct buf *error)
{
        bool secure = tls != NULL && tls->certificate_pem != NULL && tls->key_pem != NULL;
        struct tls_files files = {0};
        if (secure) {
                files = (struct tls_files){tls->certificate_pem, tls->key_pem, tls->ca_pem};
        } else if (!grpc_address_is_loopback(address)) {
                buf_printf(error, "gRPC on %s needs a certificate: without TLS it is served on loopback addresses only",
                           address->host);
                return SN_FAILED_PRECONDITION;
        }
        struct http_options options = {
            .name = "grpc",
            .address = address->host,
            .port = address->port,
            .tls = secure ? &files : NULL,
            .http2_only = true,
            .io_threads = 1,
            .max_connections = max_connections,
            .max_streams = STREAMS_MAX,
            .window_bytes = GRPC_WINDOW_BYTES,
            .max_header_bytes = GRPC_HEADER_BYTES,
            .arena_bytes = GRPC_ARENA_BYTES,
            .slow_client_ms = SLOW_CLIENT_MS,
            .idle_ms = IDLE_MS,
            .unread_bytes = UNREAD_BYTES,
        };
        struct http_handlers handlers = {on_headers, on_request, on_refusal, s};
        if (http_server_start(&options, &handlers, &s->http, error) != SN_OK) {
                return SN_FAILED_PRECONDITION;
        }
        (void)spool_listen(bodies_have_room, s->http);
        return SN_OK;
}

sn_status sonet_grpc_server_start(const char *address, const struct grpc_tls *tls, const struct rpc_lanes *lanes,
                                  int max_connections, bool (*ready)(void *context), void *context,
                                  struct sonet_grpc_server **server, struct buf *error)
{
        struct grpc_address where;
        if (!grpc_address_read(str_of(address), &where)) {
                buf_printf(error, "%s is not of the form host:port", address);
                return SN_INVALID_ARGUMENT;
        }
        struct sonet_grpc_server *s = calloc(1, sizeof(*s));
        if (s == NULL || !list_served(s)) {
                buf_append_c(error, "out of memory");
                free(s);
                return SN_UNAVAILABLE;
        }
        s->lanes = lanes;
        s->context = (struct grpc_request_context){ready, context, tls != NULL && tls->ca_pem != NULL};
        sn_status status = listen_on(s, &where, tls, max_connections, error);
        if (status != SN_OK) {
                sonet_grpc_server_stop(s, 0);
                return status;
        }
        *server = s;
        return SN_OK;
}

int sonet_grpc_server_port(const struct sonet_grpc_server *server)
{
        return http_server_port(server->http);
}

/* After the grace period clients are gone, but handlers still end by themselves: they have deadlines, and nothing
 * may be freed under them. */
void sonet_grpc_server_stop(struct sonet_grpc_server *s, int grace_ms)
{
        if (s == NULL) {
                return;
        }
        spool_listen_no_more(s->http);
        http_server_stop(s->http, grace_ms);
        while (atomic_load(&s->running) > 0) {
                clock_sleep_ms(STOP_LOOK_MS);
        }
        free(s->served);
        free(s);
}
