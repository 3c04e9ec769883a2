/* The gRPC client: blocking unary calls. Each call borrows a completion queue of the process's pool and waits on it
 * itself, so no thread is needed for answers. */
#include "rpc/grpc_common.h"

#include <grpc/support/alloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "rpc/dispatch.h"

enum {
        MAX_IDLE_QUEUES = 64,
        MAX_METADATA = 8,
        RETURN_US = 60000, /* how long a call waits for one attempt to connect to who was away */
};

struct sonet_grpc_channel {
        grpc_channel *channel;
        atomic_bool away; /* the last call did not reach the callee */
};

/* ---- Completion queues: dear to make, so kept while any channel is open ---- */

static pthread_mutex_t queues_lock = PTHREAD_MUTEX_INITIALIZER;
static grpc_completion_queue *idle_queues[MAX_IDLE_QUEUES];
static int n_idle_queues;
static int n_channels;

static grpc_completion_queue *take_queue(void)
{
        pthread_mutex_lock(&queues_lock);
        grpc_completion_queue *queue = n_idle_queues > 0 ? idle_queues[--n_idle_queues] : NULL;
        pthread_mutex_unlock(&queues_lock);
        return queue != NULL ? queue : grpc_completion_queue_create_for_pluck(NULL);
}

static void destroy_queue(grpc_completion_queue *queue)
{
        grpc_completion_queue_shutdown(queue);
        while (grpc_completion_queue_pluck(queue, NULL, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL).type !=
               GRPC_QUEUE_SHUTDOWN) {
        }
        grpc_completion_queue_destroy(queue);
}

static void give_queue(grpc_completion_queue *queue)
{
        pthread_mutex_lock(&queues_lock);
        bool kept = n_idle_queues < MAX_IDLE_QUEUES;
        if (kept) {
                idle_queues[n_idle_queues++] = queue;
        }
        pthread_mutex_unlock(&queues_lock);
        if (!kept) {
                destroy_queue(queue);
        }
}

static void count_channels(int change)
{
        pthread_mutex_lock(&queues_lock);
        n_channels += change;
        while (n_channels == 0 && n_idle_queues > 0) {
                destroy_queue(idle_queues[--n_idle_queues]);
        }
        pthread_mutex_unlock(&queues_lock);
}

/* ---- Channels ---- */

/* Cuts the scheme; false when there is none of ours. */
static bool parse_url(const char *url, bool *secure, const char **host_and_port)
{
        static const char clear[] = "grpc://", encrypted[] = "grpcs://";
        *secure = strncmp(url, encrypted, sizeof(encrypted) - 1) == 0;
        if (!*secure && strncmp(url, clear, sizeof(clear) - 1) != 0) {
                return false;
        }
        *host_and_port = url + (*secure ? sizeof(encrypted) : sizeof(clear)) - 1;
        const char *colon = strrchr(*host_and_port, ':');
        int64_t port;
        return colon != NULL && colon != *host_and_port && str_to_i64(str_of(colon + 1), &port) && port > 0 &&
               port < 65536 && strpbrk(*host_and_port, "/?#@, ") == NULL;
}

static grpc_channel_credentials *make_credentials(bool secure, const struct grpc_tls *tls)
{
        if (!secure) {
                return grpc_insecure_credentials_create();
        }
        bool has_certificate = tls != NULL && tls->certificate_pem != NULL && tls->key_pem != NULL;
        grpc_ssl_pem_key_cert_pair pair = {0};
        if (has_certificate) {
                pair = (grpc_ssl_pem_key_cert_pair){tls->key_pem, tls->certificate_pem};
        }
        return grpc_ssl_credentials_create_ex(tls != NULL ? tls->ca_pem : NULL, has_certificate ? &pair : NULL, NULL,
                                              NULL);
}

/* A numeric address goes past the resolver, which would start threads of its own. */
static grpc_channel *make_channel(const char *host_and_port, grpc_channel_credentials *credentials)
{
        struct sonet_grpc_args args;
        sonet_grpc_args_common(&args);
        sonet_grpc_args_int(&args, GRPC_ARG_ENABLE_RETRIES,
                            0); /* we know which calls may be sent twice, the library does not */
        sonet_grpc_args_int(&args, GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
        sonet_grpc_args_int(&args, GRPC_ARG_ENABLE_HTTP_PROXY, 0);
        sonet_grpc_args_int(&args, GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
        sonet_grpc_args_int(&args, GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 2000); /* how long one attempt may take */
        sonet_grpc_args_int(&args, GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 250);
        sonet_grpc_args_int(&args, GRPC_ARG_DNS_MIN_TIME_BETWEEN_RESOLUTIONS_MS, 100);
        /* A process that hangs keeps its connections: after these two, calls to it fail at once instead of waiting. */
        sonet_grpc_args_int(&args, GRPC_ARG_KEEPALIVE_TIME_MS, 5000);
        sonet_grpc_args_int(&args, GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 5000);
        bool v6 = host_and_port[0] == '[';
        bool v4 = !v6 && strspn(host_and_port, "0123456789.:") == strlen(host_and_port);
        struct buf target;
        buf_init(&target, 512);
        buf_printf(&target, "%s%s", v6 ? "ipv6:" : v4 ? "ipv4:" : "dns:///", host_and_port);
        grpc_channel_args list = {args.n, args.list};
        grpc_channel *channel = target.overflow ? NULL : grpc_channel_create(target.data, credentials, &list);
        buf_free(&target);
        return channel;
}

/* Between calls nobody listens to a client's sockets but the library's backup poller, every 5 s: so long would a
 * connection that is being made wait for its first frame, and a broken one to be noticed. The library takes this from
 * the environment only, when it starts. */
static void poll_between_calls(void)
{
        setenv("GRPC_CLIENT_CHANNEL_BACKUP_POLL_INTERVAL_MS", "50", 0);
}

sn_status sonet_grpc_channel_open(const char *url, const struct grpc_tls *tls, struct sonet_grpc_channel **channel,
                                  struct buf *error)
{
        bool secure;
        const char *host_and_port;
        if (!parse_url(url, &secure, &host_and_port)) {
                buf_printf(error, "%s is not of the form grpc://host:port or grpcs://host:port", url);
                return SN_INVALID_ARGUMENT;
        }
        if (!secure && !sonet_grpc_is_loopback(host_and_port)) {
                buf_printf(error, "%s would go in clear beyond this machine: use grpcs://", url);
                return SN_FAILED_PRECONDITION;
        }
        struct sonet_grpc_channel *opened = calloc(1, sizeof(*opened));
        if (opened == NULL) {
                buf_append_c(error, "out of memory");
                return SN_UNAVAILABLE;
        }
        sigset_t before;
        sonet_grpc_block_signals(&before);
        poll_between_calls();
        sonet_grpc_acquire();
        count_channels(1);
        grpc_channel_credentials *credentials = make_credentials(secure, tls);
        opened->channel = credentials != NULL ? make_channel(host_and_port, credentials) : NULL;
        grpc_channel_credentials_release(credentials);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        if (opened->channel == NULL) {
                buf_printf(error, "no channel to %s: its certificates are not usable", url);
                sonet_grpc_channel_close(opened);
                return SN_FAILED_PRECONDITION;
        }
        *channel = opened;
        return SN_OK;
}

void sonet_grpc_channel_close(struct sonet_grpc_channel *channel)
{
        if (channel == NULL) {
                return;
        }
        if (channel->channel != NULL) {
                grpc_channel_destroy(channel->channel);
        }
        free(channel);
        count_channels(-1);
        sonet_grpc_release();
}

/* ---- One call ---- */

struct exchange {
        grpc_metadata sent[MAX_METADATA];
        size_t n_sent;
        grpc_byte_buffer *request, *reply;
        grpc_metadata_array initial, trailing;
        grpc_status_code status;
        grpc_slice details;
};

/* Values are copied: the library may still hold them when the call is given up. A value that HTTP/2 cannot carry is
 * left out. */
static void add_metadata(struct exchange *x, const char *key, const char *value)
{
        if (value == NULL || value[0] == '\0') {
                return;
        }
        grpc_metadata *md = &x->sent[x->n_sent];
        md->key = grpc_slice_from_static_string(key);
        md->value = grpc_slice_from_copied_string(value);
        if (!grpc_is_binary_header(md->key) && !grpc_header_nonbin_value_is_legal(md->value)) {
                grpc_slice_unref(md->value);
                return;
        }
        x->n_sent++;
}

static const char *traceparent_of(const struct rpc_call *c)
{
        uint64_t span;
        random_bytes(&span, sizeof(span));
        return arena_printf(c->arena, "00-%s-%016llx-01", c->trace_id, (unsigned long long)(span | 1));
}

static void begin_exchange(struct exchange *x, const struct rpc_call *c, const char *service_token,
                           const ProtobufCMessage *in)
{
        *x = (struct exchange){.details = grpc_empty_slice()};
        grpc_metadata_array_init(&x->initial);
        grpc_metadata_array_init(&x->trailing);
        if (c->bearer[0] != '\0') {
                add_metadata(x, MD_AUTHORIZATION, arena_printf(c->arena, "Bearer %s", c->bearer));
        }
        add_metadata(x, MD_SERVICE, service_token);
        if (c->trace_id != NULL) {
                add_metadata(x, MD_TRACEPARENT, traceparent_of(c));
        }
        add_metadata(x, MD_REQUEST_ID, c->request_id);
        add_metadata(x, MD_IDEMPOTENCY_KEY, c->idempotency_key);
        add_metadata(x, MD_CLIENT_ADDRESS, c->client_address);
        add_metadata(x, MD_CLIENT_AGENT, c->user_agent);
        grpc_slice packed = sonet_grpc_pack(in);
        x->request = grpc_raw_byte_buffer_create(&packed, 1);
        grpc_slice_unref(packed);
}

static void end_exchange(struct exchange *x)
{
        for (size_t i = 0; i < x->n_sent; i++) {
                grpc_slice_unref(x->sent[i].value);
        }
        grpc_byte_buffer_destroy(x->request);
        if (x->reply != NULL) {
                grpc_byte_buffer_destroy(x->reply);
        }
        grpc_metadata_array_destroy(&x->initial);
        grpc_metadata_array_destroy(&x->trailing);
        grpc_slice_unref(x->details);
}

static size_t fill_batch(struct exchange *x, grpc_op ops[6])
{
        ops[0] = (grpc_op){.op = GRPC_OP_SEND_INITIAL_METADATA};
        ops[0].data.send_initial_metadata.count = x->n_sent;
        ops[0].data.send_initial_metadata.metadata = x->sent;
        ops[1] = (grpc_op){.op = GRPC_OP_SEND_MESSAGE};
        ops[1].data.send_message.send_message = x->request;
        ops[2] = (grpc_op){.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT};
        ops[3] = (grpc_op){.op = GRPC_OP_RECV_INITIAL_METADATA};
        ops[3].data.recv_initial_metadata.recv_initial_metadata = &x->initial;
        ops[4] = (grpc_op){.op = GRPC_OP_RECV_MESSAGE};
        ops[4].data.recv_message.recv_message = &x->reply;
        ops[5] = (grpc_op){.op = GRPC_OP_RECV_STATUS_ON_CLIENT};
        ops[5].data.recv_status_on_client.trailing_metadata = &x->trailing;
        ops[5].data.recv_status_on_client.status = &x->status;
        ops[5].data.recv_status_on_client.status_details = &x->details;
        return 6;
}

/* ---- The answer ---- */

static sn_status take_reply(struct rpc_call *c, const struct rpc_method *m, struct exchange *x, ProtobufCMessage *out)
{
        grpc_slice bytes;
        if (x->reply == NULL || !sonet_grpc_bytes(x->reply, &bytes)) {
                return rpc_fail(c, SN_INTERNAL, NULL, "the %s service gave an answer that cannot be read",
                                m->service->name);
        }
        struct str view = sonet_grpc_view(&bytes);
        ProtobufCMessage *unpacked;
        sn_status status = rpc_unpack(c, m->out, (const uint8_t *)view.ptr, view.len, &unpacked);
        grpc_slice_unref(bytes);
        if (status != SN_OK) { /* the callee's fault, not that of whoever asked us */
                log_event(LOG_LEVEL_ERROR, "a reply over gRPC breaks its contract",
                          LOG_STR("event.action", m->full_name), LOG_STR("sonet.field", c->problem.field));
                return rpc_fail(c, SN_INTERNAL, NULL, "the %s service gave an answer that cannot be read",
                                m->service->name);
        }
        memcpy(out, unpacked, m->out->sizeof_message); /* its parts live in the arena */
        return SN_OK;
}

static const grpc_metadata *find_trailer(const grpc_metadata_array *trailing, const char *key)
{
        for (size_t i = 0; i < trailing->count; i++) {
                if (str_equal_c(sonet_grpc_view(&trailing->metadata[i].key), key)) {
                        return &trailing->metadata[i];
                }
        }
        return NULL;
}

/* With a trailer the callee tells what went wrong; without one the library does, in words that are not for clients. */
static sn_status take_problem(struct rpc_call *c, const struct rpc_method *m, const struct exchange *x)
{
        sn_status status =
            x->status > GRPC_STATUS_OK && x->status <= GRPC_STATUS_UNAUTHENTICATED ? (sn_status)x->status : SN_UNKNOWN;
        const grpc_metadata *trailer = find_trailer(&x->trailing, MD_PROBLEM);
        if (trailer == NULL && status == SN_CANCELLED) { /* we never cancel: a server that shuts down does */
                status = SN_UNAVAILABLE;
        }
        struct rpc_problem problem = {.status = status};
        if (trailer != NULL) {
                sonet_grpc_problem_unpack(c, sonet_grpc_view(&trailer->value), &problem);
        } else if (log_enabled(LOG_LEVEL_DEBUG)) {
                struct str details = sonet_grpc_view(&x->details);
                log_event(LOG_LEVEL_DEBUG, "grpc call failed", LOG_STR("event.action", m->full_name),
                          LOG_STR("error.message", str_dup(c->arena, details)));
        }
        if (problem.detail != NULL) {
                c->problem = problem;
                return status;
        }
        if (status == SN_UNAVAILABLE) {
                return rpc_fail(c, status, NULL, "the %s service cannot be reached; try again shortly",
                                m->service->name);
        }
        c->problem = problem;
        rpc_problem_complete(c, status);
        return status;
}

static gpr_timespec after_us(int64_t us)
{
        return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_micros(us, GPR_TIMESPAN));
}

/* *reached: the answer is the callee's own, not the library's for want of one. */
static sn_status call_once(struct sonet_grpc_channel *channel, struct rpc_call *c, const struct rpc_method *m,
                           const char *service_token, const ProtobufCMessage *in, ProtobufCMessage *out, bool *reached)
{
        grpc_completion_queue *queue = take_queue();
        grpc_call *call = grpc_channel_create_call(channel->channel, NULL, GRPC_PROPAGATE_DEFAULTS, queue,
                                                   grpc_slice_from_static_string(m->full_name), NULL,
                                                   after_us(c->deadline_us - clock_monotonic_us()), NULL);
        struct exchange x;
        grpc_op ops[6];
        begin_exchange(&x, c, service_token, in);
        grpc_call_error error = grpc_call_start_batch(call, ops, fill_batch(&x, ops), &x, NULL);
        sn_status status;
        if (error == GRPC_CALL_OK) {
                (void)grpc_completion_queue_pluck(queue, &x, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
                status = x.status == GRPC_STATUS_OK ? take_reply(c, m, &x, out) : take_problem(c, m, &x);
                *reached = x.status == GRPC_STATUS_OK || find_trailer(&x.trailing, MD_PROBLEM) != NULL;
        } else {
                *reached = false;
                log_event(LOG_LEVEL_ERROR, "grpc refused a call",
                          LOG_STR("error.message", grpc_call_error_to_string(error)));
                status = rpc_fail(c, SN_INTERNAL, NULL, "the request could not be passed on");
        }
        end_exchange(&x);
        grpc_call_unref(call);
        give_queue(queue);
        return status;
}

/* Between two attempts to connect, which are up to 250 ms apart, the library refuses all calls. Whoever has just come
 * back is found by one more attempt, now. */
static void connect_now(struct sonet_grpc_channel *channel, const struct rpc_call *c)
{
        int64_t left_us = c->deadline_us - clock_monotonic_us();
        gpr_timespec until = after_us(left_us < RETURN_US ? left_us : RETURN_US);
        grpc_completion_queue *queue = take_queue();
        grpc_connectivity_state state;
        bool in_time = true;
        grpc_channel_reset_connect_backoff(channel->channel);
        while (in_time && (state = grpc_channel_check_connectivity_state(channel->channel, 1)) != GRPC_CHANNEL_READY) {
                grpc_channel_watch_connectivity_state(channel->channel, state, until, queue, channel);
                in_time =
                    grpc_completion_queue_pluck(queue, channel, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL).success != 0;
        }
        give_queue(queue);
}

/* A read may be sent twice. That hides the restart of a service from those who only look. */
static bool is_read(const struct rpc_method *m)
{
        return m->access == RPC_INTERNAL || (m->http_verb != NULL && strcmp(m->http_verb, "GET") == 0);
}

sn_status sonet_grpc_channel_call(struct sonet_grpc_channel *channel, struct rpc_call *c, const struct rpc_method *m,
                                  const char *service_token, const ProtobufCMessage *in, ProtobufCMessage *out)
{
        if (protobuf_c_message_get_packed_size(in) > SONET_GRPC_MESSAGE_BYTES) {
                return rpc_fail_code(c, SN_RESOURCE_EXHAUSTED, "too_large", NULL, "the request is too large");
        }
        bool reached, was_away = atomic_load_explicit(&channel->away, memory_order_relaxed);
        if (was_away) {
                connect_now(channel, c); /* nothing is sent yet: good for writes too */
        }
        sn_status status = call_once(channel, c, m, service_token, in, out, &reached);
        if (status == SN_UNAVAILABLE && !reached && !was_away && is_read(m) && !rpc_call_expired(c)) {
                connect_now(channel, c);
                status = call_once(channel, c, m, service_token, in, out, &reached);
        }
        if (reached == was_away) {
                atomic_store_explicit(&channel->away, !reached, memory_order_relaxed);
        }
        return status;
}
