/* The gRPC server: one thread takes requests from the library's queue and hands each to the lane of its method; it
 * never waits for anything else. The answer is sent by the worker, and the end of a call is told on whatever thread
 * sees it: mostly that worker, so that nobody is woken for it. For each method one place waits for the next call at any
 * time, so the library has read the message when a request arrives. */
#include "rpc/grpc_request.h"

#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/ticker.h"
#include "rpc/health.h"

enum { SERVER_MEMORY_BYTES = 128 * 1024 * 1024 };

struct sonet_grpc_server {
        grpc_server *server;
        grpc_completion_queue *queue; /* requests */
        grpc_completion_queue *ends;  /* of calls: runs grpc_request.ended */
        int port;
        pthread_t thread;
        bool started; /* the thread runs */
        const struct rpc_lanes *lanes;
        struct grpc_request_context context;
        struct served *served;
        size_t n_served;
        pthread_mutex_t lock;
        pthread_cond_t change;
        int in_flight;  /* requests that arrived and have not ended */
        bool shut_down; /* the library has ended all connections */
};

/* ---- Requests ---- */

static void run_request(struct work *work, bool expired)
{
        struct grpc_request *r = (struct grpc_request *)work;
        grpc_request_serve(r, &r->server->context, expired);
}

static void count_in_flight(struct sonet_grpc_server *s, int change)
{
        pthread_mutex_lock(&s->lock);
        s->in_flight += change;
        if (s->in_flight == 0) {
                pthread_cond_broadcast(&s->change);
        }
        pthread_mutex_unlock(&s->lock);
}

/* Also on threads of the library: must not wait. */
static void end_request(grpc_completion_queue_functor *ended, int success)
{
        struct grpc_request *r = (struct grpc_request *)((char *)ended - offsetof(struct grpc_request, ended));
        struct sonet_grpc_server *s = r->server;
        grpc_request_free(r);
        count_in_flight(s, -1);
}

/* Opens a place for the next call of this kind. */
static bool await_call(struct sonet_grpc_server *s, const struct served *served)
{
        struct grpc_request *r = grpc_request_new(s, served);
        if (r == NULL) {
                return false;
        }
        r->ended.functor_run = end_request;
        r->ended.inlineable = true;
        grpc_call_error error =
            served->kind == SERVED_UNKNOWN
                ? grpc_server_request_call(s->server, &r->call, &r->details, &r->metadata, s->ends, s->queue, r)
                : grpc_server_request_registered_call(s->server, served->handle, &r->call, &r->deadline, &r->metadata,
                                                      &r->payload, s->ends, s->queue, r);
        if (error != GRPC_CALL_OK) {
                grpc_request_free(r);
        }
        return error == GRPC_CALL_OK;
}

static void accept_request(struct sonet_grpc_server *s, struct grpc_request *r)
{
        static const struct rpc_problem unknown = {
            .status = SN_UNIMPLEMENTED, .code = "method_unknown", .detail = "there is no such method"};
        static const struct rpc_problem full = {.status = SN_RESOURCE_EXHAUSTED,
                                                .code = "queue_full",
                                                .detail = "too many requests wait; try again",
                                                .retry_after_s = 1};
        const struct served *served = r->served;
        count_in_flight(s, 1);
        if (!await_call(s, served)) {
                log_event(LOG_LEVEL_ERROR, "grpc cannot take more calls of a method");
        }
        if (served->kind == SERVED_UNKNOWN) {
                grpc_request_refuse(r, &unknown);
                return;
        }
        enum rpc_lane lane = served->method != NULL ? served->method->lane : RPC_LANE_GENERAL;
        r->work.run = run_request;
        r->work.deadline_us = grpc_request_deadline_us(r);
        if (!workers_submit(s->lanes->lane[lane], &r->work)) {
                grpc_request_refuse(r, &full);
        }
}

static void take_event(struct sonet_grpc_server *s, struct grpc_request *r, bool success)
{
        if (success) {
                accept_request(s, r);
        } else { /* the server shuts down: nobody will come to this place */
                grpc_request_free(r);
        }
}

static void *server_main(void *arg)
{
        struct sonet_grpc_server *s = arg;
        pthread_setname_np(pthread_self(), "grpc-server");
        for (;;) {
                grpc_event event = grpc_completion_queue_next(s->queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
                if (event.type == GRPC_QUEUE_SHUTDOWN) {
                        return NULL;
                }
                if (event.type != GRPC_OP_COMPLETE) {
                        continue;
                }
                if (event.tag != s) {
                        take_event(s, event.tag, event.success);
                        continue;
                }
                pthread_mutex_lock(&s->lock);
                s->shut_down = true;
                pthread_cond_broadcast(&s->change);
                pthread_mutex_unlock(&s->lock);
        }
}

/* ---- Start ---- */

static grpc_server_credentials *make_credentials(const char *address, const struct grpc_tls *tls, struct buf *error)
{
        if (tls != NULL && tls->certificate_pem != NULL && tls->key_pem != NULL) {
                grpc_ssl_pem_key_cert_pair pair = {tls->key_pem, tls->certificate_pem};
                /* Members need no certificate: one that is shown must be of our CA, and names the calling service. */
                return grpc_ssl_server_credentials_create_ex(tls->ca_pem, &pair, 1,
                                                             tls->ca_pem != NULL
                                                                 ? GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY
                                                                 : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE,
                                                             NULL);
        }
        if (!sonet_grpc_is_loopback(address)) {
                buf_printf(error, "gRPC on %s needs a certificate: in clear it is served on loopback addresses only",
                           address);
                return NULL;
        }
        return grpc_insecure_server_credentials_create();
}

static grpc_server *make_server(void)
{
        struct sonet_grpc_args args;
        sonet_grpc_args_common(&args);
        sonet_grpc_args_int(&args, GRPC_ARG_ALLOW_REUSEPORT, 0); /* a port that is taken must be an error */
        sonet_grpc_args_int(&args, GRPC_ARG_MAX_CONCURRENT_STREAMS, 256);
        sonet_grpc_args_int(&args, GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, 10000);
        sonet_grpc_args_int(&args, GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 2500);
        sonet_grpc_args_int(&args, GRPC_ARG_KEEPALIVE_TIME_MS, 60000);
        sonet_grpc_args_int(&args, GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20000);
        sonet_grpc_args_int(&args, GRPC_ARG_ENABLE_DEADLINE_CHECKS,
                            0); /* the lanes and dispatch do that, without a timer a call */
        grpc_resource_quota *quota = grpc_resource_quota_create("sonet");
        grpc_resource_quota_resize(quota, SERVER_MEMORY_BYTES);
        args.list[args.n++] = (grpc_arg){.type = GRPC_ARG_POINTER,
                                         .key = (char *)GRPC_ARG_RESOURCE_QUOTA,
                                         .value.pointer = {quota, grpc_resource_quota_arg_vtable()}};
        grpc_channel_args list = {args.n, args.list};
        grpc_server *server = grpc_server_create(&list, NULL);
        grpc_resource_quota_unref(quota);
        return server;
}

static void add_served(struct sonet_grpc_server *s, enum served_kind kind, struct service *service,
                       const struct rpc_method *m)
{
        const char *path = m != NULL ? m->full_name : HEALTH_CHECK_METHOD;
        void *handle =
            kind == SERVED_UNKNOWN
                ? NULL
                : grpc_server_register_method(s->server, path, NULL, GRPC_SRM_PAYLOAD_READ_INITIAL_BYTE_BUFFER, 0);
        s->served[s->n_served++] = (struct served){.kind = kind, .method = m, .service = service, .handle = handle};
}

/* All methods of the local services, the health check, and one for whatever else is asked for. */
static bool list_served(struct sonet_grpc_server *s)
{
        const struct rpc_service *const *contracts;
        size_t n_contracts = contract_services(&contracts), n = 2;
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
                        add_served(s, SERVED_METHOD, local, &contracts[i]->methods[k]);
                }
        }
        add_served(s, SERVED_HEALTH, NULL, NULL);
        add_served(s, SERVED_UNKNOWN, NULL, NULL);
        return true;
}

static bool listen_on(struct sonet_grpc_server *s, const char *address, const struct grpc_tls *tls, struct buf *error)
{
        grpc_server_credentials *credentials = make_credentials(address, tls, error);
        if (credentials == NULL) {
                return false;
        }
        s->port = grpc_server_add_http2_port(s->server, address, credentials);
        grpc_server_credentials_release(credentials);
        if (s->port == 0) {
                buf_printf(
                    error,
                    "gRPC cannot listen on %s: the address is taken or unknown, or the certificate is not usable",
                    address);
        }
        return s->port != 0;
}

static bool start_thread(struct sonet_grpc_server *s)
{
        sigset_t before;
        sonet_grpc_block_signals(&before);
        s->started = pthread_create(&s->thread, NULL, server_main, s) == 0;
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        return s->started;
}

/* What the library does when the queue of ends is gone. */
static void do_nothing(grpc_completion_queue_functor *functor, int success)
{
}

static struct sonet_grpc_server *server_new(const struct rpc_lanes *lanes, const struct grpc_request_context *context)
{
        static grpc_completion_queue_functor nothing = {.functor_run = do_nothing};
        struct sonet_grpc_server *s = calloc(1, sizeof(*s));
        if (s == NULL) {
                return NULL;
        }
        s->lanes = lanes;
        s->context = *context;
        pthread_mutex_init(&s->lock, NULL);
        pthread_cond_init(&s->change, NULL);
        sigset_t before;
        sonet_grpc_block_signals(&before);
        sonet_grpc_acquire();
        s->server = make_server();
        s->queue = grpc_completion_queue_create_for_next(NULL);
        s->ends = grpc_completion_queue_create_for_callback(&nothing, NULL);
        grpc_server_register_completion_queue(s->server, s->queue, NULL);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        return s;
}

sn_status sonet_grpc_server_start(const char *address, const struct grpc_tls *tls, const struct rpc_lanes *lanes,
                                  bool (*ready)(void *context), void *context, struct sonet_grpc_server **server,
                                  struct buf *error)
{
        struct grpc_request_context own = {
            .ready = ready, .context = context, .trusts_certificates = tls != NULL && tls->ca_pem != NULL};
        struct sonet_grpc_server *s = server_new(lanes, &own);
        if (s == NULL || !list_served(s)) {
                buf_append_c(error, "out of memory");
                sonet_grpc_server_stop(s, 0);
                return SN_UNAVAILABLE;
        }
        if (!listen_on(s, address, tls, error)) {
                sonet_grpc_server_stop(s, 0);
                return SN_FAILED_PRECONDITION;
        }
        grpc_server_start(s->server);
        bool complete = start_thread(s);
        for (size_t i = 0; complete && i < s->n_served; i++) {
                complete = await_call(s, &s->served[i]);
        }
        if (!complete) {
                buf_append_c(error, "the gRPC server could not be started");
                sonet_grpc_server_stop(s, 0);
                return SN_UNAVAILABLE;
        }
        *server = s;
        return SN_OK;
}

int sonet_grpc_server_port(const struct sonet_grpc_server *server)
{
        return server->port;
}

/* ---- Stop ---- */

static bool is_idle(const struct sonet_grpc_server *s)
{
        return s->shut_down && s->in_flight == 0;
}

/* Waits for what runs; past the grace clients are told that their calls are cancelled, but handlers still end by
 * themselves: they have deadlines, and nothing may be torn away under them. */
static void drain(struct sonet_grpc_server *s, int grace_ms)
{
        int64_t until_us = clock_monotonic_us() + (int64_t)grace_ms * 1000;
        pthread_mutex_lock(&s->lock);
        while (!is_idle(s) && cond_wait_until(&s->change, &s->lock, until_us)) {
        }
        if (!is_idle(s)) {
                pthread_mutex_unlock(&s->lock);
                grpc_server_cancel_all_calls(s->server);
                pthread_mutex_lock(&s->lock);
        }
        while (!is_idle(s)) {
                pthread_cond_wait(&s->change, &s->lock);
        }
        pthread_mutex_unlock(&s->lock);
}

void sonet_grpc_server_stop(struct sonet_grpc_server *s, int grace_ms)
{
        if (s == NULL) {
                return;
        }
        bool thread = s->started || start_thread(s);
        grpc_server_shutdown_and_notify(s->server, s->queue, s);
        if (thread) {
                drain(s, grace_ms);
        }
        grpc_completion_queue_shutdown(s->queue);
        if (thread) {
                pthread_join(s->thread, NULL);
        }
        grpc_server_destroy(s->server);
        grpc_completion_queue_destroy(s->queue);
        grpc_completion_queue_shutdown(s->ends);
        grpc_completion_queue_destroy(s->ends);
        pthread_cond_destroy(&s->change);
        pthread_mutex_destroy(&s->lock);
        free(s->served);
        free(s);
        sonet_grpc_release();
}
