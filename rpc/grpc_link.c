/* A connection of the gRPC client: an nghttp2 session on a non-blocking socket, and its calls. When it ends, so do
 * its calls, each with what is known about it. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rpc/grpc_client.h"
#include "rpc/grpc_relay.h"

enum {
        READ_BYTES = 64 << 10,
        SEND_BYTES = 64 << 10,
        FRAME_BYTES = 17 << 10,
        CONNECTION_WINDOW_BYTES = 4 << 20,
        LOOK_US = 250000, /* interval for checking that the callee is alive */
};

/* ---- Callbacks of the session ---- */

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_len,
                     const uint8_t *value, size_t value_len, uint8_t flags, void *user)
{
        struct grpc_call *call = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
        struct str field = {(const char *)name, name_len}, text = {(const char *)value, value_len};
        struct str *place = call == NULL                     ? NULL
                            : str_equal_c(field, MD_STATUS)  ? &call->status
                            : str_equal_c(field, MD_MESSAGE) ? &call->message
                            : str_equal_c(field, MD_PROBLEM) ? &call->problem
                            : str_equal_c(field, MD_STAMPS)  ? &call->stamps
                                                             : NULL;
        if (place != NULL) {
                *place = (struct str){str_dup(call->arena, text), text.len};
        }
        return 0;
}

static int on_data_chunk(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes, size_t len,
                         void *user)
{
        struct grpc_call *call = nghttp2_session_get_stream_user_data(session, id);
        (void)nghttp2_session_consume_connection(session, len); /* a slow reader does not hold up other responses */
        if (call == NULL) {
                return 0;
        }
        if (call->relay != NULL) {
                grpc_relay_data(call->relay, bytes, len);
                return 0;
        }
        (void)nghttp2_session_consume_stream(session, id, len);
        buf_append(&call->reply, bytes, len);
        if (call->reply.overflow) {
                grpc_link_cancel(call);
                grpc_channel_end_call(call, GRPC_END_TOO_LARGE);
        }
        return 0;
}

static int on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
        struct grpc_link *link = user;
        bool ack = (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0;
        if (frame->hd.type == NGHTTP2_SETTINGS && !ack && link->state == GRPC_GREETING) {
                link->state = GRPC_READY;
                link->heard_us = grpc_loop_now_us(link->channel->loop);
                grpc_loop_set(link->channel->loop, &link->timer, link->heard_us + GRPC_IDLE_LOOK_US);
                grpc_channel_link_ready(link);
        } else if (frame->hd.type == NGHTTP2_GOAWAY) {
                link->state = GRPC_DRAINING;
                if (link->channel->ready == link) {
                        link->channel->ready = NULL;
                }
        }
        return 0;
}

static int on_frame_send(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
        struct grpc_call *call = frame->hd.type == NGHTTP2_HEADERS
                                     ? nghttp2_session_get_stream_user_data(session, frame->hd.stream_id)
                                     : NULL;
        if (call != NULL) {
                call->written = true;
        }
        return 0;
}

/* Requests still queued when the callee sent GOAWAY, or that cannot be sent at all: they never became streams. */
static int on_frame_not_send(nghttp2_session *session, const nghttp2_frame *frame, int why, void *user)
{
        struct grpc_call *call = frame->hd.type == NGHTTP2_HEADERS ? ((struct grpc_link *)user)->calls : NULL;
        while (call != NULL && call->stream_id != frame->hd.stream_id) {
                call = call->next;
        }
        if (call != NULL) {
                nghttp2_session_set_stream_user_data(session, call->stream_id, NULL);
                grpc_channel_end_call(call, GRPC_END_UNREACHED);
        }
        return 0;
}

/* A stream after the last one that a GOAWAY names also counts as refused. */
static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t code, void *user)
{
        struct grpc_call *call = nghttp2_session_get_stream_user_data(session, id);
        if (call != NULL) {
                grpc_channel_end_call(call, call->status.ptr != NULL                           ? GRPC_END_ANSWERED
                                            : code == NGHTTP2_REFUSED_STREAM || !call->written ? GRPC_END_UNREACHED
                                                                                               : GRPC_END_LOST);
        }
        return 0;
}

/* The message, or the first one, and then the body. */
static ssize_t read_some(struct grpc_call *call, char *into, size_t size)
{
        size_t n = call->request.len - call->sent;
        if (n == 0) {
                return grpc_region_read(&call->body, into, size);
        }
        n = n < size ? n : size;
        memcpy(into, call->request.data + call->sent, n);
        call->sent += n;
        return (ssize_t)n;
}

static ssize_t read_request(nghttp2_session *session, int32_t id, uint8_t *into, size_t size, uint32_t *flags,
                            nghttp2_data_source *source, void *user)
{
        struct grpc_call *call = source->ptr;
        ssize_t n = read_some(call, (char *)into, size);
        if (n < 0) {
                return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
        }
        bool all = call->sent == call->request.len && call->body.left == 0;
        if (call->stall_us > 0) {
                call->deadline_us = grpc_loop_now_us(call->channel->loop) + (all ? call->answer_us : call->stall_us);
        }
        if (all) {
                /* Earlier than that of the last byte. */
                grpc_loop_set(call->channel->loop, &call->timer, call->deadline_us);
                *flags |= NGHTTP2_DATA_FLAG_EOF;
        }
        return n;
}

/* ---- Its session ---- */

static nghttp2_session_callbacks *callbacks;
static nghttp2_option *option;

static void make_once(void)
{
        if (nghttp2_session_callbacks_new(&callbacks) != 0 || nghttp2_option_new(&option) != 0) {
                abort();
        }
        nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data_chunk);
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame_recv);
        nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_send);
        nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, on_frame_not_send);
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
        nghttp2_option_set_no_closed_streams(option, 1);
        nghttp2_option_set_no_auto_window_update(option, 1);
}

static bool start_session(struct grpc_link *link)
{
        static pthread_once_t once = PTHREAD_ONCE_INIT;
        static const nghttp2_settings_entry settings[] = {
            {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
            {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, GRPC_LINK_WINDOW_BYTES},
            {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, GRPC_HEADER_BYTES},
        };
        pthread_once(&once, make_once);
        return nghttp2_session_client_new2(&link->session, callbacks, link, option) == 0 &&
               nghttp2_submit_settings(link->session, NGHTTP2_FLAG_NONE, settings,
                                       sizeof(settings) / sizeof(settings[0])) == 0 &&
               nghttp2_session_set_local_window_size(link->session, NGHTTP2_FLAG_NONE, 0, CONNECTION_WINDOW_BYTES) == 0;
}

/* ---- Bytes ---- */

static ssize_t send_bytes(struct grpc_link *link, const char *bytes, size_t len)
{
        if (link->tls != NULL) {
                return tls_send(link->tls, bytes, len);
        }
        ssize_t n = send(link->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
        return n >= 0 ? n : errno == EAGAIN || errno == EINTR ? 0 : -1;
}

static ssize_t receive_bytes(struct grpc_link *link, char *into, size_t size)
{
        if (link->tls != NULL) {
                return tls_receive(link->tls, into, size);
        }
        ssize_t n = recv(link->fd, into, size, MSG_DONTWAIT);
        return n > 0 ? n : n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

/* True once everything buffered is sent. */
static bool send_kept(struct grpc_link *link)
{
        if (link->out.len == 0) {
                return true;
        }
        ssize_t n = send_bytes(link, link->out.data + link->out_at, link->out.len - link->out_at);
        link->broken |= n < 0;
        link->out_at += n > 0 ? (size_t)n : 0;
        if (link->broken || link->out_at < link->out.len) {
                return false;
        }
        buf_free(&link->out);
        return true;
}

static bool gather_output(struct grpc_link *link, char *into, size_t *n)
{
        *n = 0;
        while (*n < SEND_BYTES) {
                const uint8_t *frame;
                ssize_t len = nghttp2_session_mem_send(link->session, &frame);
                link->broken |= len < 0;
                if (len <= 0) {
                        break;
                }
                memcpy(into + *n, frame, (size_t)len);
                *n += (size_t)len;
        }
        return *n > 0;
}

static void send_all(struct grpc_link *link)
{
        static char frames[SEND_BYTES + FRAME_BYTES]; /* of the only thread that sends */
        size_t len;
        link->to_flush = false;
        while (!link->broken && send_kept(link) && gather_output(link, frames, &len)) {
                ssize_t n = send_bytes(link, frames, len);
                link->broken |= n < 0;
                if (n >= 0 && (size_t)n < len) {
                        buf_init(&link->out, SEND_BYTES + FRAME_BYTES);
                        buf_append(&link->out, frames + n, len - (size_t)n);
                        link->out_at = 0;
                }
        }
}

/* A read that does not fill its buffer has emptied the socket; only the end of the connection may follow, which its
 * event says. */
static void receive_all(struct grpc_link *link, bool ended)
{
        static char bytes[READ_BYTES]; /* of the only thread that receives */
        ssize_t n = sizeof(bytes);
        while (!link->broken && (n == sizeof(bytes) || ended || link->tls != NULL) &&
               (n = receive_bytes(link, bytes, sizeof(bytes))) != 0) {
                if (n < 0 || nghttp2_session_mem_recv(link->session, (const uint8_t *)bytes, (size_t)n) < 0) {
                        link->broken = true;
                }
                link->heard_us = grpc_loop_now_us(link->channel->loop);
                link->asked_us = 0;
                link->to_flush = true;
                callee_bound_set_open(&link->channel->bound, false);
        }
}

/* ---- Liveness ---- */

/* Calls do not wait for a hung process: it may continue later, when they are no longer wanted. The connection stays
 * open, since the answer to the ping tells when the process is back. */
static void lose_calls(struct grpc_link *link)
{
        while (link->calls != NULL) {
                struct grpc_call *call = link->calls;
                grpc_link_cancel(call);
                grpc_channel_end_call(call, GRPC_END_LOST);
        }
}

/* Idle callees are pinged as well, with more patience, so that the next caller is not the one to find out. */
static void link_due(struct grpc_timer *timer, int64_t now_us)
{
        struct grpc_link *link = (struct grpc_link *)(void *)timer;
        bool idle = link->calls == NULL;
        if (link->state < GRPC_READY) {
                return; /* the channel watches it */
        }
        if (link->asked_us != 0 && now_us - link->asked_us >= (idle ? GRPC_IDLE_PING_US : GRPC_PING_US)) {
                callee_bound_set_open(&link->channel->bound, true);
                lose_calls(link);
        } else if (link->asked_us == 0 && now_us - link->heard_us >= (idle ? GRPC_IDLE_SILENCE_US : GRPC_SILENCE_US)) {
                link->asked_us = now_us;
                link->to_flush = nghttp2_submit_ping(link->session, NGHTTP2_FLAG_NONE, NULL) == 0;
        }
        grpc_loop_set(link->channel->loop, timer, now_us + (idle ? GRPC_IDLE_LOOK_US : LOOK_US));
}

/* ---- Calls ---- */

static void take_call(struct grpc_link *link, struct grpc_call *call)
{
        *call->at = call->next;
        if (call->next != NULL) {
                call->next->at = call->at;
        } else {
                call->channel->waiting_end = call->at;
        }
        call->link = link;
        call->next = link->calls;
        call->at = &link->calls;
        if (call->next != NULL) {
                call->next->at = &call->next;
        }
        link->calls = call;
}

void grpc_link_call(struct grpc_link *link, struct grpc_call *call)
{
        struct grpc_loop *loop = link->channel->loop;
        nghttp2_data_provider body = {.source.ptr = call, .read_callback = read_request};
        take_call(link, call);
        if (link->n_calls++ == 0) { /* it had no reason to send anything */
                link->heard_us = grpc_loop_now_us(loop);
                link->asked_us = 0;
                grpc_loop_set(loop, &link->timer, link->heard_us + LOOK_US);
        }
        link->to_flush = true;
        call->stream_id = nghttp2_submit_request(link->session, NULL, call->fields, call->n_fields, &body, call);
        if (call->stream_id < 0) { /* out of stream IDs or memory: the next call gets a new connection */
                link->state = GRPC_DRAINING;
                link->channel->ready = NULL;
                grpc_channel_end_call(call, GRPC_END_UNREACHED);
        }
}

void grpc_link_cancel(struct grpc_call *call)
{
        struct grpc_link *link = call->link;
        nghttp2_session_set_stream_user_data(link->session, call->stream_id, NULL);
        (void)nghttp2_submit_rst_stream(link->session, NGHTTP2_FLAG_NONE, call->stream_id, NGHTTP2_CANCEL);
        link->to_flush = true;
}

/* ---- Lifetime ---- */

struct grpc_link *grpc_link_connect(struct sonet_grpc_channel *channel, const struct addrinfo *address)
{
        int on = 1;
        unsigned gone_ms = GRPC_GONE_MS;
        struct grpc_link *link = calloc(1, sizeof(*link));
        if (link == NULL) {
                return NULL;
        }
        link->timer.due = link_due;
        link->channel = channel;
        link->fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (link->fd < 0 || setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0 ||
            setsockopt(link->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &gone_ms, sizeof(gone_ms)) != 0 ||
            (connect(link->fd, address->ai_addr, address->ai_addrlen) != 0 && errno != EINPROGRESS) ||
            !grpc_loop_watch(channel->loop, link->fd, link)) {
                if (link->fd >= 0) {
                        close(link->fd);
                }
                free(link);
                return NULL;
        }
        link->next = channel->links;
        link->at = &channel->links;
        if (link->next != NULL) {
                link->next->at = &link->next;
        }
        channel->links = link;
        return link;
}

/* It is unknown what the callee has done with its calls. */
void grpc_link_end(struct grpc_link *link)
{
        struct sonet_grpc_channel *channel = link->channel;
        bool was_ready = link->state >= GRPC_READY;
        callee_bound_set_open(&channel->bound, false); /* an attempt to connect will tell */
        *link->at = link->next;
        if (link->next != NULL) {
                link->next->at = link->at;
        }
        while (link->calls != NULL) {
                struct grpc_call *call = link->calls;
                grpc_channel_end_call(call, call->written ? GRPC_END_LOST : GRPC_END_UNREACHED);
        }
        http_wheel_clear(&link->timer.timer);
        nghttp2_session_del(link->session);
        tls_free(link->tls);
        close(link->fd);
        buf_free(&link->out);
        grpc_channel_link_ended(channel, link, was_ready);
        free(link);
}

static void connected(struct grpc_link *link)
{
        int why = 0;
        socklen_t len = sizeof(why);
        if (getsockopt(link->fd, SOL_SOCKET, SO_ERROR, &why, &len) != 0 || why != 0) {
                link->broken = true;
                return;
        }
        link->state = GRPC_SECURING;
        if (link->channel->tls != NULL) {
                link->tls = tls_new(link->channel->tls, link->fd, link->channel->address.host);
                link->broken = link->tls == NULL;
        }
}

/* The callee is alive once it sends SETTINGS: the kernel accepts connections even for a hung process. */
static void shake_hands(struct grpc_link *link)
{
        enum tls_step step = link->tls != NULL ? tls_handshake(link->tls) : TLS_DONE;
        if (step == TLS_DONE) {
                link->state = GRPC_GREETING;
                link->broken = !start_session(link);
                link->to_flush = true;
        } else {
                link->broken = step == TLS_FAILED;
        }
}

void grpc_link_event(struct grpc_link *link, uint32_t events)
{
        if (link->state == GRPC_CONNECTING && (events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0) {
                connected(link);
        }
        if (link->state == GRPC_SECURING && !link->broken) {
                shake_hands(link);
        }
        if (link->state >= GRPC_GREETING && !link->broken) {
                receive_all(link, (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0);
                link->to_flush = true;
        }
}

void grpc_link_flush(struct grpc_link *link)
{
        if (!link->broken && link->session != NULL) {
                send_all(link);
        }
        bool over = link->session != NULL && nghttp2_session_want_read(link->session) == 0 &&
                    nghttp2_session_want_write(link->session) == 0;
        if (link->broken || over || (link->state == GRPC_DRAINING && link->calls == NULL && link->out.len == 0)) {
                grpc_link_end(link);
        }
}
