/* Owns starting and stopping the gateway, and its work on the I/O threads: routing, early rejection, handing over to
 * workers. */
#include "gateway/gateway.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/spool.h"
#include "gateway/answer_headers.h"
#include "gateway/body.h"
#include "gateway/cors.h"
#include "gateway/document.h"
#include "gateway/exchange.h"
#include "gateway/files.h"
#include "gateway/kept.h"
#include "gateway/pages.h"
#include "gateway/problem.h"
#include "gateway/upload.h"
#include "gateway/stream.h"
#include "json/json.h"
#include "rpc/inline.h"
#include "rpc/lanes.h"

#define REQUEST_ARENA_BYTES (16 << 20)
#define PAGE_DEADLINE_MS    10000
#define IO_THREADS_MAX      16
#define EXPOSED_BYTES       8192
#define EXPOSED             "ETag, Link, RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate, X-Request-Id"

static const struct web_file NO_FILES[] = {{0}};

static size_t count_header(const struct http_request *r, const char *name)
{
        size_t n = 0;

        for (size_t i = 0; i < r->n_headers; i++) {
                n += strcasecmp(r->headers[i].name, name) == 0;
        }
        return n;
}

/* With two IDs it is ambiguous which one other parties log, so a new one is generated. */
static const char *request_id(struct http_request *r)
{
        const char *given = count_header(r, "X-Request-Id") == 1 ? http_request_header(r, "X-Request-Id") : NULL;

        return rpc_request_id(r->arena, str_of(given));
}

static struct exchange *exchange_of(struct gateway *gateway, struct http_request *r)
{
        struct exchange *x = r->user;

        if (x == NULL) {
                x = ARENA_NEW(r->arena, struct exchange);
                x->gateway = gateway;
                x->request = r;
                x->request_id = request_id(r);
                r->user = x;
        }
        return x;
}

/* Fills in the response with the problem. Always returns false. */
static bool answer_early(struct exchange *x, const struct rpc_problem *problem, struct http_response *early)
{
        exchange_headers(x, early);
        exchange_refuse(x, problem, early);
        return false;
}

/* The same for errors in HTTP itself; code NULL: the status's default. */
static bool refuse_status(struct exchange *x, int status, const char *code, const char *detail,
                          struct http_response *early)
{
        exchange_headers(x, early);
        problem_write_http(status, code, detail, x->request_id, x->request->arena, early);
        return false;
}

/* The method given by X-HTTP-Method-Override, if the path has such a method and it may be sent that way; otherwise
 * POST. */
static bool is_overridden(struct exchange *x)
{
        const char *method = http_request_header(x->request, "X-HTTP-Method-Override");
        struct route_match match;

        if (method == NULL || strcmp(x->request->method, "POST") != 0 ||
            !router_match(x->gateway->router, x->request->arena, method, x->request->path, &match) ||
            match.route == NULL || match.route->method == NULL || !match.route->method->method_override) {
                return false;
        }
        x->match = match;
        return true;
}

static bool find_route(struct exchange *x, struct http_response *early)
{
        struct gateway *gateway = x->gateway;

        if (is_overridden(x)) {
                return true;
        }
        if (!router_match(gateway->router, x->request->arena, x->request->method, x->request->path, &x->match)) {
                return refuse_status(x, 400, "malformed_request", "the path contains an invalid percent-escape", early);
        }
        if (x->match.route != NULL) {
                return true;
        }
        if (x->match.allow == NULL) {
                return refuse_status(x, 404, "route_not_found",
                                     gateway->options.n_contracts > 0
                                         ? "no such route; /openapi.json lists all routes"
                                         : "this process serves only /healthz, /readyz and /metrics",
                                     early);
        }
        if (strcmp(x->request->method, "OPTIONS") == 0) {
                exchange_headers(x, early);
                cors_options(x->request, x->match.allow, early);
                if (x->match.at_path != NULL) {
                        answer_headers_declared(x->request->arena, gateway->options.settings,
                                                x->match.at_path->options_headers, early);
                }
                return false;
        }
        refuse_status(x, 405, "method_not_allowed", "this method is not allowed on this route; see the Allow header",
                      early);
        http_response_header(early, "Allow", x->match.allow);
        return false;
}

/* If one of these headers is repeated, other parties could use another copy than we do. */
static bool check_once(struct exchange *x, struct http_response *early)
{
        static const char *const once[] = {"Authorization", "Content-Type", "Idempotency-Key"};

        for (size_t i = 0; i < sizeof(once) / sizeof(once[0]); i++) {
                if (count_header(x->request, once[i]) > 1) {
                        return answer_early(x,
                                            &(struct rpc_problem){SN_INVALID_ARGUMENT, "malformed_request", once[i],
                                                                  "this header may appear only once", 0, NULL},
                                            early);
                }
        }
        return true;
}

/* Pages and files, and methods that take their fields from the query. */
static bool takes_nothing(const struct exchange *x)
{
        return x->match.route->method == NULL || !contract_takes_body(x->match.route->method);
}

static bool refuse_body(struct exchange *x, struct http_response *early)
{
        return refuse_status(x, 400, "malformed_request",
                             "this method reads its fields from the query string; the body must be empty or {}", early);
}

/* For a method without a body: rejects any other body before it is read. */
static bool check_nothing(struct exchange *x, size_t *max_body, struct http_response *early)
{
        const char *length = http_request_header(x->request, "Content-Length");
        int64_t bytes = 0;

        *max_body = BODY_NOTHING_MAX_BYTES;
        (void)str_to_i64(str_of(length), &bytes);
        return bytes <= BODY_NOTHING_MAX_BYTES || refuse_body(x, early);
}

static bool check_body(struct exchange *x, struct http_response *early)
{
        if (!body_is_json(x->request)) {
                return refuse_status(x, 415, "unsupported_media_type",
                                     "send the body as Content-Type: application/json", early);
        }
        if (body_is_encoded(x->request)) { /* RFC 9110, 15.5.16 */
                refuse_status(x, 415, "unsupported_media_type",
                              "compressed request bodies are not supported; send the body without Content-Encoding",
                              early);
                http_response_header(early, "Accept-Encoding", "identity");
                return false;
        }
        return true;
}

static bool check_serving(struct exchange *x, struct http_response *early)
{
        return gateway_is_serving(x->gateway) ||
               answer_early(x,
                            &(struct rpc_problem){SN_UNAVAILABLE, "starting", NULL,
                                                  "the server is starting up; try again in a second", 1, NULL},
                            early);
}

static bool on_headers(void *context, struct http_request *r, size_t *max_body, struct http_response *early)
{
        struct gateway *gateway = context;
        struct exchange *x = exchange_of(gateway, r);

        *max_body = (size_t)gateway->options.settings->max_body_bytes;
        if (!find_route(x, early) || !check_once(x, early)) {
                return false;
        }
        if (x->match.route->method != NULL && x->match.route->method->answers_file) {
                http_file_expect(r);
        }
        if (x->match.route->method != NULL && x->match.route->method->body != RPC_BODY_MESSAGE) {
                return check_serving(x, early) && upload_begin(x, max_body, early);
        }
        if (!r->has_body) {
                return true;
        }
        return takes_nothing(x) ? check_nothing(x, max_body, early) : check_body(x, early);
}

static void render_page(struct exchange *x, struct http_response *response)
{
        const struct gateway_page *page = x->match.route->page;

        exchange_headers(x, response);
        if (page->render(x->gateway, x->request, response)) {
                http_response_header(response, "Content-Type", page->content_type);
        }
}

/* On a worker. */
static void handle_request(struct work *work, bool expired)
{
        struct exchange *x = (struct exchange *)work;
        struct http_response response = {0};

        if (expired) {
                exchange_forget_attempt(x);
                answer_early(x,
                             &(struct rpc_problem){.status = SN_DEADLINE_EXCEEDED,
                                                   .detail = "the request waited too long; try again"},
                             &response);
                http_respond(x->request, &response);
        } else if (x->match.route->page != NULL) {
                render_page(x, &response);
                http_respond(x->request, &response);
        } else {
                exchange_run(x);
        }
}

bool gateway_is_serving(const struct gateway *gateway)
{
        return gateway->options.serving(gateway->options.context);
}

static bool submit_exchange(struct exchange *x, struct workers *lane, struct http_response *early)
{
        if (workers_submit(lane, &x->work)) {
                return true;
        }
        struct rpc_problem full = rpc_lanes_refusal(lane);

        exchange_forget_attempt(x);
        return answer_early(x, &full, early);
}

static bool on_request(void *context, struct http_request *r, struct http_response *early)
{
        struct gateway *gateway = context;
        struct exchange *x = r->user;
        const struct route *route = x->match.route;
        int64_t deadline_ms = route->method != NULL ? route->method->deadline_ms : PAGE_DEADLINE_MS;

        if (takes_nothing(x) && !body_is_nothing(r->body)) {
                return refuse_body(x, early);
        }
        if (x->upload != NULL && !upload_end(x, early)) {
                return false;
        }
        if (route->file != NULL) {
                exchange_headers(x, early);
                file_render(route->file, r, early);
                return false;
        }
        if (route->page != NULL && route->page->inline_) {
                render_page(x, early);
                return false;
        }
        if ((route->method != NULL || (route->page != NULL && route->page->streams)) && !gateway_is_serving(gateway)) {
                return answer_early(x,
                                    &(struct rpc_problem){SN_UNAVAILABLE, "starting", NULL,
                                                          "the server is starting up; try again in a second", 1, NULL},
                                    early);
        }
        x->work = (struct work){.run = handle_request, .deadline_us = clock_monotonic_us() + deadline_ms * 1000};
        /* All of HTTP/2 runs on one thread, and a connection may send a hundred requests at once, so workers share
         * them. */
        if (route->method != NULL && !r->http_2 && rpc_inline_is_worth(route->method)) {
                struct http_response answer;

                if (exchange_try(x, &answer)) {
                        *early = answer;
                        return false;
                }
        }
        return submit_exchange(x, rpc_lanes_of_request(gateway->options.lanes, route->method), early);
}

static void on_refusal(void *context, struct http_request *r, int status, const char *detail,
                       struct http_response *response)
{
        struct exchange *x = exchange_of(context, r);

        refuse_status(x, status, NULL, detail, response);
}

static struct gateway *gateway_new(const struct gateway_options *options, struct buf *error)
{
        struct gateway *gateway = calloc(1, sizeof(*gateway));

        if (gateway == NULL) {
                return NULL;
        }
        gateway->options = *options;
        gateway->service.name = "gateway";
        const struct gateway_page *pages = gateway_pages(options->n_contracts > 0);
        gateway->router = router_new(options->contracts, options->n_contracts, pages,
                                     options->n_contracts > 0 ? web_files : NO_FILES, error);
        gateway->document = document_new(options, pages);
        gateway->service.redis = options->redis;
        buf_init(&gateway->exposed, EXPOSED_BYTES);
        buf_append_c(&gateway->exposed, EXPOSED);
        answer_headers_list(options->contracts, options->n_contracts, &gateway->exposed);
        gateway->streams = stream_hub_new(gateway, error);
        gateway->kept = kept_new(options->n_contracts > 0 ? (size_t)options->settings->kept_response_bytes : 0);
        return gateway;
}

static int connections(const struct settings *s)
{
        int possible = http_share_descriptors(s->http_connections, s->grpc_connections, settings_descriptors(s)).http;

        if (possible < s->http_connections) {
                log_event(LOG_LEVEL_INFO, "the open-file limit allows fewer connections than HTTP_CONNECTIONS",
                          LOG_INT("sonet.http.connections", possible));
        }
        return possible;
}

static int io_threads(const struct settings *s)
{
        cpu_set_t allowed;
        int possible = sched_getaffinity(0, sizeof(allowed), &allowed) == 0 ? CPU_COUNT(&allowed) : 1;

        if (s->http_io_threads > 0) {
                return (int)s->http_io_threads;
        }
        return possible < IO_THREADS_MAX ? possible : IO_THREADS_MAX;
}

static void bodies_have_room(void *server)
{
        http_sinks_have_room(server);
}

sn_status gateway_start(const struct gateway_options *options, struct gateway **out, struct buf *error)
{
        struct gateway *gateway = gateway_new(options, error);
        struct http_options http = {
            .name = "http",
            .address = options->settings->http_address,
            .port = (int)options->settings->http_port,
            .io_threads = io_threads(options->settings),
            .max_connections = connections(options->settings),
            .max_streams = 100,
            .window_bytes = 65535,
            .max_header_bytes = 16384,
            .arena_bytes = REQUEST_ARENA_BYTES,
            .slow_client_ms = 10000,
            .idle_ms = (int)options->settings->http_idle_ms,
            .unread_bytes = options->settings->http_unread_bytes,
        };

        if (gateway == NULL || gateway->router == NULL || gateway->document == NULL || gateway->streams == NULL ||
            gateway->kept == NULL) {
                if (error->len == 0) {
                        buf_append_c(error, "cannot set up the gateway: out of memory");
                }
                gateway_free(gateway);
                return SN_INTERNAL;
        }
        if (options->n_contracts > 0) {
                json_keep_start();
        }
        sn_status status = http_server_start(
            &http, &(struct http_handlers){on_headers, on_request, on_refusal, gateway}, &gateway->server, error);
        if (status != SN_OK) {
                gateway_free(gateway);
                return status;
        }
        (void)spool_listen(bodies_have_room, gateway->server);
        stream_hub_serve(gateway->streams, gateway->server);
        *out = gateway;
        return SN_OK;
}

int gateway_port(const struct gateway *gateway)
{
        return http_server_port(gateway->server);
}

void gateway_stop(struct gateway *gateway, int grace_ms)
{
        if (gateway == NULL) {
                return;
        }
        stream_hub_stop(gateway->streams);
        spool_listen_no_more(gateway->server);
        http_server_stop(gateway->server, grace_ms);
        gateway->server = NULL;
}

void gateway_free(struct gateway *gateway)
{
        if (gateway == NULL) {
                return;
        }
        kept_free(gateway->kept);
        stream_hub_free(gateway->streams);
        router_free(gateway->router);
        document_free(gateway->document);
        buf_free(&gateway->exposed);
        free(gateway);
}
